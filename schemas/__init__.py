"""Wire contracts: what stands on the topics."""
