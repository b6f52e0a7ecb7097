"""The desk against the slow model: any log, in any batches, with batches thrown away and done again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cache
from random import Random
from typing import Any, Final, TypeVar, get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from hypothesis.strategies import DrawFn

from schemas.codes import Action, Clock, Fate, Refusal
from schemas.commands import Command
from schemas.events import CommandSettled, Event, ReportSettled
from schemas.state import NO_COURSE, NO_TIES, Ticket
from streams.desk.evolve import evolve
from streams.desk.facts import Entry, Fact
from streams.desk.memory import DeskMemory
from tests.desk.histories import BEGINNINGS, ORIGINS, POLICIES, STEPS, command_of, published
from tests.desk.logs import T0, Log, bytes_of, command_in, decide_batch, entry, feedback, folded, remembered, report
from tests.desk.model import Case, Model, Said, shown

T = TypeVar("T")


class Play:
    """A log that the desk and the model both follow: the model at once, the desk in batches."""

    def __init__(self, clock: Clock, now: int, policy: int | None) -> None:
        """It begins with a policy, or, which must not happen, without one."""
        self.clock = clock
        self.now = now
        self.model = Model()
        self.log = Log(policy=None)
        self.pending: list[tuple[Entry, list[Said]]] = []
        self.all: list[Entry] = []
        if policy is not None:
            self.append(policy, 0)

    def append(self, command: Command | bytes | int, step: int) -> None:
        """A record, so much later than the last."""
        self.now += step
        if isinstance(command, int):
            command = published(command, self.clock)
        one = entry(len(self.all), self.now, command)
        self.all.append(one)
        self.pending.append((one, self.model.apply(one.offset, one.appended_at, command_in(one.raw))))

    def batch(self, *, again: bool) -> None:
        """All that came in is decided; or it was once before, by an owner that did not live to commit it."""
        entries = [one for one, _ in self.pending]
        lost = decide_batch(self.log.memory, entries)[1] if again else None
        draft, decisions = decide_batch(self.log.memory, entries)
        if lost is not None:
            assert lost == decisions
        for (_, expected), decision in zip(self.pending, decisions, strict=True):
            same([seen(fact) for fact in decision.facts], expected)
            self.log.facts += decision.facts
        self.log.write(draft.state())
        draft.take()
        self.pending = []
        self._the_memory_is_what_the_changelog_gives()
        self._the_memory_is_the_models()
        self._whoever_is_open_names_rules_that_the_desk_has()

    def end(self) -> None:
        """The whole log in one batch, and one record at a time, says the same, byte for byte."""
        self.batch(again=True)
        facts = bytes_of(self.log.facts)
        ids = [fact.envelope.id for fact in self.log.facts]
        assert len(set(ids)) == len(ids)
        together = DeskMemory()
        draft, decisions = decide_batch(together, self.all)
        assert bytes_of([fact for decision in decisions for fact in decision.facts]) == facts
        draft.take()
        assert remembered(together) == remembered(self.log.memory)
        alone = Log(policy=None)
        for one in self.all:
            alone.add(one.raw, one.appended_at - T0)
        assert bytes_of(alone.facts) == facts
        assert alone.state == self.log.state
        self._events_alone_give_the_tickets()

    def _the_memory_is_what_the_changelog_gives(self) -> None:
        """A fold of the changelog, in whatever order compaction left it, is the memory."""
        upside_down = dict(reversed(self.log.state.items()))
        assert remembered(folded(upside_down)) == remembered(self.log.memory)

    def _the_memory_is_the_models(self) -> None:
        """Tickets in full, the next deadline, log time, and the policies that still judge tickets."""
        memory = self.log.memory
        ours = {one.id: one for one in memory.tickets.values()}
        theirs = {one.id: shown(one) for one in self.model.cases}
        assert set(ours) == set(theirs)
        for ticket, one in theirs.items():
            same_fields(ticket, plain(ours[ticket]), plain(one))
        assert memory.next_due() == self.model.next_due()
        assert memory.time == self.model.now
        assert {version: rules.policy for version, rules in memory.former.items()} == self.model.former

    def _whoever_is_open_names_rules_that_the_desk_has(self) -> None:
        """Else others judge it than the version that it says."""
        memory = self.log.memory
        known = set(memory.former) | ({memory.rules.policy.version} if memory.rules else set())
        judged = Counter(one.policy for one in memory.tickets.values() if one.closed_at is None)
        assert set(judged) <= known
        assert memory.judged == judged

    def _events_alone_give_the_tickets(self) -> None:
        tickets: dict[str, Ticket] = {}
        for fact in self.log.facts:
            if fact.envelope.subject is not None:
                tickets[fact.envelope.subject] = evolve(tickets.get(fact.envelope.subject), fact)
        for ticket in self.log.memory.tickets.values():
            assert tickets[ticket.id] == ticket


def plain(ticket: Ticket) -> Ticket:
    """A ticket with its course and ties written out; what is proposed by name."""
    ties = ticket.ties or NO_TIES
    ties = replace(ties, matches=tuple(sorted(ties.matches, key=lambda match: match.other)))
    return replace(ticket, course=ticket.course or NO_COURSE, ties=ties)


def seen(fact: Fact) -> Said:
    """A fact as the model says it."""
    envelope = fact.envelope
    return Said(
        time=envelope.time,
        cause=envelope.cause,
        ticket=envelope.subject,
        sequence=envelope.sequence,
        matter=envelope.matter,
        drill=envelope.drill,
        event=fact.event,
    )


def same(ours: list[Said], theirs: list[Said]) -> None:
    """The desk says what the model says."""
    assert [(one.ticket, one.event.type) for one in ours] == [(one.ticket, one.event.type) for one in theirs]
    for one, other in zip(ours, theirs, strict=True):
        same_fields(one.event.type, one.event, other.event)
        same_fields(one.event.type, replace(one, event=other.event), other)


def same_fields(about: str, ours: Any, theirs: Any) -> None:
    """Every field is the same; says which is not."""
    if ours != theirs:
        both = {one.name: (getattr(ours, one.name), getattr(theirs, one.name)) for one in fields(ours)}
        assert {name: (one, other) for name, (one, other) in both.items() if one != other} == {}, about


# Hypothesis looks for the smallest story of a failure


@st.composite
def commands(draw: DrawFn, time: int, cases: Sequence[Case]) -> Command | bytes | int:
    """Any record, as hypothesis picks it."""

    def pick(options: Sequence[T], /) -> T:
        return draw(st.sampled_from(options))

    return command_of(pick, time, cases)


class Desk(RuleBasedStateMachine):
    """Records come in; now and then they are decided as a batch."""

    @initialize(
        clock=st.sampled_from(Clock),
        now=st.sampled_from(BEGINNINGS),
        policy=st.sampled_from([*range(len(POLICIES)), 0, 1, 2, 3, None]),
    )
    def begin(self, clock: Clock, now: int, policy: int | None) -> None:
        """A log begins."""
        self.play = Play(clock, now, policy)

    @rule(step=st.sampled_from(STEPS), data=st.data())
    def record(self, step: int, data: st.DataObject) -> None:
        """A record is appended."""
        self.play.append(data.draw(commands(self.play.now + step, self.play.model.cases[-8:])), step)

    @rule(again=st.booleans())
    def batch(self, again: bool) -> None:
        """All that came in is decided."""
        self.play.batch(again=again)

    def teardown(self) -> None:
        """The log in other batches."""
        self.play.end()


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


# Chance is even-handed: it meets everything

LOGS = 125
TOGETHER = 25
RECORDS = 80


def by_chance(seed: int) -> Play:
    """A log of so many records, the same for the same seed."""
    chance = Random(seed)
    policy = None if seed % 25 == 24 else chance.randrange(len(POLICIES))
    play = Play(chance.choice(list(Clock)), chance.choice(BEGINNINGS), policy)
    for _ in range(RECORDS):
        step = chance.choice(STEPS)
        again = sent_again(chance, play) if play.model.waiting and chance.randrange(8) == 0 else None
        play.append(again or command_of(chance.choice, play.now + step, play.model.cases[-6:]), step)
        if chance.randrange(4) == 0:
            play.batch(again=chance.randrange(4) == 0)
    play.end()
    return play


def sent_again(chance: Random, play: Play) -> Command:
    """Feedback that waits, as its platform sends it a second time: the same, or with something else about it."""
    waits = chance.choice(play.model.waiting).feedback
    return replace(waits, time=play.now, origin=chance.choice(ORIGINS), note=chance.choice([waits.note] * 3 + ["else"]))


@cache
def met_in(first: int) -> Counter[str]:
    """How often what was met in so many logs from that seed on; each of them is the model's."""
    counted: Counter[str] = Counter()
    for seed in range(first, first + TOGETHER):
        play = by_chance(seed)
        counted["records"] += len(play.all)
        counted.update(play.model.met)
        counted.update(name for fact in play.log.facts for name in names_of(fact.event))
    return counted


