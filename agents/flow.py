"""Flow control: the queue is held in front of intake, never in front of the desk.

Routine intake goes on while each desk partition has no more to do than it does in a moment; urgent intake never waits.
How much that is follows from what the partition was seen to do: a fixed number would be nothing to a quick one and
half a minute to one whose reports all lie at one corner.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streams.ownership import clients
from streams.ownership.settings import OwnerSettings

AHEAD_S: Final = 0.2
"""What a desk partition may have before it, in time."""
LEAST: Final = 100
"""Records it may have in any case. Transaction markers count, so idle is not quite 0."""
EVERY_S: Final = 0.1
ANSWER_WITHIN_S: Final = 2.0
SLOWER: Final = 0.9
"""A partition that had nothing to do is believed to have become slower by so much, at most, each time."""


class Flow:
    """Looks at the desk's lag again and again; `open` says whether routine work may go on."""

    def __init__(self, settings: OwnerSettings, topic: str, group: str, partitions: int) -> None:
        self._settings = settings
        self._group = group
        self._partitions = [TopicPartition(topic, p) for p in range(partitions)]
        self._rate = dict.fromkeys(range(partitions), 0.0)
        self._done: tuple[float, Mapping[int, int]] | None = None
        self._under_way = 0
        """Records that were let go and are not on the desk's log yet."""
        self.room = 0

    async def open(self, records: int) -> bool:
        """Whether so many routine records may go on now; closed until the lag is known."""
        is_open = self.room > 0
        if is_open:
            self.room -= records
            self._under_way += records
        return is_open

    def over(self, records: int) -> None:
        """So many of them are on the desk's log now, where the next look sees them, or will be let go again."""
        self._under_way -= records

    def look(self, now: float, ends: Mapping[int, int], done: Mapping[int, int], *, share: float = 1.0) -> None:
        """Take what is on the desk's log and what of it is done, by partition; `now` in seconds.

        `share`: of all of intake, so much is this worker's. Each worker lets go its part of the room: all of it from
        each of them would be a queue of as many moments as there are workers.
        """
        if self._done is not None:
            then, before = self._done
            for partition, rate in self._rate.items():
                seen = (done[partition] - before[partition]) / max(now - then, 0.001)
                self._rate[partition] = max(seen, rate * SLOWER)
        self._done = (now, done)
        rooms = [max(LEAST, self._rate[p] * AHEAD_S) - (ends[p] - done[p]) for p in ends]
        self.room = int(sum(rooms) * share) - self._under_way if min(rooms) > 0 else 0

    async def run(self, held: Callable[[], int]) -> None:
        """Measure until cancelled. `held`: how many of intake's partitions are this worker's now.

        While the broker does not tell, the gate is closed: not known is not small.
        """
        consumer, admin = clients.make_consumer(self._settings), clients.make_admin(self._settings)
        await asyncio.gather(consumer.start(), admin.start())
        try:
            while True:
                try:
                    ends, done = await self._measure(consumer, admin)
                except (KafkaError, OSError, TimeoutError):
                    self.room = 0
                else:
                    self.look(time.monotonic(), ends, done, share=held() / len(self._partitions))
                await asyncio.sleep(EVERY_S)
        finally:
            await clients.stop(consumer, admin)

    async def _measure(self, consumer: Any, admin: Any) -> tuple[Mapping[int, int], Mapping[int, int]]:
        ends = await consumer.end_offsets(self._partitions)
        done = await clients.committed_offsets(admin, self._group, self._partitions, within_s=ANSWER_WITHIN_S)
        return (
            {one.partition: ends[one] for one in self._partitions},
            {one.partition: at.offset if (at := done[one]) else 0 for one in self._partitions},
        )
