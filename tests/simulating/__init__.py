"""The simulation: itself, and the desk beside its truth."""
