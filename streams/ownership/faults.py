"""Points between the steps of a batch where a test may end the process or raise. Else nothing happens there."""

from enum import StrEnum
from typing import Protocol


class Point(StrEnum):
    """Where a fault can strike."""

    BEFORE_TRANSACTION = "before the transaction"
    AFTER_SENDS = "after the sends"
    AFTER_COMMIT = "after the commit"
    BEFORE_MEMORY = "before memory takes the change"


class Faults(Protocol):
    """Told of every point that is passed; what it raises is an error of the owner."""

    def point(self, name: Point) -> None:
        """Pass this point."""
        ...


class NoFaults:
    """Let everything pass."""

    def point(self, name: Point) -> None:
        """Do nothing."""
