"""The policy on the desk's log: publishing it, finding the one that stands, holding a program to the clock it names."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from agents.errors import UserError
from agents.packs import Examined
from schemas.codec import ValidationError, encode
from schemas.codes import Clock
from schemas.commands import COMMAND, PolicyPublished
from schemas.policy import Policy
from streams.ownership import clients
from streams.ownership.cluster import Cluster
from streams.ownership.settings import OwnerSettings

ANSWER_WITHIN_S: Final = 10.0
LOOK_EVERY_S: Final = 0.2
READABLE_WITHIN_S: Final = 30.0
BACK: Final = 1000
"""So many records at the end of a log are searched first for the policy that stands; then four times as many."""


class ClockError(UserError):
    """The log was begun with the other clock; the text says what to do."""


async def publish(cluster: Cluster, topic: str, partitions: int, policy: Policy) -> Mapping[int, int]:
    """Append the policy to every desk partition, to all or to none; gives its offsets by partition.

    On a new log it is the first record, and names the clock. Two who publish at once come one after the other, the
    same on all partitions: the transaction's name is one for the topic.
    """
    value = encode(PolicyPublished(policy=policy))
    producer = AIOKafkaProducer(transactional_id=f"{topic}.policy", acks="all", **cluster.options)
    async with producer, producer.transaction():
        sent = [await producer.send(topic, value=value, partition=number) for number in range(partitions)]
        offsets = {number: (await one).offset for number, one in enumerate(sent)}
    await _readable(cluster, topic, offsets)
    return offsets


async def _readable(cluster: Cluster, topic: str, offsets: Mapping[int, int]) -> None:
    """Wait until the end of the transaction has come to all partitions: it is decided before they know."""
    ends = {TopicPartition(topic, number): offset + 1 for number, offset in offsets.items()}
    until = time.monotonic() + READABLE_WITHIN_S
    async with _reading(cluster, topic) as (consumer, _):
        while any(end < ends[one] for one, end in (await consumer.end_offsets(list(ends))).items()):
            if time.monotonic() > until:
                msg = (
                    f"the policy is published, but {cluster.bootstrap} does not show it: look at the broker, "
                    "then start again"
                )
                raise UserError(msg)
            await asyncio.sleep(LOOK_EVERY_S / 20)


async def taken(
    settings: OwnerSettings, topic: str, group: str, offsets: Mapping[int, int], within_s: float
) -> list[int]:
    """Wait until the desk's owners have settled these records; gives the partitions whose owner has not, in time."""
    admin = clients.make_admin(settings)
    await admin.start()
    try:
        until = time.monotonic() + within_s
        while missing := await _missing(admin, topic, group, offsets):
            if time.monotonic() > until:
                return missing
            await asyncio.sleep(LOOK_EVERY_S)
        return []
    finally:
        await clients.stop(admin)


async def _missing(admin: Any, topic: str, group: str, offsets: Mapping[int, int]) -> list[int]:
    partitions = [TopicPartition(topic, number) for number in offsets]
    done = await clients.committed_offsets(admin, group, partitions, within_s=ANSWER_WITHIN_S)
    return [one.partition for one in partitions if (at := done[one]) is None or at.offset <= offsets[one.partition]]


async def partitions_of(cluster: Cluster, topic: str) -> int:
    """How many partitions the desk has."""
    admin = AIOKafkaAdminClient(**cluster.options)
    await admin.start()
    try:
        (found,) = await admin.describe_topics([topic])
        return len(found["partitions"])
    finally:
        await clients.stop(admin)


async def standing(cluster: Cluster, topic: str) -> Policy | None:
    """The policy that was published last; `None` on a log without one. All partitions have the same."""
    async with _reading(cluster, topic) as (consumer, partition):
        start = (await consumer.beginning_offsets([partition]))[partition]
        high = (await consumer.end_offsets([partition]))[partition]
        many = BACK
        while high > start:
            low = max(start, high - many)
            found = await _last_policy(consumer, partition, low, high)
            if found is not None:
                return found
            high, many = low, many * 4
    return None


