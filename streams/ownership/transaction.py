"""One batch's transaction: everything that is sent, and how far was read, become visible together or not at all."""

import asyncio
import time
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import (
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    MessageSizeTooLargeError,
    ProducerFenced,
    UnknownError,
)
from aiokafka.structs import OffsetAndMetadata

from streams.ownership.batch import Send
from streams.ownership.faults import Faults, Point
from streams.ownership.producer import look_at

_Sent = tuple[TopicPartition, int, asyncio.Future[Any]]

_FENCED: Final = (ProducerFenced, InvalidProducerEpoch, InvalidProducerIdMapping)


class Fenced(Exception):
    """Another owner has taken this partition over, or the broker gave this one up, or does not say what it did."""


class RecordTooLarge(Exception):
    """A record is larger than what may be sent; nothing of its batch was committed."""


class Transactions:
    """Commits batches, one at a time. After any error it must not be used again."""

    def __init__(self, producer: Any, group: str, *, record_bytes: int, faults: Faults) -> None:
        self._producer = producer
        self._group = group
        self._record_bytes = record_bytes
        self._faults = faults

    async def commit(self, sends: Iterable[Send], offsets: Mapping[TopicPartition, tuple[int, str]]) -> None:
        """Send all, in order for each partition, and commit them with the offsets (offset, metadata).

        Raises Fenced, RecordTooLarge, or what the broker says; then nothing of it will ever be read.
        """
        try:
            self._faults.point(Point.BEFORE_TRANSACTION)
            await self._producer.begin_transaction()
            sent = await self._send(self._pack(sends))
            marks = {partition: OffsetAndMetadata(*offset) for partition, offset in offsets.items()}
            await _all_there(sent, self._producer.send_offsets_to_transaction(marks, self._group))
            self._faults.point(Point.AFTER_SENDS)
            await self._end()
            self._faults.point(Point.AFTER_COMMIT)
        except Exception as error:
            if is_fence(error):
                raise Fenced(str(error)) from error
            raise

    async def _end(self) -> None:
        try:
            await self._producer.commit_transaction()
        except UnknownError as error:
            # Kafka 4.3.1 says so while a successor's fence is being written. Whatever it means, this owner cannot know
            # whether it has committed, and the next one reads it.
            msg = "the broker does not say what became of the transaction"
            raise Fenced(msg) from error

    def ahead(self, for_s: float) -> None:
        """Begin the next one now, which spares it a round trip; where nothing comes for so long, end it."""
        self._producer.begin_ahead(self._group, for_s)

    async def prove(self, partition: TopicPartition) -> None:
        """Raise Fenced if another owner has taken over by now; commits nothing, but the group's coordinator writes."""
        try:
            await self._producer.begin_transaction()
            # Only what is sent meets the broker: a transaction without anything in it does not.
            await self._producer.send_offsets_to_transaction({partition: OffsetAndMetadata(0, "")}, self._group)
            await self._producer.abort_transaction()
        except Exception as error:
            if is_fence(error):
                raise Fenced(str(error)) from error
            raise

    def _pack(self, sends: Iterable[Send]) -> Mapping[TopicPartition, list[Any]]:
        """Put the records of each partition into batches of the producer."""
        packed: dict[tuple[str, int], list[Any]] = {}
        create = self._producer.create_batch
        # One time for all spares a look at the clock for each.
        now_ms = int(time.time() * 1000)
        for send in sends:
            batches = packed.get((send.topic, send.partition))
            if batches is None:
                batches = packed[send.topic, send.partition] = [create()]
            if not _appended(batches[-1], send, now_ms):
                # An empty batch takes a record of any size.
                batches.append(create())
                _appended(batches[-1], send, now_ms)
        return {TopicPartition(*place): self._checked(place, batches) for place, batches in packed.items()}

    def _checked(self, place: tuple[str, int], batches: list[Any]) -> list[Any]:
        for batch in batches:
            batch.close()
            if batch.record_count() == 1 and batch.size() > self._record_bytes:
                raise _too_large(place, batch.size(), f"the limit here is {self._record_bytes} bytes")
        return batches

    async def _send(self, packed: Mapping[TopicPartition, list[Any]]) -> Sequence[_Sent]:
        """Hand all batches over: the first one of each partition, then the second of each."""
        sent: list[_Sent] = []
        for batches in zip_longest(*packed.values()):
            for partition, batch in zip(packed, batches, strict=True):
                if batch is not None:
                    size = batch.size()
                    future = await self._producer.send_batch(batch, partition.topic, partition=partition.partition)
                    future.add_done_callback(look_at)
                    sent.append((partition, size, future))
        return sent


async def _all_there(sent: Sequence[_Sent], offsets: Awaitable[None]) -> None:
    """Wait for the offsets and for every send, which travel together: a commit succeeds although a send has failed."""
    marked: asyncio.Future[Any] = asyncio.ensure_future(offsets)
    marked.add_done_callback(look_at)
    try:
        await asyncio.wait([marked, *(future for *_, future in sent)])
    finally:
        marked.cancel()
    for partition, size, future in sent:
        _check_sent(partition, size, future)
    await marked


def _appended(batch: Any, send: Send, now_ms: int) -> bool:
    """Whether the batch had room for the record."""
    _, _, key, value, headers = send
    # aiokafka's builder takes a list and nothing else.
    listed = headers if type(headers) is list else list(headers)
    return batch.append(timestamp=now_ms, key=key, value=value, headers=listed) is not None


def is_fence(error: BaseException | None) -> bool:
    """Whether an error means that this producer was replaced; aiokafka wraps some of these in others."""
    while error is not None:
        if isinstance(error, _FENCED):
            return True
        error = error.__cause__
    return False


def _check_sent(partition: TopicPartition, size: int, future: "asyncio.Future[object]") -> None:
    error = future.exception()
    if isinstance(error, MessageSizeTooLargeError):
        raise _too_large(partition, size, "the topic's max.message.bytes is smaller") from error
    if error is not None:
        raise error


def _too_large(partition: tuple[str, int], size: int, limit: str) -> RecordTooLarge:
    topic, number = partition
    msg = f"a record or batch of {size} bytes for {topic}-{number} is too large: {limit}"
    return RecordTooLarge(msg)
