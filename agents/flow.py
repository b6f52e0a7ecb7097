"""Flow control: the queue is held in front of intake, never in front of the desk.

Routine intake waits while any desk partition has more than `MOST` records to do; urgent intake never waits.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streams.ownership import clients
from streams.ownership.settings import OwnerSettings

MOST: Final = 2000
"""Records a desk partition may have before routine intake waits. Transaction markers count, so idle is not quite 0."""
EVERY_S: Final = 0.1
ANSWER_WITHIN_S: Final = 2.0


class Flow:
    """Looks at the desk's lag again and again; `open` says whether routine work may go on."""

    def __init__(self, settings: OwnerSettings, topic: str, group: str, partitions: int) -> None:
        self._settings = settings
        self._group = group
        self._partitions = [TopicPartition(topic, p) for p in range(partitions)]
        self.lag: Mapping[int, int] = {}

    async def open(self) -> bool:
        """Whether routine intake may be read now; closed until the lag is known."""
        return bool(self.lag) and max(self.lag.values()) <= MOST

    async def run(self) -> None:
        """Measure until cancelled. While the broker does not tell, the gate is closed: not known is not small."""
        consumer, admin = clients.make_consumer(self._settings), clients.make_admin(self._settings)
        await asyncio.gather(consumer.start(), admin.start())
        try:
            while True:
                try:
                    self.lag = await self._measure(consumer, admin)
                except (KafkaError, OSError, TimeoutError):
                    self.lag = {}
                await asyncio.sleep(EVERY_S)
        finally:
            await clients.stop(consumer, admin)

    async def _measure(self, consumer: Any, admin: Any) -> dict[int, int]:
        ends = await consumer.end_offsets(self._partitions)
        done = await clients.committed_offsets(admin, self._group, self._partitions, within_s=ANSWER_WITHIN_S)
        return {one.partition: ends[one] - (at.offset if (at := done[one]) else 0) for one in self._partitions}
