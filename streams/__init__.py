"""The work of each stage; the parts do not know one another."""
