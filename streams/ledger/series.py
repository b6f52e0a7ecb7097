"""How the closed loop went over time: the curves of the report's page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from streams.ledger.access import Client
from streams.ledger.asking import rows
from streams.ledger.queries import TIMED

_STEPS: Final = (
    (timedelta(days=4), "hour", "toStartOfHour({})"),
    (timedelta(days=120), "day", "toStartOfDay({})"),
    (timedelta(days=1100), "week", "toDateTime(toMonday({}), 'UTC')"),
    (timedelta.max, "month", "toDateTime(toStartOfMonth({}), 'UTC')"),
)
"""Up to which length of time what is counted together, so that a curve has some hundred points at most."""

CLOSING_BINS: Final = (
    ("< 1 h", 1),
    ("1–4 h", 4),
    ("4–12 h", 12),
    ("12–24 h", 24),
    ("1–2 d", 48),
    ("2–4 d", 96),
    ("4–7 d", 168),
    ("1–2 w", 336),
    ("2–4 w", 672),
    ("1–3 m", 2160),
    ("> 3 m", None),
)
"""Names, and up to how many hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What happened in one step, and what was overdue and open at its end."""

    start: datetime
    reports: int
    opened: int
    closed: int
    overdue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The curves. UTC."""

    step: str
    """`hour`, `day`, `week` or `month`."""
    points: Sequence[Point]
    closing: Sequence[tuple[str, int]]
    """How many tickets took how long to close."""


_SPAN: Final = f"SELECT min(time), max(time), count() FROM events WHERE {TIMED}"  # noqa: S608 - nothing from outside

_REPORTS: Final = """
SELECT {step} AS start, count() FROM events FINAL WHERE type = 'lianqin.report.settled.v1' AND NOT drill GROUP BY start
"""

_TICKETS: Final = """
WITH (SELECT max(time) FROM events WHERE {timed}) AS now
SELECT {step} AS start, countIf(kind = 1), countIf(kind = 2), countIf(kind = 3) - countIf(kind = 4)
FROM
(
    SELECT arrayJoin([(toNullable(opened_at), 1), (closed_at, 2), (late_from, 3), (late_to, 4)]) AS moment,
           assumeNotNull(moment.1) AS time, moment.2 AS kind
    FROM
    (
        SELECT opened_at, closed_at,
               overall_due <= coalesce(closed_at, suspended_at, now) AND NOT (closed AND on_time = 1) AS late,
               if(late, overall_due, NULL) AS late_from,
               if(late_from IS NULL, NULL, closed_at) AS late_to
        FROM tickets WHERE counted
    )
    WHERE moment.1 IS NOT NULL
)
GROUP BY start
"""

_CLOSING: Final = """
SELECT arrayFirstIndex(most -> took < most, {bins:Array(Int64)}) AS bin, count() FROM tickets
WHERE closed AND counted GROUP BY bin
"""


def series(client: Client) -> Series:
    """The curves as they stand."""
    first, last, count = rows(client, _SPAN)[0]
    if not count:
        return Series(step="day", points=(), closing=())
    step, start = next((name, start) for most, name, start in _STEPS if last - first <= most)
    reports = {row[0]: row[1] for row in rows(client, _REPORTS.replace("{step}", start.format("time")))}
    tickets = {
        row[0]: row[1:]
        for row in rows(client, _TICKETS.replace("{step}", start.format("time")).replace("{timed}", TIMED))
    }
    return Series(step=step, points=_points(reports, tickets, step), closing=_closing(client))


def _without_gaps(starts: Sequence[datetime], step: str) -> Iterator[datetime]:
    """The steps with those between in which nothing happened: a curve would run straight over them."""
    if not starts:
        return  # there are events, but of drills alone, say, or of a policy that was published
    now = starts[0]
    while now <= starts[-1]:
        yield now
        # From any day of a month, 32 days on is in the next one.
        now = (now + timedelta(days=32)).replace(day=1) if step == "month" else now + timedelta(**{f"{step}s": 1})


def _points(reports: dict[datetime, int], tickets: dict[datetime, Sequence[int]], step: str) -> list[Point]:
    points, overdue = [], 0
    for start in _without_gaps(sorted(reports.keys() | tickets.keys()), step):
        opened, closed, change = tickets.get(start, (0, 0, 0))
        overdue += change
        points.append(Point(start=start, reports=reports.get(start, 0), opened=opened, closed=closed, overdue=overdue))
    return points


def _closing(client: Client) -> list[tuple[str, int]]:
    bins = [3_600_000 * hours for _, hours in CLOSING_BINS if hours is not None]
    found = {row[0]: row[1] for row in rows(client, _CLOSING, {"bins": bins})}
    # Index 0: none of the limits was large enough.
    numbers = [*range(1, len(bins) + 1), 0]
    return [(name, found.get(number, 0)) for (name, _), number in zip(CLOSING_BINS, numbers, strict=True)]
