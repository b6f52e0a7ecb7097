"""Owners and their seats."""
