"""Replay: the desk's log once more through the core, under its own rules or under others, and its state in a file."""
