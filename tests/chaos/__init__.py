"""The proof under fire: workers are killed and frozen while records flow, then every record is accounted for."""
