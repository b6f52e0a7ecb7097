"""Working time (工作时间): how much of it lies between two moments, and when so much of it has run. Pure.

A moment is working time where the clock on the wall of the calendar's zone shows a time inside a period of a worked
day. That holds when the zone changes its clock, too: an hour that is skipped is not worked, one that comes twice is
worked twice. Milliseconds throughout, whole numbers.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from schemas.policy import Calendar

_MINUTE: Final = 60_000
_DAY: Final = 86_400_000
_BLOCK: Final = 400 * _DAY
"""What one table covers; they are built when they are first asked for."""
_END: Final = 253_402_300_800_000
"""Where dates end: no log reaches the year 10000."""
_FAR: Final = 256
"""After so many tables, some 280 years, nobody waits any more."""
_EPOCH: Final = date(1970, 1, 1).toordinal()
_THURSDAY: Final = 3
"""The weekday of 1970-01-01."""


class _Table:
    """The periods of one block: where each begins, how much was worked before it, and after the last.

    The earliest moment at which `worked`, above 0 and no more than `total`, has run lies in the last period that began
    with less: it is `worked` and that period's shift.
    """

    __slots__ = ("before", "shifts", "starts", "total")

    def __init__(self, periods: list[tuple[int, int]]) -> None:
        self.starts = [start for start, _ in periods]
        self.before = [0]
        for start, end in periods:
            self.before.append(self.before[-1] + end - start)
        self.total = self.before[-1]
        self.shifts = [start - before for start, before in zip(self.starts, self.before, strict=False)]

    def worked(self, at: int) -> int:
        """How much of the block's working time has run at a moment of it."""
        index = bisect_right(self.starts, at)
        if not index:
            return 0
        worked = self.before[index - 1] + at - self.starts[index - 1]
        end = self.before[index]
        return worked if worked < end else end


class Kind(StrEnum):
    """What a day is for the calendar."""

    WEEKDAY = "weekday"  # 工作日
    ADJUSTED = "adjusted"  # 调休上班: worked although it is no such weekday
    HOLIDAY = "holiday"  # 节假日: free although it is one
    WEEKEND = "weekend"  # 休息日


_WORKED: Final = frozenset({Kind.WEEKDAY, Kind.ADJUSTED})


class Day(NamedTuple):
    """One day, or the part of it that lies in a span, and which of its time was worked."""

    date: str
    kind: Kind
    announced: bool
    """Whether the calendar names its year."""
    periods: tuple[tuple[int, int], ...]
    """From and to, milliseconds since the epoch."""


