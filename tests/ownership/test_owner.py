"""An owner at work: batch boundaries, first inputs, the gate, the committed metadata."""

import asyncio
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.ownership.batch import Answer, Batch, Send
from streams.ownership.faults import Point
from streams.ownership.owner import Owner
from streams.ownership.reader import AlwaysOpen
from streams.ownership.stage import Input, NoMemory, Stage
from tests.ownership.counting import Counts, counter, counting_stage
from tests.ownership.kafka import Kafka, Read
from tests.ownership.running import at_work, count_all, deps, said, until
from tests.ownership.running import settings as owner_settings

VALUES = [b"v%d" % number for number in range(40)]


@pytest.mark.connected
@pytest.mark.parametrize("batch_records", [1, 7, 4000])
async def test_what_is_said_does_not_depend_on_where_a_batch_begins(kafka: Kafka, batch_records: int) -> None:
    await kafka.make()
    await kafka.feed(VALUES)
    # The second owner has only what the first one wrote down.
    limit = owner_settings(kafka, batch_records=batch_records)
    await count_all(kafka, 1, settings=limit)
    await count_all(kafka, len(VALUES), settings=limit)
    seen: dict[bytes, int] = {}
    expected = []
    for number, value in enumerate(VALUES):
        key = b"k%d" % (number % 3)
        seen[key] = seen.get(key, 0) + 1
        expected.append((key, b"%d %s" % (seen[key], value)))
    assert [(one.key, one.value) for one in await kafka.read()] == expected


class _One:
    """A record of the pure test."""

    def __init__(self, offset: int, key: bytes) -> None:
        self.topic, self.partition, self.offset, self.timestamp = "t", 0, offset, 0
        self.key, self.value, self.headers = key, b"%d" % offset, ()


@settings(suppress_health_check=[HealthCheck.differing_executors])
@given(st.lists(st.sampled_from([b"a", b"b", b"c"]), min_size=1, max_size=30), st.data())
def test_any_cut_into_batches_and_any_reopening_says_the_same(keys: list[bytes], data: st.DataObject) -> None:
    records = [_One(offset, key) for offset, key in enumerate(keys)]
    cuts = data.draw(st.sets(st.integers(1, len(records))))
    reopened = data.draw(st.sets(st.sampled_from(sorted(cuts)))) if cuts else set()
    assert _said(records, cuts, reopened) == _said(records, set(), set())


def _said(records: Sequence[_One], cuts: set[int], reopened: set[int]) -> list[Send]:
    loop = asyncio.new_event_loop()
    memory, log, out = Counts(), list[tuple[bytes, bytes | None]](), list[Send]()
    edges = [0, *sorted(cuts | {len(records)})]
    for begin, end in pairwise(edges):
        if begin in reopened:
            memory = Counts()
            for key, value in log:
                memory.fold(key, value)
        batch = Batch("count", 0, records[begin:end], memory, loop.create_future())
        if batch.records:
            batch.settle(counter("out"))
            answer = batch.answer.result()
            log += answer.state.items()
            out += answer.sends
            answer.take()
    loop.close()
    return out


def _two_lanes(prefix: str) -> Stage[NoMemory]:
    return Stage(
        name="lanes",
        group=f"{prefix}lanes",
        inputs=lambda p: [Input(f"{prefix}in", p), Input(f"{prefix}urgent", p, first=True)],
        memory=NoMemory,
    )


def _echoing(kafka: Kafka, metadata: list[str]) -> Any:
    def echo(batch: Batch[NoMemory]) -> Answer:
        metadata.append(batch.metadata)
        sends = [Send(kafka.topic("out"), 0, one.key, one.value) for one in batch.records]
        return Answer(sends=sends, metadata=f"at {batch.records[-1].offset} of {batch.records[-1].topic[-6:]}")

    async def ask(batch: Batch[NoMemory]) -> None:
        batch.settle(echo)

    return ask


def _values(read: Sequence[Read]) -> list[bytes | None]:
    return [one.value for one in read]


class _Gate(AlwaysOpen):
    """Opened by hand."""

    is_open = False

    async def open(self, _: int) -> bool:
        return self.is_open


