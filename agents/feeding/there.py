"""Which records of a live feed stand on its topics already: looked for by its fingerprint, and told row by row."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import TopicAuthorizationFailedError

from agents.feeding.errors import FeedRefused
from agents.feeding.ports import Progress
from agents.policy import partitions_of
from schemas.commands import Origin
from schemas.intake import FEED, intake_headers
from streams.ownership import clients
from streams.ownership.cluster import Cluster

_FETCH_BYTES: Final = 8 << 20
_POLL_MS: Final = 200


async def rows_there(
    cluster: Cluster, topics: Collection[str], fingerprint: str, progress: Progress
) -> Mapping[int, Origin]:
    """Where each row of this feed stands that is there. Reads all that the topics hold, which is seven days at most.

    A killed feed leaves no last record: its rows went to several partitions at once, and one may be further than
    another. `FeedRefused` where this user may not read a topic: what is there would be sent, and done, again.
    """
    found: dict[int, Origin] = {}
    async with clients.consumer(
        cluster, enable_auto_commit=False, auto_offset_reset="earliest", max_partition_fetch_bytes=_FETCH_BYTES
    ) as consumer:
        try:
            ends = await _ends(cluster, consumer, topics)
            progress.begin("looked through", sum(ends.values()))
            async for records in _all(consumer, ends, progress):
                found |= _rows_in(records, fingerprint)
        except TopicAuthorizationFailedError as error:
            msg = (
                f"this user may not read {' and '.join(sorted(topics))}, and what is there of this file already must "
                "not be sent again: give it Read (docs/security.md); nothing was sent"
            )
            raise FeedRefused(msg) from error
    return found


async def _ends(cluster: Cluster, consumer: Any, topics: Collection[str]) -> Mapping[TopicPartition, int]:
    numbers = {topic: await partitions_of(cluster, topic) for topic in sorted(topics)}
    partitions = [TopicPartition(topic, one) for topic, number in numbers.items() for one in range(number)]
    ends: Mapping[TopicPartition, int] = await consumer.end_offsets(partitions)
    return ends


async def _all(consumer: Any, ends: Mapping[TopicPartition, int], progress: Progress) -> AsyncIterator[Sequence[Any]]:
    """All records of the partitions up to their ends, one partition after the other."""
    before = 0
    for partition, end in ends.items():
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        while (position := await consumer.position(partition)) < end:
            progress.reach(before + position)
            yield (await consumer.getmany(partition, timeout_ms=_POLL_MS)).get(partition, ())
        before += end
    progress.reach(before)


def _rows_in(records: Sequence[Any], fingerprint: str) -> Mapping[int, Origin]:
    mark = (FEED, fingerprint.encode())
    rows: dict[int, Origin] = {}
    for record in records:
        # Nearly all are others': their headers are not taken apart.
        row = intake_headers(record.headers).row if mark in record.headers else None
        if row is not None:
            rows[row] = Origin(topic=record.topic, partition=record.partition, offset=record.offset)
    return rows
