"""How people write amounts in a pack: lengths of time, distances, times of day, days. Each reads into a plain value."""

import re
from datetime import date, timedelta
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from schemas.codes import LimitClock
from schemas.mapping import Part
from schemas.policy import Span

_WALL: Final = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_WORKING: Final = {"wmin": 60, "wh": 3600}
_DURATION: Final = re.compile(r"(\d{1,6}) ?(s|min|h|d|wmin|wh|wd)")
_DISTANCE: Final = re.compile(r"(\d{1,5}) ?(m|km)")
_TIMES: Final = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_MOST_DAYS: Final = 366


class Length(Part):
    """A length of time on a clock of its own. `wmin`, `wh` and `wd` are minutes, hours and days of working time."""

    count: int = Field(gt=0)
    unit: Literal["s", "min", "h", "d", "wmin", "wh", "wd"]

    @property
    def working(self) -> bool:
        """Whether it counts working time."""
        return self.unit.startswith("w")

    def seconds(self, day_s: int) -> int:
        """How long it is, where a working day has `day_s` seconds of working time."""
        if self.unit == "wd":
            return self.count * day_s
        return self.count * (_WORKING[self.unit] if self.working else _WALL[self.unit])

    def span(self, day_s: int) -> Span:
        """The same as the desk takes it."""
        clock = LimitClock.WORKING if self.working else LimitClock.WALL
        return Span(seconds=self.seconds(day_s), clock=clock, written=f"{self.count} {self.unit}")


def _length(written: object) -> object:
    match = _DURATION.fullmatch(written.strip()) if isinstance(written, str) else None
    if match is None:
        msg = "a limit is a whole number and a unit: 30 s, 10 min, 24 h, 5 d, or of working time 30 wmin, 4 wh, 5 wd"
        raise ValueError(msg)
    return {"count": int(match[1]), "unit": match[2]}


def _seconds(written: object) -> object:
    match = _DURATION.fullmatch(written.strip()) if isinstance(written, str) else None
    if match is None or match[2] not in _WALL:
        msg = "a duration is a whole number and a unit: 30 s, 10 min, 24 h, 5 d"
        raise ValueError(msg)
    return int(match[1]) * _WALL[match[2]]


def _metres(written: object) -> object:
    match = _DISTANCE.fullmatch(written.strip()) if isinstance(written, str) else None
    if match is None:
        msg = "a distance is a whole number and a unit: 50 m, 2 km"
        raise ValueError(msg)
    return int(match[1]) * (1000 if match[2] == "km" else 1)


def _times(written: object) -> object:
    match = _TIMES.fullmatch(written.strip()) if isinstance(written, str) else None
    found = [int(part) for part in match.groups()] if match is not None else [99] * 4
    begin, end = found[0] * 60 + found[1], found[2] * 60 + found[3]
    if max(found[1], found[3]) > 59 or begin >= 1440 or not 0 < end <= 1440 or begin == end:
        msg = 'times of day are written "08:30-12:00", up to 24:00'
        raise ValueError(msg)
    return begin, end


def _range(written: object) -> object:
    first, _, last = str(written).partition("..")
    try:
        begin, end = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError:
        msg = f"{written!r} is no day: write 2026-01-01, or 2026-02-15..2026-02-23"
        raise ValueError(msg) from None
    if not begin <= end <= begin + timedelta(days=_MOST_DAYS):
        msg = f"{written!r} does not go from an earlier to a later day of a year"
        raise ValueError(msg)
    return tuple(begin + timedelta(days=number) for number in range((end - begin).days + 1))


def _several(written: object) -> object:
    return written if isinstance(written, list | tuple) else (written,)


Limit = Annotated[Length, BeforeValidator(_length)]
"""Written `30 s`, `10 min`, `24 h`, `5 d` (of 24 hours), or of working time `30 wmin`, `4 wh`, `5 wd`."""
Seconds = Annotated[int, BeforeValidator(_seconds), Field(gt=0)]
"""Written `30 s`, `10 min`, `24 h`, `5 d` (of 24 hours); read as seconds."""
Metres = Annotated[int, BeforeValidator(_metres), Field(gt=0)]
"""Written `50 m`, `2 km`; read as metres."""
Window = Annotated[tuple[int, int], BeforeValidator(_times)]
"""Written `"08:30-12:00"`; read as minutes from midnight, from and to."""
Days = Annotated[tuple[date, ...], BeforeValidator(_range)]
"""Written `2026-01-01`, or `2026-02-15..2026-02-23` with both ends; read as the days."""
Several: Final = BeforeValidator(_several)
"""One, or a list of several."""
