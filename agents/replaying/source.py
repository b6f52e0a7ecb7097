"""Where a replay reads: the records of `desk` and `tickets`, by partition, and what is known of their ends."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agents.replaying.archive import Archive, ArchiveError
from schemas.topics import DESK, TICKETS
from streams.ownership.batch import Record

LOG = "log"
"""The kind of a file that holds one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """One partition, as it was when somebody looked. Ends are one past the last offset.

    `applied`: what the desk had committed; what it says of records from there on may stand on `tickets` or not yet.
    """

    partition: int
    desk_first: int
    desk_end: int
    tickets_first: int
    tickets_end: int
    applied: int


class Source(Protocol):
    """A log; another process can be given it."""

    @property
    def prefix(self) -> str:
        """Of the topics' names."""
        ...

    @property
    def bounds(self) -> Mapping[int, Bounds]:
        """By partition."""
        ...

    def desk(self, partition: int, first: int) -> Iterator[Record]:
        """The commands from an offset on."""
        ...

    def tickets(self, partition: int) -> Iterator[Record]:
        """The facts."""
        ...


@dataclass(frozen=True, slots=True)
class FileLog:
    """A log that was exported."""

    path: Path
    prefix: str
    bounds: Mapping[int, Bounds]

    def desk(self, partition: int, first: int) -> Iterator[Record]:
        """The commands from an offset on."""
        records = Archive(self.path).records(section(DESK, partition), self.prefix + DESK, partition)
        return (record for record in records if record.offset >= first)

    def tickets(self, partition: int) -> Iterator[Record]:
        """The facts."""
        return Archive(self.path).records(section(TICKETS, partition), self.prefix + TICKETS, partition)


def section(topic: str, partition: int) -> str:
    """The name of a partition's section in a file."""
    return f"{topic}-{partition}.jsonl"


def log_in(path: Path) -> FileLog:
    """The log in a file; `ArchiveError` where it is none."""
    manifest = Archive(path).check(LOG)
    try:
        bounds = [Bounds(**one) for one in manifest["partitions"]]
        prefix = str(manifest["prefix"])
    except (KeyError, TypeError) as error:
        msg = f"{path} was written by another build: export the log anew"
        raise ArchiveError(msg) from error
    return FileLog(path, prefix, {one.partition: one for one in bounds})
