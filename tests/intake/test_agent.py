"""The intake agent: batches in, answers out; a list of lists stands in for Kafka."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from aiokafka.partitioner import murmur2

from agents.intake import AgentBody, IntakeDeps, build, log_time
from schemas.codec import encode
from schemas.codes import Flag, Reject, Urgency
from schemas.commands import COMMAND, Command, Feedback, Report, Tick
from schemas.dead_letter import DeadLetter, dead_letter_of
from schemas.intake import MARKER, TIME, IntakeHeaders
from schemas.topics import INNER_MAX_BYTES
from streams.intake.sources import Sources
from streams.ownership.batch import Answer, Batch, Record, Send
from tests.intake.kit import BOSTON_LINE, Row, police, sources

HOUR = 3_600_000
NOON = 340_000 * HOUR
KNOWN = sources(police())
URGENT_TEXT = b'{"id": "A1", "at": 1, "kind": "?"}'


class Told:
    """Remembers what intake tells of itself."""

    def __init__(self) -> None:
        self.facts: list[object] = []

    def rejected(self, reason: Reject) -> None:
        """A dead letter."""
        self.facts.append(reason)

    def flagged(self, flag: Flag) -> None:
        """A doubt."""
        self.facts.append(flag)

    def forwarded(self, commands: int) -> None:
        """Commands made."""
        self.facts.append(commands)


def agent(known: Sources = KNOWN, told: Told | None = None, partitions: int = 2) -> AgentBody:
    deps = IntakeDeps(sources=known, prefix="lianqin.", partitions=partitions, metrics=told or Told())
    return build(deps)


async def answers(body: AgentBody, *batches: Sequence[Record], metadata: str = "") -> list[Answer]:
    """What the agent says to each batch; the metadata of one answer goes on with the next batch, as commits do."""
    given: list[Answer] = []

    async def feed() -> AsyncIterator[Batch[Any]]:
        for records in batches:
            future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            before = given[-1].metadata if given else metadata
            yield Batch(stage="intake", partition=0, records=records, memory=None, answer=future, metadata=before)
            given.append(await future)

    await body(feed())
    return given


async def answer(*records: Record, body: AgentBody | None = None, metadata: str = "") -> Answer:
    return (await answers(body or agent(), records, metadata=metadata))[0]


def past(time: int | None, value: bytes = BOSTON_LINE, offset: int = 0, **headers: Any) -> Row:
    """A record of history."""
    given = IntakeHeaders(source="boston311", time=time, **headers)
    return Row(offset=offset, value=value, headers=given.to_kafka())


def live(topic: str, value: bytes = b"\xff", source: str | None = "alarms") -> Row:
    headers = IntakeHeaders(source=source).to_kafka()
    return Row(topic=f"lianqin.intake.{topic}", partition=1, offset=5, value=value, headers=headers)


def end(time: int) -> Row:
    return Row(headers=IntakeHeaders(source="boston311", time=time, marker="end").to_kafka())


def commands(given: Answer) -> list[Command]:
    return [COMMAND.decode(send.value or b"") for send in given.sends if send.topic == "lianqin.desk"]


def letters(given: Answer) -> list[tuple[Send, DeadLetter]]:
    return [(send, dead_letter_of(send.headers)) for send in given.sends if send.topic == "lianqin.dead-letter"]


def ticks(given: Answer) -> list[int | None]:
    return [command.time for command in commands(given) if isinstance(command, Tick)]


async def test_a_record_becomes_one_command_on_its_areas_partition() -> None:
    given = await answer(past(NOON, offset=4), metadata=json.dumps({"time": NOON}))
    [send] = given.sends
    [command] = commands(given)
    assert isinstance(command, Report)
    assert command.time == NOON
    assert command.origin is not None
    assert command.origin.offset == 4
    assert send.key == command.area.encode()
    assert send.partition == (murmur2(send.key) & 0x7FFFFFFF) % 2
    assert given.metadata == json.dumps({"time": NOON})


async def test_a_row_with_a_closing_is_two_records_on_one_partition() -> None:
    given = await answer(past(NOON), past(NOON, part="closed"))
    made = [(send.partition, COMMAND.decode(send.value or b"")) for send in given.sends if send.key is not None]
    assert [type(command) for _, command in made] == [Report, Feedback]
    assert len({partition for partition, _ in made}) == 1


async def test_the_first_record_of_a_later_hour_comes_after_a_tick_to_all() -> None:
    #  12:00     12:59     13:00        17:30
    #  |tick-----|---------|tick--------|tick (one, though four hours passed)
    given = await answer(past(NOON), past(NOON + HOUR - 1), past(NOON + HOUR), past(NOON + 5 * HOUR + HOUR // 2))
    assert ticks(given) == [NOON, NOON, NOON + HOUR, NOON + HOUR, NOON + 5 * HOUR, NOON + 5 * HOUR]
    assert [send.partition for send in given.sends if send.key is None] == [0, 1] * 3
    kinds = [command.type for command in commands(given)]
    assert kinds == ["tick", "tick", "report", "report", "tick", "tick", "report", "tick", "tick", "report"]


async def test_log_time_goes_on_with_the_committed_metadata() -> None:
    first, second = await answers(agent(), [past(NOON)], [past(NOON + 1)])
    assert ticks(first) == [NOON, NOON]
    assert ticks(second) == []
    assert log_time(second.metadata) == NOON + 1
    assert log_time("") is None


async def test_ticks_do_not_depend_on_where_a_batch_begins() -> None:
    records = [past(NOON + minute * 60_000, offset=minute) for minute in range(0, 600, 7)]
    whole = (await answer(*records)).sends
    parts = await answers(agent(), *([record] for record in records))
    assert [send for part in parts for send in part.sends] == list(whole)


async def test_time_that_goes_back_is_a_dead_letter() -> None:
    given = await answer(past(NOON), past(NOON - 1, offset=9), past(NOON))
    [(send, letter)] = letters(given)
    assert letter.reason is Reject.TIME_WENT_BACK
    assert (letter.origin.offset, letter.time) == (9, NOON - 1)
    assert send.value == BOSTON_LINE
    assert len(commands(given)) == 4
    assert log_time(given.metadata) == NOON


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], Reject.MISSING_FIELD),
        ([(TIME, b"noon")], Reject.MISSING_FIELD),
        ([(TIME, b"--5")], Reject.MISSING_FIELD),
        ([(TIME, b"9" * 5000)], Reject.MISSING_FIELD),
        ([(TIME, b"9" * 30)], Reject.WRONG_TYPE),
        ([(TIME, b"-1")], Reject.WRONG_TYPE),
    ],
)
async def test_history_without_a_time_is_a_dead_letter(headers: list[tuple[str, bytes]], reason: Reject) -> None:
    given = await answer(Row(value=BOSTON_LINE, headers=headers, timestamp=77))
    [(_, letter)] = letters(given)
    assert (letter.reason, letter.time) == (reason, 77)
    assert given.metadata == ""


async def test_an_end_marker_tells_all_partitions_the_time_and_is_no_record() -> None:
    told = Told()
    given = await answer(past(NOON), end(NOON + 5), body=agent(told=told))
    assert ticks(given)[2:] == [NOON + 5] * 2
    assert log_time(given.metadata) == NOON + 5
    assert told.facts == [1]


async def test_a_marker_that_says_nothing_is_passed_over() -> None:
    given = await answer(end(NOON - 1), Row(headers=[(MARKER, b"end")]), metadata=json.dumps({"time": NOON}))
    assert given.sends == []
    assert log_time(given.metadata) == NOON


async def test_a_marker_on_a_live_topic_hides_nothing() -> None:
    headers = IntakeHeaders(source="alarms", marker="end").to_kafka()
    given = await answer(Row(topic="lianqin.intake.grid", value=b"x", headers=headers))
    assert len(letters(given)) == 1


@pytest.mark.parametrize("topic", ["police", "urgent"])
async def test_an_unreadable_emergency_is_a_dead_letter_and_a_bare_report(topic: str) -> None:
    given = await answer(live(topic))
    [(send, letter)] = letters(given)
    [bare] = commands(given)
    assert (letter.reason, letter.time, send.value) == (Reject.NOT_UTF8, 1_700_000_000_000, b"\xff")
    assert isinstance(bare, Report)
    assert (bare.urgency, bare.flags, bare.area) == (Urgency.CRITICAL, (Flag.UNREADABLE,), "elsewhere")
    assert bare.source_id == f"unreadable-{topic}-1-5"
    assert bare.origin == letter.origin


async def test_what_is_unreadable_in_a_drill_is_of_the_drill() -> None:
    headers = IntakeHeaders(source="alarms", drill=True).to_kafka()
    given = await answer(Row(topic="lianqin.intake.police", value=b"\xff", headers=headers), live("police"))
    assert [letter.drill for _, letter in letters(given)] == [True, False]
    assert [command.drill for command in commands(given) if isinstance(command, Report)] == [True, False]


@pytest.mark.parametrize("topic", ["grid", "citizen", "hotline", "feedback"])
async def test_elsewhere_an_unreadable_record_is_a_dead_letter_alone(topic: str) -> None:
    given = await answer(live(topic))
    [(send, letter)] = letters(given)
    assert commands(given) == []
    assert (send.key, send.partition) == (f"lianqin.intake.{topic}".encode(), 1)
    assert letter.reason is Reject.UNKNOWN_SOURCE


async def test_one_bad_record_does_not_stop_the_next() -> None:
    bad = [past(NOON, b"broken"), past(NOON, b"\xff,,,,,,,,"), past(NOON, version="99"), past(NOON, b"")]
    given = await answer(*bad, past(NOON), metadata=json.dumps({"time": NOON}))
    reasons = [letter.reason for _, letter in letters(given)]
    assert reasons == [Reject.BROKEN, Reject.NOT_UTF8, Reject.UNKNOWN_VERSION, Reject.BROKEN]
    assert len(commands(given)) == 1


async def test_a_command_too_large_for_the_desk_is_refused() -> None:
    text = "\\u0001" + "n" * (INNER_MAX_BYTES + 1)
    value = encode({"id": "A", "at": 1, "what": text, "kind": "火警"})
    given = await answer(live("grid", value), body=agent(sources(police(topic="grid"))))
    [(_, letter)] = letters(given)
    assert letter.reason is Reject.TOO_LARGE


async def test_what_is_rejected_and_flagged_is_told() -> None:
    told = Told()
    await answer(live("police"), live("urgent", URGENT_TEXT), body=agent(told=told))
    expected = [Reject.NOT_UTF8, Flag.UNREADABLE, Flag.NO_PLACE, Flag.UNKNOWN_CATEGORY, 2]
    assert told.facts == expected


async def test_our_own_error_fails_the_batch_and_the_agent_goes_on() -> None:
    broken = Row(topic="lianqin.intake.grid", headers=[("lianqin-source", 5)])  # type: ignore[list-item]  # on purpose
    body = agent()
    with pytest.raises(AttributeError):
        await answer(broken, body=body)
    assert commands(await answer(past(NOON), body=body))


async def test_a_batch_that_nobody_waits_for_is_passed_over() -> None:
    future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    future.cancel()

    async def feed() -> AsyncIterator[Batch[Any]]:
        yield Batch(stage="intake", partition=0, records=[past(NOON)], memory=None, answer=future)

    await agent()(feed())
    assert future.cancelled()
