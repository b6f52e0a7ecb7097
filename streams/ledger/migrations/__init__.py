"""Numbered SQL files, forward only; statements end with a semicolon at the end of a line."""
