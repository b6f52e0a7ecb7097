"""Tests: the pure core, the shells, and the whole on a real broker."""
