"""What the handlers of a ticket say, and when: late, offline, giving back, asking for more time. Pure.

Each step says what the desk will make of it, which follows from the rules as docs/desk.md states them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from agents.simulating.rhythm import DAY_MS, HOUR_MS, in_office
from schemas.codes import Action, Outcome
from schemas.policy import Policy

MINUTE_MS: Final = 60_000
LAST_MS: Final = 40 * DAY_MS
"""No course is longer: a ticket that is not closed by then stays open."""

VOID, RETURN, EXTEND, SUSPEND, REWORK, OFFLINE, AGAIN = 0.02, 0.05, 0.06, 0.015, 0.04, 0.03, 0.005
"""Shares of tickets."""
CALLED_BACK, RATED, UNHAPPY, LATE, REFUSED, SLOW = 0.7, 0.35, 0.04, 0.06, 0.4, 0.011
SCORES: Final = (3, 4, 4, 5, 5, 5)
_ALWAYS: Final = frozenset({
    Action.VOIDED, Action.SIGNED, Action.CONTACTED, Action.ARRIVED, Action.HANDLED, Action.RETURN_REQUESTED,
    Action.RETURN_REFUSED, Action.RETURN_APPROVED, Action.REWORKED, Action.VERIFIED, Action.CALLED_BACK, Action.CLOSED,
    Action.RATED,
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One feedback. `outcome`: what the desk makes of it."""

    time: int
    action: Action
    outcome: Outcome = Outcome.APPLIED
    occurred_at: int
    seconds: int | None = None
    score: int | None = None
    unit: str | None = None
    condition: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """All steps in order, and the spans in which the ticket is open: only then can a report join it."""

    steps: Sequence[Step]
    open: Sequence[tuple[int, int]]


@dataclass(slots=True)
class _Told:
    """The course while it is being told."""

    random: Random
    at: int
    urgent: bool
    pace: float
    steps: list[Step] = field(default_factory=list)

    def later(self, minutes: float, routine_hours: float) -> None:
        """Some time passes: minutes where it is urgent, office hours where it is not."""
        mean = minutes * MINUTE_MS if self.urgent else routine_hours * HOUR_MS
        self.at += 1 + int(mean * self.pace * self.random.lognormvariate(-0.2, 0.7))
        if not self.urgent:
            self.at = in_office(self.random, self.at)

    def say(self, action: Action, **said: object) -> None:
        step = {"time": self.at, "action": action, "occurred_at": self.at} | said
        self.steps.append(Step(**step))  # type: ignore[arg-type]  # named fields of Step, each from one place below
        self.at += 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A ticket at its opening, as far as its course depends on it."""

    at: int
    category: str
    urgent: bool
    self_handled: bool
    police: bool
    """Whether the police handle it."""
    diverted: bool


def course(random: Random, policy: Policy, begun: Begun) -> Course:
    """How a ticket goes on."""
    at = begun.at
    told = _Told(random, at, begun.urgent, pace=4.0 if random.random() < LATE else 1.0)
    if random.random() < VOID:
        told.later(20, 2)
        told.say(Action.VOIDED, note="经核实不属实")
        return Course(steps=told.steps, open=[(at, told.steps[-1].time)])
    if not begun.self_handled:
        if random.random() < OFFLINE:
            _handle_offline(told)
        else:
            _handle(told, policy, begun)
    closed = _finish(told)
    spans = [(at, closed)]
    if random.random() < RATED:
        spans += _rate(told, policy)
    return _cut(told.steps, spans, at + LAST_MS)


def sayable(policy: Policy) -> frozenset[Action]:
    """All that a course may say under these rules."""
    sometimes = (
        (policy.diversions, {Action.DIVERSION_RETURNED}),
        (policy.conditions, {Action.CONDITION_MET}),
        (policy.extension_first_s > 0, {Action.EXTENSION_REQUESTED}),
        (
            policy.extension_most_s > 0,
            {Action.EXTENSION_REQUESTED, Action.EXTENSION_APPROVED, Action.EXTENSION_REFUSED},
        ),
        (policy.suspension_most_s > 0, {Action.SUSPENSION_REQUESTED, Action.SUSPENSION_APPROVED, Action.RESUMED}),
    )
    return _ALWAYS.union(*(said for holds, said in sometimes if holds))


def whole_units(policy: Policy) -> list[str]:
    """The keys of active units whose names need nothing of the ticket."""
    return sorted(key for key, unit in policy.units.items() if unit.active and "{" not in unit.name)


def _handle(told: _Told, policy: Policy, begun: Begun) -> None:
    random = told.random
    if begun.police:
        _answer(told)
    else:
        told.later(1, 3)
    told.say(Action.SIGNED)
    if random.random() < RETURN:
        _give_back(told, policy, diverted=begun.diverted)
    told.later(4 if begun.police else 15, 3)
    told.say(Action.ARRIVED if told.urgent or begun.police else Action.CONTACTED)
    if random.random() < EXTEND:
        _extend(told, policy)
    if random.random() < SUSPEND and not told.urgent:
        _suspend(told, policy)
    for condition in policy.conditions.get(begun.category, ()):
        told.later(90, 10)
        told.say(Action.CONDITION_MET, condition=condition.name)
    told.later(45, 12)
    told.say(Action.HANDLED, note="已处置")


def _answer(told: _Told) -> None:
    """An alarm is signed for within half a minute, but for one in a hundred."""
    slow = told.random.random() < SLOW
    told.at += told.random.randrange(35_000, 240_000) if slow else told.random.randrange(3_000, 28_000)


def _handle_offline(told: _Told) -> None:
    """The officer's notes come in when the network is back, the last one first."""
    told.later(1, 3)
    signed = told.at
    told.later(60, 36)
    told.say(Action.HANDLED, note="已处置")
    told.say(Action.SIGNED, occurred_at=signed)