class _Flapping(AlwaysOpen):
    """Opens and closes, between asking and taking too."""

    asked = 0

    async def open(self, _: int) -> bool:
        self.asked += 1
        return self.asked % 4 < 2


@pytest.mark.connected
async def test_first_inputs_do_not_wait_at_the_gate_and_routine_ones_do(kafka: Kafka) -> None:
    await kafka.make(urgent={})
    await kafka.feed([b"routine"])
    gate = _Gate()
    given = deps(kafka, ask=_echoing(kafka, []), gate=gate)
    async with at_work(_two_lanes(kafka.prefix), given):
        await asyncio.sleep(0.3)
        await kafka.feed([b"urgent"], topic="urgent")
        assert _values(await said(kafka, 1)) == [b"urgent"]
        gate.is_open = True
        assert _values(await said(kafka, 2)) == [b"urgent", b"routine"]


@pytest.mark.connected
async def test_first_inputs_overtake_a_queue_of_routine_ones(kafka: Kafka) -> None:
    await kafka.make(urgent={})
    await kafka.feed([b"routine"] * 2000)
    await kafka.feed([b"urgent"] * 5, topic="urgent")
    given = deps(kafka, ask=_echoing(kafka, []), settings=owner_settings(kafka, batch_records=10))
    async with at_work(_two_lanes(kafka.prefix), given):
        read = _values(await said(kafka, 100))
    # Which consumer's first fetch comes back first is chance; from then on the order is not.
    assert b"urgent" in read[:60]


@pytest.mark.connected
async def test_the_metadata_of_the_committed_offset_comes_back_with_the_next_owner(kafka: Kafka) -> None:
    await kafka.make(urgent={})
    told: list[str] = []
    given = deps(kafka, ask=_echoing(kafka, told))
    async with at_work(_two_lanes(kafka.prefix), given):
        await kafka.feed([b"1"], topic="urgent")
        await said(kafka, 1)
    async with at_work(_two_lanes(kafka.prefix), given):
        await kafka.feed([b"2"])
        await said(kafka, 2)
    assert told == ["", "at 0 of urgent"]
    assert (await kafka.metadata("lanes")).endswith(":at 0 of " + kafka.topic("in")[-6:])
    assert [await kafka.committed("lanes", topic) for topic in ("in", "urgent")] == [1, 1]


@pytest.mark.connected
async def test_a_gate_that_closes_on_records_in_hand_loses_none_of_them(kafka: Kafka) -> None:
    await kafka.make(urgent={})
    limits = owner_settings(kafka, batch_records=3, offset_every_s=0.0)
    given = deps(kafka, ask=_echoing(kafka, []), gate=_Flapping(), settings=limits)
    values = [b"%d" % number for number in range(60)]
    async with at_work(_two_lanes(kafka.prefix), given):
        await kafka.feed(values)
        await said(kafka, len(values))
    assert _values(await kafka.read()) == values


@pytest.mark.connected
async def test_a_paused_topic_waits_a_few_are_tried_and_nothing_of_it_is_lost(kafka: Kafka) -> None:
    await kafka.make(other={}, urgent={})
    paused = kafka.topic("in")
    limits = {paused: 0}
    stage = Stage(
        name="lanes",
        group=kafka.topic("lanes"),
        inputs=lambda p: [Input(kafka.topic(name), p, first=name == "urgent") for name in ("other", "in", "urgent")],
        memory=NoMemory,
    )
    given = deps(kafka, ask=_echoing(kafka, []), limits=lambda: limits)
    values = [b"%d" % number for number in range(500)]
    await kafka.feed(values)
    async with at_work(stage, given):
        await kafka.feed([b"other"], topic="other")
        await kafka.feed([b"urgent"], topic="urgent")
        assert sorted(map(str, _values(await said(kafka, 2)))) == ["b'other'", "b'urgent'"]
        limits[paused] = 7
        await said(kafka, 9)
        limits[paused] = 0
        await kafka.feed([b"another"], topic="other")
        await until(lambda: _other_is_through(kafka))
        limits.clear()
        await said(kafka, len(values) + 3)
    assert [value for value in _values(await kafka.read()) if value in values] == values