class WorkingTime:
    """The working time of one calendar; without one, or where it has no period or no weekday, all time is."""

    def __init__(self, calendar: Calendar | None) -> None:
        self._calendar = calendar if calendar is not None and calendar.periods and calendar.weekdays else None
        self._tables: dict[int, _Table] = {}
        self._announced: list[int] = []
        self._start: int | None = None
        self._before_start, self._table_at_start = 0, _Table([])
        if self._calendar is not None:
            self._compile(self._calendar)

    def between(self, start: int, end: int) -> int:
        """How much working time runs from `start` to `end`, which is not before it."""
        if self._calendar is None:
            return end - start
        first, last = start // _BLOCK, end // _BLOCK
        worked = self._table(last).worked(end) - self._table(first).worked(start)
        for block in range(first, last):
            worked += self._table(block).total
        return worked

    def after(self, start: int, worked: int) -> int:
        """The earliest moment at which so much working time has run since `start`; `start` itself for nothing."""
        if self._calendar is None or worked <= 0:
            return start + max(worked, 0)
        block = start // _BLOCK
        left = self._table(block).worked(start) + worked
        for later in range(block, min(block + _FAR, _END // _BLOCK + 1)):
            table = self._table(later)
            if left <= table.total:
                return left + table.shifts[bisect_left(table.before, left) - 1]
            left -= table.total
        return _END

    def both_after(self, start: int, one: int, other: int) -> tuple[int, int]:
        """`after` for two amounts at once, and fast."""
        if self._calendar is None or one <= 0 or other <= 0:
            return self.after(start, one), self.after(start, other)
        if start != self._start:
            # All limits of a ticket begin at one moment: where that lies is looked up once.
            self._start, self._table_at_start = start, self._table(start // _BLOCK)
            self._before_start = self._table_at_start.worked(start)
        table, left = self._table_at_start, self._before_start
        if left + one > table.total or left + other > table.total:
            return self.after(start, one), self.after(start, other)
        before, shifts = table.before, table.shifts
        one += left
        other += left
        return one + shifts[bisect_left(before, one) - 1], other + shifts[bisect_left(before, other) - 1]

    def days(self, start: int, end: int) -> Iterator[Day]:
        """Each day between two moments, and what of it is worked; none where all time is."""
        if self._calendar is not None:
            for day, kind, periods in self._days_in(start, end):
                date_ = date.fromordinal(day + _EPOCH)
                yield Day(date_.isoformat(), kind, date_.year in self._calendar.years, tuple(periods))

    def announced(self, at: int) -> bool:
        """Whether the calendar names the year of that moment."""
        if self._calendar is None:
            return True
        return bisect_right(self._announced, at) % 2 == 1

    def _table(self, block: int) -> _Table:
        table = self._tables.get(block)
        if table is None:
            if len(self._tables) > 4 * _FAR:
                self._tables.clear()  # somebody walks through the millennia
            end = min((block + 1) * _BLOCK, _END)
            table = self._tables[block] = _Table(list(self._worked_in(block * _BLOCK, end)))
        return table

    def _compile(self, calendar: Calendar) -> None:
        self._zone = ZoneInfo(calendar.zone)
        self._periods = tuple((start * _MINUTE, end * _MINUTE) for start, end in calendar.periods)
        self._weekdays = frozenset(calendar.weekdays)
        self._off = _days(calendar.off, calendar.years)
        self._on = _days(calendar.on, calendar.years)
        for year in sorted(set(calendar.years)):
            self._announced += self._new_year(year), self._new_year(year + 1)

    def _worked_in(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """The periods between two moments, in order, cut at them and where the zone changes its clock."""
        for _, _, periods in self._days_in(begin, end):
            yield from periods

    def _days_in(self, begin: int, end: int) -> Iterator[tuple[int, Kind, list[tuple[int, int]]]]:
        """Each day between two moments, what it is, and its periods."""
        for since, until, offset in self._offsets(begin, end):
            for day in range((since + offset) // _DAY, (until - 1 + offset) // _DAY + 1):
                kind, midnight = self._kind(day), day * _DAY - offset
                spans = self._periods if kind in _WORKED else ()
                cut = ((max(midnight + first, since), min(midnight + last, until)) for first, last in spans)
                yield day, kind, [(start, stop) for start, stop in cut if start < stop]

    def _kind(self, day: int) -> Kind:
        if (day + _THURSDAY) % 7 in self._weekdays and day not in self._off:
            return Kind.WEEKDAY
        if day in self._on:
            return Kind.ADJUSTED
        return Kind.HOLIDAY if day in self._off else Kind.WEEKEND

    def _offsets(self, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Stretches with one distance from UTC each: from, to, distance. No zone changes twice within a day."""
        since, offset = begin, self._offset(begin)
        for moment in range(begin, end, _DAY):
            until = min(moment + _DAY, end)
            if self._offset(until) != offset:
                change = self._change(moment, until)
                yield since, change, offset
                since, offset = change, self._offset(change)
        if since < end:
            yield since, end, offset

    def _change(self, before: int, after: int) -> int:
        """The first second with the distance that `after` has."""
        offset = self._offset(after)
        while after - before > 1000:
            middle = (before + after) // 2000 * 1000
            if self._offset(middle) == offset:
                after = middle
            else:
                before = middle
        return after

    def _offset(self, at: int) -> int:
        second = min(max(at, 0), _END - 2 * _DAY) // 1000  # a day from where dates end, either way
        distance = datetime.fromtimestamp(second, self._zone).utcoffset()
        return 0 if distance is None else distance // timedelta(milliseconds=1)

    def _new_year(self, year: int) -> int:
        if year > date.max.year:
            return _END + _DAY
        return int(datetime(year, 1, 1, tzinfo=self._zone).timestamp()) * 1000


def _days(dates: tuple[str, ...], years: tuple[int, ...]) -> frozenset[int]:
    """Days since 1970, of announced years; beyond them plain weekdays count."""
    days = map(date.fromisoformat, dates)
    return frozenset(day.toordinal() - _EPOCH for day in days if day.year in years)
