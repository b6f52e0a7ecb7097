"""Opening: the fence, then the state, then the checks. What comes out may be worked with; OpenRefused says why not."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from aiokafka import TopicPartition

from streams.ownership import changelog, clients
from streams.ownership.batch import Memory
from streams.ownership.changelog import Folded
from streams.ownership.clients import Committed
from streams.ownership.opening import Found, check
from streams.ownership.place import START, Place, checksum, from_metadata
from streams.ownership.settings import OwnerSettings
from streams.ownership.stage import Stage

M = TypeVar("M", bound=Memory)

_TOLD_WITHIN_S: Final = 10.0
_READ_WITHIN_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Opened:
    """What an owner goes on from."""

    places: Mapping[TopicPartition, Place]
    metadata: str
    uncommitted: bool
    """The group has no offset for some input yet."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The clients of one opening."""

    committed: Any
    uncommitted: Any
    admin: Any


class Opener(Generic[M]):
    """Opens one partition of a stage. The producer must be started, and so hold the fence, before `open` is called."""

    def __init__(self, stage: Stage[M], partition: int, settings: OwnerSettings) -> None:
        self._stage = stage
        self._partition = partition
        self._settings = settings
        self._inputs = [TopicPartition(one.topic, one.partition) for one in stage.inputs_of(partition)]

    async def open(self, memory: M) -> Opened:
        """Fold the state into the memory, find the place in each input, and check it. Raises OpenRefused."""
        wait_ms = self._settings.fold_wait_ms
        tools = Tools(
            committed=clients.make_consumer(self._settings, wait_ms=wait_ms),
            uncommitted=clients.make_consumer(self._settings, wait_ms=wait_ms, isolation="read_uncommitted"),
            admin=clients.make_admin(self._settings),
        )
        everyone = (tools.committed, tools.uncommitted, tools.admin)
        try:
            await clients.start(*everyone)
            return await self._open(tools, memory)
        finally:
            await clients.stop(*everyone)

    async def _open(self, tools: Tools, memory: M) -> Opened:
        told = await clients.committed_offsets(tools.admin, self._stage.group, self._inputs, within_s=_TOLD_WITHIN_S)
        if self._stage.state is None:
            memory.folded()
            places, metadata = self._places_told(told)
        else:
            folded = await self._fold(tools, self._stage.state, memory)
            places, metadata = {self._inputs[0]: folded.place}, ""
        await self._check(tools.committed, places, told)
        return Opened(places, metadata, uncommitted=None in told.values())

    async def _fold(self, tools: Tools, topic: str, memory: M) -> Folded:
        state = TopicPartition(topic, self._partition)
        end = await changelog.until_nothing_hidden(
            tools.committed, tools.uncommitted, state, within_s=self._settings.hidden_wait_s
        )
        return await changelog.fold(tools.committed, state, end, memory)

    def _places_told(self, told: Mapping[TopicPartition, Committed | None]) -> tuple[dict[TopicPartition, Place], str]:
        """Where a stage without a changelog goes on: the group's offsets are all it has."""
        read = {one: from_metadata(at.offset, at.metadata) if at else (START, "") for one, at in told.items()}
        return {one: place for one, (place, _) in read.items()}, read[self._inputs[0]][1]

    async def _check(
        self,
        consumer: Any,
        places: Mapping[TopicPartition, Place],
        told: Mapping[TopicPartition, Committed | None],
    ) -> None:
        starts, ends = await asyncio.gather(
            consumer.beginning_offsets(self._inputs), consumer.end_offsets(self._inputs)
        )
        looked_at = {
            one: place.offset
            for one, place in places.items()
            if place.checksum and starts[one] <= place.offset < ends[one]
        }
        sums = await _checksums(consumer, looked_at)
        for one, place in places.items():
            at = told[one]
            check(
                Found(
                    name=f"{one.topic}-{one.partition}",
                    place=place,
                    committed=at.offset if at else None,
                    start=starts[one],
                    end=ends[one],
                    checksum=sums.get(one),
                )
            )


async def _checksums(consumer: Any, offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, str]:
    """The checksums of the records at exactly these offsets; without those that are not there."""
    consumer.assign(list(offsets))
    for partition, offset in offsets.items():
        consumer.seek(partition, offset)
    found: dict[TopicPartition, str] = {}
    for partition, offset in offsets.items():
        # One after the other: the first record of each, and nothing taken from the others.
        if (record := await _first(consumer, partition, offset)) is not None and record.offset == offset:
            found[partition] = checksum(record)
    return found


async def _first(consumer: Any, partition: TopicPartition, offset: int) -> Any:
    """The first record at or after the offset; None when there is none at it (a marker, an aborted record)."""
    deadline = asyncio.get_running_loop().time() + _READ_WITHIN_MS / 1000
    while await consumer.position(partition) <= offset:
        got = await consumer.getmany(partition, timeout_ms=_READ_WITHIN_MS, max_records=1)
        if records := got.get(partition):
            return records[0]
        if asyncio.get_running_loop().time() > deadline:
            msg = f"no answer from {partition.topic}-{partition.partition} at offset {offset}"
            raise TimeoutError(msg)
    return None
