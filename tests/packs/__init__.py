"""Districts: their packs, what is wrong with one, and publishing it."""
