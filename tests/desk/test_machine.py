"""The desk against the slow model: any log, in any batches, with batches thrown away and done again."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from schemas.codec import encode
from schemas.codes import Clock
from schemas.commands import PolicyPublished
from schemas.state import Ticket
from streams.desk.evolve import evolve
from streams.desk.facts import Entry, Fact
from streams.desk.memory import DeskMemory
from tests.desk.histories import STEPS, commands
from tests.desk.logs import POLICY, T0, Log, bytes_of, command_in, decide_batch, entry, folded, remembered
from tests.desk.model import Model, Said


class Desk(RuleBasedStateMachine):
    """Records come in; now and then they are decided as a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock.WALL
        self.now = T0
        self.model = Model()
        self.log = Log(policy=None)
        self.pending: list[Entry] = []
        self.all: list[Entry] = []

    @initialize(clock=st.sampled_from(Clock), begun=st.integers(0, 19))
    def begin(self, clock: Clock, begun: int) -> None:
        """A log begins with a policy; one in twenty does not."""
        self.clock = clock
        if begun:
            self._append(encode(PolicyPublished(policy=replace(POLICY, clock=clock))))

    @rule(step=STEPS, data=st.data())
    def record(self, step: int, data: st.DataObject) -> None:
        """A record is appended."""
        tickets = sorted(self.log.memory.tickets)
        command = data.draw(commands(self.now + step, self.clock, tickets))
        self.now = max(self.now + step, T0)
        self._append(command if isinstance(command, bytes) else encode(command))

    @rule(again=st.booleans())
    def batch(self, again: bool) -> None:
        """All that came in is decided; or it was once before, by an owner that did not live to commit it."""
        lost = decide_batch(self.log.memory, self.pending)[1] if again else None
        draft, decisions = decide_batch(self.log.memory, self.pending)
        if lost is not None:
            assert lost == decisions
        for one, decision in zip(self.pending, decisions, strict=True):
            said = self.model.apply(one.offset, one.appended_at, command_in(one.raw))
            assert [seen(fact, said) for fact, said in zip(decision.facts, said, strict=True)] == said
            self.log.facts += decision.facts
        self.log.write(draft.state())
        draft.take()
        self.pending = []

    @invariant()
    def the_memory_is_what_the_changelog_gives(self) -> None:
        """A fold of the changelog, in whatever order compaction left it, is the memory."""
        upside_down = dict(reversed(self.log.state.items()))
        assert remembered(folded(upside_down)) == remembered(self.log.memory)

    @invariant()
    def the_memory_is_the_models(self) -> None:
        """Tickets, stages, numbers and the next deadline."""
        ours = {t.id: (t.stage, t.sequence, t.closed_at, len(t.reports)) for t in self.log.memory.tickets.values()}
        theirs = {c.id: (c.stage, c.sequence, c.closed, len(c.reports)) for c in self.model.cases}
        assert ours == theirs
        assert self.log.memory.next_due() == self.model.next_due()
        assert self.log.memory.time == self.model.now

    def teardown(self) -> None:
        """The whole log in one batch, and one record at a time, says the same, byte for byte."""
        self.batch(again=True)
        facts = bytes_of(self.log.facts)
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

    def _append(self, raw: bytes) -> None:
        self.pending.append(entry(len(self.all), self.now, raw))
        self.all.append(self.pending[-1])


def seen(fact: Fact, said: Said) -> Said:
    """The part of a fact that the model speaks of."""
    envelope = fact.envelope
    more = {name: getattr(fact.event, name, None) for name in said.more}
    return Said(fact.event.type, envelope.time, envelope.cause, envelope.subject, envelope.sequence, more)


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
