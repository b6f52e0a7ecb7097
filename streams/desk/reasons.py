"""Why a deadline is when it is: the row of the table, what was granted, the days that were counted. Pure.

Nothing is reckoned here: the table, the calendar and the deadlines' own functions are asked once more.
"""

from dataclasses import dataclass

from schemas.codes import LimitClock
from schemas.policy import LimitRow, Span
from schemas.state import Deadline, Ticket
from streams.desk.deadlines import after
from streams.desk.limit_table import LimitFacts, span_of
from streams.desk.rules import Rules
from streams.desk.working_time import Day


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What made one deadline. Milliseconds."""

    limit: str
    policy: str
    row: int | None
    """Which row of the table, from 1; none for a condition, or where the rules do not have it any more."""
    fits: dict[str, str]
    """What the row asks for, and the ticket is."""
    written: str
    """The limit as the pack says it."""
    clock: LimitClock
    started_at: int
    length: int
    granted: int
    due_at: int
    days: tuple[Day, ...]
    """On the working clock, from the start to the due time."""
    provisional: bool
    halted: bool
    is_so: bool
    """Whether these rules come to this length, where they have the limit, and to this due time."""


def reason(rules: Rules, ticket: Ticket, deadline: Deadline) -> Reason:
    """Why that deadline of the ticket is when it is, by the rules that judge it."""
    facts = LimitFacts(ticket.category, ticket.urgency, ticket.area, ticket.source, ticket.kind, ticket.side)
    number = rules.limits.row_of(deadline.limit, facts)
    row = None if number is None else rules.policy.limits[number]
    span = _span(rules, ticket, deadline.limit, row)
    is_working = deadline.clock is LimitClock.WORKING
    return Reason(
        limit=deadline.limit,
        policy=rules.policy.version,
        row=None if number is None else number + 1,
        fits={} if row is None else _named(row),
        written="" if span is None else span.written or f"{span.seconds} s",
        clock=deadline.clock,
        started_at=deadline.started_at,
        length=deadline.length,
        granted=deadline.granted,
        due_at=deadline.due_at,
        days=tuple(rules.working.days(deadline.started_at, deadline.due_at)) if is_working else (),
        provisional=deadline.provisional,
        halted=deadline.halted,
        is_so=_gives(span, deadline) and after(rules, deadline, deadline.length) == deadline.due_at,
    )


def _named(row: LimitRow) -> dict[str, str]:
    fields = ("category", "urgency", "area", "source", "kind", "side")
    return {name: str(value) for name in fields if (value := getattr(row, name)) is not None}


def _span(rules: Rules, ticket: Ticket, name: str, row: LimitRow | None) -> Span | None:
    """The limit as the row has it, else the condition of that name."""
    if row is not None:
        return span_of(row, name)
    conditions = rules.policy.conditions.get(ticket.category, ())
    return next((one.span for one in conditions if one.name == name), None)


def _gives(span: Span | None, deadline: Deadline) -> bool:
    """Whether it is this limit's length. On the wall clock any rules come to the same due time from it."""
    if span is None:
        return True
    return (span.clock, span.seconds * 1000 + deadline.granted) == (deadline.clock, deadline.length)
