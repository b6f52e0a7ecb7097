"""Time as a record, under the wall clock: a tick on a desk partition when its next deadline has passed.

Without one due, a tick goes out once a minute, so that log time never stands still. At most one tick is in flight a
partition: the next waits until the owner has applied the last.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from aiokafka import AIOKafkaProducer

from schemas.codec import encode
from schemas.commands import Tick

EVERY_S: Final = 0.1
IDLE_MS: Final = 60_000


class Desk(Protocol):
    """What the ticker must know of one open desk partition."""

    @property
    def applied(self) -> int:
        """Offset of the last record whose batch is committed; -1 before the first."""
        ...

    def next_due(self) -> int | None:
        """When the next deadline fires, milliseconds since the epoch."""
        ...


@dataclass(slots=True)
class _Last:
    offset: int
    sent_at: int


def due(desk: Desk, last: _Last | None, now: int) -> bool:
    """Whether a partition needs a tick now."""
    if last is not None and desk.applied < last.offset:
        return False
    next_due = desk.next_due()
    if next_due is not None and next_due <= now:
        return True
    return last is None or now - last.sent_at >= IDLE_MS


class Ticker:
    """Ticks for the desk partitions that this worker holds."""

    def __init__(self, topic: str, desks: Callable[[], Mapping[int, Desk]], now: Callable[[], int]) -> None:
        self._topic = topic
        self._desks = desks
        self._now = now
        self._last: dict[int, _Last] = {}

    async def run(self, producer: AIOKafkaProducer) -> None:
        """Tick until cancelled; the producer is idempotent and started."""
        while True:
            await self.turn(producer)
            await asyncio.sleep(EVERY_S)

    async def turn(self, producer: AIOKafkaProducer) -> None:
        """One look at every partition held."""
        now, desks = self._now(), self._desks()
        for gone in self._last.keys() - desks.keys():
            del self._last[gone]
        wanted = [p for p, desk in desks.items() if due(desk, self._last.get(p), now)]
        await asyncio.gather(*(self._tick(producer, p, now) for p in wanted))

    async def _tick(self, producer: AIOKafkaProducer, partition: int, now: int) -> None:
        sent = await producer.send_and_wait(self._topic, value=encode(Tick()), partition=partition)
        self._last[partition] = _Last(sent.offset, now)
