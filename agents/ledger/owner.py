"""The owner of one seat of the ledger: from `tickets` and `dead-letter` to ClickHouse, without transactions.

A batch of one partition is one INSERT with a token from its records; the group's offset is committed once ClickHouse
has acknowledged it. What is written again after a kill is the same rows. So two owners of one partition at once (a
frozen one that wakes) do no harm, and an offset that Kafka forgot costs no more than reading the log again, once
ClickHouse's newest row has shown that it is the same log: with a topic, Kafka forgets its offsets. The other of two
owners may set the group's place back, which the living one puts right within a minute.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from agents.ledger.deps import LedgerDeps
from agents.ledger.places import behind, know_again, start_of
from schemas.topics import DEAD_LETTER, TICKETS
from streams.ledger.errors import LedgerAway
from streams.ledger.rows import Block, Record, Row, block_of, dead_letter_row, event_row
from streams.ownership import clients
from streams.ownership.stage import Input

T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)
_POLL_MS: Final = 100
_ASK_WITHIN_S: Final = 5.0
_PAUSES_S: Final = (0.5, 1, 2, 5, 10, 20, 30)


class _GivenUp(Exception):
    """ClickHouse is away, and somebody else may have the seat by now."""


class LedgerOwner:
    """One seat's owner. `run` opens and works until `finish`; whatever it raises, this owner is over."""

    def __init__(self, partition: int, deps: LedgerDeps) -> None:
        self.partition = partition
        self.is_open = False
        self.began_at = time.monotonic()
        self.busy_since: float | None = None
        """Monotonic seconds; since when a call of ClickHouse is under way."""
        self.batches = 0
        """Calls of ClickHouse that ended, well or not: who waits for one that is away does not stand still."""
        self._deps = deps
        self._finishing = asyncio.Event()
        self._rows_of: dict[TopicPartition, Callable[[Record], Row]] = {
            TopicPartition(deps.prefix + TICKETS, partition): event_row,
            TopicPartition(deps.prefix + DEAD_LETTER, partition): dead_letter_row,
        }
        self._pending: dict[TopicPartition, list[ConsumerRecord]] = {one: [] for one in self._rows_of}
        self._since = 0.0
        self._without_place: list[TopicPartition] = []
        self._written: dict[TopicPartition, int] = {}
        """Up to where ClickHouse has the inputs for certain."""
        self._looked_at = time.monotonic()
        self._consumer: Any = None

    @property
    def name(self) -> str:
        """For messages."""
        return f"ledger partition {self.partition}"

    @property
    def inputs(self) -> Mapping[TopicPartition, Input]:
        """What this owner reads."""
        return {one: Input(one.topic, one.partition, first=True) for one in self._rows_of}

    async def position(self, partition: TopicPartition) -> int | None:
        """Where it reads on; None before the open and while records wait here to be written."""
        if not self.is_open or self._pending[partition]:
            return None
        return int(await self._consumer.position(partition))

    def finish(self) -> None:
        """Let `run` return after the batch in hand, or without it while ClickHouse is away."""
        self._finishing.set()

    async def run(self) -> None:
        """Open, then work; call `close` afterwards in any case."""
        await self._open()
        try:
            await self._work()
        except _GivenUp as given_up:
            _LOG.warning("%s leaves what it has in hand to the next owner: %s", self.name, given_up.__cause__)

    async def _work(self) -> None:
        for one in self._without_place:
            await self._know_again(one)
        while not self._finishing.is_set():
            await self._read()
            if self._is_due():
                await self._flush()
            if not self._waiting() and time.monotonic() - self._looked_at >= self._deps.look_s:
                await self._look_after_places()
        await self._flush()

    async def close(self) -> None:
        """Let go of the connection. What was read and not written is read again by the next owner."""
        if self.is_open:
            self.is_open = False
            self._deps.metrics.closed(self.partition)
        await clients.stop(self._consumer)

    async def _open(self) -> None:
        self._consumer = clients.consumer(
            self._deps.cluster,
            group_id=self._deps.group,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=8 << 20,
        )
        await self._consumer.start()
        inputs = list(self._rows_of)
        self._consumer.assign(inputs)
        starts = await self._consumer.beginning_offsets(inputs)
        ends = await self._consumer.end_offsets(inputs)
        for one in inputs:
            committed = await self._consumer.committed(one)
            self._consumer.seek(one, start_of(one, committed, starts[one], ends[one]))
            if committed is None:
                self._without_place.append(one)
            else:
                self._written[one] = committed
        self.is_open = True
        self._deps.metrics.opened(self.partition)

    async def _know_again(self, one: TopicPartition) -> None:
        """See that an input whose place Kafka does not know is the log that ClickHouse has rows of, if it has any."""
        newest = await self._answered(lambda: self._deps.newest(one.topic, one.partition))
        if newest is not None:
            await know_again(self._consumer, one, newest, self._rows_of[one])

    async def _read(self) -> None:
        waiting = self._waiting()
        room = self._deps.most_rows - waiting
        got: Mapping[TopicPartition, Sequence[ConsumerRecord]] = await self._consumer.getmany(
            timeout_ms=_POLL_MS, max_records=room
        )
        if got and not waiting:
            self._since = time.monotonic()
        for one, records in got.items():
            self._pending[one].extend(records)

    def _waiting(self) -> int:
        return sum(map(len, self._pending.values()))

    def _is_due(self) -> bool:
        waiting = self._waiting()
        if not waiting:
            return False
        return waiting >= self._deps.most_rows // 2 or time.monotonic() - self._since >= self._deps.wait_s

    async def _flush(self) -> None:
        done: dict[TopicPartition, int] = {}
        for one, records in self._pending.items():
            if records:
                # Off the event loop: 20,000 rows take half a second.
                block = await asyncio.to_thread(block_of, records, self._rows_of[one])
                await self._insert(block)
                done[one] = block.last + 1
                self._pending[one] = []
        if done:
            self._written |= done
            if self._finishing.is_set():
                # The next owner may have written more while this one's INSERT lasted.
                done = behind(await self._committed(done), done)
            await self._commit(done)
            await self._tell_lag({one: self._consumer.last_stable_offset(one) for one in self._rows_of})

    async def _committed(self, inputs: Collection[TopicPartition]) -> dict[TopicPartition, int | None]:
        return {one: await self._consumer.committed(one) for one in inputs}

    async def _look_after_places(self) -> None:
        """Commit anew what Kafka forgot, and what an earlier owner set back that ended its last block late."""
        self._looked_at = time.monotonic()
        try:
            async with asyncio.timeout(_ASK_WITHIN_S):
                committed = await self._committed(self._written)
        except (KafkaError, TimeoutError):
            return  # not known is not wrong: the next look will tell
        for one, offset in committed.items():
            if offset is None:
                await self._know_again(one)  # a topic that is made anew has no offsets either
        await self._commit(behind(committed, self._written))

    async def _commit(self, places: Mapping[TopicPartition, int]) -> None:
        if places:  # the client refuses none
            await self._consumer.commit(dict(places))

    async def _insert(self, block: Block) -> None:
        await self._answered(lambda: self._timed(block))
        self._deps.metrics.rows(block.rows)

    async def _timed(self, block: Block) -> None:
        began = time.monotonic()
        await self._deps.insert(block)
        self._deps.metrics.inserted(time.monotonic() - began)

    async def _answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What ClickHouse answers; while it is away this waits, unless the owner is finished."""
        away_since, tries = time.monotonic(), 0
        while True:
            try:
                return await self._try(ask)
            except LedgerAway as error:
                if self._finishing.is_set():
                    raise _GivenUp from error
                if time.monotonic() - away_since > self._deps.away_s:
                    raise
                await self._wait(error, tries)
                if self._finishing.is_set():
                    raise _GivenUp from error
                tries += 1

    async def _try(self, ask: Callable[[], Awaitable[T]]) -> T:
        self.busy_since = time.monotonic()
        try:
            return await ask()
        finally:
            self.busy_since = None
            self.batches += 1

    async def _wait(self, error: LedgerAway, tries: int) -> None:
        pause = _PAUSES_S[min(tries, len(_PAUSES_S) - 1)]
        self._deps.metrics.waited()
        _LOG.warning("%s waits %g s: %s", self.name, pause, error)
        await self._tell_lag_meanwhile()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._finishing.wait(), pause)

    async def _tell_lag_meanwhile(self) -> None:
        """While what was read waits here the client fetches nothing, and knows no newer ends: they are asked for."""
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(_ASK_WITHIN_S):
                await self._tell_lag(await self._consumer.end_offsets(list(self._rows_of)))

    async def _tell_lag(self, ends: Mapping[TopicPartition, int | None]) -> None:
        lag = 0
        for one, end in ends.items():
            pending = self._pending[one]
            # Behind what is written stand at most markers, which reading has passed and no commit tells of.
            written = pending[0].offset if pending else await self._consumer.position(one)
            lag += max(0, (end or 0) - written)
        self._deps.metrics.lag(self.partition, lag)
