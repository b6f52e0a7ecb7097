"""Time limits (限时办理): which run on a ticket after what befell it. Pure; milliseconds.

Three run at most: `overall` from opening to closing, the goal (the next stage that is limited), and one condition
(阶段性条件). Each function gives all deadlines of the ticket as they are from then on, in this order: overall, what is
halted, the goal, the condition.
"""

from typing import Final

from schemas.codec import replace
from schemas.codes import LimitClock, Stage
from schemas.state import Deadline, Ticket, course_of
from streams.desk.deadlines import GOAL_RANK, after, begin, in_order, laid, parts_of, said
from streams.desk.lifecycle import RANK
from streams.desk.limit_table import OVERALL, Limited, LimitFacts
from streams.desk.rules import Rules

__all__ = [
    "OVERALL",
    "LimitFacts",
    "at_opening",
    "at_stage",
    "caught_up",
    "condition_deadline",
    "condition_met",
    "extended",
    "goal_of",
    "limits_of",
    "on_time",
    "reopened",
    "restored",
    "resumed",
    "reworked",
]


_OPENED: Final = RANK[Stage.OPENED]
_ACCEPTED: Final = RANK[Stage.ACCEPTED]
_DISPATCHED: Final = RANK[Stage.DISPATCHED]
_SIGNED: Final = RANK[Stage.SIGNED]
_HANDLED: Final = RANK[Stage.HANDLED]
_CLOSED: Final = RANK[Stage.CLOSED]
_HANDLED_GOAL: Final = Stage.HANDLED.value


def limits_of(rules: Rules, ticket: Ticket) -> Limited:
    """What the table says of a ticket."""
    return rules.limits.of(ticket.category, ticket.urgency, ticket.area, ticket.source, ticket.kind, ticket.side)


def at_opening(rules: Rules, facts: LimitFacts, at: int) -> tuple[Deadline, ...]:
    """The limits that begin when a ticket is opened."""
    return _begun(rules, rules.limits.of(*facts), _OPENED, at)


def at_stage(rules: Rules, ticket: Ticket, stage: Stage, at: int) -> tuple[Deadline, ...]:
    """The limits once `stage` is reached, forwards or back.

    A goal whose stage still lies ahead goes on, unless the ticket goes back, or is dispatched after it was returned:
    whoever gets it then has a goal of its own.
    """
    reached = RANK[stage]
    if reached >= _CLOSED:
        return ()
    overall, halted, goal, condition = parts_of(ticket.deadlines)
    if goal is not None:
        if not _ends(ticket, goal, reached):
            return ticket.deadlines
        if goal.limit == _HANDLED_GOAL and reached >= _HANDLED:
            halted = replace(goal, halted=True, next_at=None)
    limit = limits_of(rules, ticket).goals[reached]
    return in_order(overall, halted, None if limit is None else begin(rules, limit, at), condition)


def reworked(rules: Rules, ticket: Ticket, at: int) -> tuple[Deadline, ...]:
    """返工: back at signed; `handled` goes on as if it had never stood still."""
    overall, halted, _, condition = parts_of(ticket.deadlines)
    if halted is not None:
        return in_order(overall, None, laid(rules, replace(halted, halted=False), said(rules, halted), at), condition)
    limit = limits_of(rules, ticket).goals[_SIGNED]
    return in_order(overall, None, None if limit is None else begin(rules, limit, at), condition)


def reopened(rules: Rules, ticket: Ticket, at: int) -> tuple[Deadline, ...]:
    """重开: all begin anew, from accepted; what the ticket had spent before does not count."""
    return _begun(rules, limits_of(rules, ticket), _ACCEPTED, at)


def extended(rules: Rules, ticket: Ticket, seconds: int, at: int) -> tuple[Deadline, ...]:
    """延时: overall and the goal are so much longer, each on its own clock."""
    overall, halted, goal, condition = parts_of(ticket.deadlines)
    longer = [_lengthened(rules, deadline, seconds * 1000, at) for deadline in (overall, goal)]
    return in_order(longer[0], halted, longer[1], condition)


