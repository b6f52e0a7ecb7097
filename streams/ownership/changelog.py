"""The changelog of a partition: folding it into a memory, and the record in it that says how far it goes."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import TopicPartition

from streams.ownership.batch import LargeMemory, Memory
from streams.ownership.opening import OpenRefused, Reason
from streams.ownership.place import START, Place, from_state

APPLIED: Final = b"@applied"
"""The key of the place. Keys of a stage's own records must not begin with `@`."""

_AT_ONCE: Final = 10_000
_POLL_MS: Final = 20
_LOOK_AGAIN_S: Final = 0.05
_EMPTY_ANSWERS: Final = 3


@dataclass(frozen=True, slots=True)
class Folded:
    """What came of a fold."""

    place: Place
    records: int


async def until_nothing_hidden(committed: Any, uncommitted: Any, partition: TopicPartition, *, within_s: float) -> int:
    """Wait until both kinds of reader see the same end of the state, and return it; else OpenRefused."""
    deadline = time.monotonic() + within_s
    while True:
        # In this order: what is committed in between makes the second larger, and we look again.
        seen = int((await committed.end_offsets([partition]))[partition])
        there = int((await uncommitted.end_offsets([partition]))[partition])
        if seen == there:
            return seen
        if time.monotonic() > deadline:
            msg = (
                f"{partition.topic}-{partition.partition}: offsets [{seen}, {there}) are hidden by an open transaction "
                f"that did not end in {within_s:g} s; find its producer (kafka-transactions.sh find-hanging) and end it"
            )
            raise OpenRefused(Reason.HIDDEN, msg)
        await asyncio.sleep(_LOOK_AGAIN_S)


async def fold(consumer: Any, partition: TopicPartition, end: int, memory: Memory) -> Folded:
    """Fold the partition up to `end` into the memory. The consumer is read_committed and free to be assigned.

    OpenRefused where the memory cannot use a record (its `folded` raises `ValueError`), or none says how far it goes.
    """
    applied: bytes | None = None
    records = 0
    start = (await consumer.beginning_offsets([partition]))[partition]
    async for some in records_of(consumer, partition, start, end):
        for record in some:
            if record.key == APPLIED:
                applied = record.value
            else:
                memory.fold(record.key, record.value)
            records += 1
    try:
        await _build(memory)
    except ValueError as error:
        msg = f"{partition.topic}-{partition.partition}: {error}; restore the topic, or start under another prefix"
        raise OpenRefused(Reason.DAMAGED, msg) from error
    return Folded(_place(applied, records, partition), records)


async def _build(memory: Memory) -> None:
    """Build what follows from the records; a large memory in steps, so that the owners beside it do not wait."""
    if isinstance(memory, LargeMemory):
        for _ in memory.folding():
            await asyncio.sleep(0)
    else:
        memory.folded()


async def records_of(consumer: Any, partition: TopicPartition, start: int, end: int) -> AsyncIterator[Sequence[Any]]:
    """What a compacted partition holds from `start` up to `end`, some records at a time."""
    consumer.assign([partition])
    consumer.seek(partition, start)
    holes = _Holes(consumer, partition)
    while (position := await consumer.position(partition)) < end and not holes.rest_is_empty(position):
        got = await consumer.getmany(partition, timeout_ms=_POLL_MS, max_records=_AT_ONCE)
        yield got.get(partition, ())
        # A memory of a million records must not starve the other owners of the loop.
        await asyncio.sleep(0)


def _place(applied: bytes | None, records: int, partition: TopicPartition) -> Place:
    if applied is None and not records:
        return START
    try:
        return from_state(applied or b"")
    except (ValueError, KeyError, TypeError) as error:
        msg = (
            f"{partition.topic}-{partition.partition}: there is state, but no readable record {APPLIED.decode()} that "
            "says how far it goes; restore the topic, or start under another prefix"
        )
        raise OpenRefused(Reason.DAMAGED, msg) from error


class _Holes:
    """Knows when nothing is left between the position and the end.

    Compaction may take the last records before the active segment away; the position then never reaches the end. A
    broker that answers several fetches at one position with nothing, below the last stable offset, has nothing there.
    """

    def __init__(self, consumer: Any, partition: TopicPartition) -> None:
        self._consumer = consumer
        self._partition = partition
        self._position = -1
        self._answers: set[int] = set()

    def rest_is_empty(self, position: int) -> bool:
        """Look once more, before records are taken."""
        if position != self._position:
            self._position = position
            self._answers.clear()
        elif (answered := self._consumer.last_poll_timestamp(self._partition)) is not None:
            self._answers.add(answered)
        return len(self._answers) > _EMPTY_ANSWERS
