"""A transactional producer that asks aiokafka's own questions in three round trips instead of five.

aiokafka's sender asks one thing at a time: partitions, records, group, offsets, end. Here the group is added beside the
partitions and the offsets go beside the records; each on one connection with what it must not overtake, for a broker
answers a connection in order. Requests, answers and what is asked again are aiokafka's, which is why it is pinned.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Set
from itertools import chain
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.producer import sender
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.producer.sender import (
    AddOffsetsToTxnHandler,
    AddPartitionsToTxnHandler,
    EndTxnHandler,
    Sender,
    SendProduceReqHandler,
    TxnOffsetCommitHandler,
)
from aiokafka.producer.transaction_manager import TransactionManager, TransactionResult
from aiokafka.record.default_records import DefaultRecordBatch

from streams.ownership.settings import OwnerSettings

# The pause before it is asked again whether the last transaction is over, whose markers come after the answer, in
# seconds; aiokafka has no setting for it and waits 0.02.
sender.BACKOFF_OVERRIDE = 0.001

_CODECS: Final = {
    None: 0,
    "gzip": DefaultRecordBatch.CODEC_GZIP,
    "lz4": DefaultRecordBatch.CODEC_LZ4,
    "zstd": DefaultRecordBatch.CODEC_ZSTD,
}


_NUMBERS: Final = 2**31
"""So many numbers are there for the records of a partition; behind the last one they begin again."""


class Producer:
    """One transactional id; starting it fences the former producer of it. Not to be used again after an error."""

    def __init__(self, settings: OwnerSettings, transactional_id: str) -> None:
        self._id = transactional_id
        self._pause_s = settings.retry_backoff_ms / 1000
        self._send_bytes = settings.send_bytes
        self._codec = _CODECS[settings.compression]
        self._client = AIOKafkaClient(
            client_id=f"owner-{transactional_id}",
            request_timeout_ms=settings.request_timeout_ms,
            retry_backoff_ms=settings.retry_backoff_ms,
            **settings.cluster.options,
        )
        self._manager = TransactionManager(transactional_id, settings.transaction_timeout_ms)
        # Only for what it knows of coordinators, and for those who ask: its loop is never started.
        self._sender = Sender(
            self._client,
            acks=-1,
            txn_manager=self._manager,
            message_accumulator=self,
            retry_backoff_ms=settings.retry_backoff_ms,
            request_timeout_ms=settings.request_timeout_ms,
        )
        self._numbers: dict[TopicPartition, int] = {}
        """The number of each partition's next record."""
        self._waiting: dict[TopicPartition, deque[_Sending]] = {}
        self._again: dict[TopicPartition, _Sending] = {}
        self._sends: asyncio.Task[None] | None = None
        self._ahead: asyncio.Task[None] | None = None
        self._wanted: asyncio.Future[bool] | None = None
        """Whether the transaction that was begun ahead has anything to carry."""
        self._last: Set[TopicPartition] = frozenset()
        """Where the last transaction sent to."""
        self._usual: Set[TopicPartition] = frozenset()
        """Where the last two did, and most likely the next will."""
        self._error: Exception | None = None

    async def start(self) -> None:
        """Connect, and get an epoch."""
        await self._client.bootstrap()
        await self._sender._maybe_wait_for_pid()  # noqa: SLF001 - its start would begin its loop

    async def stop(self) -> None:
        """Close the connections; what is under way is lost, as it was never committed."""
        for task in (self._sends, self._ahead):
            if task is not None:
                task.cancel()
        await self._client.close()

    async def begin_transaction(self) -> None:
        """Begin. The broker hears of it with the first thing that is sent."""
        if self._ahead is not None:
            _answer(self._wanted, True)
            ahead, self._ahead = self._ahead, None
            await ahead
        if self._error is not None:
            raise self._error
        if not self._manager.is_in_transaction():
            self._manager.begin_transaction()

    def create_batch(self) -> Any:
        """An empty batch of records."""
        return BatchBuilder(self._send_bytes, self._codec, is_transactional=True)

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> "asyncio.Future[object]":
        """Send it behind its partition's last one; the future tells what became of it, and a commit does not ask."""
        await self._client._wait_on_metadata(topic)  # noqa: SLF001 - there is no public way
        sending = _Sending(TopicPartition(topic, partition), batch)
        self._waiting.setdefault(sending.place, deque()).append(sending)
        if self._sends is None or self._sends.done():
            self._sends = asyncio.ensure_future(self._send_all())
        return asyncio.shield(sending.future)

    async def send_offsets_to_transaction(self, offsets: Mapping[TopicPartition, Any], group: str) -> None:
        """Let the group's offsets be committed with the transaction; best begun right behind the sends."""
        added = self._manager.add_offsets_to_txn(dict(offsets), group)
        if not self._has_all():
            await self._ask(CoordinationType.TRANSACTION, self._id, _AddOffsets(self._sender, group))
        await self._ask(CoordinationType.GROUP, group, _CommitOffsets(self._sender, dict(offsets), group))
        await added

    async def commit_transaction(self) -> None:
        """Commit. It does not look at what became of the sends."""
        self._manager.committing_transaction()
        places = frozenset(self._manager.txn_partitions)
        self._usual, self._last = self._last & places, places
        await self._end(TransactionResult.COMMIT)

    def begin_ahead(self, group: str, for_s: float) -> None:
        """Begin the next transaction before there is anything to carry, where it is known whereto that would go.

        The group is the one of its offsets. Nobody waits for it to end: readers wait for records. It is ended when
        nothing has come for so long.
        """
        if self._usual:
            self._wanted = asyncio.get_running_loop().create_future()
            self._ahead = asyncio.ensure_future(self._begin_ahead(group, self._wanted, for_s))
            self._ahead.add_done_callback(look_at)

    async def abort_transaction(self) -> None:
        """Abort."""
        self._manager.aborting_transaction()
        await self._end(TransactionResult.ABORT)

    def reenqueue(self, sending: "_Sending") -> None:
        """Take back what has to be sent again; aiokafka's handler gives it."""
        self._again[sending.place] = sending

    async def _begin_ahead(self, group: str, wanted: "asyncio.Future[bool]", for_s: float) -> None:
        self._manager.begin_transaction()
        await self._add_partitions(self._usual)
        await self._ask(CoordinationType.TRANSACTION, self._id, _AddOffsets(self._sender, group))
        timer = asyncio.get_running_loop().call_later(for_s, _answer, wanted, False)
        if not await wanted:
            await self.abort_transaction()
        timer.cancel()

    def _has_all(self) -> bool:
        """Whether the group belongs to the transaction, and each partition that waits for its records.

        Where one does not, the group is asked for behind it, though it be there: two changes of one transaction at
        once are refused.
        """
        manager = self._manager
        grouped, adding = manager.consumer_group_to_add() is None, manager.partitions_to_add()
        return grouped and not adding and self._waiting.keys() <= manager.txn_partitions

    async def _end(self, result: TransactionResult) -> None:
        if self._sends is not None and not self._sends.done():
            await asyncio.wait([self._sends])
        if self._error is not None:
            raise self._error
        if self._manager.is_empty_transaction():
            self._manager.complete_transaction()
        else:
            await self._ask(CoordinationType.TRANSACTION, self._id, EndTxnHandler(self._sender, result))

    async def _ask(self, kind: CoordinationType, key: str, handler: Any) -> None:
        """Ask a coordinator until it says yes. Whatever it refuses is the end of this producer."""
        try:
            while not await handler.do(await self._sender._find_coordinator(kind, key)):  # noqa: SLF001
                pass
            if (over := self._manager.wait_for_transaction_end()).done():
                over.result()  # who may not do this is told so here
        except Exception as error:
            self._error = self._error or error
            raise

    async def _send_all(self) -> None:
        """Send what waits, one batch of each partition at a time."""
        under_way: list[_Sending] = []
        try:
            while self._waiting:
                # What comes while these are asked for waits for the next turn.
                sendings = {place: queue.popleft() for place, queue in self._waiting.items()}
                self._waiting = {place: queue for place, queue in self._waiting.items() if queue}
                under_way = [*sendings.values()]
                await self._add_partitions(sendings.keys())
                self._number(sendings)
                await self._send(sendings)
        except Exception as error:  # noqa: BLE001 - whoever waits for a send is told
            self._error = self._error or error
            for sending in chain(under_way, *self._waiting.values()):
                sending.failure(error)

    async def _add_partitions(self, places: Set[TopicPartition]) -> None:
        # In one order, whatever a set's is: what is sent can be compared from run to run.
        if new := sorted(places - self._manager.txn_partitions):
            for place in new:
                self._manager.maybe_add_partition_to_txn(place)
            await self._ask(CoordinationType.TRANSACTION, self._id, AddPartitionsToTxnHandler(self._sender, new))

    def _number(self, sendings: Mapping[TopicPartition, "_Sending"]) -> None:
        """Number the records. A batch that fails has used its numbers up: the next one is out of order then.

        Not with aiokafka's numbers: theirs go on below 0 behind the largest, and a broker refuses that.
        """
        manager = self._manager
        for place, sending in sendings.items():
            number = self._numbers.get(place, 0)
            sending.number(manager.producer_id, manager.producer_epoch, number)
            self._numbers[place] = (number + sending.batch.record_count()) % _NUMBERS

    async def _send(self, sendings: dict[TopicPartition, "_Sending"]) -> None:
        """Send to each leader its part, again what it asks for again, until each future has been told."""
        while sendings:
            handlers = [
                SendProduceReqHandler(self._sender, part).do(node)
                for node, part in (await self._by_leader(sendings)).items()
            ]
            await (handlers[0] if len(handlers) == 1 else asyncio.gather(*handlers))
            sendings, self._again = self._again, {}

    async def _by_leader(
        self, sendings: Mapping[TopicPartition, "_Sending"]
    ) -> Mapping[int, Mapping[TopicPartition, "_Sending"]]:
        while True:
            leaders: dict[Any, dict[TopicPartition, _Sending]] = {}
            for place, sending in sendings.items():
                leaders.setdefault(self._client.cluster.leader_for_partition(place), {})[place] = sending
            if not leaders.keys() & {None, -1}:
                return leaders
            await self._client.force_metadata_update()
            await asyncio.sleep(self._pause_s)


