"""Whether the views and the ledger tell the same of each ticket: `tickets.current` against ClickHouse's `tickets`.

Both are made of the same facts, in ways of their own. What was closed so long ago that its view left is not compared.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from schemas.views import KEEP_CLOSED_MS
from streams.ledger.access import Client
from streams.ledger.asking import rows

MOST_NAMED: Final = 100


class Told(NamedTuple):
    """What is told of a ticket."""

    status: str
    stage: str
    standing: str
    unit: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many tickets the views hold, by status, and those of which the ledger tells something else."""

    views: Mapping[str, int] = field(default_factory=dict)
    ledger: Mapping[str, int] = field(default_factory=dict)
    differing: Mapping[str, tuple[Told | None, Told | None]] = field(default_factory=dict)
    """By ticket: what the views tell and what the ledger does; nothing where one does not know it."""

    @property
    def ok(self) -> bool:
        """The two tell the same of every ticket."""
        return not self.differing


def compare(views: Mapping[str, Told], ledger: Mapping[str, Told]) -> Agreement:
    """The two, ticket by ticket."""
    differing = {
        ticket: (views.get(ticket), ledger.get(ticket))
        for ticket in sorted(views.keys() | ledger.keys())
        if views.get(ticket) != ledger.get(ticket)
    }
    return Agreement(_by_status(views), _by_status(ledger), differing)


def _by_status(told: Mapping[str, Told]) -> Mapping[str, int]:
    return dict(sorted(Counter(one.status for one in told.values()).items()))


AT_ONCE: Final = 30
"""Tickets asked for by name in one question: with more of them the client would send a form, which the front does not
read."""
_TOLD: Final = """
WITH (
    SELECT mapFromArrays(groupArray(p), groupArray(at))
    FROM (SELECT _partition AS p, toUnixTimestamp64Milli(max(time)) AS at FROM events
          WHERE _topic = {topic:String} GROUP BY p)
) AS log_times
SELECT ticket, if(closed, 'closed', 'open'), stage, standing, unit, newest.sequence
FROM tickets
JOIN (SELECT ticket, max(sequence) AS sequence FROM events WHERE ticket != '' GROUP BY ticket) AS newest USING (ticket)
WHERE (closed_at IS NULL OR toUnixTimestamp64Milli(closed_at) + {keep:Int64} > log_times[partition])
"""
_SOME: Final = " AND ticket IN {tickets:Array(String)}"


def told_by_ledger(client: Client, topic: str, tickets: Collection[str] | None = None) -> dict[str, Told]:
    """What ClickHouse tells of the tickets whose views have not left; of some, or of all. `topic`: full name."""
    given = {"topic": topic, "keep": KEEP_CLOSED_MS}
    if tickets is None:
        return _as_told(rows(client, _TOLD, given))
    names = list(tickets)
    told: dict[str, Told] = {}
    for first in range(0, len(names), AT_ONCE):
        some = given | {"tickets": names[first : first + AT_ONCE]}
        told |= _as_told(rows(client, _TOLD + _SOME, some))
    return told


def _as_told(found: Sequence[Sequence[Any]]) -> dict[str, Told]:
    return {row[0]: Told(*row[1:]) for row in found}
