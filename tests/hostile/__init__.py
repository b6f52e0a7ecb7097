"""Hostile specimens, each by its name: what is done with it, and that nothing falls over."""
