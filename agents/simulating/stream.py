"""The records of a simulation in order of time, day by day, each with the truth about it. Pure.

The same settings give the same records for ever. What lies ahead is held in a heap, so that a month is as cheap to
hold as a few days.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from heapq import heappop, heappush
from random import Random
from typing import Final

from agents.errors import UserError
from agents.simulating.course import Begun, Step, course
from agents.simulating.matters import Area, Matter, beside, joining, matter
from agents.simulating.rhythm import arrivals, midnight
from agents.simulating.writing import POLICE, feedback_of, line_of
from schemas.codes import Action, Fate, Outcome, Side, Urgency
from schemas.commands import Origin
from schemas.mapping import FEEDBACK, REPORT
from schemas.policy import Policy
from streams.intake.rejected import Unusable
from streams.intake.source import Source

HANDLERS: Final = "handlers"
_NOWHERE: Final = Origin(topic="", partition=0, offset=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a simulation is made from: the district's rules and places, and its sources as intake reads them."""

    policy: Policy
    areas: Sequence[Area]
    titles: Mapping[str, str]
    """Of categories."""
    codes: Mapping[str, Mapping[str, str]]
    """By source: the category and the source's own code for it."""
    words: Mapping[Action, str]
    """The handlers' own words."""
    sources: Mapping[str, Source]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """How long, how much, and which throw of the dice."""

    begin: date
    days: int
    times: float
    seed: int

    def fingerprint(self, policy: str) -> str:
        """Names the records that come of it."""
        return sha256(f"{self}/{policy}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What the desk must make of a record. `of`: the row of the report whose ticket it is about."""

    fate: Fate | Outcome
    of: int | None = None
    near: int | None = None
    """The row of a report that is likely to be about the same thing; nothing certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of a source, and the truth about it. `key` is the source's own id."""

    time: int
    source: str
    part: str
    key: str
    line: bytes
    truth: Truth


@dataclass(frozen=True, slots=True)
class _Ahead:
    source: str
    part: str
    key: str
    line: bytes
    fate: Fate | Outcome
    lead: int
    near: int | None = None


class Simulation:
    """One run through a span of days."""

    def __init__(self, world: World, span: Span) -> None:
        self._world = world
        self._span = span
        self._random = Random(span.seed)  # noqa: S311 - a simulation, which must come out the same again
        self._number = 0
        self._pushed = 0
        self._heap: list[tuple[int, int, _Ahead]] = []
        self._rows: dict[int, int] = {}
        """Of each matter's own report."""

    def records(self) -> Iterator[Record]:
        """All records, in order of time; `UserError` where a source reads records of another shape."""
        begin = self._span.begin
        row = 0
        for day in range(self._span.days + 1):
            today = begin + timedelta(days=day)
            start = midnight(today.year, today.month, today.day)
            if day < self._span.days:
                for time, source in arrivals(self._random, start, self._span.times):
                    self._happen(time, source)
            until = round((start + timedelta(days=1)).timestamp() * 1000)
            while self._heap and (day == self._span.days or self._heap[0][0] < until):
                time, _, ahead = heappop(self._heap)
                yield self._record(row, time, ahead)
                row += 1

    def _record(self, row: int, time: int, ahead: _Ahead) -> Record:
        near = None if ahead.near is None else self._rows.get(ahead.near)
        if ahead.fate is Fate.TICKETED:
            self._rows[ahead.lead] = row
            truth = Truth(fate=ahead.fate, near=near)
        else:
            truth = Truth(fate=ahead.fate, of=self._rows[ahead.lead])
        return Record(time=time, source=ahead.source, part=ahead.part, key=ahead.key, line=ahead.line, truth=truth)

    def _happen(self, time: int, source: str) -> None:
        world = self._world
        lead = matter(self._random, self._next(), time, source, world.areas, list(world.codes[source]))
        self._lead(lead, None)
        other = beside(self._random, lead, self._next())
        if other is not None:
            self._lead(other, lead.number)

    def _lead(self, lead: Matter, near: int | None) -> None:
        """A matter with a ticket of its own: its report, what its handlers say, what joins it."""
        line = self._line(lead)
        self._push(lead.time, _Ahead(lead.source, REPORT, lead.source_id, line, Fate.TICKETED, lead.number, near))
        category = self._world.policy.categories[lead.category]
        diverted = self._diverted(lead)
        begun = Begun(
            at=lead.time,
            category=lead.category,
            urgent=category.urgency is not Urgency.ROUTINE,
            self_handled=lead.self_handled,
            police=(lead.source == POLICE) is not diverted,
            diverted=diverted,
        )
        told = course(self._random, self._world.policy, begun)
        self._say(lead, line, told.steps)
        planted = joining(self._random, lead, self._next(), told.open)
        if planted is not None:
            report = planted.report
            written = line if planted.fate is Fate.REPEAT else self._line(report)
            ahead = _Ahead(report.source, REPORT, report.source_id, written, planted.fate, lead.number)
            self._push(planted.sent_at, ahead)

    def _say(self, lead: Matter, line: bytes, steps: Sequence[Step]) -> None:
        if not steps:
            return
        source = self._world.sources[lead.source]
        try:
            area = source.report(source.fields(line), lead.time, _NOWHERE).area
        except Unusable as error:
            msg = f"source {source.name} cannot be simulated: its mapping reads records of another shape ({error.hint})"
            raise UserError(msg) from error
        for step in steps:
            said = feedback_of(lead, area, self._world.words[step.action], step)
            ahead = _Ahead(HANDLERS, FEEDBACK, lead.source_id, said, step.outcome, lead.number)
            self._push(step.time, ahead)

    def _line(self, report: Matter) -> bytes:
        world = self._world
        category = report.category
        urgency = world.policy.categories[category].urgency
        return line_of(report, world.codes[report.source][category], world.titles[category], urgency)

    def _diverted(self, lead: Matter) -> bool:
        side = Side.POLICE if lead.source == POLICE else Side.SERVICE
        goal = self._world.policy.categories[lead.category].side
        return any(
            entry.from_side is side and entry.to_side is goal and lead.category in entry.categories
            for entry in self._world.policy.diversions
        )

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _push(self, time: int, ahead: _Ahead) -> None:
        self._pushed += 1
        heappush(self._heap, (time, self._pushed, ahead))
