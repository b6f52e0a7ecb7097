"""Tickets as others read them: what follows from the facts on `tickets`, one small view a ticket. Pure."""
