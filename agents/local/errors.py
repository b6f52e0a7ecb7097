"""What can go wrong on this machine, each with the one line that says what to do.

LocalError
├── BrokerError   the local broker cannot be started
├── FolderError   the data folder cannot be used
└── ChildGaveUp   a supervised process refuses its configuration
"""

from agents.errors import UserError


class LocalError(UserError):
    """Its text is one line for the user; no traceback is needed to act on it."""


class BrokerError(LocalError):
    """The local broker cannot be started, or did not come up."""


class FolderError(LocalError):
    """The data folder cannot be used."""


class ChildGaveUp(LocalError):
    """A supervised process ended again and again with a refusal; nobody will start it again."""

    def __init__(self, name: str, *, last_line: str, log: str) -> None:
        super().__init__(f"{name} refuses to start: {last_line or 'it said nothing'} (its log: {log})")
        self.name = name
        self.last_line = last_line
