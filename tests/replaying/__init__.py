"""Replay, what-if and snapshots: over logs of chance, over a simulated district, and on a real broker."""