def _give_back(told: _Told, policy: Policy, *, diverted: bool) -> None:
    """Not ours: what another side handed over goes back to it, all else to the dispatcher, who may refuse."""
    told.later(10, 3)
    if diverted:
        told.say(Action.DIVERSION_RETURNED, note="不属本方职责")
    else:
        told.say(Action.RETURN_REQUESTED, note="非本单位职责")
        told.later(5, 2)
        if told.random.random() < REFUSED:
            told.say(Action.RETURN_REFUSED, note="属地负责")
            return
        told.say(Action.RETURN_APPROVED, unit=told.random.choice(whole_units(policy)), note="改派")
    told.later(2, 3)
    told.say(Action.SIGNED)


def _extend(told: _Told, policy: Policy) -> None:
    told.later(20, 8)
    if policy.extension_first_s > 0:
        told.say(Action.EXTENSION_REQUESTED, seconds=policy.extension_first_s, note="需施工")
    if told.random.random() < 0.3 and policy.extension_most_s > 0:
        told.later(30, 10)
        told.say(Action.EXTENSION_REQUESTED, seconds=policy.extension_most_s, note="雨天延误")
        told.later(10, 3)
        granted = told.random.random() < 0.7
        told.say(Action.EXTENSION_APPROVED if granted else Action.EXTENSION_REFUSED)


def _suspend(told: _Told, policy: Policy) -> None:
    if policy.suspension_most_s <= 0:
        return
    told.say(Action.SUSPENSION_REQUESTED, note="等待季节性施工")
    told.later(30, 4)
    told.say(Action.SUSPENSION_APPROVED)
    told.at += min(told.random.randrange(DAY_MS, 6 * DAY_MS), policy.suspension_most_s * 500)
    told.say(Action.RESUMED)


def _finish(told: _Told) -> int:
    """From handled to closed; when that is."""
    random = told.random
    told.later(20, 2)
    if random.random() < REWORK:
        told.say(Action.REWORKED, note="现场未见整改")
        told.later(30, 4)
        told.say(Action.HANDLED, note="已整改")
        told.later(20, 2)
    told.say(Action.VERIFIED)
    if random.random() < AGAIN:
        told.say(Action.VERIFIED, outcome=Outcome.REFUSED)
    told.later(60, 3)
    if random.random() < CALLED_BACK:
        told.say(Action.CALLED_BACK)
    told.say(Action.CLOSED)
    return told.steps[-1].time


def _rate(told: _Told, policy: Policy) -> list[tuple[int, int]]:
    """The rating; one who is not satisfied has it opened again."""
    random = told.random
    told.at += 1 + int(DAY_MS * random.random())
    score = random.choice((1, 2)) if random.random() < UNHAPPY else random.choice(SCORES)
    told.say(Action.RATED, score=score)
    if score > policy.reopen_score:
        return []
    reopened = told.steps[-1].time
    told.later(5, 4)
    told.say(Action.SIGNED)
    told.later(60, 20)
    told.say(Action.HANDLED, note="重新处置")
    closed = _finish(told)
    told.at += 1 + int(DAY_MS * random.random())
    told.say(Action.RATED, score=random.choice(SCORES))
    return [(reopened, closed)]


def _cut(steps: Sequence[Step], spans: Sequence[tuple[int, int]], end: int) -> Course:
    kept = [step for step in steps if step.time < end]
    return Course(steps=kept, open=[(begin, min(until, end)) for begin, until in spans if begin < end])
