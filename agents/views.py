"""The views' agent: facts in; views, assignments, reminders, candidates and replies out. No I/O, and no Kafka.

A record that cannot be read, or whose ticket has no view, is passed over and counted: nothing may stop the others.
"""

from collections import Counter
from collections.abc import AsyncIterable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Protocol

from schemas.codec import ValidationError, encode
from schemas.envelope import Envelope, derived_id, envelope_of
from schemas.events import EVENT, Event
from schemas.views import VIEW_TYPE, Assignment, Candidate, CurrentTicket, Reminded, Reminder, Reply
from streams.ownership.batch import Answer, Batch, Record, Send
from streams.views.memory import ViewsDraft, ViewsMemory
from streams.views.take import Derived, take

AgentBody = Callable[[AsyncIterable[Batch[ViewsMemory]]], Coroutine[Any, Any, None]]

UNREADABLE: Final = "unreadable"
NO_VIEW: Final = "no-view"


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewsCounts:
    """What one committed batch came to."""

    steps: Mapping[str, int]
    """Limits that reached a step of the ladder, by step."""
    alarms: Mapping[str, int]
    findings: Mapping[str, int]
    """Candidates, by what was found of them."""
    passed_over: Mapping[str, int]
    """Records, by why."""


class ViewsMetrics(Protocol):
    """Who wants to know."""

    def views_batch(self, counts: ViewsCounts) -> None:
        """A batch is committed and the memory has taken it."""
        ...


class NoViewsMetrics:
    """Nobody does."""

    def views_batch(self, counts: ViewsCounts) -> None:
        """Let it go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewsDeps:
    """Full names of the topics that the views stage writes."""

    current: str
    assignments: str
    reminders: str
    candidates: str
    replies: str
    metrics: ViewsMetrics = field(default_factory=NoViewsMetrics)

    def topic_of(self, derived: Derived) -> str:
        """Where a record goes."""
        match derived:
            case Assignment():
                return self.assignments
            case Reminded():
                return self.reminders
            case Candidate():
                return self.candidates
            case Reply():
                return self.replies


def build(deps: ViewsDeps) -> AgentBody:
    """The agent of the views stage."""

    async def views(batches: AsyncIterable[Batch[ViewsMemory]]) -> None:
        """Fold each batch; what goes wrong fails the batch, and with it its owner."""
        async for batch in batches:
            batch.settle(lambda batch: answer_to(batch, deps))

    return views


def answer_to(batch: Batch[ViewsMemory], deps: ViewsDeps) -> Answer:
    """All that a batch leads to. The memory changes when the answer is taken, not before."""
    draft, tally = ViewsDraft(batch.memory), _Tally()
    sends: list[Send] = []
    for record in batch.records:
        read = read_event(record)
        if read is None:
            tally.passed_over[UNREADABLE] += 1
            continue
        event, envelope = read
        derived = take(draft, event, envelope)
        if derived is None:
            tally.passed_over[NO_VIEW] += 1
            continue
        tally.add(derived)
        sends += [_derived(one, number, envelope, draft, deps, batch.partition) for number, one in enumerate(derived)]
    current = [_current(ticket, view, last, deps, batch.partition) for ticket, (view, last) in draft.changes().items()]
    state = draft.state({ticket: send.value for ticket, send in zip(draft.changes(), current, strict=True)})

    def taken() -> None:
        draft.take()
        deps.metrics.views_batch(tally.counts())

    return Answer(sends=sends + current, state=state, take=taken)


def read_event(record: Record) -> tuple[Event, Envelope] | None:
    """A fact and its envelope; nothing where the record cannot be read."""
    try:
        return EVENT.decode(record.value or b""), envelope_of(record.headers)
    except (ValidationError, KeyError, ValueError):
        return None


def _derived(said: Derived, number: int, event: Envelope, draft: ViewsDraft, deps: ViewsDeps, partition: int) -> Send:
    view = None if said.ticket is None else draft.view(said.ticket)
    envelope = Envelope(
        id=derived_id(f"{event.id}/views/{number}"),
        source=speaker(event.source),
        type=said.type,
        time=event.time,
        area=event.area,
        cause=event.id,
        subject=said.ticket,
        sequence=event.sequence if view is None else view.sequence,
        matter=event.matter if view is None else view.matter,
        drill=said.drill,
    )
    return Send(deps.topic_of(said), partition, envelope.key, encode(said), envelope.headers())


def _current(ticket: str, view: CurrentTicket | None, event: Envelope, deps: ViewsDeps, partition: int) -> Send:
    """The view as it is now, or a tombstone; only the view's own last event is named, not one that let it leave."""
    if view is None:
        return Send(deps.current, partition, ticket.encode(), None)
    envelope = Envelope(
        id=derived_id(f"{event.id}/view"),
        source=speaker(event.source),
        type=VIEW_TYPE,
        time=event.time,
        area=event.area,
        cause=event.id,
        subject=ticket,
        sequence=view.sequence,
        matter=view.matter,
        drill=view.drill,
    )
    return Send(deps.current, partition, envelope.key, encode(view), envelope.headers())


@lru_cache(maxsize=64)
def speaker(source: str) -> str:
    """Who speaks, as `ce_source`: the views of the district whose desk spoke."""
    return f"{source.rpartition('/')[0]}/views"


class _Tally:
    """What a batch came to, while it is folded."""

    def __init__(self) -> None:
        self.steps: Counter[str] = Counter()
        self.alarms: Counter[str] = Counter()
        self.findings: Counter[str] = Counter()
        self.passed_over: Counter[str] = Counter()

    def add(self, derived: Sequence[Derived]) -> None:
        for said in derived:
            if isinstance(said, Reminded):
                self._remind(said)
            elif isinstance(said, Candidate):
                self.findings[said.what.value] += 1

    def _remind(self, said: Reminded) -> None:
        if said.alarm is not None:
            self.alarms[said.alarm.value] += 1
        elif said.what not in {Reminder.URGED, Reminder.REMINDED}:
            self.steps[said.what.value] += 1

    def counts(self) -> ViewsCounts:
        return ViewsCounts(steps=self.steps, alarms=self.alarms, findings=self.findings, passed_over=self.passed_over)