def resumed(rules: Rules, ticket: Ticket, at: int) -> tuple[Deadline, ...]:
    """挂账恢复: each limit has begun later, by the pause on its own clock."""
    since = course_of(ticket).suspended_at
    if since is None:
        return ticket.deadlines
    return tuple([_moved(rules, deadline, since, at) for deadline in ticket.deadlines])


def restored(rules: Rules, ticket: Ticket, at: int) -> tuple[Deadline, ...]:
    """拆分: its limits have run on in its master; where it was suspended before, they stood still until now."""
    if course_of(ticket).suspended_at is not None:
        return resumed(rules, ticket, at)
    return caught_up(ticket.deadlines, at)


def caught_up(deadlines: tuple[Deadline, ...], at: int) -> tuple[Deadline, ...]:
    """Deadlines of which nothing was heard until now: a step that has gone by fires now."""
    return tuple(
        [
            replace(deadline, next_at=at) if deadline.next_at is not None and deadline.next_at < at else deadline
            for deadline in deadlines
        ]
    )


def condition_met(rules: Rules, ticket: Ticket, name: str, at: int) -> tuple[Deadline, ...]:
    """A condition is met: the next one that is not begins, if it was this one that ran."""
    overall, halted, goal, running = parts_of(ticket.deadlines)
    if running is None or running.limit != name:
        return ticket.deadlines
    met = (*course_of(ticket).conditions, name)
    conditions = limits_of(rules, ticket).conditions
    unmet = next((limit for limit in conditions if limit.name not in met), None)
    return in_order(overall, halted, goal, None if unmet is None else begin(rules, unmet, at))


def goal_of(ticket: Ticket) -> Deadline | None:
    """The limit of the stage that the ticket must reach."""
    for deadline in ticket.deadlines:
        if deadline.limit in GOAL_RANK and not deadline.halted:
            return deadline
    return None


def condition_deadline(ticket: Ticket, name: str) -> Deadline | None:
    """The limit of that condition, where it is the one that runs."""
    running = parts_of(ticket.deadlines)[3]
    return running if running is not None and running.limit == name else None


def on_time(ticket: Ticket, at: int) -> bool:
    """Whether a closing at `at` keeps the overall limit; the moment it is due is still on time."""
    overall = parts_of(ticket.deadlines)[0]
    if overall is None or at <= overall.due_at:
        return True
    suspended_at = course_of(ticket).suspended_at
    return suspended_at is not None and suspended_at <= overall.due_at


def _begun(rules: Rules, limited: Limited, reached: int, at: int) -> tuple[Deadline, ...]:
    begun = [] if limited.overall is None else [begin(rules, limited.overall, at)]
    goal = limited.goals[reached]
    if goal is not None:
        begun.append(begin(rules, goal, at))
    if limited.conditions:
        begun.append(begin(rules, limited.conditions[0], at))
    return tuple(begun)


def _ends(ticket: Ticket, goal: Deadline, reached: int) -> bool:
    if reached >= GOAL_RANK[goal.limit] or reached <= RANK[ticket.stage]:
        return True
    return reached == _DISPATCHED and ticket.course is not None and ticket.course.returns > 0


def _lengthened(rules: Rules, deadline: Deadline | None, by: int, at: int) -> Deadline | None:
    if deadline is None:
        return None
    longer = replace(deadline, length=deadline.length + by, granted=deadline.granted + by)
    return laid(rules, longer, said(rules, deadline), at)


def _moved(rules: Rules, deadline: Deadline, since: int, at: int) -> Deadline:
    pause = at - since if deadline.clock is LimitClock.WALL else rules.working.between(since, at)
    later = replace(deadline, started_at=after(rules, deadline, pause))
    return laid(rules, later, said(rules, deadline), at)
