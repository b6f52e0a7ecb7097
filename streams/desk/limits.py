"""Time limits (限时办理): which run on a ticket, when they warn (预警), when they pass (超时). Pure; milliseconds.

Two limits run at once: `overall` from opening to closing, and one for the stage the ticket must reach next. None runs
on a closed ticket. Urgencies and stages that the policy does not name have no limit.
"""

from typing import Final

from schemas.codes import Stage, Urgency
from schemas.policy import Policy
from schemas.state import Deadline, Ticket
from streams.desk.lifecycle import following

OVERALL: Final = "overall"


def at_opening(policy: Policy, urgency: Urgency, at: int) -> tuple[Deadline, ...]:
    """The limits that begin when a ticket is opened."""
    limits = policy.limits.get(urgency)
    if limits is None:
        return ()
    overall = _deadline(OVERALL, limits.overall_s, at, policy.warn_percent)
    return (overall, *_for_stage_after(policy, urgency, Stage.OPENED, at))


def at_stage(policy: Policy, ticket: Ticket, stage: Stage, at: int) -> tuple[Deadline, ...]:
    """All limits that run once `ticket` has reached `stage`: the overall one goes on, the stage's is replaced."""
    if stage in (Stage.CLOSED, Stage.RATED):
        return ()
    overall = tuple(deadline for deadline in ticket.deadlines if deadline.limit == OVERALL)
    return overall + _for_stage_after(policy, ticket.urgency, stage, at)


def stage_limit(ticket: Ticket) -> int | None:
    """What the stage limit that runs now allows; none where none runs."""
    for deadline in ticket.deadlines:
        if deadline.limit != OVERALL:
            return allowed(deadline)
    return None


def on_time(ticket: Ticket, at: int) -> bool:
    """Whether a closing at `at` keeps the overall limit; the moment it is due is still on time."""
    return all(at <= deadline.due_at for deadline in ticket.deadlines if deadline.limit == OVERALL)


def allowed(deadline: Deadline) -> int:
    """The length of a limit."""
    return deadline.due_at - deadline.started_at


def next_at(deadline: Deadline) -> int | None:
    """When the deadline has something to say next: its warning, then its passing, then nothing."""
    if deadline.status == "running":
        return deadline.warn_at
    return deadline.due_at if deadline.status == "warned" else None


def _for_stage_after(policy: Policy, urgency: Urgency, stage: Stage, at: int) -> tuple[Deadline, ...]:
    limits, goal = policy.limits.get(urgency), following(stage)
    seconds = None if limits is None or goal is None else limits.stages.get(goal)
    if goal is None or seconds is None:
        return ()
    return (_deadline(goal.value, seconds, at, policy.warn_percent),)


def _deadline(limit: str, seconds: int, at: int, warn_percent: int) -> Deadline:
    length = seconds * 1000
    warn_at = at + length * min(warn_percent, 100) // 100
    return Deadline(limit=limit, started_at=at, warn_at=warn_at, due_at=at + length)
