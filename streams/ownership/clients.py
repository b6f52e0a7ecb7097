"""The clients of an owner, set as measured. aiokafka has no types: what it hands out is narrowed here."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.consumer import fetcher
from aiokafka.errors import KafkaError

from streams.ownership.batches import Batches
from streams.ownership.cluster import Cluster
from streams.ownership.producer import Producer
from streams.ownership.settings import OwnerSettings

_STOP_WITHIN_S: Final = 3.0
_ASK_AGAIN_S: Final = 0.05
_LOG_FETCH_BYTES: Final = 8 << 20

# aiokafka, which is pinned, has no other way in.
fetcher.MemoryRecords = Batches

Isolation = Literal["read_committed", "read_uncommitted"]


@dataclass(frozen=True, slots=True)
class Committed:
    """An offset that the group has committed."""

    offset: int
    metadata: str


def make_producer(settings: OwnerSettings, transactional_id: str) -> Any:
    """A transactional producer; starting it fences the former one of this id."""
    return Producer(settings, transactional_id)


def consumer(cluster: Cluster, **options: Any) -> Any:
    """A consumer, set as asked, that reads every batch a broker takes. All are made here."""
    return AIOKafkaConsumer(**options, **cluster.options)


def log_reader(cluster: Cluster) -> Any:
    """A consumer that reads a log up to an end which is known, as fast as it comes."""
    return consumer(
        cluster,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=_LOG_FETCH_BYTES,
        fetch_max_wait_ms=50,
        check_crcs=False,  # the broker has checked them
    )


def make_consumer(
    settings: OwnerSettings, *, wait_ms: int | None = None, isolation: Isolation = "read_committed"
) -> Any:
    """A consumer without a group, to be assigned and sought by hand; outside the log it raises."""
    return consumer(
        settings.cluster,
        isolation_level=isolation,
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_wait_ms=settings.fetch_wait_ms if wait_ms is None else wait_ms,
        max_partition_fetch_bytes=settings.fetch_bytes,
        request_timeout_ms=settings.request_timeout_ms,
        retry_backoff_ms=settings.retry_backoff_ms,
    )


def make_admin(settings: OwnerSettings) -> Any:
    """A client for questions about groups."""
    return AIOKafkaAdminClient(request_timeout_ms=settings.request_timeout_ms, **settings.cluster.options)


async def committed_offsets(
    admin: Any, group: str, partitions: Sequence[TopicPartition], *, within_s: float
) -> Mapping[TopicPartition, Committed | None]:
    """What the group has committed; None where it has nothing. Raises when no answer comes in time."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            answer = await admin.list_consumer_group_offsets(group, partitions=list(partitions))
        except KafkaError:
            if time.monotonic() > deadline:
                raise
        else:
            # aiokafka drops the error of the whole answer (the coordinator still loads, or moved): then it is empty,
            # and to take that for "nothing committed" would read the log again from its start.
            if all(partition in answer for partition in partitions):
                return {partition: _committed(answer[partition]) for partition in partitions}
            if time.monotonic() > deadline:
                msg = f"the coordinator of group {group} does not tell its offsets"
                raise TimeoutError(msg)
        await asyncio.sleep(_ASK_AGAIN_S)


def _committed(told: Any) -> Committed | None:
    return None if told.offset < 0 else Committed(int(told.offset), str(told.metadata or ""))


async def start(*clients: Any) -> None:
    """Start clients. A cancel waits for a moment: cut off in its middle, a start leaves connections open."""
    starting = asyncio.ensure_future(asyncio.gather(*(client.start() for client in clients)))
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait([starting], timeout=_STOP_WITHIN_S)
        if starting.done() and not starting.cancelled():
            starting.exception()
        raise


async def stop(*clients: Any) -> None:
    """Stop clients that may be in any state; one that hangs (a broker that went away) is left behind."""
    await asyncio.gather(*(_stop(client) for client in clients if client is not None))


async def _stop(client: Any) -> None:
    closing = client.close() if isinstance(client, AIOKafkaAdminClient) else client.stop()
    task = asyncio.ensure_future(closing)
    await asyncio.wait([task], timeout=_STOP_WITHIN_S)
    # What goes wrong here was told before, or does not matter any more: nothing is sent by stopping.
    if not task.done():
        task.cancel()
    elif not task.cancelled():
        task.exception()
