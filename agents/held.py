"""The feedback that the desk holds until its report comes, as its changelog tells: neither settled nor lost."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from schemas.commands import Origin
from schemas.state import WAITING
from schemas.topics import DESK_STATE
from streams.ownership import clients
from streams.ownership.changelog import records_of
from streams.ownership.cluster import Cluster

_KEYS: Final = b"w:"
"""What the keys of these records begin with (`schemas.state.waiting_key`)."""


class HeldFeedback:
    """What the desk holds. The first look reads all of its changelog; each later one, what came since."""

    def __init__(self, cluster: Cluster, prefix: str) -> None:
        self._cluster = cluster
        self._topic = prefix + DESK_STATE
        self._read: dict[TopicPartition, int] = {}
        self._newest: dict[bytes, tuple[Origin, ...]] = {}

    async def look(self) -> Sequence[Origin]:
        """The places of that feedback on its intake topics; none where this user may not see the changelog."""
        consumer = clients.log_reader(self._cluster)
        admin: Any = AIOKafkaAdminClient(**self._cluster.options)
        try:
            await clients.start(consumer, admin)
            for partition, end in (await self._ends(consumer, admin)).items():
                await self._follow(consumer, partition, end)
        finally:
            await clients.stop(consumer, admin)
        return [origin for origins in self._newest.values() for origin in origins]

    async def _ends(self, consumer: Any, admin: Any) -> Mapping[TopicPartition, int]:
        # A topic that may not be seen is not listed, and one that is asked for all the same would be an error.
        if self._topic not in await admin.list_topics():
            return {}
        (told,) = await admin.describe_topics([self._topic])
        partitions = sorted(TopicPartition(self._topic, one["partition"]) for one in told["partitions"])
        ends: Mapping[TopicPartition, int] = await consumer.end_offsets(partitions)
        return ends

    async def _follow(self, consumer: Any, partition: TopicPartition, end: int) -> None:
        start = (await consumer.beginning_offsets([partition]))[partition]
        begin = max(start, self._read.get(partition, 0))
        async for records in records_of(consumer, partition, begin, end):
            for record in records:
                if record.key is not None and record.key.startswith(_KEYS):
                    self._newest[record.key] = _origins(record.value)
            # Here, not at the end: a look that a broker's fall cuts off is gone on with.
            self._read[partition] = await consumer.position(partition)


def _origins(value: bytes | None) -> tuple[Origin, ...]:
    held = WAITING.decode(value).held if value is not None else ()
    return tuple(one.feedback.origin for one in held if one.feedback.origin is not None)
