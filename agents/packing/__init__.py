"""What a district's files are read with, held against one another, and made into."""
