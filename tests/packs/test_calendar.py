"""The working calendar that ships, against the days of the official notices, and against a table that others keep."""

from datetime import date, timedelta

import chinese_calendar
import pytest

from agents.packs import load_policy
from schemas.codes import Clock
from schemas.policy import Calendar

CALENDAR = load_policy("pukou", Clock.WALL).calendar
# Of each notice: the first and the last day of each holiday, and the days worked for them.
NOTICES = {
    2024: (
        ["01-01", "02-10..02-17", "04-04..04-06", "05-01..05-05", "06-10", "09-15..09-17", "10-01..10-07"],
        ["02-04", "02-18", "04-07", "04-28", "05-11", "09-14", "09-29", "10-12"],
    ),
    2025: (
        ["01-01", "01-28..02-04", "04-04..04-06", "05-01..05-05", "05-31..06-02", "10-01..10-08"],
        ["01-26", "02-08", "04-27", "09-28", "10-11"],
    ),
    2026: (
        [
            "01-01..01-03",
            "02-15..02-23",
            "04-04..04-06",
            "05-01..05-05",
            "06-19..06-21",
            "09-25..09-27",
            "10-01..10-07",
        ],
        ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"],
    ),
}


@pytest.fixture
def calendar() -> Calendar:
    assert CALENDAR is not None
    return CALENDAR


def days(year: int) -> list[date]:
    """All days of a year."""
    begin = date(year, 1, 1)
    return [begin + timedelta(days=number) for number in range((date(year + 1, 1, 1) - begin).days)]


def works(calendar: Calendar, day: date) -> bool:
    """What the contract says of a day."""
    if day.weekday() in calendar.weekdays:
        return day.isoformat() not in calendar.off
    return day.isoformat() in calendar.on


@pytest.mark.parametrize("year", NOTICES)
def test_the_announced_days_are_free_and_worked(calendar: Calendar, year: int) -> None:
    free, worked = NOTICES[year]
    named: dict[date, bool] = {date.fromisoformat(f"{year}-{day}"): True for day in worked}
    for one in free:
        first, _, last = one.partition("..")
        begin, end = date.fromisoformat(f"{year}-{first}"), date.fromisoformat(f"{year}-{last or first}")
        named |= {begin + timedelta(days=number): False for number in range((end - begin).days + 1)}
    for day in days(year):
        assert works(calendar, day) is named.get(day, day.weekday() < 5), day


@pytest.mark.parametrize("year", CALENDAR.years if CALENDAR is not None else ())
def test_others_who_keep_a_calendar_say_the_same(calendar: Calendar, year: int) -> None:
    assert [day for day in days(year) if works(calendar, day) is not chinese_calendar.is_workday(day)] == []


def test_a_working_day_is_seven_hours_in_nanjing(calendar: Calendar) -> None:
    assert (calendar.zone, calendar.periods) == ("Asia/Shanghai", ((510, 720), (840, 1050)))
    assert (calendar.weekdays, calendar.years) == ((0, 1, 2, 3, 4), tuple(range(2008, 2027)))


def test_only_days_that_change_something_are_published(calendar: Calendar) -> None:
    assert all(date.fromisoformat(day).weekday() < 5 for day in calendar.off)
    assert all(date.fromisoformat(day).weekday() > 4 for day in calendar.on)
    assert (calendar.off, calendar.on) == (tuple(sorted(calendar.off)), tuple(sorted(calendar.on)))