def names_of(event: Event) -> list[str]:
    """What one event shows to have been met."""
    names: list[str] = [event.type]
    if isinstance(event, ReportSettled):
        names.append(f"fate {event.fate.value}")
    if isinstance(event, CommandSettled):
        names.append(f"{event.command} {event.outcome.value}")
        names.append(f"reason {event.reason.value if event.reason else None}")
    return names


UNMET: Final = {"lianqin.ticket.accepted.v1", "accepted applied"}
"""Whatever opens is dispatched at once, to the catch-all at worst, and reopened or returned it has been accepted."""


def test_no_more_waits_for_one_report_than_the_model_lets() -> None:
    play = Play(Clock.WALL, T0, 0)
    for number in range(70):
        play.append(feedback(Action.CLOSED, "r1", note=str(number % 68)), 1)
    for number in range(4):
        play.append(feedback(Action.CLOSED, "r2", note=f"{number}{'请核查' * 40_000}"), 1)
    play.batch(again=True)
    assert Counter(len(waiting.held) for waiting in play.log.memory.waiting.values()) == {64: 1, 2: 1}
    for name in ("r1", "r2"):
        play.append(report(name), 1)
    play.end()


@pytest.mark.parametrize("first", range(0, LOGS, TOGETHER))
def test_logs_of_chance_are_the_models(first: int) -> None:
    assert met_in(first)["records"] >= TOGETHER * RECORDS


@pytest.fixture(scope="module")
def met() -> Counter[str]:
    """What was met in all of them: ten thousand records."""
    together = sum((met_in(first) for first in range(0, LOGS, TOGETHER)), Counter[str]())
    assert together["records"] >= 10_000
    return together


@pytest.mark.parametrize(
    "wanted",
    [
        {event.__dataclass_fields__["type"].default for event in get_args(Event)},
        {f"fate {fate.value}" for fate in Fate},
        {f"reason {refusal.value}" for refusal in Refusal},
        {f"{action.value} applied" for action in Action},
        {f"{action.value} refused" for action in Action},
        {
            "steps that are not said again",
            "a diversion by hand whose limits are provisional",
            "a diversion that would make two alarms one",
        },
    ],
    ids=["events", "fates", "refusals", "actions that were applied", "actions that were refused", "diversions"],
)
def test_they_met_everything_that_there_is(met: Counter[str], wanted: set[str]) -> None:
    seldom = {name: met[name] for name in wanted - UNMET if met[name] < 3}
    assert seldom == {}
    assert not UNMET & set(met)
