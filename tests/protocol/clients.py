"""Clients shaped like aiokafka's, over the model: what `streams/ownership` calls of them, and what they answer to it.

`installed()` puts them in place of aiokafka's for as long as a `with` lasts; all else of the owner stays as it is.
"""

import asyncio
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final
from unittest.mock import patch

from aiokafka import TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError, OffsetOutOfRangeError
from aiokafka.structs import OffsetAndMetadata

from streams.ownership import clients
from streams.ownership.batch import Headers
from streams.ownership.settings import OwnerSettings
from tests.protocol.broker import Broker, Epoch
from tests.protocol.log import Data, Fetched, Stored
from tests.protocol.network import HERE

BROKER: Final[ContextVar[Broker]] = ContextVar("BROKER")
"""The cluster that clients reach."""

_MOST_FETCHED: Final = 7
"""Records of one partition in one answer: few, so that answers end in the middle of things."""


class Packed:
    """A batch of records of one partition, while it is filled; aiokafka's BatchBuilder."""

    def __init__(self, most_bytes: int) -> None:
        self.records: list[Data] = []
        self._bytes = 0
        self._most_bytes = most_bytes
        self._closed = False

    def append(self, *, timestamp: int, key: bytes | None, value: bytes | None, headers: Headers) -> object | None:
        """Add a record; None when it is full. An empty one takes a record of any size."""
        size = len(key or b"") + len(value or b"")
        if self._closed or (self.records and self._bytes + size > self._most_bytes):
            return None
        self.records.append(Data(key, value, tuple(headers)))
        self._bytes += size
        return timestamp

    def close(self) -> None:
        """Take no more."""
        self._closed = True

    def record_count(self) -> int:
        """How many are in."""
        return len(self.records)

    def size(self) -> int:
        """Bytes of keys and values."""
        return self._bytes


class Producer:
    """A transactional producer. One batch of a partition is under way at a time; an error that fences stays."""

    def __init__(self, settings: OwnerSettings, transactional_id: str) -> None:
        self._link, self._broker = HERE.get(), BROKER.get()
        self._name = transactional_id
        self._timeout_s = settings.transaction_timeout_ms / 1000
        self._most_bytes = settings.send_bytes
        self._epoch: Epoch = (-1, -1)
        self._fatal: KafkaError | None = None
        self._in_transaction = False
        self._added: set[TopicPartition] = set()
        self._offsets_added = False
        self._sequences: dict[TopicPartition, int] = {}
        self._under_way: dict[TopicPartition, asyncio.Future[object]] = {}

    async def start(self) -> None:
        """Get an epoch: from then on the former producer of this id is fenced."""
        self._epoch = await self._link.ask("init", self._broker.init, self._name, self._timeout_s)

    async def stop(self) -> None:
        """There is nothing to close."""

    async def begin_transaction(self) -> None:
        """Begin; only the broker's first answer to it can tell of a fence."""
        if self._in_transaction or self._fatal is not None:
            # aiokafka says it so.
            msg = f"Invalid state transition to {'IN_TRANSACTION'}"
            raise AssertionError(msg)
        self._in_transaction = True

    def create_batch(self) -> Packed:
        """An empty batch."""
        return Packed(self._most_bytes)

    async def send_batch(self, batch: Packed, topic: str, *, partition: int) -> "asyncio.Future[object]":
        """Send it once its partition's last one is answered; the future tells what became of it."""
        if not self._in_transaction:
            msg = "Can't send messages while not in transaction"
            raise IllegalOperation(msg)
        place = TopicPartition(topic, partition)
        before = self._under_way.get(place)
        sending: asyncio.Future[object] = asyncio.ensure_future(self._produce(place, batch.records, before))
        self._under_way[place] = sending
        return sending

    async def send_and_wait(self, topic: str, value: bytes | None, *, key: bytes | None, partition: int) -> object:
        """Send one record."""
        batch = self.create_batch()
        batch.append(timestamp=0, key=key, value=value, headers=())
        return await (await self.send_batch(batch, topic, partition=partition))

    async def _produce(
        self, place: TopicPartition, records: Sequence[Data], before: "asyncio.Future[object] | None"
    ) -> object:
        if before is not None:
            await asyncio.wait([before])
        if place not in self._added:
            await self._transact("add", self._broker.add, place)
            self._added.add(place)
        # A batch that fails has used its numbers up: the next one of this partition is out of order then.
        sequence = self._sequences.get(place, 0)
        self._sequences[place] = sequence + len(records)
        return await self._link.ask("produce", self._broker.produce, self._name, self._epoch, place, sequence, records)

    async def _transact(self, what: str, act: Any, *about: object, **named: object) -> None:
        """Ask the coordinator. Whatever it refuses is the end of this producer."""
        if self._fatal is not None:
            raise self._fatal
        try:
            await self._link.ask(what, act, self._name, self._epoch, *about, **named)
        except KafkaError as error:
            self._fatal = error
            raise

    async def send_offsets_to_transaction(self, offsets: Mapping[TopicPartition, Any], group: str) -> None:
        """Let the group's offsets be committed with the transaction."""
        if not self._in_transaction:
            msg = "Not in the middle of a transaction"
            raise IllegalOperation(msg)
        await self._transact("offsets", self._broker.add_offsets, group, dict(offsets))
        self._offsets_added = True

    async def commit_transaction(self) -> None:
        """Commit. As with aiokafka, a send that has failed does not hold it back."""
        await self._end(commit=True)

    async def abort_transaction(self) -> None:
        """Abort."""
        await self._end(commit=False)

    async def _end(self, *, commit: bool) -> None:
        if not self._in_transaction:
            msg = "Invalid state transition: not in a transaction"
            raise AssertionError(msg)
        if self._under_way:
            await asyncio.wait(self._under_way.values())
        if self._fatal is not None:
            raise self._fatal
        if self._added or self._offsets_added:
            await self._transact("commit" if commit else "abort", self._broker.end, commit=commit)
        self._in_transaction = self._offsets_added = False
        self._added.clear()
        self._under_way.clear()


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
    with patch.multiple(
        clients,
        Producer=Producer,
        AIOKafkaConsumer=Consumer,
        AIOKafkaAdminClient=Admin,
    ):
        yield
