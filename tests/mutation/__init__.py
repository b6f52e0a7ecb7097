"""Mutation: the desk with one thing changed must not pass its tests."""
