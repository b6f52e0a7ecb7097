"""The desk's agent (调度台): batches of the desk's log in, facts and state out. It does no I/O and knows no Kafka."""

from collections import Counter
from collections.abc import AsyncIterable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from schemas.codec import Maker, ValidationError, encode
from schemas.codes import Stage
from schemas.commands import COMMAND, Command
from schemas.envelope import HeaderWriter
from schemas.events import CommandSettled, ReportSettled
from schemas.intake import ARRIVED
from streams.desk.decide import decide
from streams.desk.draft import Draft
from streams.desk.facts import Decision, Entry, Fact, Letter
from streams.desk.memory import DeskMemory
from streams.ownership.batch import Answer, Batch, Record, Send

_SEND: Final = Maker(Send)

FIRES_AT_ONCE: Final = 2_000
"""A flood of deadlines must not outlive the transaction's time-out, nor hold the other partitions up."""

AgentBody = Callable[[AsyncIterable[Batch[DeskMemory]]], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskCounts:
    """What one committed batch came to."""

    partition: int
    fates: Mapping[str, int]
    """Settlements of reports."""
    outcomes: Mapping[str, int]
    """Settlements of other commands."""
    dead_letters: Mapping[str, int]
    late_ms: Sequence[int]
    """For each deadline that fired: log time less its due time."""
    open_by_stage: Mapping[Stage, int]
    deadlines_pending: int
    next_due: int | None
    arrived: Sequence[int]
    """When the intake records of the batch were appended, milliseconds since the epoch."""


class DeskMetrics(Protocol):
    """Who wants to know."""

    def desk_batch(self, counts: DeskCounts) -> None:
        """A batch is committed and the memory has taken it."""
        ...


class NoDeskMetrics:
    """Nobody does."""

    def desk_batch(self, counts: DeskCounts) -> None:
        """Let it go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskDeps:
    """Full names of the topics the desk writes."""

    tickets: str
    dead_letter: str
    metrics: DeskMetrics = field(default_factory=NoDeskMetrics)
    fires_at_once: int = FIRES_AT_ONCE
    """Deadlines of one transaction; a turn in which more are due goes on in the next."""


def build(deps: DeskDeps) -> AgentBody:
    """The agent of the desk stage."""

    async def desk(batches: AsyncIterable[Batch[DeskMemory]]) -> None:
        """Decide each batch; what goes wrong fails the batch, and with it its owner."""
        async for batch in batches:
            batch.settle(lambda batch: answer_to(batch, deps))

    return desk


def answer_to(batch: Batch[DeskMemory], deps: DeskDeps) -> Answer:
    """All that a batch leads to. The memory changes when the answer is taken, not before."""
    draft = Draft(batch.memory, fires=deps.fires_at_once)
    done = 0
    sends: list[Send] = []
    headers = HeaderWriter()
    tally = _Tally()
    for record in batch.records:
        entry = entry_of(record)
        decision = decide(draft, entry, command_in(entry.raw))
        sends += [send_of(fact, deps.tickets, batch.partition, headers) for fact in decision.facts]
        if decision.letters:
            sends += [_letter(letter, deps, batch.partition) for letter in decision.letters]
        tally.add(decision, record)
        if decision.unfinished:
            break
        done += 1

    # Not the batch itself: it holds the answer, and a circle of the two would stay until it is looked for.
    partition, memory = batch.partition, batch.memory

    def take() -> None:
        draft.take()
        deps.metrics.desk_batch(tally.counts(partition, memory))

    return Answer(sends=sends, state=draft.state(), take=take, done=done)


def entry_of(record: Record) -> Entry:
    """What deciding needs of a record."""
    return Entry(record.topic, record.partition, record.offset, record.timestamp, record.value or b"")


def command_in(raw: bytes) -> Command | None:
    """The command, or nothing where it cannot be read."""
    try:
        return COMMAND.decode(raw)
    except ValidationError:
        return None


def send_of(fact: Fact, topic: str, partition: int, headers: HeaderWriter) -> Send:
    """A fact as it is sent."""
    event, envelope = fact
    named = headers.of(envelope)
    return _SEND.of(topic, partition, headers.key, encode(event), named)


def _letter(letter: Letter, deps: DeskDeps, partition: int) -> Send:
    about, raw = letter
    return Send(deps.dead_letter, partition, about.origin.topic.encode(), raw, about.to_kafka())


class _Tally:
    """What a batch came to, while it is decided."""

    def __init__(self) -> None:
        self.fates: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.dead_letters: Counter[str] = Counter()
        self.late_ms: list[int] = []
        self.arrived: list[int] = []

    def add(self, decision: Decision, record: Record) -> None:
        if record.headers and not decision.unfinished:
            self.arrived += [
                int(value) for name, value in record.headers if name == ARRIVED and value.isdigit() and len(value) < 20
            ]
        for event, _ in decision.facts:
            if isinstance(event, ReportSettled):
                self.fates[event.fate] += 1
            elif isinstance(event, CommandSettled):
                self.outcomes[event.outcome] += 1
        for about, _ in decision.letters:
            self.dead_letters[about.reason.value] += 1
        self.late_ms += decision.late

    def counts(self, partition: int, memory: DeskMemory) -> DeskCounts:
        return DeskCounts(
            partition=partition,
            fates=self.fates,
            outcomes=self.outcomes,
            dead_letters=self.dead_letters,
            late_ms=self.late_ms,
            open_by_stage=memory.open_by_stage,
            deadlines_pending=memory.deadlines_pending,
            next_due=memory.next_due(),
            arrived=self.arrived,
        )
