"""Tickets as others read them."""
