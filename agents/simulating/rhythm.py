"""When reports come in: the shape of a day, a week and a year. Pure; milliseconds since the epoch.

A district of half a million people sees 300 to 1,000 reports a day, in the shares and by the hours that published
bulletins of 110 rooms, 12345 lines and grid centres show. Chosen, not fitted.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Final

ZONE: Final = timezone(timedelta(hours=8))
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

REPORTS_A_DAY: Final = 620
FEWEST: Final = 300
MOST: Final = 1_000
SHARES: Final[Mapping[str, float]] = {"police110": 0.33, "gridapp": 0.36, "hotline12345": 0.23, "citizenapp": 0.08}

# Of 24 hours each; patrols and the hotline keep office hours, alarms peak in the evening.
_ROUND_THE_CLOCK: Final = (9, 6, 4, 3, 3, 4, 7, 12, 16, 18, 18, 17, 16, 16, 17, 18, 19, 20, 21, 22, 22, 20, 16, 12)
_OFFICE: Final = (0, 0, 0, 0, 0, 0, 1, 6, 18, 26, 26, 18, 6, 10, 22, 24, 20, 12, 5, 3, 2, 1, 0, 0)
_WAKING: Final = (2, 1, 1, 1, 1, 2, 6, 12, 18, 20, 19, 16, 14, 14, 16, 17, 17, 18, 20, 22, 20, 14, 8, 4)
HOURS: Final[Mapping[str, tuple[int, ...]]] = {
    "police110": _ROUND_THE_CLOCK,
    "gridapp": _OFFICE,
    "hotline12345": _WAKING,
    "citizenapp": _WAKING,
}
# Plum rains and heat in June to August, the Spring Festival's quiet, the weekend's.
_MONTHS: Final = (0.92, 0.85, 0.97, 1.0, 1.03, 1.12, 1.18, 1.14, 1.03, 1.0, 0.97, 0.94)
_WEEKDAYS: Final = (1.04, 1.03, 1.02, 1.02, 1.04, 0.94, 0.91)


def volume(random: Random, day: datetime, times: float) -> int:
    """How many matters a day brings, `times` as many as the district really has."""
    shape = _MONTHS[day.month - 1] * _WEEKDAYS[day.weekday()]
    drawn = REPORTS_A_DAY * shape * random.lognormvariate(0, 0.08)
    return max(1, round(min(max(drawn, FEWEST), MOST) * times))


def arrivals(random: Random, day: datetime, times: float) -> list[tuple[int, str]]:
    """The times and sources of a day's matters, in order."""
    begin = round(day.timestamp() * 1000)
    sources = random.choices(list(SHARES), list(SHARES.values()), k=volume(random, day, times))
    hours = range(24)
    return sorted(
        (begin + random.choices(hours, HOURS[source])[0] * HOUR_MS + random.randrange(HOUR_MS), source)
        for source in sources
    )


def midnight(year: int, month: int, day: int) -> datetime:
    """The beginning of a day in the district's zone."""
    return datetime(year, month, day, tzinfo=ZONE)


def local(time: int) -> datetime:
    """A time as the district's clocks show it."""
    return datetime.fromtimestamp(time / 1000, UTC).astimezone(ZONE)


def in_office(random: Random, time: int) -> int:
    """The time itself within a patrol's day, else some time of the next morning."""
    at = local(time)
    if 8 <= at.hour < 18:
        return time
    nine = at.replace(hour=8, minute=30, second=0, microsecond=0)
    if at.hour >= 18:
        nine += timedelta(days=1)
    return round(nine.timestamp() * 1000) + random.randrange(2 * HOUR_MS)
