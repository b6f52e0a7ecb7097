"""Sending a plan: all of history through one partition in order, or live records to their source's own topic."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from aiokafka import AIOKafkaProducer

from agents.feeding.plan import Item
from agents.feeding.ports import Progress
from schemas.commands import Origin
from schemas.intake import IntakeHeaders
from schemas.topics import HISTORY, INTAKE_MAX_BYTES, URGENT
from streams.ownership.cluster import Cluster

BATCH_BYTES: Final = 256 * 1024
IN_FLIGHT: Final = 16
"""Batches sent and not yet acknowledged."""
LIVE_IN_FLIGHT: Final = 2_000


@dataclass(frozen=True, slots=True)
class Range:
    """Offsets of one partition, both included."""

    topic: str
    partition: int
    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __contains__(self, origin: Origin) -> bool:
        return (origin.topic, origin.partition) == (self.topic, self.partition) and (
            self.first <= origin.offset <= self.last
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What is sent: the plan's items from `start` on but for what is there, as records of this feed."""

    source: str
    version: str
    topic: str
    """The source's live topic, without prefix."""
    fingerprint: str
    items: Sequence[Item]
    start: int = 0
    there: Mapping[int, Origin] = field(default_factory=dict)
    """Live: rows that stand on their topics already, and where."""
    speed: float | None = None
    """So many times as fast as it happened; `None`: as fast as the broker takes it."""

    def headers(self, row: int, item: Item, *, history: bool) -> list[tuple[str, bytes]]:
        """A record's headers. Only history is told its time: live, the broker says when a record came."""
        return IntakeHeaders(
            source=self.source,
            version=self.version,
            part=item.part,
            time=item.time if history else None,
            feed=self.fingerprint,
            row=row,
        ).to_kafka()

    def rows(self) -> list[int]:
        """The numbers of the items that are left to be sent."""
        return [row for row in range(self.start, len(self.items)) if row not in self.there]

    def live_topic(self, item: Item) -> str:
        """Where an item is sent to by the wall clock, without prefix."""
        return URGENT if item.urgent else self.topic


class Pace:
    """Holds items back until they are due."""

    def __init__(self, items: Sequence[Item], start: int, speed: float | None) -> None:
        self._speed = speed
        self._begun = monotonic()
        self._from = items[start].time if start < len(items) else 0

    def wait_s(self, item: Item) -> float:
        """How long until this item is due; 0 where it is."""
        if self._speed is None:
            return 0.0
        return max(0.0, self._begun + (item.time - self._from) / 1000 / self._speed - monotonic())


@asynccontextmanager
async def producer(cluster: Cluster) -> AsyncIterator[AIOKafkaProducer]:
    """An idempotent producer, in order, acknowledged by all replicas."""
    sender = AIOKafkaProducer(
        enable_idempotence=True,
        acks="all",
        compression_type="lz4",
        linger_ms=5,
        max_batch_size=BATCH_BYTES,
        max_request_size=2 * INTAKE_MAX_BYTES,
        **cluster.options,
    )
    await sender.start()
    try:
        yield sender
    finally:
        await sender.stop()


async def send_history(sender: AIOKafkaProducer, prefix: str, sending: Sending, progress: Progress) -> int:
    """Append what is left of the plan to `intake.history`, then the end marker. The offset before the marker."""
    run = _HistoryRun(sender, prefix + HISTORY, sending, progress)
    await run.all()
    return await run.mark_end() - 1


class _HistoryRun:
    def __init__(self, sender: AIOKafkaProducer, topic: str, sending: Sending, progress: Progress) -> None:
        self._sender = sender
        self._topic = topic
        self._sending = sending
        self._progress = progress
        self._batch = sender.create_batch()
        self._waiting: deque[tuple[int, asyncio.Future[object]]] = deque()

    async def all(self) -> None:
        items = self._sending.items
        pace = Pace(items, self._sending.start, self._sending.speed)
        for row in range(self._sending.start, len(items)):
            wait = pace.wait_s(items[row])
            if wait > 0:
                await self._flush(row)
                await asyncio.sleep(wait)
            if not self._append(row, items[row]):
                await self._flush(row)
                self._append(row, items[row])
        await self._flush(len(items))
        await self._acknowledged(0)

    async def mark_end(self) -> int:
        items, sending = self._sending.items, self._sending
        headers = IntakeHeaders(
            source=sending.source, time=items[-1].time, feed=sending.fingerprint, row=len(items), marker="end"
        )
        sent = await self._sender.send_and_wait(self._topic, value=b"", partition=0, headers=headers.to_kafka())
        offset: int = sent.offset
        return offset

    def _append(self, row: int, item: Item) -> bool:
        headers = self._sending.headers(row, item, history=True)
        return self._batch.append(timestamp=None, key=item.key, value=item.line, headers=headers) is not None

    async def _flush(self, rows: int) -> None:
        if self._batch.record_count() == 0:
            return
        self._batch.close()
        future = await self._sender.send_batch(self._batch, self._topic, partition=0)
        self._waiting.append((rows, future))
        self._batch = self._sender.create_batch()
        await self._acknowledged(IN_FLIGHT)

    async def _acknowledged(self, most: int) -> None:
        while len(self._waiting) > most:
            rows, future = self._waiting.popleft()
            await future
            self._progress.reach(rows)


async def send_live(sender: AIOKafkaProducer, prefix: str, sending: Sending, progress: Progress) -> list[Range]:
    """Append what is not there to the source's live topic, urgent records to the urgent one.

    The offsets that all of the plan takes, what was there already included.
    """
    taken: dict[tuple[str, int], list[int]] = {}
    _note(taken, sending.there.values())
    rows = sending.rows()
    pace = Pace(sending.items, rows[0] if rows else 0, sending.speed)
    waiting: list[asyncio.Future[object]] = []
    for row in rows:
        item = sending.items[row]
        wait = pace.wait_s(item)
        if wait > 0:
            await asyncio.sleep(wait)
        topic = prefix + sending.live_topic(item)
        headers = sending.headers(row, item, history=False)
        waiting.append(await sender.send(topic, key=item.key, value=item.line, headers=headers))
        if len(waiting) >= LIVE_IN_FLIGHT or wait > 0:
            _note(taken, await asyncio.gather(*waiting))
            waiting.clear()
            progress.reach(row + 1)
    _note(taken, await asyncio.gather(*waiting))
    progress.reach(len(sending.items))
    return [Range(topic, partition, min(at), max(at)) for (topic, partition), at in sorted(taken.items())]


def _note(taken: dict[tuple[str, int], list[int]], sent: Iterable[object]) -> None:
    for one in sent:
        place, offset = (one.topic, one.partition), one.offset  # type: ignore[attr-defined]  # aiokafka has no types
        known = taken.setdefault(place, [offset, offset])
        known[0], known[1] = min(known[0], offset), max(known[1], offset)