async def clock_of(cluster: Cluster, topic: str) -> Clock | None:
    """The clock that the log was begun with; `None` on a log without a policy yet.

    The first policy that is left on partition 0 tells: a log never changes its clock.
    """
    async with _reading(cluster, topic) as (consumer, partition):
        return await _first_clock(consumer, partition)


async def hold_to_clock(cluster: Cluster, topic: str, clock: Clock) -> None:
    """Raise `ClockError` where the log was begun with another clock than `clock`."""
    begun = await clock_of(cluster, topic)
    if begun is not None and begun is not clock:
        msg = (
            f"this log runs on the {begun} clock, not on {clock}: start with --clock {begun}, "
            "or take another --data-dir (or LIANQIN_KAFKA__PREFIX) for the other clock"
        )
        raise ClockError(msg)


def renewed(stands: Policy | None, examined: Examined, clock: Clock) -> Policy:
    """The pack as it is now, under the surge that is on: what has to stand after a start, or a plain publishing.

    A surge that the pack does not have any more goes on as it was published: nobody ended it.
    """
    if stands is None or stands.surge is None or stands.district != examined.pack.name:
        return examined.policy(clock)
    if stands.surge not in examined.pack.surges:
        return stands
    return examined.policy(clock, stands.surge)


def titled(policy: Policy) -> str:
    """The policy in words."""
    surge = f" with surge {policy.surge}" if policy.surge is not None else ""
    return f"policy {policy.version} of {policy.district}{surge}"


@asynccontextmanager
async def _reading(cluster: Cluster, topic: str) -> AsyncIterator[tuple[Any, TopicPartition]]:
    """A consumer of the desk's first partition."""
    partition = TopicPartition(topic, 0)
    consumer = clients.consumer(
        cluster, isolation_level="read_committed", enable_auto_commit=False, fetch_max_wait_ms=20
    )
    try:
        await consumer.start()
        if topic not in await consumer.topics():
            msg = (
                f"{cluster.bootstrap} has no topic {topic} for this user: make the topics with "
                "`lianqin topics --create`, correct LIANQIN_KAFKA__PREFIX, or give the user its rights "
                "(`lianqin topics --acls`)"
            )
            raise UserError(msg)
        consumer.assign([partition])
        yield consumer, partition
    finally:
        # Also where it never came up: else it complains when it is collected.
        await consumer.stop()


async def _first_clock(consumer: Any, partition: TopicPartition) -> Clock | None:
    start = (await consumer.beginning_offsets([partition]))[partition]
    end = (await consumer.end_offsets([partition]))[partition]
    async for policy in _policies(consumer, partition, start, end):
        return policy.clock
    return None


async def _last_policy(consumer: Any, partition: TopicPartition, low: int, high: int) -> Policy | None:
    found = None
    async for policy in _policies(consumer, partition, low, high):
        found = policy
    return found


async def _policies(consumer: Any, partition: TopicPartition, low: int, high: int) -> AsyncIterator[Policy]:
    """The policies from `low` up to `high`, in order."""
    consumer.seek(partition, low)
    while await consumer.position(partition) < high:
        for record in (await consumer.getmany(partition, timeout_ms=200)).get(partition, []):
            policy = _policy_in(record.key, record.value) if record.offset < high else None
            if policy is not None:
                yield policy


def _policy_in(key: bytes | None, value: bytes | None) -> Policy | None:
    if key is not None or b'"policy"' not in (value or b""):
        return None  # reports and feedback have keys, ticks say nothing of the kind
    try:
        command = COMMAND.decode(value or b"")
    except ValidationError:
        return None  # unreadable records are the desk's to settle
    return command.policy if isinstance(command, PolicyPublished) else None
