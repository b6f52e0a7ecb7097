"""Districts, source mappings, the broker's files: data, no code."""
