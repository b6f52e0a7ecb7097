"""The sole writer of one partition: it reads a batch, asks the agent, commits what it says, and only then goes on."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from aiokafka import TopicPartition

from streams.ownership import clients
from streams.ownership.batch import Answer, Batch, Memory, Record, Send
from streams.ownership.changelog import APPLIED
from streams.ownership.faults import Faults, NoFaults, Point
from streams.ownership.observe import NoMetrics, OwnerMetrics
from streams.ownership.opener import Opened, Opener
from streams.ownership.opening import OpenRefused
from streams.ownership.place import Place, after, to_metadata, to_state
from streams.ownership.reader import AlwaysOpen, Chunk, Gate, Limits, Reader, no_limits
from streams.ownership.settings import OwnerSettings
from streams.ownership.stage import Input, Stage
from streams.ownership.transaction import Transactions

M = TypeVar("M", bound=Memory)

_SMALL: Final = 100
"""Records; a transaction of so many is no burden beside what it carries."""
_REST_S: Final = 0.1

Ask = Callable[[Any], Awaitable[object]]
"""Hands a Batch to the stage's agent; a Faust channel's `put` is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerDeps:
    """What every owner of a stage shares."""

    settings: OwnerSettings
    ask: Ask
    gate: Gate = field(default_factory=AlwaysOpen)
    """Whether routine inputs may be read now."""
    limits: Limits = no_limits
    """Routine topics that are paused, or on trial."""
    metrics: OwnerMetrics = field(default_factory=NoMetrics)
    faults: Faults = field(default_factory=NoFaults)


