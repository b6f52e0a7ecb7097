"""Whether an owner may go on from its place. Each of these, unchecked, would lose records without a word."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from streams.ownership.place import Place


class Reason(StrEnum):
    """Why an owner does not open."""

    HIDDEN = "hidden"
    """A part of the state is hidden behind somebody's open transaction."""
    DAMAGED = "damaged"
    """There is state, but it does not say how far it goes."""
    OFFSET = "offset"
    """State and group do not agree on how far this partition is done."""
    RANGE = "range"
    """The log does not hold what comes next."""
    ANOTHER_LOG = "another-log"
    """The record that was applied last is not there, or is another one."""


class OpenRefused(Exception):
    """The owner does not open; the text is one line that says why and what to do."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an owner finds of one input when it opens."""

    name: str
    """Topic and partition, for the message."""
    place: Place
    committed: int | None
    """The group's offset; None if it has none."""
    start: int
    end: int
    """Of the log, as a `read_committed` reader sees it."""
    checksum: str | None
    """Of the record at `place.offset`, as it is now; None if there is none to be read."""


def check(found: Found) -> None:
    """Raise OpenRefused for the first thing that is wrong."""
    for refused in _refusals(found):
        raise refused


def _refusals(found: Found) -> Iterator[OpenRefused]:
    """All that is wrong, the most telling first."""
    place, name = found.place, found.name
    if not found.start <= place.next <= found.end:
        yield OpenRefused(
            Reason.RANGE,
            f"{name}: next is offset {place.next}, but the log holds [{found.start}, {found.end}): records are gone or "
            "the topic was made anew; restore it, or start under another prefix",
        )
    if found.committed is not None and found.committed != place.next:
        yield OpenRefused(
            Reason.OFFSET,
            f"{name}: the group's offset is {found.committed}, the state goes up to {place.next}: one of them was "
            "reset or restored alone; restore them together",
        )
    # Below the log's start it can't be read any more; then the range is all the proof there is.
    if place.checksum and place.offset >= found.start and found.checksum != place.checksum:
        yield OpenRefused(
            Reason.ANOTHER_LOG,
            f"{name}: the record at offset {place.offset} is not the one that was applied: the topic was made anew; "
            "restore it, or start under another prefix",
        )