def _answer(wanted: "asyncio.Future[bool] | None", yes: bool) -> None:
    if wanted is not None and not wanted.done():
        wanted.set_result(yes)


def look_at(future: "asyncio.Future[Any]") -> None:
    """Look at the result, so that an error that nobody waits for any more is not reported as forgotten."""
    if not future.cancelled():
        future.exception()


class _Sending:
    """A batch on its way; what aiokafka's handler asks of one."""

    def __init__(self, place: TopicPartition, batch: Any) -> None:
        self.place = place
        self.batch = batch
        self.future: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    def number(self, producer_id: int, epoch: int, sequence: int) -> None:
        """Say whose it is, and where it stands among the records of its partition."""
        self.batch._set_producer_state(producer_id, epoch, sequence)  # noqa: SLF001 - aiokafka does so

    def get_data_buffer(self) -> Any:
        """Its bytes."""
        return self.batch._build()  # noqa: SLF001 - aiokafka does so

    def done(self, offset: int, *_: object) -> None:
        """It was appended."""
        if not self.future.done():
            self.future.set_result(offset)

    def failure(self, exception: BaseException) -> None:
        """It will not be."""
        if not self.future.done():
            self.future.set_exception(exception)


class _AddOffsets(AddOffsetsToTxnHandler):  # type: ignore[misc] # aiokafka has no types
    """Goes behind the partitions, on the coordinator's connection."""

    def __init__(self, asking: Sender, group: str) -> None:
        super().__init__(asking, group)
        self._default_backoff = sender.BACKOFF_OVERRIDE


class _CommitOffsets(TxnOffsetCommitHandler):  # type: ignore[misc] # aiokafka has no types
    """Goes behind the records: the broker that has both looks each up in the transaction, and mixes up two at once."""

    group = ConnectionGroup.DEFAULT
