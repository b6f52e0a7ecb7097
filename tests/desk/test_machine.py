"""The desk against the slow model: any log, in any batches, with batches thrown away and done again."""

from collections import Counter
from dataclasses import fields, replace
from typing import ClassVar, get_args

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from schemas.codes import Action, Clock, Fate, Refusal
from schemas.commands import Command
from schemas.events import CommandSettled, Event, ReportSettled
from schemas.state import NO_COURSE, NO_TIES, Ticket
from streams.desk.evolve import evolve
from streams.desk.facts import Entry, Fact
from streams.desk.memory import DeskMemory
from tests.desk.histories import BEGINNINGS, POLICIES, STEPS, commands, published
from tests.desk.logs import T0, Log, bytes_of, command_in, decide_batch, entry, folded, remembered
from tests.desk.model import Model, Said, shown


class Desk(RuleBasedStateMachine):
    """Records come in; now and then they are decided as a batch."""

    met: ClassVar[Counter[str]] = Counter()
    """How often each type of event, fate, refusal and applied action was met, and how many records there were."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock.WALL
        self.now = T0
        self.model = Model()
        self.log = Log(policy=None)
        self.pending: list[tuple[Entry, list[Said]]] = []
        self.all: list[Entry] = []

    @initialize(
        clock=st.sampled_from(Clock), now=BEGINNINGS, policy=st.sampled_from([*range(len(POLICIES))] * 5 + [None])
    )
    def begin(self, clock: Clock, now: int, policy: int | None) -> None:
        """A log begins with a policy; one in twenty does not."""
        self.clock, self.now = clock, now
        if policy is not None:
            self._append(policy)

    @rule(step=STEPS, data=st.data())
    def record(self, step: int, data: st.DataObject) -> None:
        """A record is appended."""
        command = data.draw(commands(self.now + step, self.model.cases[-8:]))
        self.now = max(self.now + step, T0 // 2)
        self._append(command)

    @rule(again=st.booleans())
    def batch(self, again: bool) -> None:
        """All that came in is decided; or it was once before, by an owner that did not live to commit it."""
        entries = [one for one, _ in self.pending]
        lost = decide_batch(self.log.memory, entries)[1] if again else None
        draft, decisions = decide_batch(self.log.memory, entries)
        if lost is not None:
            assert lost == decisions
        for (_, expected), decision in zip(self.pending, decisions, strict=True):
            same([seen(fact) for fact in decision.facts], expected)
            self.log.facts += decision.facts
            self.met.update(name for fact in decision.facts for name in names_of(fact.event))
        self.met["records"] += len(entries)
        self.log.write(draft.state())
        draft.take()
        self.pending = []
        self._the_memory_is_what_the_changelog_gives()
        self._the_memory_is_the_models()

    def _the_memory_is_what_the_changelog_gives(self) -> None:
        """A fold of the changelog, in whatever order compaction left it, is the memory."""
        upside_down = dict(reversed(self.log.state.items()))
        assert remembered(folded(upside_down)) == remembered(self.log.memory)

    def _the_memory_is_the_models(self) -> None:
        """Tickets in full, the next deadline, log time, and the policies that still judge tickets."""
        ours = {one.id: one for one in self.log.memory.tickets.values()}
        theirs = {one.id: shown(one) for one in self.model.cases}
        assert set(ours) == set(theirs)
        for ticket, one in theirs.items():
            same_fields(ticket, plain(ours[ticket]), plain(one))
        assert self.log.memory.next_due() == self.model.next_due()
        assert self.log.memory.time == self.model.now

    def teardown(self) -> None:
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

    def _events_alone_give_the_tickets(self) -> None:
        tickets: dict[str, Ticket] = {}
        for fact in self.log.facts:
            if fact.envelope.subject is not None:
                tickets[fact.envelope.subject] = evolve(tickets.get(fact.envelope.subject), fact)
        for ticket in self.log.memory.tickets.values():
            assert tickets[ticket.id] == ticket

    def _append(self, command: Command | bytes | int) -> None:
        if isinstance(command, int):
            command = published(command, self.clock)
        one = entry(len(self.all), self.now, command)
        self.all.append(one)
        self.pending.append((one, self.model.apply(one.offset, one.appended_at, command_in(one.raw))))


def plain(ticket: Ticket) -> Ticket:
    """A ticket with its course and ties written out; what is proposed by name."""
    ties = ticket.ties or NO_TIES
    ties = replace(ties, matches=tuple(sorted(ties.matches, key=lambda match: match.other)))
    return replace(ticket, course=ticket.course or NO_COURSE, ties=ties)


def seen(fact: Fact) -> Said:
    """A fact as the model says it."""
    envelope = fact.envelope
    return Said(
        envelope.time,
        envelope.cause,
        envelope.subject,
        envelope.sequence,
        envelope.matter,
        envelope.drill,
        fact.event,
    )


def same(ours: list[Said], theirs: list[Said]) -> None:
    """The desk says what the model says."""
    assert [one.event.type for one in ours] == [one.event.type for one in theirs]
    for one, other in zip(ours, theirs, strict=True):
        same_fields(one.event.type, one.event, other.event)
        same_fields(one.event.type, replace(one, event=other.event), other)


def same_fields(about: str, ours: object, theirs: object) -> None:
    """Every field is the same; says which is not."""
    if ours != theirs:
        names = [one.name for one in fields(ours)]  # type: ignore[arg-type]  # both are dataclasses
        differ = {name: (getattr(ours, name), getattr(theirs, name)) for name in names}
        assert {name: both for name, both in differ.items() if both[0] != both[1]} == {}, about


def names_of(event: Event) -> list[str]:
    """What a run is asked to have met."""
    names = [event.type]
    if isinstance(event, ReportSettled):
        names.append(f"fate {event.fate.value}")
    if isinstance(event, CommandSettled):
        names.append(f"{event.outcome.value} {event.command}")
        names.append(f"reason {event.reason.value if event.reason else None}")
    return names


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=60, stateful_step_count=40, deadline=None, report_multiple_bugs=False)
