"""Tests of the measures of how well the rules do."""
