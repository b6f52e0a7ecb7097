"""A ticket's story, and the reasons of its limits."""
