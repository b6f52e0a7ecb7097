"""The proof of account: each record of a source stands in ClickHouse once, and nothing stands there without one.

A settlement counts before a dead letter: a bare ticket and a failed command have both. Pure but for `standing` and
what follows it, which ask ClickHouse. Offsets have gaps (markers, aborted transactions), so the log's own are compared.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.ledger.access import Client, asking
from streams.ledger.asking import rows

Offsets = NDArray[np.int64]

MOST_NAMED: Final = 100
"""So many records of each kind are named; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Records of one source partition, from `first` up to `end`, as they stand in its log."""

    topic: str
    partition: int
    first: int
    end: int
    offsets: Offsets
    """Ascending."""
    sources: NDArray[np.int32]
    """For each offset, which of `names` it came from."""
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in ClickHouse for the same stretch: origins, and whether each row is a settlement (else 0)."""

    offsets: Offsets
    settled: NDArray[np.bool_]


@dataclass(slots=True, kw_only=True)
class SourceAccount:
    """The account of one source."""

    received: int = 0
    settled: int = 0
    dead_letters: int = 0
    """Those that are not settled as well."""
    missing: int = 0
    twice: int = 0
    waiting: int = 0
    """Feedback that the desk holds until its report comes; not missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One record, by its place in a source's log."""

    topic: str
    partition: int
    offset: int
    source: str = ""
    rows: Sequence[Mapping[str, object]] = ()
    """Where it stands, for one that stands twice or without a record."""


@dataclass(slots=True)
class Account:
    """What was compared so far."""

    sources: dict[str, SourceAccount] = field(default_factory=dict)
    missing: list[Named] = field(default_factory=list)
    twice: list[Named] = field(default_factory=list)
    unfounded: list[Named] = field(default_factory=list)
    unfounded_n: int = 0
    broken: list[str] = field(default_factory=list)
    """Tickets whose events are not numbered 1..n."""
    unreadable: int = 0
    """Rows whose record could not be read."""

    @property
    def missing_n(self) -> int:
        """How many are missing."""
        return sum(source.missing for source in self.sources.values())

    @property
    def twice_n(self) -> int:
        """How many stand twice."""
        return sum(source.twice for source in self.sources.values())

    @property
    def ok(self) -> bool:
        """Nothing missing, nothing twice, nothing without a record, every ticket whole."""
        wrong = self.missing_n + self.twice_n + self.unfounded_n + len(self.broken) + self.unreadable
        return wrong == 0

    def add(self, received: Received, standing: Standing, waiting: Offsets) -> None:
        """Compare one stretch of one partition, both ways."""
        settled, settled_n = np.unique(standing.offsets[standing.settled], return_counts=True)
        dead, dead_n = np.unique(standing.offsets[~standing.settled], return_counts=True)
        only_dead = ~_among(dead, settled)
        found = np.union1d(settled, dead)
        kinds = {
            "settled": settled,
            "dead_letters": dead[only_dead],
            "twice": np.union1d(settled[settled_n > 1], dead[only_dead & (dead_n > 1)]),
            "waiting": waiting[~_among(waiting, found)],
        }
        known = np.union1d(found, kinds["waiting"])
        kinds["missing"] = received.offsets[~_among(received.offsets, known)]
        self._count(received, kinds)
        self._name(self.missing, received, kinds["missing"])
        self._name(self.twice, received, kinds["twice"])
        unfounded = found[~_among(found, received.offsets)]
        self.unfounded_n += len(unfounded)
        self._name(self.unfounded, received, unfounded)

    def _count(self, received: Received, kinds: Mapping[str, Offsets]) -> None:
        for name, count in _by_source(received, received.offsets).items():
            self._source(name).received += count
        for kind, offsets in kinds.items():
            for name, count in _by_source(received, offsets).items():
                account = self._source(name)
                setattr(account, kind, getattr(account, kind) + count)

    def _source(self, name: str) -> SourceAccount:
        return self.sources.setdefault(name, SourceAccount())

    def _name(self, to: list[Named], received: Received, offsets: Offsets) -> None:
        for offset in offsets[: MOST_NAMED - len(to)].tolist():
            at = int(np.searchsorted(received.offsets, offset))
            known = at < len(received.offsets) and received.offsets[at] == offset
            source = received.names[received.sources[at]] if known else ""
            to.append(Named(topic=received.topic, partition=received.partition, offset=offset, source=source))


