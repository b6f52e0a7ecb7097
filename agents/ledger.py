"""The ledger stage's owners: from `tickets` and `dead-letter` to ClickHouse, without transactions.

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
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from schemas.topics import DEAD_LETTER, TICKETS
from streams.ledger.errors import LedgerAway, LedgerError
from streams.ledger.newest import Newest
from streams.ledger.rows import Block, Record, Row, block_of, dead_letter_row, event_row
from streams.ownership import clients
from streams.ownership.cluster import Cluster
from streams.ownership.ending import Code, Die, die
from streams.ownership.stage import Input

T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)

GROUP: Final = "ledger"
"""The group whose committed offsets tell how far the ledger is; behind the prefix."""
_POLL_MS: Final = 100
_ASK_WITHIN_S: Final = 5.0
_PAUSES_S: Final = (0.5, 1, 2, 5, 10, 20, 30)


class LedgerMetrics(Protocol):
    """What the ledger tells about itself; called from the event loop, must not block or raise."""

    def rows(self, n: int) -> None:
        """So many rows were acknowledged."""
        ...

    def inserted(self, seconds: float) -> None:
        """One INSERT took so long."""
        ...

    def lag(self, partition: int, n: int) -> None:
        """Offsets between what is written and the end, over the inputs of this seat."""
        ...

    def waited(self) -> None:
        """ClickHouse was away once more."""
        ...

    def opened(self, partition: int) -> None:
        """A seat's owner reads."""
        ...

    def closed(self, partition: int) -> None:
        """It does no longer."""
        ...


class NoMetrics:
    """Tell nobody."""

    def rows(self, n: int) -> None:
        """Ignore."""

    def inserted(self, seconds: float) -> None:
        """Ignore."""

    def lag(self, partition: int, n: int) -> None:
        """Ignore."""

    def waited(self) -> None:
        """Ignore."""

    def opened(self, partition: int) -> None:
        """Ignore."""

    def closed(self, partition: int) -> None:
        """Ignore."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerDeps:
    """What all owners of the ledger stage share."""

    cluster: Cluster
    prefix: str
    insert: Callable[[Block], Awaitable[None]]
    """Write a block; returns when it is in ClickHouse (`Store.insert`)."""
    newest: Callable[[str, int], Awaitable[Newest | None]]
    """The newest row that ClickHouse holds of a topic's partition (`streams.ledger.newest`)."""
    metrics: LedgerMetrics = field(default_factory=NoMetrics)
    most_rows: int = 20_000
    """In one INSERT."""
    wait_s: float = 1.0
    """How long few rows wait for more."""
    away_s: float = 300.0
    """How long ClickHouse may be away before the process ends."""
    look_s: float = 60.0
    """How often an owner looks whether the group's offsets are what it has written."""
    close_within_s: float = 10.0

    @property
    def group(self) -> str:
        """The group's full name."""
        return self.prefix + GROUP


class AnotherLog(Exception):
    """The topic was made anew, and is another log: its rows would replace those that are there."""

    def __init__(self, one: TopicPartition, found: str) -> None:
        super().__init__(
            f"{one.topic}-{one.partition} {found}: the topic was made anew; take another database or data folder, or "
            "another LIANQIN_KAFKA__PREFIX"
        )


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
            self._consumer.seek(one, _start(one, committed, starts[one], ends[one]))
            if committed is None:
                self._without_place.append(one)
            else:
                self._written[one] = committed
        self.is_open = True
        self._deps.metrics.opened(self.partition)

    async def _know_again(self, one: TopicPartition) -> None:
        """See that an input whose place Kafka does not know is the log that ClickHouse has rows of, if it has any."""
        newest = await self._answered(lambda: self._deps.newest(one.topic, one.partition))
        if newest is None:
            return
        start = (await self._consumer.beginning_offsets([one]))[one]
        end = (await self._consumer.end_offsets([one]))[one]
        if newest.offset >= end:
            raise AnotherLog(one, f"ends at {end}, but ClickHouse holds its offset {newest.offset}")
        if newest.offset < start:
            return  # retention took the record: there is nothing to compare
        row = await self._row_at(one, newest.offset, end)
        if row is None or not newest.is_of(row):
            raise AnotherLog(one, f"has another record at offset {newest.offset} than ClickHouse holds")

    async def _row_at(self, one: TopicPartition, offset: int, end: int) -> Row | None:
        """What the log has at an offset; None where that is a marker. Reading goes on where it was."""
        reads_on = await self._consumer.position(one)
        self._consumer.seek(one, offset)
        found: ConsumerRecord | None = None
        while found is None and await self._consumer.position(one) < end:
            got = await self._consumer.getmany(one, timeout_ms=_POLL_MS, max_records=1)
            found = got[one][0] if got else None
        self._consumer.seek(one, reads_on)
        return self._rows_of[one](found) if found is not None and found.offset == offset else None

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
                done = _behind(await self._committed(done), done)
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
        await self._commit(_behind(committed, self._written))

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


