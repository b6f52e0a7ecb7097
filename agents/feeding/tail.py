"""How far `intake.history` is: its last record says which file was fed, which row, and what log time is."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
)

from agents.feeding.errors import FeedRefused
from agents.intake import log_time
from schemas.intake import intake_headers
from streams.ownership import clients
from streams.ownership.cluster import Cluster
from streams.ownership.place import from_metadata

COORDINATOR_TRIES: Final = 100
COORDINATOR_WAIT_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """The end of `intake.history`. `row` counts a feed's records from 0; a feed's end marker has their number."""

    start: int
    end: int
    time: int | None = None
    feed: str | None = None
    row: int = 0
    marker: bool = False

    def sent(self, fingerprint: str) -> int:
        """How many records of this feed are in the log already; its end marker is none."""
        if self.feed != fingerprint:
            return 0
        return self.row if self.marker else self.row + 1

    def first(self, fingerprint: str) -> int:
        """Offset of the feed's first record that is in the log, or of the next record where none is."""
        own = self.sent(fingerprint) + (1 if self.marker and self.feed == fingerprint else 0)
        return max(self.start, self.end - own)


async def read_tail(cluster: Cluster, topic: str, group: str | None = None) -> Tail:
    """The tail of the history topic; where retention has emptied it, log time is what `group` committed."""
    partition = TopicPartition(topic, 0)
    consumer = clients.consumer(cluster, enable_auto_commit=False, fetch_max_wait_ms=20)
    async with consumer:
        consumer.assign([partition])
        start = (await consumer.beginning_offsets([partition]))[partition]
        end = (await consumer.end_offsets([partition]))[partition]
        if start == end:
            return Tail(start=start, end=end, time=await _committed_time(cluster, partition, group))
        consumer.seek(partition, end - 1)
        record = await consumer.getone(partition)
    headers = intake_headers(record.headers)
    return Tail(
        start=start,
        end=end,
        time=headers.time,
        feed=headers.feed,
        row=headers.row or 0,
        marker=headers.marker is not None,
    )


async def _committed_time(cluster: Cluster, partition: TopicPartition, group: str | None) -> int | None:
    if group is None:
        return None
    admin = AIOKafkaAdminClient(**cluster.options)
    await admin.start()
    try:
        committed = (await _offsets(admin, group, partition)).get(partition)
    finally:
        await admin.close()
    if committed is None:
        return None
    _, text = from_metadata(committed.offset, committed.metadata or "")
    return log_time(text)


async def _offsets(admin: AIOKafkaAdminClient, group: str, partition: TopicPartition) -> dict[TopicPartition, Any]:
    """What the group committed. A new broker's first answer is that it has no coordinator yet."""
    for _ in range(COORDINATOR_TRIES):
        try:
            return dict(await admin.list_consumer_group_offsets(group, partitions=[partition]))
        except (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError):
            await asyncio.sleep(COORDINATOR_WAIT_S)
    msg = f"the broker has no coordinator for the group {group}: look into its log, then feed again; nothing was sent"
    raise FeedRefused(msg)
