"""Working time against a second account of it, which walks through every minute and asks what the clock shows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schemas.policy import Calendar
from streams.desk.working_time import WorkingTime
from tests.desk.calendars import CHINA, DAY_S, moment
from tests.desk.minutes import Minutes

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
END = 253_402_300_800_000

ZONES = [
    "Asia/Shanghai",
    "UTC",
    "Asia/Kathmandu",  # 5:45 from UTC
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Africa/Casablanca",  # summer time that stops for Ramadan
    "Asia/Beirut",  # changes at midnight
    "Pacific/Apia",  # left out a whole day in 2011
]
AROUND = [
    moment("2025-01-24 16:00"),
    moment("2025-03-09 06:00", ZoneInfo("UTC")),  # New York goes forward an hour later
    moment("2025-11-02 04:00", ZoneInfo("UTC")),  # and back
    moment("2025-04-05 12:00", ZoneInfo("UTC")),  # Lord Howe
    moment("2025-02-22 20:00", ZoneInfo("UTC")),  # Casablanca
    moment("2025-03-29 20:00", ZoneInfo("UTC")),  # Beirut
    moment("2011-12-29 12:00", ZoneInfo("UTC")),  # Apia
    moment("2026-12-30 08:00"),
    1_727_000_000_123,
]


@st.composite
def calendars(draw: st.DrawFn, start: int) -> Calendar:
    """A calendar with exceptions near `start`."""
    count = draw(st.integers(1, 3)) * 2
    bounds = draw(st.lists(st.integers(0, 1440), min_size=count, max_size=count, unique=True).map(sorted))
    near = [datetime.fromtimestamp(start // 1000, UTC).date() + timedelta(days=days) for days in range(-3, 12)]
    return Calendar(
        zone=draw(st.sampled_from(ZONES)),
        periods=tuple(zip(bounds[::2], bounds[1::2], strict=True)),
        weekdays=tuple(sorted(draw(st.sets(st.integers(0, 6), min_size=1)))),
        off=tuple(day.isoformat() for day in draw(st.lists(st.sampled_from(near), max_size=4, unique=True))),
        on=tuple(day.isoformat() for day in draw(st.lists(st.sampled_from(near), max_size=4, unique=True))),
        years=draw(st.sampled_from([(2011, 2024, 2025, 2026), (2011, 2024, 2025, 2026), (2025,), ()])),
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[Calendar, int, int]:
    """A calendar, a moment, and a later one up to a dozen days away."""
    start = draw(st.sampled_from(AROUND)) + draw(st.integers(-2 * DAY, 2 * DAY))
    start -= draw(st.sampled_from([0, start % MINUTE]))  # often on the minute, where periods begin and end
    return draw(calendars(start)), start, start + draw(st.integers(0, 12 * DAY))


@given(cases())
@settings(max_examples=150, deadline=None)
def test_what_runs_between_two_moments_is_what_the_minutes_say(case: tuple[Calendar, int, int]) -> None:
    calendar, start, end = case
    assert WorkingTime(calendar).between(start, end) == Minutes(calendar).between(start, end)


@given(cases(), st.sampled_from([0, 1, -1]))
@settings(max_examples=150, deadline=None)
def test_so_much_has_run_at_the_earliest_moment_that_the_minutes_say(case: tuple[Calendar, int, int], by: int) -> None:
    calendar, start, end = case
    working, minutes = WorkingTime(calendar), Minutes(calendar)
    worked = max(minutes.between(start, end) + by, 0)
    due = working.after(start, worked)
    assert due == minutes.after(start, worked)
    assert working.both_after(start, worked, worked // 2) == (due, minutes.after(start, worked // 2))
    assert working.between(start, due) == worked
    assert not worked or working.between(start, due - 1) == worked - 1


@given(cases(), st.integers(1, 40 * DAY), st.integers(1, 400 * DAY))
@settings(max_examples=200, deadline=None)
def test_amounts_add_up_over_long_spans(case: tuple[Calendar, int, int], one: int, other: int) -> None:
    calendar, start, _ = case
    working = WorkingTime(calendar)
    assume(working.after(start, one + other) < END)  # three minutes a week would take centuries
    until = working.after(start, one)
    later = working.after(until, other)
    assert later == working.after(start, one + other)
    assert working.both_after(start, one, one + other) == (until, later)
    assert working.between(start, later) == one + other
    assert working.between(until, later) == other


@given(cases())
@settings(max_examples=150, deadline=None)
def test_a_year_is_announced_from_its_midnight_to_the_next(case: tuple[Calendar, int, int]) -> None:
    calendar, start, end = case
    working, minutes = WorkingTime(calendar), Minutes(calendar)
    for at in (start, end):
        assert working.announced(at) is not minutes.unnamed(at)


def test_a_whole_year_is_what_its_minutes_say() -> None:
    calendar = replace(CHINA, zone="America/New_York")
    start, end = moment("2024-12-20 11:11"), moment("2025-12-21 10:10")
    assert WorkingTime(calendar).between(start, end) == Minutes(calendar).between(start, end)


@pytest.mark.parametrize(("year", "days"), [(2024, 251), (2025, 248), (2026, 248)])
def test_a_real_year_has_as_many_working_days_as_were_announced(year: int, days: int) -> None:
    working = WorkingTime(CHINA)
    assert working.between(moment(f"{year}-01-01 00:00"), moment(f"{year + 1}-01-01 00:00")) == days * DAY_S * 1000


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2025-06-09 09:00", 7, "2025-06-09 17:30"),  # the end of a period is that end, not the next beginning
        ("2025-06-09 09:00", 3, "2025-06-09 12:00"),
        ("2025-06-09 12:30", 1, "2025-06-09 14:30"),  # noon does not count
        ("2025-06-06 17:00", 1, "2025-06-09 09:30"),  # nor does a weekend
        ("2025-06-07 10:00", 1, "2025-06-09 10:00"),
        ("2025-01-26 09:00", 7, "2025-01-26 17:30"),  # a Sunday before Spring Festival that was worked (调休)
        ("2025-01-27 17:30", 1, "2025-02-05 10:00"),  # Spring Festival, from 28 January to 4 February
        ("2025-02-07 17:30", 7, "2025-02-08 17:30"),  # a Saturday that was worked
        ("2024-02-09 17:00", 1, "2024-02-18 09:30"),  # the first day after Spring Festival of 2024 was a Sunday
        ("2026-02-13 17:30", 7, "2026-02-14 17:30"),
        ("2026-02-14 17:30", 1, "2026-02-24 10:00"),
        ("2025-09-30 17:00", 4, "2025-10-09 14:00"),
        ("2025-12-31 17:30", 1, "2026-01-04 10:00"),  # over New Year, and again a Sunday
    ],
)
def test_real_holidays(start: str, hours: int, due: str) -> None:
    assert WorkingTime(CHINA).after(moment(start), hours * HOUR) == moment(due)


def test_beyond_what_is_announced_plain_weekdays_count() -> None:
    working = WorkingTime(CHINA)
    assert working.after(moment("2027-09-30 17:30"), HOUR) == moment("2027-10-01 10:00")
    early = WorkingTime(replace(CHINA, off=(*CHINA.off, "2027-10-01")))
    assert early.after(moment("2027-09-30 17:30"), HOUR) == moment("2027-10-01 10:00")
    assert working.announced(moment("2026-12-31 23:59"))
    assert not working.announced(moment("2027-01-01 00:00"))
    assert working.announced(moment("2024-01-01 00:00"))
    assert not working.announced(moment("2023-12-31 23:59"))


def test_an_hour_that_comes_twice_is_worked_twice_and_one_that_is_skipped_not_at_all() -> None:
    zone = ZoneInfo("America/New_York")
    night = WorkingTime(Calendar(zone="America/New_York", periods=((0, 240),), weekdays=(6,)))
    for day, hours in (("2025-03-09", 3), ("2025-03-16", 4), ("2025-11-02", 5)):
        midnight = moment(f"{day} 00:00", zone)
        assert night.between(midnight, midnight + DAY) == hours * HOUR
        assert night.after(midnight, hours * HOUR) == moment(f"{day} 04:00", zone)


@pytest.mark.parametrize("calendar", [None, replace(CHINA, periods=()), replace(CHINA, weekdays=())])
def test_where_no_calendar_says_otherwise_all_time_is_working_time(calendar: Calendar | None) -> None:
    working = WorkingTime(calendar)
    assert working.between(5, 5 + DAY) == DAY
    assert working.after(5, DAY) == 5 + DAY
    assert working.both_after(5, DAY, 0) == (5 + DAY, 5)
    assert working.announced(END - 1)


@pytest.mark.parametrize("written", ["1970-01-01 08:00", "1999-12-31 23:00", "2150-02-28 12:00", "9998-12-20 11:00"])
def test_years_far_away_are_reckoned_too(written: str) -> None:
    working, minutes, start = WorkingTime(CHINA), Minutes(CHINA), moment(written)
    for worked in (1, HOUR, 5 * DAY_S * 1000):
        assert working.after(start, worked) == minutes.after(start, worked)
    assert working.between(start, start + 9 * DAY) == minutes.between(start, start + 9 * DAY)


def test_nothing_is_due_after_the_end_of_dates() -> None:
    working = WorkingTime(CHINA)
    last = moment("9999-12-31 09:00")
    assert working.after(last, 7 * HOUR) == moment("9999-12-31 17:30")
    assert working.after(last, 400 * DAY) == END
    assert working.after(moment("2026-01-05 09:00"), 10**17) == END
    assert working.after(END, 1) == END
    assert working.both_after(END, 1, 2) == (END, END)
    assert working.between(last, END + DAY) == 7 * HOUR
    assert not working.announced(END)


def test_a_calendar_may_name_the_last_year_there_is() -> None:
    working = WorkingTime(replace(CHINA, years=(9999,), off=("9999-12-31",)))
    assert working.announced(moment("9999-12-31 23:00"))
    assert working.between(moment("9999-12-31 00:00"), moment("9999-12-31 23:59")) == 0


def test_the_same_question_asked_in_any_order_has_one_answer() -> None:
    asked = [(moment("2025-01-27 17:00"), hours * HOUR) for hours in (1, 9, 40)] + [(0, HOUR), (-1, HOUR)]
    once = WorkingTime(CHINA)
    answers = [once.both_after(start, worked, HOUR) for start, worked in asked + asked[::-1]]
    assert answers == [WorkingTime(CHINA).both_after(start, worked, HOUR) for start, worked in asked + asked[::-1]]


def test_nothing_has_run_at_once_also_outside_working_time() -> None:
    working = WorkingTime(CHINA)
    noon, then = moment("2025-06-09 12:30"), moment("2025-06-09 14:30")
    assert working.both_after(noon, 0, HOUR) == (noon, then)
    assert working.both_after(noon, HOUR, 0) == (then, noon)


def test_a_walk_through_the_millennia_keeps_few_tables() -> None:
    calendar = replace(CHINA, weekdays=(0,))
    working, expected = WorkingTime(calendar), WorkingTime(calendar).between(0, 30 * DAY)
    for year in range(1970, 9999, 7):
        working.after(moment(f"{year}-06-01 00:00"), 1)
    assert len(working._tables) < 1100  # noqa: SLF001 - how much it remembers is not to be seen from outside
    assert working.between(0, 30 * DAY) == expected
