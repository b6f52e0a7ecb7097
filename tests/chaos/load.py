"""What is fed: generated reports with planted repeats, urges, merges, closings and broken records.

Each record says in the header `plant` what must become of it, where that is certain whatever is killed meanwhile:
records of one id go to one partition and stay in order; those of a group go to several, and only the group's fates
as a whole are certain.
"""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

CITIZEN: Final = "intake.citizen"
URGENT: Final = "intake.urgent"
PLANT: Final = "plant"
"""Header: `fate:NAME`, `outcome:NAME`, `dead:REASON`, `bare:REASON` (dead letter and bare ticket), `group:KEY:FATE`."""

NUMBER: Final = "number"
"""Header: the record's own number; a client that lost its broker may put a record down a second time."""

CATEGORIES: Final = (
    "manhole-cover", "street-lamp", "exposed-garbage", "construction-waste", "illegal-parking", "noise",
    "street-vendor", "water-leak", "gas-leak", "fire", "dispute", "general",
)  # fmt: skip
BEGUN: Final = datetime(2026, 3, 2, tzinfo=UTC)
LATER: Final = 3000
"""How many records later at most the second of two that belong together follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One record as it is sent."""

    topic: str
    key: str
    value: bytes
    plant: str
    headers: tuple[tuple[str, bytes], ...] = (("lianqin-source", b"rehearsal"),)
    is_report: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the source."""

    id: str
    category: str
    lat: float
    lon: float
    phone: str
    thing: str = ""
    text: str = "现场情况待核实"
    time: datetime = BEGUN
    closed_at: str = ""

    def line(self) -> bytes:
        """As the source sends it; the last two columns are never read."""
        at = self.time.strftime("%Y-%m-%dT%H:%M:%S")
        fields = (
            self.id, at, self.category, f"{self.lat:.5f}", f"{self.lon:.5f}", "王小明", self.phone, self.thing,
            self.text, self.closed_at, "", "",
        )  # fmt: skip
        return ",".join(fields).encode()


def report(row: Row, plant: str, topic: str = CITIZEN) -> Planted:
    """A report of a row."""
    return Planted(topic=topic, key=row.id, value=row.line(), plant=plant)


def closing(row: Row, plant: str, topic: str = CITIZEN) -> Planted:
    """The closing of the same row."""
    closed = replace(row, closed_at=(row.time + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S"))
    headers = (("lianqin-source", b"rehearsal"), ("lianqin-part", b"closed"))
    return Planted(topic=topic, key=row.id, value=closed.line(), plant=plant, headers=headers, is_report=False)


@dataclass(slots=True)
class Load:
    """Records by seed: the same seed and number, the same records in the same order."""

    seed: int
    reports: int
    _random: random.Random = field(init=False)
    _later: list[tuple[int, int, Planted]] = field(default_factory=list)
    _at: int = 0
    _made: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def __iter__(self) -> Iterator[Planted]:
        """Until so many reports were given out; what was planned for later follows at the end."""
        given = 0
        while given < self.reports:
            for planted in self._due() or self._story():
                self._at += 1
                given += planted.is_report
                yield planted
        while self._later:
            yield heapq.heappop(self._later)[2]

    def _due(self) -> list[Planted]:
        return [heapq.heappop(self._later)[2]] if self._later and self._later[0][0] <= self._at else []

    def _story(self) -> list[Planted]:
        stories = (self._single, self._closed, self._repeated, self._amended, self._early, self._group, self._broken)
        (story,) = self._random.choices(stories, weights=(40, 25, 8, 4, 2, 12, 1.5))
        return story()

    def _follow(self, *planted: Planted) -> None:
        at = self._at
        for one in planted:
            at += self._random.randrange(1, LATER)
            self._made += 1
            heapq.heappush(self._later, (at, self._made, one))

    def _row(self) -> Row:
        self._made += 1
        return Row(
            id=f"R{self.seed}-{self._made:08d}",
            category=self._random.choice(CATEGORIES),
            lat=self._random.uniform(31.95, 32.25),
            lon=self._random.uniform(118.45, 118.80),
            phone=f"13{self._made:09d}",
            time=BEGUN + timedelta(seconds=self._made),
        )

    def _topic(self) -> str:
        return URGENT if self._random.random() < 0.15 else CITIZEN

    def _single(self) -> list[Planted]:
        return [report(self._row(), "fate:ticketed", self._topic())]

    def _closed(self) -> list[Planted]:
        row, topic = self._row(), self._topic()
        after = [closing(row, "outcome:applied", topic)]
        if self._random.random() < 0.1:
            after.append(closing(row, "outcome:refused", topic))
        self._follow(*after)
        return [report(row, "fate:ticketed", topic)]

    def _repeated(self) -> list[Planted]:
        row, topic = self._row(), self._topic()
        self._follow(*[report(row, "fate:repeat", topic)] * self._random.choice((1, 1, 2)))
        return [report(row, "fate:ticketed", topic)]

    def _amended(self) -> list[Planted]:
        row = self._row()
        self._follow(report(replace(row, text="补充：情况加重"), "fate:amended"))
        return [report(row, "fate:ticketed")]

    def _early(self) -> list[Planted]:
        """A closing that comes before its report waits for it."""
        row = self._row()
        self._follow(report(row, "fate:ticketed"))
        return [closing(row, "outcome:applied")]

    def _group(self) -> list[Planted]:
        """Several ids, in any order: one opens the ticket, the others join it."""
        first, kind = self._row(), self._random.choice(("urged", "merged"))
        rows = [first, *(self._alike(first) for _ in range(self._random.choice((1, 1, 2, 4))))]
        if kind == "urged":
            rows = [replace(row, phone=first.phone) for row in rows]
        else:
            rows = [replace(row, thing=f"T{first.id}") for row in rows]
        group = [report(row, f"group:{first.id}:{kind}", self._topic()) for row in rows]
        self._follow(*group[1:])
        return group[:1]

    def _alike(self, first: Row) -> Row:
        return replace(self._row(), category=first.category, lat=first.lat, lon=first.lon)

    def _broken(self) -> list[Planted]:
        row, source = self._row(), ("lianqin-source", b"rehearsal")
        line = row.line()
        shapes = (
            ("not-utf8", line.replace("王".encode(), b"\xff"), (source,)),
            ("broken", line + b",one more", (source,)),
            ("missing-field", line.replace(row.id.encode(), b"", 1), (source,)),
            ("wrong-type", line.replace(f"{row.lat:.5f}".encode(), b"north"), (source,)),
            ("unknown-version", line, (source, ("lianqin-version", b"9"))),
            ("unknown-source", line, (("lianqin-source", b"nobody"),)),
        )
        reason, value, headers = self._random.choice(shapes)
        topic = self._topic()
        plant = f"{'bare' if topic == URGENT else 'dead'}:{reason}"
        return [Planted(topic=topic, key=row.id, value=value, plant=plant, headers=headers, is_report=False)]