async def _other_is_through(kafka: Kafka) -> bool:
    return b"another" in _values(await kafka.read())


@pytest.mark.connected
async def test_what_is_paused_while_it_is_in_hand_is_put_back_and_read_again(kafka: Kafka) -> None:
    await kafka.make(urgent={})
    limits: dict[str, int] = {}
    asked = 0

    def flapping() -> dict[str, int]:
        nonlocal asked
        asked += 1
        if asked % 3 == 0:  # between asking and taking too
            limits[kafka.topic("in")] = 0 if asked % 2 else 2
        else:
            limits.clear()
        return limits

    few = owner_settings(kafka, batch_records=3)
    given = deps(kafka, ask=_echoing(kafka, []), limits=flapping, settings=few)
    values = [b"%d" % number for number in range(60)]
    async with at_work(_two_lanes(kafka.prefix), given):
        await kafka.feed(values)
        await said(kafka, len(values))
    assert _values(await kafka.read()) == values


def _in_halves(kafka: Kafka) -> Any:
    """Says two things of each record, in a transaction each; which it was last stands in its state."""

    def half(batch: Batch[Counts]) -> Answer:
        (record, *_), second = batch.records, bool(batch.memory.of.get(b"half"))
        said_now = Send(kafka.topic("out"), 0, record.key, b"%s half of %s" % (b"b" if second else b"a", record.value))
        half_done = {b"half": int(not second)}
        state = {key: b"%d" % number for key, number in half_done.items()}
        take = partial(batch.memory.of.update, half_done)
        return Answer(sends=[said_now], state=state, take=take, done=int(second))

    async def ask(batch: Batch[Counts]) -> None:
        batch.settle(half)

    return ask


@pytest.mark.connected
async def test_what_follows_from_one_record_may_take_several_transactions(kafka: Kafka) -> None:
    await kafka.make()
    await kafka.feed(VALUES)
    # However often another one takes over between two halves.
    for count in (1, 4, 2 * len(VALUES)):
        async with at_work(counting_stage(kafka.prefix), deps(kafka, ask=_in_halves(kafka))):
            await said(kafka, count)
    assert _values(await kafka.read()) == [
        b"%s half of %s" % (half, value) for value in VALUES for half in (b"a", b"b")
    ]
    assert await kafka.committed("count") == len(VALUES)


@pytest.mark.connected
async def test_what_the_agent_raises_is_the_owners_error(kafka: Kafka) -> None:
    await kafka.make()
    await kafka.feed(VALUES)

    async def ask(batch: Batch[Counts]) -> None:
        batch.settle(lambda _batch: Answer(sends=[1 // 0]))  # type: ignore[list-item] # it never comes to that

    with pytest.raises(ZeroDivisionError):
        async with at_work(counting_stage(kafka.prefix), deps(kafka, ask=ask)) as owner:
            await until(lambda: owner.busy_since is not None)
    assert await kafka.committed("count") == 0


class _RaiseAt:
    """Raises at one point of the first batch; the first open's own commit passes it untouched."""

    def __init__(self, point: Point) -> None:
        self._point = point
        self._passed = 0

    def point(self, name: Point) -> None:
        """Pass, or raise."""
        self._passed += name is self._point
        if self._passed == 2:
            raise InterruptedError(name)


@pytest.mark.connected
@pytest.mark.parametrize("point", [Point.BEFORE_TRANSACTION, Point.AFTER_SENDS])
async def test_memory_takes_nothing_that_was_not_committed(kafka: Kafka, point: Point) -> None:
    await kafka.make()
    owner = Owner(counting_stage(kafka.prefix), 0, deps(kafka, faults=_RaiseAt(point)))
    await kafka.feed(VALUES)
    try:
        with pytest.raises(InterruptedError):
            await asyncio.wait_for(owner.run(), 20)
    finally:
        await owner.close()
    assert owner.memory.of == {}
    assert await kafka.committed("count") == 0
