"""What if: a log once under the rules that it had and once under others, side by side, and what differs."""
