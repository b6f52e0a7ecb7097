"""The table of limits (限时办理), looked up once for each kind of ticket and kept. Pure; milliseconds."""

from typing import Final, NamedTuple

from schemas.codes import LimitClock, Side, Stage, Urgency
from schemas.policy import LimitRow, Policy, Span

OVERALL: Final = "overall"
_ORDER: Final = tuple(Stage)
GOALS: Final = _ORDER[1 : _ORDER.index(Stage.CALLED_BACK) + 1]
"""Stages that may have a limit, in order."""
_MOST: Final = 10_000
"""So many kinds of ticket are remembered."""


class LimitFacts(NamedTuple):
    """What the limits of a ticket depend on."""

    category: str
    urgency: Urgency
    area: str
    source: str
    kind: str | None
    side: Side


class Limit(NamedTuple):
    """One limit of the table, in milliseconds of its own clock."""

    name: str
    clock: LimitClock
    length: int
    first: int | None
    """How much of it has run when the ladder's first step fires; none without a ladder."""


class Limited(NamedTuple):
    """All limits of one kind of ticket."""

    overall: Limit | None
    stages: dict[str, Limit]
    """By the name of the stage."""
    goals: tuple[Limit | None, ...]
    """For each stage, by its rank, the limit that begins when it is reached."""
    conditions: tuple[Limit, ...]


class LimitTable:
    """The table of one policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._known: dict[tuple[str, Urgency, str, str, str | None, Side], Limited] = {}

    def of(self, category: str, urgency: Urgency, area: str, source: str, kind: str | None, side: Side) -> Limited:
        """The limits of such a ticket, as `LimitFacts` has them."""
        key = (category, urgency, area, source, kind, side)
        limited = self._known.get(key)
        if limited is None:
            if len(self._known) >= _MOST:
                self._known.clear()  # what sources send must not make it grow
            limited = self._known[key] = self._look_up(LimitFacts(*key))
        return limited

    def row_of(self, name: str, facts: LimitFacts) -> int | None:
        """Which row of the table, from 0, a ticket's limit of that name is taken from; none where none says so."""
        for number, row in enumerate(self._policy.limits):
            if span_of(row, name) is not None and _fits(row, facts):
                return number
        return None

    def _look_up(self, facts: LimitFacts) -> Limited:
        overall = self._span(OVERALL, facts)
        stages: dict[str, Limit] = {}
        for stage in GOALS:
            span = self._span(stage.value, facts)
            if span is not None:
                stages[stage.value] = self._limit(stage.value, span)
        return Limited(
            overall=None if overall is None else self._limit(OVERALL, overall),
            stages=stages,
            goals=tuple(_next_goal(stages, rank) for rank in range(len(_ORDER))),
            conditions=tuple(
                self._limit(condition.name, condition.span)
                for condition in self._policy.conditions.get(facts.category, ())
            ),
        )

    def _span(self, name: str, facts: LimitFacts) -> Span | None:
        number = self.row_of(name, facts)
        return None if number is None else span_of(self._policy.limits[number], name)

    def _limit(self, name: str, span: Span) -> Limit:
        length, ladder = span.seconds * 1000, self._policy.ladder
        return Limit(name, span.clock, length, length * ladder[0].percent // 100 if ladder else None)


def span_of(row: LimitRow, name: str) -> Span | None:
    """What a row says of a limit: `overall`, or a stage's."""
    return row.overall if name == OVERALL else next((row.stages[one] for one in row.stages if one == name), None)


def _fits(row: LimitRow, facts: LimitFacts) -> bool:
    return (
        row.category in (None, facts.category)
        and row.urgency in (None, facts.urgency)
        and row.area in (None, facts.area)
        and row.source in (None, facts.source)
        and row.kind in (None, facts.kind)
        and row.side in (None, facts.side)
    )


def _next_goal(stages: dict[str, Limit], reached: int) -> Limit | None:
    for stage in _ORDER[reached + 1 :]:
        if stage.value in stages:
            return stages[stage.value]
    return None
