"""The limits of one ticket for the model: what runs, from when, and what is said of it next."""

from dataclasses import dataclass, field, replace

from schemas.codes import LimitClock, Side, Stage, Step
from schemas.policy import Calendar, LimitRow, Policy, Rung, Span
from schemas.state import Deadline
from tests.desk.minutes import minutes_of

STAGES = list(Stage)
OVERALL = "overall"


@dataclass
class Judged:
    """What a row of the table asks of a ticket."""

    category: str
    urgency: str
    area: str
    source: str
    kind: str | None
    side: Side

    def fits(self, row: LimitRow) -> bool:
        """Whether each field that the row names is the ticket's."""
        pairs = [
            (row.category, self.category),
            (row.urgency, self.urgency),
            (row.area, self.area),
            (row.source, self.source),
            (row.kind, self.kind),
            (row.side, self.side),
        ]
        return all(wanted is None or wanted == given for wanted, given in pairs)


@dataclass
class Limit:
    """One limit that runs. `said` counts the steps that are said; none is said before `floor`."""

    name: str
    clock: LimitClock
    start: int
    length: int
    granted: int = 0
    said: int = 0
    floor: int = 0
    halted: bool = False
    due: int = 0
    times: list[int] = field(default_factory=list)
    provisional: bool = False

    def work_out(self, policy: Policy) -> None:
        """When each step is, by the calendar."""
        self.due = self.at(policy, 100)
        self.times = [self.at(policy, rung.percent) for rung in policy.ladder]
        unnamed = minutes_of(policy.calendar).unnamed(self.due)
        self.provisional = self.clock is LimitClock.WORKING and unnamed

    def at(self, policy: Policy, percent: int) -> int:
        """When that share has run."""
        return self.moved(policy, self.start, self.length * percent // 100)

    def moved(self, policy: Policy, start: int, ran: int) -> int:
        """So much later on the limit's own clock."""
        if self.clock is LimitClock.WALL:
            return start + ran
        return minutes_of(policy.calendar).after(start, ran)

    def passed(self, policy: Policy, start: int, end: int) -> int:
        """How much of the limit's own clock lies between."""
        if self.clock is LimitClock.WALL:
            return end - start
        return minutes_of(policy.calendar).between(start, end)

    def changed(self, policy: Policy, now: int) -> None:
        """What lies ahead is to come; what lies behind and was never said is said now."""
        self.work_out(policy)
        ahead = [number for number, time in enumerate(self.times) if time > now]
        self.said = min([self.said, *ahead])
        self.floor = now

    @property
    def next_at(self) -> int | None:
        """When the next step is said."""
        if self.halted or self.said >= len(self.times):
            return None
        return max(self.times[self.said], self.floor)

    @property
    def rung(self) -> int:
        """Which step is said next."""
        return self.said if self.said < len(self.times) else -1

    def shown(self) -> Deadline:
        """As the contract has it."""
        return Deadline(
            limit=self.name,
            clock=self.clock,
            started_at=self.start,
            length=self.length,
            granted=self.granted,
            due_at=self.due,
            rung=self.rung,
            next_at=self.next_at,
            provisional=self.provisional,
            halted=self.halted,
        )


@dataclass
class Runs:
    """All limits of a ticket, by name."""

    judged: Judged
    policy: Policy
    running: dict[str, Limit] = field(default_factory=dict)
    told: tuple[Step, ...] = ()
    """The steps of `overall` that were said when the ticket changed sides last."""

    def shown(self) -> tuple[Deadline, ...]:
        """As the contract has them: overall, what is halted, the goal, the condition."""
        halted = [limit for limit in self.running.values() if limit.halted]
        order = [self.running.get(OVERALL), *halted, self.goal, self.condition]
        return tuple(limit.shown() for limit in order if limit is not None)

    def climbed(self) -> dict[str, tuple[Step, ...]]:
        """Which steps of the ladder each limit has behind it."""
        ladder = self.policy.ladder
        return {name: tuple(rung.step for rung in ladder[: limit.said]) for name, limit in self.running.items()}

    # What the policy says

    def span(self, name: str) -> Span | None:
        """The first fitting row that names it."""
        for row in self.policy.limits:
            span = row.overall if name == OVERALL else row.stages.get(Stage(name))
            if span is not None and self.judged.fits(row):
                return span
        return None

    def next_stage(self, stage: Stage) -> str | None:
        """The next stage up to called-back that has a limit."""
        for later in STAGES[STAGES.index(stage) + 1 : STAGES.index(Stage.CALLED_BACK) + 1]:
            if self.span(later.value) is not None:
                return later.value
        return None

    def next_condition(self, met: list[str]) -> str | None:
        """The first of the category's that is not met."""
        for condition in self.policy.conditions.get(self.judged.category, ()):
            if condition.name not in met:
                return condition.name
        return None

    def condition_span(self, name: str) -> Span:
        """How long a condition may take."""
        return next(c.span for c in self.policy.conditions[self.judged.category] if c.name == name)

    # What runs

    @property
    def goal(self) -> Limit | None:
        """The stage limit that runs."""
        found = [limit for limit in self.running.values() if limit.name in STAGES and not limit.halted]
        return found[0] if found else None

    @property
    def condition(self) -> Limit | None:
        """The condition that runs."""
        found = [limit for limit in self.running.values() if limit.name != OVERALL and limit.name not in STAGES]
        return found[0] if found else None

    def begin(self, name: str, span: Span | None, start: int, now: int) -> None:
        """A limit begins, where there is one."""
        if span is None:
            return
        limit = Limit(name, span.clock, start, span.seconds * 1000)
        limit.work_out(self.policy)
        limit.floor = now
        self.running[name] = limit

    def drop(self, limit: Limit | None) -> None:
        """It does not run any more."""
        if limit is not None:
            del self.running[limit.name]

    # What happens to the ticket

    def opened(self, stage: Stage, start: int, now: int, met: list[str]) -> None:
        """All begin."""
        self.running, self.told = {}, ()
        self.begin(OVERALL, self.span(OVERALL), start, now)
        self.aim(stage, start, now)
        name = self.next_condition(met)
        if name is not None:
            self.begin(name, self.condition_span(name), start, now)

    def aim(self, stage: Stage, start: int, now: int) -> None:
        """The goal from this stage: one whose stage still lies ahead goes on as it is."""
        goal = self.goal
        if goal is not None and STAGES.index(Stage(goal.name)) > STAGES.index(stage):
            return
        self.drop(goal)
        name = self.next_stage(stage)
        if name is not None:
            self.begin(name, self.span(name), start, now)

    def reached(self, stage: Stage, now: int) -> None:
        """A stage was reached."""
        if stage in (Stage.CLOSED, Stage.RATED):
            self.running = {}
            return
        goal = self.goal
        if goal is not None and goal.name == Stage.HANDLED and STAGES.index(stage) >= STAGES.index(Stage.HANDLED):
            goal.halted = True
        self.aim(stage, now, now)

    def reworked(self, now: int) -> None:
        """`handled` goes on from its original start, where it ran."""
        self.drop(self.goal)
        handled = self.running.get(Stage.HANDLED)
        if handled is None:
            self.aim(Stage.SIGNED, now, now)
            return
        handled.halted = False
        handled.changed(self.policy, now)

    def extended(self, amount: int, now: int) -> None:
        """`overall` and the goal are so much longer."""
        for limit in (self.running.get(OVERALL), self.goal):
            if limit is not None:
                limit.length += amount
                limit.granted += amount
                limit.changed(self.policy, now)

    def resumed(self, since: int, now: int) -> None:
        """Each start moves by the pause."""
        for limit in self.running.values():
            limit.start = limit.moved(self.policy, limit.start, limit.passed(self.policy, since, now))
            limit.changed(self.policy, now)

    def met(self, met: list[str], now: int) -> None:
        """A condition was met; out of its turn it changes nothing that runs."""
        running = self.condition
        if running is not None and running.name not in met:
            return
        self.drop(running)
        name = self.next_condition(met)
        if name is not None:
            self.begin(name, self.condition_span(name), now, now)

    @property
    def overall_said(self) -> int:
        """How many steps of `overall` lie behind as said."""
        overall = self.running.get(OVERALL)
        return 0 if overall is None else overall.said

    def leaves(self) -> tuple[Step, ...]:
        """It changes sides: the steps of `overall` that were said until now, here or before."""
        ladder = self.policy.ladder
        most = max(self._upto(self.told, ladder), self.overall_said)
        self.told = tuple(rung.step for rung in ladder[:most])
        return self.told

    def handed_over(self, side: Side, stage: Stage, begun: int, now: int) -> None:
        """The other side has it: `overall` as the table has it there, from its old start; the goal begins anew."""
        self.judged.side = side
        old, span = self.running.get(OVERALL), self.span(OVERALL)
        if old is None or span is None:
            self.drop(old)
            self._again(OVERALL, None, begun, now)
        elif (old.clock, old.length) != (span.clock, span.seconds * 1000 + old.granted):
            self._again(OVERALL, old, begun, now)
        self.drop(self.goal)
        self.aim(stage, now, now)

    def taken(self, policy: Policy, stage: Stage, begun: tuple[int, int], met: list[str], now: int) -> None:
        """Another policy judges: from the old starts (else from `begun`: the ticket's, the stage's)."""
        former, ladder = self.running, self.policy.ladder
        goal, condition = self.goal, self.condition
        halted = [limit for limit in former.values() if limit.halted]
        for limit in former.values():
            limit.said = self._counted(limit, ladder, policy.ladder)
        self.policy, self.running = policy, {}
        self._again(OVERALL, former.get(OVERALL), begun[0], now)
        for limit in halted:
            self._again(limit.name, limit, begun[1], now)
        stays = goal is not None and self.span(goal.name) is not None
        self._again(goal.name if goal and stays else self.next_stage(stage), goal, begun[1], now)
        stays = condition is not None and condition.name in self._conditions()
        self._again(condition.name if condition and stays else self.next_condition(met), condition, begun[0], now)

    def _conditions(self) -> list[str]:
        return [one.name for one in self.policy.conditions.get(self.judged.category, ())]

    def _counted(self, limit: Limit, former: tuple[Rung, ...], ladder: tuple[Rung, ...]) -> int:
        return self._upto(tuple(rung.step for rung in former[: limit.said]), ladder)

    @staticmethod
    def _upto(steps: tuple[Step, ...], ladder: tuple[Rung, ...]) -> int:
        """Of the ladder all steps up to the last of a kind that was said; of several of a kind, so many."""
        done = list(steps)
        last = 0
        for number, rung in enumerate(ladder, start=1):
            if rung.step in done:
                done.remove(rung.step)
                last = number
        return last

    def _again(self, name: str | None, old: Limit | None, start: int, now: int) -> None:
        if name is None:
            return
        stage = name == OVERALL or name in STAGES
        span = self.span(name) if stage else self.condition_span(name)
        if span is None:
            return
        limit = Limit(name, span.clock, old.start if old else start, span.seconds * 1000)
        if old is not None and old.name == name:
            limit.granted, limit.said, limit.halted = old.granted, old.said, old.halted
            limit.length += old.granted
        if name == OVERALL:
            limit.said = max(limit.said, self._upto(self.told, self.policy.ladder))
        limit.changed(self.policy, now)
        self.running[name] = limit

    def announced(self, policy: Policy, now: int) -> bool:
        """The own policy knows more years now; whether anything is provisional no more."""
        self.policy = policy
        found = False
        for name, limit in list(self.running.items()):
            again = replace(limit)
            again.changed(self.policy, now)
            if limit.provisional and not again.provisional:
                self.running[name], found = again, True
        return found


def with_years(own: Calendar | None, new: Calendar | None) -> Calendar | None:
    """The own calendar, and of the new one all years that the own one does not name."""
    if own is None or new is None:
        return own
    years = tuple(year for year in new.years if year not in own.years)
    off = tuple(day for day in new.off if int(day[:4]) in years)
    on = tuple(day for day in new.on if int(day[:4]) in years)
    return replace(own, years=own.years + years, off=own.off + off, on=own.on + on)
