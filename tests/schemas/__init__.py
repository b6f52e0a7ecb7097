"""What stands on the topics: how it is made, written and read."""