def _behind(
    committed: Mapping[TopicPartition, int | None], written: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """Of what is written, the places that the group has not reached, or forgot; it may be further, but not back."""
    return {one: place for one, place in written.items() if (committed[one] or 0) < place}


def _start(one: TopicPartition, committed: int | None, start: int, end: int) -> int:
    """Where to read on: the committed offset, or the log's start where there is none or retention passed it."""
    if committed is None:
        return start
    if committed > end:
        raise AnotherLog(one, f"ends at {end}, but the ledger has read it up to {committed}")
    if committed < start:
        _LOG.error(
            "%s-%d: retention took %d offsets before the ledger read them", one.topic, one.partition, start - committed
        )
    return max(committed, start)


async def begun(step: Callable[[], Awaitable[None]], *, die: Die = die) -> None:
    """Open the way to ClickHouse; where that cannot be, its one line ends the process."""
    try:
        await step()
    except LedgerError as error:
        die(_code(error), str(error))


def _code(error: LedgerError | AnotherLog) -> Code:
    return Code.FAILED if isinstance(error, LedgerAway) else Code.REFUSED


class LedgerSeats:
    """The owners of the ledger stage in this process. All its methods are called on the event loop."""

    def __init__(self, deps: LedgerDeps, *, die: Die = die) -> None:
        self._deps = deps
        self._die = die
        self._owners: dict[int, LedgerOwner] = {}
        self._tasks: dict[LedgerOwner, asyncio.Task[None]] = {}
        self._closings: set[asyncio.Task[None]] = set()
        self._closing = False

    @property
    def name(self) -> str:
        """The stage's."""
        return "ledger"

    @property
    def held(self) -> frozenset[int]:
        """The seats that the group last gave to this process."""
        return frozenset(self._owners)

    @property
    def owners(self) -> Sequence[LedgerOwner]:
        """The owners at work or still opening."""
        return list(self._owners.values())

    def hold(self, partitions: Collection[int]) -> None:
        """Own these partitions and no others. Returns at once; owners that stay are not touched."""
        if self._closing:
            return
        for partition in self.held - set(partitions):
            closing = asyncio.create_task(self._close(self._owners.pop(partition)))
            self._closings.add(closing)
            closing.add_done_callback(self._closings.discard)
        for partition in set(partitions) - self.held:
            owner = self._owners[partition] = LedgerOwner(partition, self._deps)
            self._tasks[owner] = asyncio.create_task(self._sit(owner), name=owner.name)

    async def close(self) -> None:
        """Write what is in hand and commit it; at most `close_within_s`, then it is left for the next owner."""
        self._closing = True
        leaving, self._owners = list(self._owners.values()), {}
        await asyncio.gather(*(self._close(owner) for owner in leaving), *self._closings)

    async def _sit(self, owner: LedgerOwner) -> None:
        """An owner's whole life; an error of any kind ends the process."""
        try:
            await owner.run()
        except (AnotherLog, LedgerError) as error:
            self._die(_code(error), f"{owner.name} ends the process: {error}")
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends the process
            if not isinstance(error, KafkaError):
                _LOG.error("%s failed", owner.name, exc_info=error)  # a bug: the line alone would not find it
            self._die(Code.FAILED, f"{owner.name} ends the process: {type(error).__name__}: {error}")
        finally:
            await owner.close()
            del self._tasks[owner]

    async def _close(self, owner: LedgerOwner) -> None:
        task = self._tasks.get(owner)
        if task is None:
            return
        owner.finish()
        if not owner.is_open:
            task.cancel()
        _, late = await asyncio.wait([task], timeout=self._deps.close_within_s)
        if late:
            # Nothing is lost: the offset is not committed, and the same rows written again are the same rows.
            task.cancel()
            await asyncio.wait([task], timeout=1.0)
