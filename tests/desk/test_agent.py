"""The desk's agent: batches in, answers out. No Faust and no Kafka."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from agents.desk import DeskCounts, DeskDeps, build
from schemas.codec import encode
from schemas.codes import Action, Reject, Stage
from schemas.commands import Command, PolicyPublished, Report, Tick
from schemas.dead_letter import dead_letter_of
from schemas.envelope import derived_id, envelope_of, numbered_ids
from schemas.events import EVENT, CommandSettled, ReportSettled
from schemas.state import LOG_TIME_KEY, POLICY_KEY
from streams.desk import reports
from streams.desk.due import WAIT
from streams.desk.memory import DeskMemory
from streams.desk.turn import Turn
from streams.ownership.batch import Answer, Batch, Send
from tests.desk.logs import HOUR, POLICY, T0, feedback, folded, remembered, report


@dataclass(frozen=True)
class Stored:
    """A record of the desk's log."""

    offset: int
    value: bytes | None
    timestamp: int = T0
    topic: str = "lianqin.desk"
    partition: int = 3
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass
class Watcher:
    """Keeps what it is told."""

    told: list[DeskCounts] = field(default_factory=list)

    def desk_batch(self, counts: DeskCounts) -> None:
        """Keep it."""
        self.told.append(counts)


DEPS = DeskDeps(tickets="lianqin.tickets", dead_letter="lianqin.dead-letter")


def batch_of(memory: DeskMemory, records: Sequence[Stored]) -> Batch[DeskMemory]:
    return Batch(stage="desk", partition=3, records=records, memory=memory, answer=asyncio.Future())


async def answer_to(memory: DeskMemory, records: Sequence[Stored], deps: DeskDeps = DEPS) -> Answer:
    batch = batch_of(memory, records)
    await build(deps)(_stream(batch))
    return await batch.answer


async def _stream(*batches: Batch[DeskMemory]) -> AsyncIterator[Batch[DeskMemory]]:
    for batch in batches:
        yield batch


def stored(*commands: Command | bytes | None, after: int = 0) -> list[Stored]:
    return [
        Stored(offset, command if isinstance(command, bytes) or command is None else encode(command), T0 + after)
        for offset, command in enumerate(commands)
    ]


async def test_the_memory_changes_when_the_answer_is_taken() -> None:
    memory = DeskMemory()
    records = stored(PolicyPublished(policy=POLICY), report())
    lost = await answer_to(memory, records)
    assert memory.tickets == {}
    answer = await answer_to(memory, records)
    assert (answer.sends, answer.state) == (lost.sends, lost.state)
    answer.take()
    state = {key: value for key, value in answer.state.items() if value is not None}
    assert remembered(folded(state)) == remembered(memory)
    (ticket,) = memory.tickets
    assert list(answer.state) == [b"t:" + ticket.encode(), LOG_TIME_KEY, POLICY_KEY]


async def test_facts_are_cloudevents_on_the_partition_of_their_command() -> None:
    answer = await answer_to(DeskMemory(), stored(PolicyPublished(policy=POLICY), report()))
    assert {(send.topic, send.partition) for send in answer.sends} == {("lianqin.tickets", 3)}
    events = [EVENT.decode(send.value or b"") for send in answer.sends]
    envelopes = [envelope_of(send.headers) for send in answer.sends]
    assert [event.type for event in events] == [envelope.type for envelope in envelopes]
    assert [envelope.sequence for envelope in envelopes] == [None, 1, 2, 3]
    assert {envelope.source for envelope in envelopes} == {"/lianqin/pukou/desk"}
    assert [envelope.cause for envelope in envelopes] == [derived_id("desk/3/0"), *[derived_id("desk/3/1")] * 3]
    of = numbered_ids(derived_id("desk/3/1"))
    assert [envelope.id for envelope in envelopes[1:]] == [f"{of}{number:012x}" for number in range(3)]
    assert [send.key for send in answer.sends] == [envelope.key for envelope in envelopes]
    assert envelopes[1].subject == f"north.{derived_id('desk/3/1').replace('-', '')[:16]}"


@pytest.mark.parametrize("raw", [b"", b"\xff", None])
async def test_an_unreadable_record_is_a_dead_letter_and_settled(raw: bytes | None) -> None:
    answer = await answer_to(DeskMemory(), stored(PolicyPublished(policy=POLICY), raw))
    _, settled, buried = answer.sends
    event = EVENT.decode(settled.value or b"")
    letter = dead_letter_of(buried.headers)
    assert isinstance(event, CommandSettled)
    assert letter.origin == event.origin
    assert (letter.reason, letter.origin.topic, letter.origin.offset) == (Reject.DESK_UNREADABLE, "lianqin.desk", 1)
    assert (buried.topic, buried.key, buried.value) == ("lianqin.dead-letter", b"lianqin.desk", raw or b"")


