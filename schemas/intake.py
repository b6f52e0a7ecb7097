"""What stands on `intake.*`: the bytes a source sent, untouched, and a few headers that say what they are."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from schemas.codec import contract

SOURCE: Final = "lianqin-source"
"""Header: the source's name; its mapping file reads the value."""
VERSION: Final = "lianqin-version"
"""Header: version of the source's shape, `1` where absent."""
PART: Final = "lianqin-part"
"""Header: what the record is read as: `report`, `closed` (one row may hold a report and its closing) or `feedback`.
Absent: `report` where the mapping has one, else `feedback`."""
TIME: Final = "lianqin-time"
"""Header, on `intake.history` only: the record's own time, milliseconds since the epoch, in decimal."""
FEED: Final = "lianqin-feed"
"""Header: fingerprint of the file that `feed` reads, by which it resumes."""
ROW: Final = "lianqin-row"
"""Header: number of the record in the sorted file, from 0, in decimal."""
DRILL: Final = "lianqin-drill"
"""Header: `true` where the report is a drill (演练)."""
ARRIVED: Final = "lianqin-arrived"
"""Header, on `desk`: when the intake record was appended, milliseconds since the epoch; for metrics, never a rule."""
MARKER: Final = "lianqin-marker"
"""Header: the record is no report; `end` closes a feed. Outside the account."""


@contract
class IntakeHeaders:
    """The headers of one intake record."""

    source: str | None = None
    version: str = "1"
    part: str | None = None
    time: int | None = None
    feed: str | None = None
    row: int | None = None
    marker: str | None = None
    drill: bool = False

    def to_kafka(self) -> list[tuple[str, bytes]]:
        """As record headers; what is absent is left out."""
        named = (
            (SOURCE, self.source),
            (VERSION, self.version),
            (PART, self.part),
            (TIME, self.time),
            (FEED, self.feed),
            (ROW, self.row),
            (MARKER, self.marker),
            (DRILL, "true" if self.drill else None),
        )
        return [(name, str(value).encode()) for name, value in named if value is not None]


def _number(value: bytes | None) -> int | None:
    try:
        return None if value is None else int(value)
    except ValueError:
        return None


def _word(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")


def intake_headers(headers: Sequence[tuple[str, bytes]]) -> IntakeHeaders:
    """Read the headers of an intake record; never raises: what cannot be read counts as absent."""
    return _read(tuple(headers))


@lru_cache(maxsize=256)  # a source says the same with each of its records
def _read(headers: tuple[tuple[str, bytes], ...]) -> IntakeHeaders:
    found = dict(headers).get
    return IntakeHeaders(
        source=_word(found(SOURCE)),
        version=_word(found(VERSION)) or "1",
        part=_word(found(PART)) or None,
        time=_number(found(TIME)),
        feed=_word(found(FEED)),
        row=_number(found(ROW)),
        marker=_word(found(MARKER)),
        drill=found(DRILL) == b"true",
    )
