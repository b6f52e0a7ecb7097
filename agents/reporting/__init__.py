"""The report on the closed loop: as one JSON document, on the terminal, and as a page."""