def _by_source(received: Received, offsets: Offsets) -> Counter[str]:
    """How many of some offsets came from each source; those that were not received count for none."""
    known = offsets[_among(offsets, received.offsets)]
    sources = received.sources[np.searchsorted(received.offsets, known)]
    counts = np.bincount(sources, minlength=len(received.names))
    return Counter({name: int(count) for name, count in zip(received.names, counts, strict=True) if count})


def _among(offsets: Offsets, ascending: Offsets) -> NDArray[np.bool_]:
    """Which of some offsets stand in an ascending list."""
    if not ascending.size:
        return np.zeros(offsets.shape, np.bool_)
    at = np.minimum(np.searchsorted(ascending, offsets), ascending.size - 1)
    found: NDArray[np.bool_] = ascending[at] == offsets
    return found


_STANDING: Final = """
SELECT origin_offset, toInt64(type != 'dead-letter') AS settled FROM events FINAL
WHERE origin_topic = {topic:String} AND origin_partition = {partition:Int32}
  AND origin_offset >= {first:Int64} AND origin_offset < {end:Int64}
"""


def standing(client: Client, received: Received) -> Standing:
    """What stands in ClickHouse for the stretch of a log that `received` is of."""
    given = {
        "topic": received.topic,
        "partition": received.partition,
        "first": received.first,
        "end": received.end,
    }
    with asking():
        found = client.query_np(_STANDING, parameters=given)
    if not found.size:
        return Standing(np.empty(0, np.int64), np.empty(0, np.bool_))
    return Standing(found[:, 0], found[:, 1].astype(np.bool_))


_BROKEN: Final = """
SELECT ticket FROM events FINAL WHERE ticket != ''
GROUP BY ticket HAVING count() != max(sequence) OR uniqExact(sequence) != count()
ORDER BY ticket LIMIT 100
"""

_UNREADABLE: Final = "SELECT count() FROM events FINAL WHERE type = 'unreadable'"

_STRANGERS: Final = """
SELECT origin_topic, origin_partition, origin_offset, count() OVER () FROM events FINAL
WHERE origin_topic != '' AND NOT has({known:Array(String)}, origin_topic) ORDER BY 1, 2, 3 LIMIT 100
"""

_ROWS: Final = """
SELECT _topic, _partition, _offset, type, multiIf(fate != '', fate, outcome != '', outcome, reason) FROM events FINAL
WHERE origin_topic = {topic:String} AND origin_partition = {partition:Int32} AND origin_offset = {offset:Int64}
ORDER BY 1, 2, 3 LIMIT 10
"""


def check_events(client: Client, account: Account, known: Sequence[str]) -> None:
    """What needs no log: tickets' numbers, unreadable rows, origins in other topics than `known` (full names)."""
    account.broken = [row[0] for row in rows(client, _BROKEN)]
    account.unreadable = rows(client, _UNREADABLE)[0][0]
    strangers = rows(client, _STRANGERS, {"known": list(known)})
    account.unfounded_n += strangers[0][3] if strangers else 0
    account.unfounded += [Named(topic=row[0], partition=row[1], offset=row[2]) for row in strangers]


def with_rows(client: Client, named: Sequence[Named]) -> list[Named]:
    """The same records, each with the rows that stand for it."""
    return [
        Named(
            topic=one.topic, partition=one.partition, offset=one.offset, source=one.source, rows=_rows_of(client, one)
        )
        for one in named
    ]


def _rows_of(client: Client, one: Named) -> list[dict[str, Any]]:
    given = {"topic": one.topic, "partition": one.partition, "offset": one.offset}
    names = ("topic", "partition", "offset", "type", "what")
    return [dict(zip(names, row, strict=True)) for row in rows(client, _ROWS, given)]