async def test_a_command_that_raises_is_buried_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(turn: Turn, report: Report) -> str | None:
        return str(1 // 0) if report.source_id == "bad" else None

    monkeypatch.setattr(reports, "recurrence", broken)
    records = stored(PolicyPublished(policy=POLICY), feedback(Action.CLOSED, "bad"), report("bad"), report())
    answer = await answer_to(DeskMemory(), records)
    failed, buried = answer.sends[1], answer.sends[2]
    event, letter = EVENT.decode(failed.value or b""), dead_letter_of(buried.headers)
    assert isinstance(event, CommandSettled)
    assert (event.outcome, event.command, event.ticket) == ("failed", "report", None)
    assert (letter.reason, letter.hint, letter.source) == (
        Reject.DESK_FAILED,
        "deciding raised ZeroDivisionError",
        "city",
    )
    assert (letter.origin, buried.value) == (event.origin, records[2].value)
    assert [key for key in answer.state if key.startswith(b"w:")] == [b'w:["north","city","bad"]']
    assert isinstance(EVENT.decode(answer.sends[-1].value or b""), ReportSettled)


async def test_metrics_are_told_once_the_batch_is_taken() -> None:
    watcher, memory = Watcher(), DeskMemory()
    deps = DeskDeps(tickets="t", dead_letter="d", metrics=watcher)
    (await answer_to(memory, stored(PolicyPublished(policy=POLICY), report(), b"{"), deps)).take()
    late = await answer_to(memory, stored(Tick(), after=HOUR), deps)
    assert len(watcher.told) == 1
    late.take()
    first, second = watcher.told
    assert (first.partition, first.fates, first.outcomes) == (3, {"ticketed": 1}, {"applied": 1, "failed": 1})
    assert first.dead_letters == {"desk-unreadable": 1}
    assert second.late_ms == [HOUR // 5, 0]
    assert (second.open_by_stage[Stage.DISPATCHED], second.deadlines_pending) == (1, 2)
    assert second.next_due == T0 + HOUR * 3 // 2


@pytest.mark.parametrize("anew", [True, False], ids=["a new owner each time", "one owner"])
@pytest.mark.parametrize("most", [1, 2, 3, 7])
async def test_more_deadlines_than_a_transaction_takes_are_said_in_several_as_if_in_one(most: int, anew: bool) -> None:
    records = [
        *stored(PolicyPublished(policy=POLICY), report(), report("r2"), report("r3")),
        *[replace(one, offset=one.offset + 4) for one in stored(report("r4"), Tick(), after=HOUR)],
    ]
    whole, one_memory = await answer_to(DeskMemory(), records), DeskMemory()
    (await answer_to(one_memory, records)).take()
    deps, state, sends, left = replace(DEPS, fires_at_once=most), dict[bytes, bytes](), list[Send](), list(records)
    memory = DeskMemory()
    while left:
        memory = folded(state) if anew else memory
        answer = await answer_to(memory, left, deps)
        fired = sum(b"limit." in value for send in answer.sends for name, value in send.headers if name == "ce_type")
        assert fired <= most
        for key, value in answer.state.items():
            state.pop(key, None) if value is None else state.update({key: value})
        answer.take()
        assert remembered(memory) == remembered(folded(state))
        sends += answer.sends
        left = left[answer.done :]
    assert sends == whole.sends
    assert remembered(folded(state)) == remembered(one_memory)


async def test_an_error_fails_the_batch() -> None:
    memory = DeskMemory()
    memory.due.add([(0, WAIT, "w:gone", "command")])
    memory.waiting = None  # type: ignore[assignment]  # a bug, for once
    with pytest.raises(AttributeError):
        await answer_to(memory, stored(PolicyPublished(policy=POLICY)))


async def test_an_owner_that_does_not_wait_any_more_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = batch_of(DeskMemory(), stored(b"")), batch_of(DeskMemory(), stored(b""))
    bad.memory.due.add([(0, WAIT, "w:gone", "command")])
    bad.memory.waiting = None  # type: ignore[assignment]  # a bug, for once
    good.answer.cancel()
    bad.answer.cancel()
    await build(DEPS)(_stream(good, bad))
    assert good.answer.cancelled()
    assert bad.answer.cancelled()
