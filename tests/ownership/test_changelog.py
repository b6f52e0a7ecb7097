"""Folding a changelog: empty, aborted, and really compacted by the broker."""

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition

from streams.ownership import changelog, clients
from streams.ownership.changelog import APPLIED, Folded
from streams.ownership.opening import OpenRefused
from streams.ownership.place import START, Place, to_state
from tests.ownership.counting import Counts, counting_stage
from tests.ownership.kafka import Kafka
from tests.ownership.running import at_work, check_whole, count_all, deps, said, settings, until

pytestmark = pytest.mark.connected

COMPACTED = {
    "cleanup.policy": "compact",
    "segment.ms": "100",
    "min.cleanable.dirty.ratio": "0.01",
    "min.compaction.lag.ms": "0",
    "max.compaction.lag.ms": "100",
    "delete.retention.ms": "0",
}


async def _fold(kafka: Kafka) -> tuple[Folded, Counts]:
    memory = Counts()
    consumer = clients.make_consumer(settings(kafka), wait_ms=20)
    await consumer.start()
    try:
        state = TopicPartition(kafka.topic("state"), 0)
        end = (await consumer.end_offsets([state]))[state]
        folded = await asyncio.wait_for(changelog.fold(consumer, state, end, memory), 20)
    finally:
        await consumer.stop()
    return folded, memory


async def test_an_empty_changelog_is_a_new_beginning(kafka: Kafka) -> None:
    await kafka.make()
    folded, memory = await _fold(kafka)
    assert (folded, memory.of, memory.whole) == (Folded(START, 0), {}, True)


async def test_what_was_aborted_is_not_folded(kafka: Kafka) -> None:
    await kafka.make()
    await kafka.transact([b"1", b"2"], topic="state")
    await kafka.transact([to_state(Place(4, "c", 5))], topic="state", key=APPLIED)
    await kafka.transact([b"7"], topic="state", commit=False)
    await kafka.transact([to_state(Place(6, "d", 7))], topic="state", key=APPLIED, commit=False)
    folded, memory = await _fold(kafka)
    assert (folded.place, memory.of) == (Place(4, "c", 5), {b"k": 2})


async def test_a_log_of_nothing_but_aborted_records_is_empty(kafka: Kafka) -> None:
    await kafka.make()
    await kafka.transact([b"1"], topic="state", commit=False)
    folded, memory = await _fold(kafka)
    assert (folded, memory.of) == (Folded(START, 0), {})


async def test_a_compacted_changelog_folds_to_the_same_and_the_owner_goes_on(kafka: Kafka) -> None:
    await kafka.hurry_cleaner()
    await kafka.make(state=COMPACTED)
    values = [b"v%d" % number for number in range(300)]
    await kafka.feed(values[:200])
    async with at_work(counting_stage(kafka.prefix), deps(kafka, settings=settings(kafka, batch_records=5))) as owner:
        await said(kafka, 200)
        before = dict(owner.memory.of)
        # A key and a place for each batch at the least; the cleaner may be at work already.
        written = 2 * owner.batches

        async def compacted() -> bool:
            # Only a record that comes later closes the segment in which the last ones lie.
            await kafka.transact([b"0"], topic="state", key=b"filler")
            return len(await kafka.read("state")) < written / 2

        await until(compacted, within_s=60)
    folded, memory = await _fold(kafka)
    memory.of.pop(b"filler")
    assert memory.of == before
    assert folded.records < written / 2
    await kafka.feed(values[200:])
    await count_all(kafka, len(values))
    check_whole(await kafka.read(), values)


class _Hollow:
    """A consumer of a log whose last offsets were compacted away: fetches are answered, with nothing."""

    def __init__(self, records: dict[int, Any]) -> None:
        self._records = records
        self._position = 0
        self._answers = 0

    def assign(self, partitions: object) -> None:
        """Take it."""

    def seek(self, partition: object, offset: int) -> None:
        """Go there."""
        self._position = offset

    async def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        """From the start."""
        return dict.fromkeys(partitions, 0)

    async def position(self, partition: object) -> int:
        """Where it is."""
        return self._position

    def last_poll_timestamp(self, partition: object) -> int:
        """When the broker last answered."""
        return self._answers

    async def getmany(self, partition: TopicPartition, **_options: object) -> dict[TopicPartition, list[Any]]:
        """The next record, or nothing."""
        self._answers += 1
        found = self._records.pop(self._position, None)
        self._position += found is not None
        return {} if found is None else {partition: [found]}


class _Record:
    def __init__(self, key: bytes, value: bytes) -> None:
        self.key, self.value = key, value


async def test_a_hole_at_the_end_does_not_hold_the_fold_up() -> None:
    hollow = _Hollow({0: _Record(b"k", b"3"), 1: _Record(APPLIED, to_state(Place(8, "c", 9)))})
    memory = Counts()
    folded = await asyncio.wait_for(changelog.fold(hollow, TopicPartition("s", 0), 5, memory), 5)
    assert (folded, memory.of) == (Folded(Place(8, "c", 9), 2), {b"k": 3})


class _Choosy(Counts):
    def folded(self) -> None:
        """Refuse what there is."""
        msg = "k is of no known kind"
        raise ValueError(msg)


async def test_a_record_that_the_memory_cannot_use_is_told_in_one_line() -> None:
    hollow = _Hollow({0: _Record(b"k", b"3"), 1: _Record(APPLIED, to_state(Place(8, "c", 9)))})
    with pytest.raises(OpenRefused, match=r"^s-0: k is of no known kind; restore the topic, or start under another"):
        await asyncio.wait_for(changelog.fold(hollow, TopicPartition("s", 0), 2, _Choosy()), 5)