class Owner(Generic[M]):
    """One partition's owner. `run` opens and works until `finish`; whatever it raises, this owner is over."""

    def __init__(self, stage: Stage[M], partition: int, deps: OwnerDeps) -> None:
        self.stage = stage
        self.partition = partition
        self.memory: M = stage.memory()
        self.began_at = time.monotonic()
        self.busy_since: float | None = None
        """Monotonic seconds; since when the batch in hand is in hand."""
        self.batches = 0
        self.is_open = False
        self._deps = deps
        self._finishing = False
        self._inputs = {TopicPartition(one.topic, one.partition): one for one in stage.inputs_of(partition)}
        self._places: dict[TopicPartition, Place] = {}
        self._metadata = ""
        self._committed_at = 0.0
        self._all_committed_at = -math.inf
        """When the offsets of all inputs were committed last; a batch's are those that moved. An opening cannot tell:
        owners that never stay for long would each leave it to the next."""
        self._rest_until = 0.0
        self._often = False
        """Whether the last transaction came soon after the one before."""
        self._producer: Any = None
        self._transactions: Transactions | None = None
        self._reader = Reader(deps.settings, deps.gate, deps.limits)

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.stage.name} partition {self.partition}"

    @property
    def inputs(self) -> Mapping[TopicPartition, Input]:
        """What this owner reads."""
        return self._inputs

    @property
    def applied(self) -> Mapping[TopicPartition, int]:
        """Offset of the last record of each input whose batch is committed; -1 before the first."""
        return {partition: place.offset for partition, place in self._places.items()}

    def finish(self) -> None:
        """Let `run` return after the batch in hand."""
        self._finishing = True

    async def run(self) -> None:
        """Open, then work. Raises OpenRefused, Fenced, or what went wrong; call `close` afterwards in any case."""
        await self._open()
        while True:
            await self._rest()
            chunk = await self._reader.next()
            if self._finishing:
                return
            if chunk:
                await self._work(chunk)
                self._reader.over()
            # Told to finish, it may have left a part of the chunk, and the reader's position is behind that.
            if not chunk or (self._is_long_ago() and not self._finishing):
                await self._keep_offset()

    async def close(self) -> None:
        """Let go of all connections. What is in an open transaction is lost, as it was never committed."""
        await asyncio.gather(self._reader.stop(), clients.stop(self._producer))

    async def position(self, partition: TopicPartition) -> int | None:
        """Where reading goes on, from the records that the reader holds if it holds some; None before the open."""
        if not self.is_open:
            return None
        position = await self._reader.position(partition)
        return self._places[partition].next if position is None else position

    async def _open(self) -> None:
        began, settings = time.monotonic(), self._deps.settings
        self._producer = clients.make_producer(settings, f"{settings.prefix}{self.stage.name}-{self.partition}")
        # Before all else: from here on no former owner commits anything, so what is read next is the last word.
        await clients.start(self._producer)
        self._transactions = Transactions(
            self._producer, self.stage.group, record_bytes=settings.record_bytes, faults=self._deps.faults
        )
        first = next(iter(self._inputs))
        # A coordinator that has just taken the group over tells offsets up to what it knows to be on the other brokers,
        # which may be what stood there seconds ago. Once it has written something it knows of all before that.
        await self._transactions.prove(first)
        try:
            opened = await Opener(self.stage, self.partition, settings).open(self.memory)
        except OpenRefused:
            # State and offsets are read one after the other: what a successor commits in between looks like damage.
            await self._transactions.prove(first)
            raise
        self._places.update(opened.places)
        self._metadata = opened.metadata
        await self._start_reading(opened)
        self.is_open = True
        self._deps.metrics.opened(self.stage.name, self.partition, time.monotonic() - began)

    async def _start_reading(self, opened: Opened) -> None:
        if opened.uncommitted:
            await self._commit_places()
        self._committed_at = time.monotonic()
        first = {one: place.next for one, place in self._places.items() if self._inputs[one].first}
        routine = {one: place.next for one, place in self._places.items() if one not in first}
        await self._reader.open(first, routine)

    async def _work(self, chunk: Chunk) -> None:
        left = [record for records in chunk.values() for record in records]
        while left and not self._finishing:
            self.busy_since = time.monotonic()
            answer = await self._answer(left)
            done = left if answer.done is None else left[: answer.done]
            await self._settle(answer, done, oldest=min(record.timestamp for record in done or left))
            left = left[len(done) :]

    async def _rest(self) -> None:
        """After a small transaction let work gather as long as it took: one upon the other they make each other longer.

        So a busy broker has fewer of them, and what comes later than that waits for nothing. Halfway the last one's
        markers are written: the next one can begin.
        """
        left = self._rest_until - time.monotonic()
        if left > 0 and not self._finishing:
            await asyncio.sleep(left / 2)
            self._look_ahead()
            await asyncio.sleep(left / 2)

    async def _settle(self, answer: Answer, done: Sequence[Record], *, oldest: int) -> None:
        """Commit what follows from these records; where there are none, it is a part of what follows from the next."""
        last = {(record.topic, record.partition): record for record in done}
        places = {TopicPartition(*one): after(record) for one, record in last.items()} or dict(self._places)
        began = time.monotonic()
        await self._commit(answer, places)
        self._deps.faults.point(Point.BEFORE_MEMORY)
        answer.take()
        self._metadata = answer.metadata or self._metadata
        self._places.update(places)
        self.batches += 1
        before, self.busy_since, self._committed_at = self._committed_at, None, time.monotonic()
        if len(places) == len(self._places):
            self._all_committed_at = self._committed_at
        self._often = self._committed_at - before < self._deps.settings.ahead_within_s
        if len(done) < _SMALL:
            self._rest_until = self._committed_at + min(self._committed_at - began, _REST_S)
        self._deps.metrics.batch(
            self.stage.name,
            self.partition,
            records_in=len(done),
            records_out=len(answer.sends),
            transaction_seconds=self._committed_at - began,
            oldest=oldest,
        )

    def _look_ahead(self) -> None:
        """Begin the next transaction where one follows upon the other, and all go to the same partitions.

        That of a stage without a changelog goes wherever its records belong: it would add partitions in vain.
        """
        # Once: a sleep may end a hair before its time, and a rest be resumed.
        often, self._often = self._often, False
        if often and self.stage.state is not None and self._transactions is not None and not self._finishing:
            self._transactions.ahead(self._deps.settings.ahead_for_s)

    async def _answer(self, records: Sequence[Record]) -> Answer:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        await self._deps.ask(Batch(self.stage.name, self.partition, records, self.memory, future, self._metadata))
        return await future

    async def _commit(self, answer: Answer, places: Mapping[TopicPartition, Place]) -> None:
        if self._transactions is None:
            msg = "an owner commits only once it is open"
            raise RuntimeError(msg)
        offsets = self._offsets(places, answer.metadata or self._metadata)
        await self._transactions.commit(self._sends(answer, places), offsets)

    def _sends(self, answer: Answer, places: Mapping[TopicPartition, Place]) -> Iterator[Send]:
        yield from answer.sends
        if (state := self.stage.state) is not None:
            for key, value in answer.state.items():
                yield Send(state, self.partition, key, value)
            for place in places.values():
                yield Send(state, self.partition, APPLIED, to_state(place))

    def _offsets(self, places: Mapping[TopicPartition, Place], text: str) -> dict[TopicPartition, tuple[int, str]]:
        """Offsets of the inputs that moved; with the agent's text also that of the first one, which carries it."""
        if self.stage.state is not None:
            return {partition: (place.next, "") for partition, place in places.items()}
        bearer = next(iter(self._inputs))
        if text != self._metadata:
            places = {bearer: self._places[bearer], **places}
        return {
            partition: (place.next, to_metadata(place, text if partition == bearer else ""))
            for partition, place in places.items()
        }

    def _is_long_ago(self) -> bool:
        """Whether the offset of some input may be as old as one may become."""
        return time.monotonic() - self._all_committed_at >= self._deps.settings.offset_every_s

    async def _keep_offset(self) -> None:
        """Commit the place past what held nothing to read: now and then past markers, at once past what was aborted.

        Offsets and records are forgotten, each input's for itself, and what lies between the place and the end counts
        as lag. Nothing may be in hand: the reader's position is behind it.
        """
        passed = dict(self._places)
        for partition, place in self._places.items():
            position = await self._reader.position(partition)
            if position is not None and position > place.next:
                passed[partition] = Place(place.offset, place.checksum, position)
        gap = max(place.next - self._places[partition].next for partition, place in passed.items())
        if gap < self._deps.settings.offset_gap and not self._is_long_ago():
            return
        self._places = passed
        await self._commit_places()

    async def _commit_places(self) -> None:
        await self._commit(Answer(metadata=self._metadata), self._places)
        self._committed_at = self._all_committed_at = time.monotonic()
