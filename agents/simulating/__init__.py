"""A believable month of the district, made up: reports of every source, handlers' feedback, and the truth beside it."""
