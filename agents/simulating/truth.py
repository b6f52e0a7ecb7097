"""What was planted beside what the desk made of it, as ClickHouse has it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from agents.simulating.stream import Record, Truth
from schemas.codes import Fate
from streams.ledger.access import Client
from streams.ledger.asking import rows

CHUNK: Final = 50_000
MOST_NAMED: Final = 20

_SETTLED: Final = """
SELECT origin_offset, if(fate != '', fate, outcome), ticket FROM events FINAL
WHERE type IN ('lianqin.report.settled.v1', 'lianqin.command.settled.v1')
  AND origin_topic = {topic:String} AND origin_partition = 0
  AND origin_offset BETWEEN {first:Int64} AND {last:Int64}
ORDER BY origin_offset
"""
_PROPOSED: Final = """
SELECT ticket, JSONExtractString(data, 'other') FROM events FINAL WHERE type = 'lianqin.match.proposed.v1'
"""


@dataclass(slots=True)
class Checked:
    """What was compared. `planted` and `found` by fate and outcome; `wrong`: the first differences, in words."""

    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    """Of those planted: settled as they must be, on the ticket that they must be on."""
    wrong: list[str] = field(default_factory=list)
    wrong_n: int = 0
    near: int = 0
    """Matters that were planted near another; nothing certain."""
    near_found: int = 0
    proposed: int = 0
    """All that was proposed for a human to look at."""

    @property
    def ok(self) -> bool:
        """Whether all that is certain came out as planted."""
        return self.wrong_n == 0

    def add(self, row: int, truth: Truth, settled: tuple[str, str] | None, lead: str | None) -> None:
        """Compare one record. `lead`: the ticket that it must be on, where it does not open one."""
        want = truth.fate.value
        self.planted[want] += 1
        if settled is not None and settled[0] == want and lead in (None, settled[1]):
            self.found[want] += 1
            return
        self.wrong_n += 1
        if len(self.wrong) < MOST_NAMED:
            got = "nothing" if settled is None else f"{settled[0]} on {settled[1] or 'no ticket'}"
            self.wrong.append(f"row {row}: {want}{'' if lead is None else f' on {lead}'} was planted, found {got}")


def check(client: Client, topic: str, first: int, records: Iterable[Record]) -> Checked:
    """Compare a simulation, whose first record has offset `first`, with what ClickHouse says of it."""
    checked = Checked()
    tickets: dict[int, str] = {}
    near: list[tuple[int, int]] = []
    for row, record, settled in _beside(client, topic, first, records):
        truth = record.truth
        checked.add(row, truth, settled, None if truth.of is None else tickets.get(truth.of, "a ticket"))
        if truth.fate is Fate.TICKETED and settled is not None:
            tickets[row] = settled[1]
            if truth.near is not None:
                near.append((row, truth.near))
    proposed = {(ticket, other) for ticket, other in rows(client, _PROPOSED)}
    checked.near, checked.proposed = len(near), len(proposed)
    checked.near_found = sum((tickets.get(row, ""), tickets.get(other, "")) in proposed for row, other in near)
    return checked


def _beside(
    client: Client, topic: str, first: int, records: Iterable[Record]
) -> Iterator[tuple[int, Record, tuple[str, str] | None]]:
    """Each record with its row and its settlement."""
    known: dict[int, tuple[str, str]] = {}
    for row, record in enumerate(records):
        if row % CHUNK == 0:
            span = {"topic": topic, "first": first + row, "last": first + row + CHUNK - 1}
            known = {offset - first: (fate, ticket) for offset, fate, ticket in rows(client, _SETTLED, span)}
        yield row, record, known.get(row)
