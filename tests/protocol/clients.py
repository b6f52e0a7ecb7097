"""Clients shaped like aiokafka's, over the model: what `streams/ownership` calls of them, and what they answer to it.

`installed()` puts them in place of aiokafka's for as long as a `with` lasts; all else of the owner stays as it is.
"""

from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final
from unittest.mock import patch

from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError
from aiokafka.structs import OffsetAndMetadata

from streams.ownership import clients, producer
from tests.protocol.broker import BROKER
from tests.protocol.log import Fetched, Stored
from tests.protocol.network import HERE
from tests.protocol.wire import Wire

_MOST_FETCHED: Final = 7
"""Records of one partition in one answer: few, so that answers end in the middle of things."""


class Consumer:
    """A consumer without a group. What it fetched and nobody took yet stays with it, however old."""

    def __init__(self, *, isolation_level: str, auto_offset_reset: str, **_: object) -> None:
        if auto_offset_reset != "none":
            msg = "the model knows no way to reset an offset"
            raise ValueError(msg)
        self._link, self._broker = HERE.get(), BROKER.get()
        self._committed = isolation_level == "read_committed"
        self._positions: dict[TopicPartition, int] = {}
        self._fetched: dict[TopicPartition, Fetched] = {}
        self._polled_ms: int | None = None

    async def start(self) -> None:
        """Nothing to do."""

    async def stop(self) -> None:
        """Nothing to do."""

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read these."""
        self._positions = dict.fromkeys(partitions, -1)
        self._fetched.clear()

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on there."""
        self._positions[partition] = offset
        self._fetched.pop(partition, None)

    async def position(self, partition: TopicPartition) -> int:
        """Behind what was taken, and behind markers after it that were looked at."""
        return self._positions[partition]

    def last_poll_timestamp(self, _partition: TopicPartition) -> int | None:
        """Milliseconds; when the broker last answered a fetch."""
        return self._polled_ms

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """By isolation the last stable offsets, or the logs' ends."""
        answer: Mapping[TopicPartition, int] = await self._link.ask(
            "ends", self._broker.ends, list(partitions), committed=self._committed
        )
        return answer

    async def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Where the logs start."""
        answer: Mapping[TopicPartition, int] = await self._link.ask("starts", self._broker.starts, list(partitions))
        return answer

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Stored]]:
        """The next records of some partitions or all; nothing after the time-out. Raises outside the log."""
        wanted = partitions or tuple(self._positions)
        loop = self._broker.loop
        deadline = loop.time() + timeout_ms / 1000
        while True:
            if (got := self._take(wanted, max_records)) or loop.time() >= deadline:
                return got
            if not await self._fetch():
                await self._wait(deadline)

    def _take(self, wanted: Sequence[TopicPartition], max_records: int | None) -> dict[TopicPartition, list[Stored]]:
        taken: dict[TopicPartition, list[Stored]] = {}
        for place in wanted:
            there = self._fetched.get(place)
            if there is None or max_records == 0:
                continue
            some = list(there.records[:max_records])
            if max_records is not None and len(some) == max_records:
                # Markers behind the last one wait for the next call, as with aiokafka.
                self._fetched[place] = Fetched(there.records[max_records:], there.next)
                self._positions[place] = some[-1].offset + 1
                max_records = 0
            else:
                del self._fetched[place]
                self._positions[place] = there.next
                max_records = max_records if max_records is None else max_records - len(some)
            if some:
                taken[place] = some
        return taken

    async def _fetch(self) -> bool:
        """Fetch where nothing is held; whether there was anything, if only a marker."""
        missing = {place: at for place, at in self._positions.items() if place not in self._fetched}
        answer = await self._link.ask(
            "fetch", self._broker.fetch, missing, committed=self._committed, most=_MOST_FETCHED
        )
        self._polled_ms = self._broker.now_ms()
        moved = False
        for place, found in answer.items():
            if isinstance(found, OffsetOutOfRangeError):
                raise found
            # A seek may have come in between.
            if self._positions.get(place) == missing[place] and found.next > missing[place]:
                self._fetched[place] = found
                moved = True
        return moved

    async def _wait(self, deadline: float) -> None:
        """Until something changes at the broker: what a long fetch does."""
        loop = self._broker.loop
        changed, waiting = loop.create_future(), list(self._positions)

        def tell() -> None:
            if not changed.done():
                changed.set_result(None)

        self._broker.changed(waiting, tell)
        timer = loop.call_at(deadline, tell)
        try:
            await changed
        finally:
            timer.cancel()
            self._broker.not_waiting(waiting, tell)


class Admin:
    """Questions about groups."""

    def __init__(self, **_: object) -> None:
        self._link, self._broker = HERE.get(), BROKER.get()

    async def start(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""

    def list_consumer_group_offsets(
        self, group: str, *, partitions: Sequence[TopicPartition]
    ) -> Awaitable[Mapping[TopicPartition, OffsetAndMetadata]]:
        """What the group has committed; offset -1 where it has nothing."""
        return self._link.ask("committed", self._broker.committed, group, partitions)


@contextmanager
def installed() -> Iterator[None]:
    """Let `streams.ownership` make these clients, on the broker and with the link of whoever makes them."""
    with (
        patch.multiple(clients, AIOKafkaConsumer=Consumer, AIOKafkaAdminClient=Admin),
        patch.object(producer, "AIOKafkaClient", Wire),
    ):
        yield
