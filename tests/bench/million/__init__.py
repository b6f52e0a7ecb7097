"""A million open tickets: folded, remembered, and all due at once."""
