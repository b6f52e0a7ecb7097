"""How well the desk's rules find what belongs together, measured against labels."""
