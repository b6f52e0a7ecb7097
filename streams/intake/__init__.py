"""From what a source sent to a command. Pure."""
