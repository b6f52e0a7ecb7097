"""Tests of what runs on this machine alone."""
