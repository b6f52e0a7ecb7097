"""What if: a log under other rules."""
