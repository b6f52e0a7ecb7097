"""Other rules take a running ticket over: another table, the other side's rows of it, another year. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from schemas.codec import replace
from schemas.codes import Step
from schemas.policy import Rung
from schemas.state import Deadline, Ticket, course_of
from streams.desk.deadlines import begin, in_order, laid, parts_of, said
from streams.desk.lifecycle import RANK
from streams.desk.limit_table import Limit
from streams.desk.limits import limits_of
from streams.desk.rules import Rules


def recomputed(rules: Rules, former: Rules, ticket: Ticket, at: int) -> tuple[Deadline, ...]:
    """The limits under `rules`, of an open ticket that `former` judged: from their old starts, with what was granted.

    `overall` or a condition that is new runs from the opening. A goal that is not in the table gives way to the one
    after the ticket's stage.
    """
    limited, course = limits_of(rules, ticket), course_of(ticket)
    overall, halted, goal, condition = parts_of(ticket.deadlines)
    taking = _Taking(rules, former.policy.ladder, _as_of(ticket, at))
    unmet = {limit.name: limit for limit in limited.conditions if limit.name not in course.conditions}
    return in_order(
        taking.overall(ticket, overall, limited.overall),
        taking.found(halted, limited.stages),
        taking.found(goal, limited.stages)
        or taking.begun(limited.goals[RANK[ticket.stage]], ticket.stage_at if goal is None else goal.started_at),
        taking.found(condition, unmet)
        or taking.begun(
            next(iter(unmet.values()), None), _opened(ticket) if condition is None else condition.started_at
        ),
    )


def handed_over(rules: Rules, ticket: Ticket, at: int) -> tuple[Deadline, ...]:
    """分流: as the table has them on the side that has the ticket now; its dispatch is said next.

    `overall` goes on from its old start, the goal begins anew: also at the opening, where it may be one that the
    dispatch does not end.
    """
    limited = limits_of(rules, ticket)
    overall, halted, _, condition = parts_of(ticket.deadlines)
    if not _is_of(overall, limited.overall):
        overall = _Taking(rules, rules.policy.ladder, at).overall(ticket, overall, limited.overall)
    goal = limited.goals[RANK[ticket.stage]]
    return in_order(overall, halted, None if goal is None else begin(rules, goal, at), condition)


def overall_said(rules: Rules, ticket: Ticket) -> tuple[Step, ...]:
    """The steps of `overall` that were said until now, on this side or before it came here."""
    overall, ladder = parts_of(ticket.deadlines)[0], rules.policy.ladder
    here = 0 if overall is None else said(rules, overall)
    return _steps(ladder[: max(here, _counted(course_of(ticket).overall_said, ladder))])


def no_longer_provisional(rules: Rules, ticket: Ticket, at: int) -> tuple[Deadline, ...]:
    """What was provisional and is no longer, now that `rules` know another year; the rest as it is."""
    as_of = _as_of(ticket, at)
    return tuple([_announced(rules, deadline, as_of) for deadline in ticket.deadlines])


class _Taking(NamedTuple):
    rules: Rules
    ladder: tuple[Rung, ...]
    """That the ticket's limits climbed until now."""
    at: int

    def overall(self, ticket: Ticket, old: Deadline | None, limit: Limit | None) -> Deadline | None:
        """`overall` from its old start, else from the opening.

        A longer limit, or none, puts ahead what was said; whoever brings back the shorter one does not say it again.
        """
        before = course_of(ticket).overall_said
        return self.renewed(old, limit, before) or self.begun(limit, _opened(ticket), before)

    def found(self, old: Deadline | None, limits: dict[str, Limit]) -> Deadline | None:
        """The deadline under its new limit, where there still is one of its name."""
        return None if old is None else self.renewed(old, limits.get(old.limit))

    def renewed(self, old: Deadline | None, limit: Limit | None, before: Sequence[Step] = ()) -> Deadline | None:
        """The deadline under this limit; `before`: steps that were said before it was as it is."""
        if old is None or limit is None:
            return None
        climbed, ladder = self.ladder if old.rung < 0 else self.ladder[: old.rung], self.rules.policy.ladder
        renewed = replace(old, clock=limit.clock, length=limit.length + old.granted)
        return laid(self.rules, renewed, max(_counted(_steps(climbed), ladder), _counted(before, ladder)), self.at)

    def begun(self, limit: Limit | None, start: int, before: Sequence[Step] = ()) -> Deadline | None:
        """A deadline that was not there before, as if it had run since then."""
        if limit is None:
            return None
        return laid(self.rules, begin(self.rules, limit, start), _counted(before, self.rules.policy.ladder), self.at)


def _announced(rules: Rules, deadline: Deadline, at: int) -> Deadline:
    if not deadline.provisional:
        return deadline
    new = laid(rules, deadline, said(rules, deadline), at)
    return deadline if new.provisional else new


def _is_of(deadline: Deadline | None, limit: Limit | None) -> bool:
    if deadline is None or limit is None:
        return deadline is None and limit is None
    return (deadline.clock, deadline.length) == (limit.clock, limit.length + deadline.granted)


def _opened(ticket: Ticket) -> int:
    """When the limits of the ticket began."""
    reopened_at = course_of(ticket).reopened_at
    return ticket.opened_at if reopened_at is None else reopened_at


def _as_of(ticket: Ticket, at: int) -> int:
    """Until when a ticket's limits have run."""
    suspended_at = course_of(ticket).suspended_at
    return at if suspended_at is None else suspended_at


def _steps(ladder: Sequence[Rung]) -> tuple[Step, ...]:
    return tuple([rung.step for rung in ladder])


def _counted(steps: Sequence[Step], ladder: tuple[Rung, ...]) -> int:
    """How many steps of a ladder count as said: up to the last one that was; of several of a kind so many."""
    left = list(steps)
    count = 0
    for index, rung in enumerate(ladder):
        if rung.step in left:
            left.remove(rung.step)
            count = index + 1
    return count
