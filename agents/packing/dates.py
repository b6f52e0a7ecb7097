"""What does not fit in a working calendar: days of another year, days that are both or change nothing. Pure."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from agents.packing.problem import Loc, Problem
from schemas.pack import CalendarFile, YearEntry

FILE: Final = "calendar.yaml"
YEARS: Final = range(1970, 2101)


def calendar_problems(file: CalendarFile) -> Iterator[Problem]:
    """Errors and warnings of the whole calendar."""
    weekdays = set(file.weekday_numbers())
    if not file.years:
        yield Problem(FILE, ("years",), "no year is announced: every working limit is provisional", warning=True)
    for year, entry in file.years.items():
        loc: Loc = ("years", year)
        if year not in YEARS:
            yield Problem(FILE, loc, f"is no year from {YEARS[0]} to {YEARS[-1]}")
        if not entry.free:
            yield Problem(FILE, loc, "has no holidays: leave the year out until it is announced")
        yield from _days(year, entry, weekdays)
    if file.years and len(file.years) <= max(file.years) - min(file.years):
        gaps = sorted(set(range(min(file.years), max(file.years))) - file.years.keys())
        text = f"{', '.join(map(str, gaps))} stands between announced years and is none"
        yield Problem(FILE, ("years",), text, warning=True)


def _days(year: int, entry: YearEntry, weekdays: set[int]) -> Iterator[Problem]:
    seen: dict[date, str] = {}
    for field, ranges in (("free", entry.free), ("worked", entry.worked)):
        for number, days in enumerate(ranges):
            loc: Loc = ("years", year, field, number)
            for day in days:
                if day.year != year:
                    yield Problem(FILE, loc, f"{day} is not a day of {year}")
                if day in seen:
                    yield Problem(FILE, loc, f"{day} is named as {seen[day]} already")
                seen[day] = field
                if field == "worked" and day.weekday() in weekdays:
                    text = f"{day} is worked anyway: it is a weekday like any other"
                    yield Problem(FILE, loc, text, warning=True)
