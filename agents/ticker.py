"""Time as a record, under the wall clock: a tick on a desk partition when its next deadline has passed.

Whether it has passed is a matter of the broker's clock, which stamps the log: this worker's own may stand wrong or
jump. Each tick comes back with the time at which it was appended, and from there on a steady clock counts.

Without one due, a tick goes out once a minute, so that log time never stands still. At most one tick is in flight a
partition: the next waits until the owner has applied the last. No partition waits for another: one whose leader is away
takes its tick when it is back.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from schemas.codec import encode
from schemas.commands import Tick

EVERY_S: Final = 0.1
IDLE_MS: Final = 60_000


class Appended(Protocol):
    """Where a record was appended."""

    @property
    def offset(self) -> int:
        """Its offset."""
        ...

    @property
    def timestamp(self) -> int:
        """When, by the broker's clock, milliseconds since the epoch."""
        ...


class Producer(Protocol):
    """An idempotent producer; aiokafka's is one."""

    async def send_and_wait(self, topic: str, value: bytes, *, partition: int) -> Appended:
        """Append, and wait until the broker has it."""
        ...


class Desk(Protocol):
    """What the ticker must know of one open desk partition."""

    @property
    def applied(self) -> int:
        """Offset of the last record whose batch is committed; -1 before the first."""
        ...

    def next_due(self) -> int | None:
        """When the next deadline fires, milliseconds since the epoch."""
        ...


@dataclass(frozen=True, slots=True)
class Last:
    """The last tick of a partition."""

    offset: int
    appended_at: int
    """By the broker's clock, milliseconds since the epoch."""
    sent_at: int
    """By the steady clock, milliseconds."""


def due(desk: Desk, last: Last, now: int) -> bool:
    """Whether a partition whose last tick is applied needs the next one now (steady clock, milliseconds)."""
    since = now - last.sent_at
    next_due = desk.next_due()
    return (next_due is not None and next_due <= last.appended_at + since) or since >= IDLE_MS


class Ticker:
    """Ticks for the desk partitions that this worker holds. `now`: a clock that never jumps, milliseconds."""

    def __init__(self, topic: str, desks: Callable[[], Mapping[int, Desk]], now: Callable[[], int]) -> None:
        self._topic = topic
        self._desks = desks
        self._now = now
        self._last: dict[int, Last] = {}
        self._sending: dict[int, asyncio.Task[None]] = {}
        """One a partition at most, however long it takes."""

    async def run(self, producer: Producer) -> None:
        """Tick until cancelled, or raise what a sending raised; the producer is idempotent and started."""
        try:
            while True:
                self.turn(producer)
                await asyncio.sleep(EVERY_S)
        finally:
            for sending in self._sending.values():
                sending.cancel()
            await asyncio.gather(*self._sending.values(), return_exceptions=True)

    def turn(self, producer: Producer) -> None:
        """One look at every partition held. What goes out is not waited for; a later look raises what it raised."""
        for partition in [partition for partition, sending in self._sending.items() if sending.done()]:
            self._sending.pop(partition).result()
        now, desks = self._now(), self._desks()
        for gone in self._last.keys() - desks.keys():
            del self._last[gone]
        for partition, desk in desks.items():
            if self.wants(partition, desk, now):
                self._sending[partition] = asyncio.create_task(self._tick(producer, partition, now))

    def wants(self, partition: int, desk: Desk, now: int) -> bool:
        """Whether a tick goes out now. A partition new to this worker gets one at once: log time moves on."""
        if partition in self._sending:
            return False
        last = self._last.get(partition)
        return last is None or (desk.applied >= last.offset and due(desk, last, now))

    async def _tick(self, producer: Producer, partition: int, now: int) -> None:
        sent = await producer.send_and_wait(self._topic, value=encode(Tick()), partition=partition)
        # Counted from the sending: at worst a tick goes out that finds nothing due yet, and knows better.
        self._last[partition] = Last(sent.offset, sent.timestamp, now)
