"""What feeding needs of the rest: who knows what is settled, and whom to tell how far it is."""

from collections.abc import Sequence
from typing import Protocol

from schemas.commands import Origin


class Settled(Protocol):
    """Knows what has reached ClickHouse, and what cannot yet."""

    async def settled(self, topic: str, partition: int, first: int, last: int) -> int:
        """How many offsets of `first`..`last` (both included) are settled or dead letters: distinct origins."""
        ...

    async def waiting(self) -> Sequence[Origin]:
        """The feedback that the desk holds until its report comes, of whatever source. It is not settled meanwhile."""
        ...


class Progress(Protocol):
    """Is told how far a feed is."""

    def say(self, text: str) -> None:
        """One line for the user."""
        ...

    def begin(self, what: str, total: int) -> None:
        """A new bar."""
        ...

    def reach(self, done: int) -> None:
        """So many of the total are done."""
        ...


class Quiet:
    """Tells nobody."""

    def say(self, text: str) -> None:
        """Nothing."""

    def begin(self, what: str, total: int) -> None:
        """Nothing."""

    def reach(self, done: int) -> None:
        """Nothing."""
