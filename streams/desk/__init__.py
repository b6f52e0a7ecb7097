"""The rules that move a ticket. Pure."""
