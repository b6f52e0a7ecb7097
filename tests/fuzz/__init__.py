"""Bad and hostile input by the million: whatever comes in, nothing raises and nothing is lost."""
