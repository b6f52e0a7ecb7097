"""Flow control: the queue is held in front of intake, never in front of the desk.

Routine intake waits while any desk partition has more than `MOST` records to do; urgent intake never waits.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

MOST: Final = 2000
"""Records a desk partition may have before routine intake waits. Transaction markers count, so idle is not quite 0."""
EVERY_S: Final = 0.1


class Flow:
    """Looks at the desk's lag again and again; `open` says whether routine work may go on."""

    def __init__(self, bootstrap: str, topic: str, group: str, partitions: int) -> None:
        self._bootstrap = bootstrap
        self._group = group
        self._partitions = [TopicPartition(topic, p) for p in range(partitions)]
        self.lag: Mapping[int, int] = {}

    async def open(self) -> bool:
        """Whether routine intake may be read now; closed until the lag is known."""
        return bool(self.lag) and max(self.lag.values()) <= MOST

    async def run(self) -> None:
        """Measure until cancelled."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, isolation_level="read_committed")
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await consumer.start()
        await admin.start()
        try:
            while True:
                self.lag = await self._measure(consumer, admin)
                await asyncio.sleep(EVERY_S)
        finally:
            await asyncio.gather(consumer.stop(), admin.close())

    async def _measure(self, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient) -> dict[int, int]:
        ends = await consumer.end_offsets(self._partitions)
        done = await admin.list_consumer_group_offsets(self._group, partitions=self._partitions)
        lag: dict[int, int] = {}
        for partition in self._partitions:
            committed = done.get(partition)
            offset = committed.offset if committed is not None else -1
            lag[partition.partition] = ends[partition] - max(offset, 0)
        return lag
