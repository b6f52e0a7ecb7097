"""The questions that are asked of the ledger, and their answers as values. All count a row once (`FINAL`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from streams.ledger.access import Client
from streams.ledger.asking import rows
from streams.ledger.loop import Loop, loop

HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The closed loop in figures: of all tickets, or of those of one area, category or stage."""

    tickets: int
    closed: int
    overdue_now: int
    closed_on_time: int
    p50_ms: float | None
    """Median time to close."""
    p90_ms: float | None

    @property
    def open(self) -> int:
        """Tickets that are not closed."""
        return self.tickets - self.closed

    @property
    def on_time_rate(self) -> float | None:
        """Closed on time ÷ (closed + overdue and open); `None` where nothing is due yet."""
        due = self.closed + self.overdue_now
        return self.closed_on_time / due if due else None


NOTHING: Final = Part(tickets=0, closed=0, overdue_now=0, closed_on_time=0, p50_ms=None, p90_ms=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What `report` tells. Overdue counts by log time, not by the clock on the wall.

    Drills count nowhere. Voided tickets and merged ones count in `loop.left_out` alone: a merged one's master is
    counted, and answers for it.
    """

    log_time: datetime | None
    """The largest event time; `None` while there is no event."""
    fates: dict[str, int]
    outcomes: dict[str, int]
    dead_letters: dict[str, int]
    """By reason. Commands without a source (policies, ticks) count nowhere."""
    flags: dict[str, int]
    total: Part
    by_stage: dict[str, int]
    by_area: dict[str, Part]
    by_category: dict[str, Part]
    loop: Loop

    @property
    def reports(self) -> int:
        """Settlements of reports, repeats included."""
        return sum(self.fates.values())


TIMED: Final = "type NOT IN ('dead-letter', 'unreadable') AND toUnixTimestamp64Milli(time) > 0"
"""Rows that tell log time: a policy that is published on a new log is settled at 0, before any time."""

_LOG_TIME: Final = f"SELECT maxOrNull(time) FROM events WHERE {TIMED}"  # noqa: S608 - nothing from outside

_SETTLED: Final = """
SELECT multiIf(fate != '', 'fate', outcome != '', 'outcome', 'dead letter') AS kind,
       multiIf(fate != '', fate, outcome != '', outcome, reason) AS name, count() AS n
FROM events FINAL
WHERE type IN ('lianqin.report.settled.v1', 'lianqin.command.settled.v1', 'dead-letter') AND origin_topic != ''
  AND NOT drill
GROUP BY kind, name ORDER BY n DESC, name
"""

_FLAGS: Final = """
SELECT arrayJoin(flags) AS flag, count() AS n FROM events FINAL
WHERE type IN ('lianqin.report.settled.v1', 'lianqin.command.settled.v1') AND NOT drill
GROUP BY flag ORDER BY n DESC, flag
"""

_PARTS: Final = f"""
WITH (SELECT max(time) FROM events WHERE {TIMED}) AS now
SELECT grouping(area) AS no_area, grouping(category) AS no_category, grouping(stage) AS no_stage,
       area, category, stage,
       count() AS tickets, countIf(closed) AS closed_n,
       countIf(NOT closed AND overdue_due IS NOT NULL) AS overdue_now,
       countIf(closed AND on_time = 1) AS closed_on_time,
       if(closed_n = 0, NULL, quantilesExactInclusiveIf(0.5, 0.9)(assumeNotNull(took), closed)) AS quantiles
FROM
(
    SELECT area, category, stage, closed, on_time, took,
           -- A suspended ticket is overdue where it was when it was suspended: since then its limit stands still.
           if(overall_due <= coalesce(suspended_at, now), overall_due, NULL) AS overdue_due
    FROM tickets WHERE counted
)
GROUP BY GROUPING SETS ((), (area), (category), (stage))
ORDER BY tickets DESC, area, category, stage
"""  # noqa: S608 - nothing from outside


def figures(client: Client) -> Figures:
    """The closed loop as it stands."""
    settled = rows(client, _SETTLED)
    parts = rows(client, _PARTS)
    total = [_part(row) for row in parts if row[0] and row[1] and row[2]]
    return Figures(
        log_time=log_time(client),
        fates=_of_kind(settled, "fate"),
        outcomes=_of_kind(settled, "outcome"),
        dead_letters=_of_kind(settled, "dead letter"),
        flags={row[0]: row[1] for row in rows(client, _FLAGS)},
        total=total[0] if total else NOTHING,
        by_stage={row[5]: row[6] for row in parts if not row[2]},
        by_area={row[3]: _part(row) for row in parts if not row[0]},
        by_category={row[4]: _part(row) for row in parts if not row[1]},
        loop=loop(client),
    )


def log_time(client: Client) -> datetime | None:
    """The largest event time."""
    found: datetime | None = rows(client, _LOG_TIME)[0][0]
    return found


def _of_kind(settled: Sequence[Sequence[Any]], kind: str) -> dict[str, int]:
    return {row[1]: row[2] for row in settled if row[0] == kind}


def _part(row: Sequence[Any]) -> Part:
    tickets, closed, overdue_now, closed_on_time, quantiles = row[6:]
    p50, p90 = quantiles if closed else (None, None)
    return Part(
        tickets=tickets,
        closed=closed,
        overdue_now=overdue_now,
        closed_on_time=closed_on_time,
        p50_ms=p50,
        p90_ms=p90,
    )


_SETTLED_IN: Final = """
SELECT uniqExact(origin_offset) FROM events
WHERE origin_topic = {topic:String} AND origin_partition = {partition:Int32}
  AND origin_offset BETWEEN {first:Int64} AND {last:Int64}
"""


def settled(client: Client, topic: str, partition: int, first: int, last: int) -> int:
    """How many records of a source's partition, from `first` to `last`, are settled or dead letters here."""
    given = {"topic": topic, "partition": partition, "first": first, "last": last}
    count: int = rows(client, _SETTLED_IN, given)[0][0]
    return count
