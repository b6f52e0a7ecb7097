"""One deadline at a time: how it begins, what follows from its clock, start and length, and which is which. Pure."""

from typing import Final

from schemas.codec import Maker, replace
from schemas.codes import LimitClock, Step
from schemas.state import Deadline
from streams.desk.lifecycle import RANK
from streams.desk.limit_table import GOALS, OVERALL, Limit
from streams.desk.rules import Rules

_DEADLINE: Final = Maker(Deadline)

_WALL: Final = LimitClock.WALL  # a member looked up on its enum costs as much as a dict
GOAL_RANK: Final = {stage.value: RANK[stage] for stage in GOALS}
"""By the names of limits that are goals; whatever is neither one nor `overall` is a condition."""


Parts = tuple[Deadline | None, Deadline | None, Deadline | None, Deadline | None]
"""Overall, what is halted, the goal, the condition: in the order they stand in."""


def parts_of(deadlines: tuple[Deadline, ...]) -> Parts:
    """Which deadline is which."""
    overall = halted = goal = condition = None
    for deadline in deadlines:
        if deadline.limit == OVERALL:
            overall = deadline
        elif deadline.limit not in GOAL_RANK:
            condition = deadline
        elif deadline.halted:
            halted = deadline
        else:
            goal = deadline
    return overall, halted, goal, condition


def in_order(
    overall: Deadline | None, halted: Deadline | None, goal: Deadline | None, condition: Deadline | None
) -> tuple[Deadline, ...]:
    """Those that there are."""
    if halted is None and condition is None and overall is not None and goal is not None:
        return overall, goal  # nearly always
    return tuple([deadline for deadline in (overall, halted, goal, condition) if deadline is not None])


def begin(rules: Rules, limit: Limit, at: int) -> Deadline:
    """The deadline of a limit that begins to run. What arrives at one moment shares it."""
    if rules.begun_at != at:
        rules.begun_at, rules.begun = at, {}
    deadline = rules.begun.get(limit)
    if deadline is None:
        deadline = rules.begun[limit] = _begun(rules, limit, at)
    return deadline


def _begun(rules: Rules, limit: Limit, at: int) -> Deadline:
    name, clock, length, first = limit
    if clock is _WALL:
        due_at, next_at, provisional = at + length, None if first is None else at + first, False
    else:
        working = rules.working
        due_at, step_at = working.both_after(at, length, length if first is None else first)
        next_at = None if first is None else step_at
        provisional = not working.announced(due_at)
    return _DEADLINE.of(
        limit=name,
        clock=clock,
        started_at=at,
        length=length,
        due_at=due_at,
        rung=-1 if first is None else 0,
        next_at=next_at,
        provisional=provisional,
    )


def laid(rules: Rules, deadline: Deadline, said: int, at: int) -> Deadline:
    """The deadline with all that follows from its clock, start and length; `said` of its steps were said.

    Steps ahead of `at` are still to come, also where they were said; those behind that were not are said at `at`.
    """
    steps = [after(rules, deadline, deadline.length * rung.percent // 100) for rung in rules.policy.ladder]
    rung = min(said, sum(step <= at for step in steps))
    left = rung < len(steps)
    due_at = after(rules, deadline, deadline.length)
    return replace(
        deadline,
        due_at=due_at,
        rung=rung if left else -1,
        next_at=max(steps[rung], at) if left and not deadline.halted else None,
        provisional=deadline.clock is LimitClock.WORKING and not rules.working.announced(due_at),
    )


def after(rules: Rules, deadline: Deadline, run: int) -> int:
    """When so much of the deadline has run, on its own clock."""
    if deadline.clock is LimitClock.WALL:
        return deadline.started_at + run
    return rules.working.after(deadline.started_at, run)


def said(rules: Rules, deadline: Deadline) -> int:
    """How many steps of the ladder the deadline has said."""
    return len(rules.policy.ladder) if deadline.rung < 0 else deadline.rung


def steps_said(rules: Rules, deadline: Deadline) -> tuple[Step, ...]:
    """The steps that the deadline has said, or that count as said since other rules took it over."""
    return tuple([rung.step for rung in rules.policy.ladder[: said(rules, deadline)]])


def next_step(rules: Rules, deadline: Deadline, at: int) -> tuple[int, int | None]:
    """The rung after the one that fires at `at`, and when it does; −1 and none where nothing is left."""
    rung, ladder = deadline.rung + 1, rules.policy.ladder
    if rung >= len(ladder):
        return -1, None
    return rung, max(after(rules, deadline, deadline.length * ladder[rung].percent // 100), at)
