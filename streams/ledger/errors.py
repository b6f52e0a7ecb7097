"""What can go wrong with ClickHouse.

LedgerError
├── LedgerAway      it does not answer, or not now: the same call may succeed later
└── LedgerRefused   it will go on refusing until somebody acts; the text says what to do
"""


class LedgerError(Exception):
    """Its text is one line for the user."""


class LedgerAway(LedgerError):
    """ClickHouse does not answer, or not now."""


class LedgerRefused(LedgerError):
    """ClickHouse, or the way to it, refuses; waiting does not help."""
