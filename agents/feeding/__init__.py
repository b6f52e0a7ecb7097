"""Feeding a file: read and put in order, sent from where it stopped, waited for."""
