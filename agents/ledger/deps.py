"""What the owners of the ledger stage are given."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from streams.ledger.newest import Newest
from streams.ledger.rows import Block
from streams.ownership.cluster import Cluster

GROUP: Final = "ledger"
"""The group whose committed offsets tell how far the ledger is; behind the prefix."""


class LedgerMetrics(Protocol):
    """What the ledger tells about itself; called from the event loop, must not block or raise."""

    def rows(self, n: int) -> None:
        """So many rows were acknowledged."""
        ...

    def inserted(self, seconds: float) -> None:
        """One INSERT took so long."""
        ...

    def lag(self, partition: int, n: int) -> None:
        """Offsets between what is written and the end, over the inputs of this seat."""
        ...

    def waited(self) -> None:
        """ClickHouse was away once more."""
        ...

    def opened(self, partition: int) -> None:
        """A seat's owner reads."""
        ...

    def closed(self, partition: int) -> None:
        """It does no longer."""
        ...


class NoMetrics:
    """Tell nobody."""

    def rows(self, n: int) -> None:
        """Ignore."""

    def inserted(self, seconds: float) -> None:
        """Ignore."""

    def lag(self, partition: int, n: int) -> None:
        """Ignore."""

    def waited(self) -> None:
        """Ignore."""

    def opened(self, partition: int) -> None:
        """Ignore."""

    def closed(self, partition: int) -> None:
        """Ignore."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerDeps:
    """What all owners of the ledger stage share."""

    cluster: Cluster
    prefix: str
    insert: Callable[[Block], Awaitable[None]]
    """Write a block; returns when it is in ClickHouse (`Store.insert`)."""
    newest: Callable[[str, int], Awaitable[Newest | None]]
    """The newest row that ClickHouse holds of a topic's partition (`streams.ledger.newest`)."""
    metrics: LedgerMetrics = field(default_factory=NoMetrics)
    most_rows: int = 20_000
    """In one INSERT."""
    wait_s: float = 1.0
    """How long few rows wait for more."""
    away_s: float = 300.0
    """How long ClickHouse may be away before the process ends."""
    look_s: float = 60.0
    """How often an owner looks whether the group's offsets are what it has written."""
    close_within_s: float = 10.0

    @property
    def group(self) -> str:
        """The group's full name."""
        return self.prefix + GROUP
