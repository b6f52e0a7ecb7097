"""Working time for the model: one minute after the other, each asked of the calendar. Slow, and hard to get wrong."""

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

from schemas.policy import Calendar

MINUTE = 60_000
LONGEST = 400 * 24 * 60
"""Minutes that are walked at most: a calendar that never works is a mistake of the test."""


class Minutes:
    """A calendar, minute by minute; without one all time is working time."""

    def __init__(self, calendar: Calendar | None) -> None:
        self.calendar = calendar
        self.known: dict[int, bool] = {}

    def works(self, minute: int) -> bool:
        """Whether that minute since the epoch is working time."""
        if self.calendar is None:
            return True
        if minute not in self.known:
            self.known[minute] = self._works(self.calendar, minute)
        return self.known[minute]

    def after(self, start: int, ran: int) -> int:
        """When so many milliseconds of working time have run; at the end of a period, that end."""
        at, left = start, ran
        for _ in range(LONGEST):
            if left == 0:
                return at
            end = (at // MINUTE + 1) * MINUTE
            if self.works(at // MINUTE):
                step = min(left, end - at)
                left -= step
                if left == 0:
                    return at + step
            at = end
        msg = "this calendar does not work"
        raise AssertionError(msg)

    def between(self, start: int, end: int) -> int:
        """Milliseconds of working time between two times."""
        ran, at = 0, start
        while at < end:
            step = min(end, (at // MINUTE + 1) * MINUTE) - at
            if self.works(at // MINUTE):
                ran += step
            at += step
        return ran

    def unnamed(self, at: int) -> bool:
        """Whether that time lies in a year that the calendar does not name."""
        return self.calendar is not None and self._local(self.calendar, at // MINUTE).year not in self.calendar.years

    def minute_of_day(self, at: int) -> int:
        """The local minute of the day; UTC's without a calendar."""
        local = datetime.fromtimestamp(at // 1000, UTC)
        if self.calendar is not None:
            local = self._local(self.calendar, at // MINUTE)
        return local.hour * 60 + local.minute

    @staticmethod
    def _local(calendar: Calendar, minute: int) -> datetime:
        return datetime.fromtimestamp(minute * 60, UTC).astimezone(ZoneInfo(calendar.zone))

    def _works(self, calendar: Calendar, minute: int) -> bool:
        local = self._local(calendar, minute)
        date = local.date().isoformat()
        day = local.weekday() in calendar.weekdays
        if local.year in calendar.years:  # beyond those plain weekdays count
            day = (day and date not in calendar.off) or date in calendar.on
        now = local.hour * 60 + local.minute
        return day and any(begin <= now < end for begin, end in calendar.periods)


@cache
def minutes_of(calendar: Calendar | None) -> Minutes:
    """One calendar, walked once for all models."""
    return Minutes(calendar)
