"""Times as a source writes them, in milliseconds since the epoch. Pure."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from schemas.codes import Reject
from schemas.mapping import TimeRule
from streams.intake.lines import Fields
from streams.intake.rejected import Unusable

EARLIEST: Final = 0
LATEST: Final = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp() * 1000)
"""A typing error of centuries would move log time beyond all that follows; such a time is no time."""

TimeOf = Callable[[Fields], int | None]
"""The time in a record, `None` where the column is empty; raises `Unusable`."""


def time_of(rule: TimeRule, columns: Sequence[str]) -> TimeOf:
    """How this rule's column is read."""
    index, parse, name = columns.index(rule.column), _parser(rule), rule.column

    def read(fields: Fields) -> int | None:
        text = fields[index].strip()
        if not text:
            return None
        try:
            time = parse(text)
        except (ValueError, OverflowError):
            raise Unusable(Reject.WRONG_TYPE, f"{name} is not a time") from None
        if not EARLIEST <= time < LATEST:
            raise Unusable(Reject.WRONG_TYPE, f"{name} is not a time between 1970 and 2100")
        return time

    return read


def required(read: TimeOf, name: str) -> Callable[[Fields], int]:
    """The same, where an empty column is an error."""

    def read_required(fields: Fields) -> int:
        time = read(fields)
        if time is None:
            raise Unusable(Reject.MISSING_FIELD, f"{name} is empty")
        return time

    return read_required


def _parser(rule: TimeRule) -> Callable[[str], int]:
    zone = ZoneInfo(rule.zone) if rule.zone else None
    if rule.format == "epoch-s":
        return lambda text: int(text) * 1000
    if rule.format == "epoch-ms":
        return int
    if rule.format == "iso":
        return lambda text: _millis(datetime.fromisoformat(text), zone)
    return lambda text: _millis(datetime.strptime(text, rule.format), zone)  # noqa: DTZ007 - the zone follows


def _millis(time: datetime, zone: tzinfo | None) -> int:
    if time.tzinfo is None:
        if zone is None:
            msg = "no offset, and the mapping names no zone"
            raise ValueError(msg)
        time = time.replace(tzinfo=zone)
    return round(time.timestamp() * 1000)
