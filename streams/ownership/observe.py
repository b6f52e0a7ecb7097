"""What owners tell about themselves."""

from typing import Protocol


class OwnerMetrics(Protocol):
    """Called from the event loop; must not block or raise."""

    def opened(self, stage: str, partition: int, fold_seconds: float) -> None:
        """An owner opened, from the fence to the first read in so many seconds."""
        ...

    def refused(self, stage: str, reason: str) -> None:
        """An owner did not open; the process ends."""
        ...

    def fenced(self, stage: str) -> None:
        """An owner was replaced."""
        ...

    def batch(
        self, stage: str, partition: int, *, records_in: int, records_out: int, transaction_seconds: float, oldest: int
    ) -> None:
        """A batch was committed; `records_out` without state, `oldest` the append time of its oldest record in ms."""
        ...

    def lag(self, stage: str, partition: int, records: int) -> None:
        """Offsets between what is read and the last stable offset, over all inputs of the partition."""
        ...

    def no_lag(self, stage: str, partition: int) -> None:
        """The partition has no open owner here any more: what was told of its lag is no longer so."""
        ...


class NoMetrics:
    """Tell nobody."""

    def opened(self, stage: str, partition: int, fold_seconds: float) -> None:
        """Ignore."""

    def refused(self, stage: str, reason: str) -> None:
        """Ignore."""

    def fenced(self, stage: str) -> None:
        """Ignore."""

    def batch(
        self, stage: str, partition: int, *, records_in: int, records_out: int, transaction_seconds: float, oldest: int
    ) -> None:
        """Ignore."""

    def lag(self, stage: str, partition: int, records: int) -> None:
        """Ignore."""

    def no_lag(self, stage: str, partition: int) -> None:
        """Ignore."""
