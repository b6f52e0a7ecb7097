"""The policy on a real log: to all partitions or to none, found again, waited for, and kept through a start."""

import asyncio
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from agents import policy as log
from agents.local.broker import LocalBroker
from agents.packs import Examined, examine
from agents.settings import KafkaSettings
from agents.topics import make_topics
from schemas.codec import encode
from schemas.codes import Clock
from schemas.commands import COMMAND, PolicyPublished, Tick
from schemas.policy import Policy
from schemas.topics import ALL, DESK
from streams.ownership import clients
from streams.ownership.cluster import Cluster
from streams.ownership.settings import OwnerSettings

PARTITIONS = 3
connected = pytest.mark.connected


@pytest.fixture(scope="module")
def pukou() -> Examined:
    return examine("pukou")


@pytest.fixture
async def desk(request: pytest.FixtureRequest, broker: LocalBroker) -> tuple[Cluster, str]:
    """Broker and topic of an empty desk."""
    kafka = KafkaSettings(prefix=f"{request.node.name[:40]}.", partitions=PARTITIONS)
    await make_topics(Cluster(broker.bootstrap), kafka, [topic for topic in ALL if topic.name == DESK])
    return Cluster(broker.bootstrap), kafka.prefix + DESK


async def commands(cluster: Cluster, topic: str) -> dict[int, list[Policy]]:
    """The policies on each partition, as the desk's owner reads them."""
    found: dict[int, list[Policy]] = {number: [] for number in range(PARTITIONS)}
    consumer = AIOKafkaConsumer(
        bootstrap_servers=cluster.bootstrap, isolation_level="read_committed", enable_auto_commit=False
    )
    await consumer.start()
    partitions = [TopicPartition(topic, number) for number in found]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    ends = await consumer.end_offsets(partitions)
    for one in partitions:
        while await consumer.position(one) < ends[one]:
            for record in (await consumer.getmany(one, timeout_ms=200)).get(one, []):
                command = COMMAND.decode(record.value)
                if isinstance(command, PolicyPublished):
                    found[one.partition].append(command.policy)
    await consumer.stop()
    return found


async def fill(cluster: Cluster, topic: str, count: int) -> None:
    """Records that are no policies, on the first partition."""
    async with AIOKafkaProducer(bootstrap_servers=cluster.bootstrap, linger_ms=5) as producer:
        value = encode(Tick())
        sent = [await producer.send(topic, value, partition=0, key=b"area" if n % 2 else None) for n in range(count)]
        await asyncio.gather(*sent)


@connected
async def test_a_policy_goes_to_all_partitions(desk: tuple[Cluster, str], pukou: Examined) -> None:
    policy = pukou.policy(Clock.WALL)
    assert await log.partitions_of(*desk) == PARTITIONS
    assert await log.standing(*desk) is None
    offsets = await log.publish(*desk, PARTITIONS, policy)
    assert offsets == {0: 0, 1: 0, 2: 0}
    assert await commands(*desk) == {number: [policy] for number in range(PARTITIONS)}
    assert await log.standing(*desk) == policy


@connected
async def test_a_policy_that_cannot_go_to_one_partition_goes_to_none(
    desk: tuple[Cluster, str], pukou: Examined
) -> None:
    huge = replace(pukou.policy(Clock.WALL), keywords={})
    cluster, topic = desk
    with pytest.raises((KafkaError, AssertionError)):
        await log.publish(cluster, topic, PARTITIONS + 1, huge)
    assert await commands(*desk) == {0: [], 1: [], 2: []}
    assert await log.standing(*desk) is None


@connected
async def test_the_policy_that_stands_is_the_last_however_far_back(desk: tuple[Cluster, str], pukou: Examined) -> None:
    plain, flood = pukou.policy(Clock.WALL), pukou.policy(Clock.WALL, "flood")
    await log.publish(*desk, PARTITIONS, plain)
    await fill(*desk, 500)
    await log.publish(*desk, PARTITIONS, flood)
    await fill(*desk, log.BACK * 3)
    assert await log.standing(*desk) == flood
    assert await log.clock_of(*desk) is Clock.WALL
    await log.publish(*desk, PARTITIONS, plain)
    assert await log.standing(*desk) == plain


@connected
async def test_publishers_at_once_leave_the_same_on_all_partitions(desk: tuple[Cluster, str], pukou: Examined) -> None:
    policies = [pukou.policy(Clock.WALL, surge) for surge in (None, "flood", "epidemic")]
    await asyncio.gather(*(log.publish(*desk, PARTITIONS, one) for one in policies), return_exceptions=True)
    await log.publish(*desk, PARTITIONS, policies[0])
    first, *others = (await commands(*desk)).values()
    assert first[-1] == policies[0]
    assert all(other == first for other in others)


@connected
async def test_it_is_waited_for_until_every_owner_has_settled_it(desk: tuple[Cluster, str], pukou: Examined) -> None:
    cluster, topic = desk
    settings, group = OwnerSettings(bootstrap=cluster.bootstrap), f"{topic}-group"
    offsets = await log.publish(*desk, PARTITIONS, pukou.policy(Clock.WALL))
    assert await log.taken(settings, topic, group, offsets, 0.5) == [0, 1, 2]
    await commit(settings, group, {TopicPartition(topic, 0): 1, TopicPartition(topic, 1): 2})
    assert await log.taken(settings, topic, group, offsets, 0.5) == [2]
    waiting = asyncio.create_task(log.taken(settings, topic, group, offsets, 30))
    await commit(settings, group, {TopicPartition(topic, 2): 1})
    assert await waiting == []


async def commit(settings: OwnerSettings, group: str, offsets: dict[TopicPartition, int]) -> None:
    """Say that so much is read, as an owner does."""
    producer = clients.make_producer(settings, f"{group}-owner")
    await producer.start()
    await producer.begin_transaction()
    await producer.send_offsets_to_transaction({at: OffsetAndMetadata(n, "") for at, n in offsets.items()}, group)
    await producer.commit_transaction()
    await producer.stop()


def test_a_start_keeps_what_stands_where_the_pack_is_the_same(pukou: Examined) -> None:
    for surge in (None, "flood"):
        stands = pukou.policy(Clock.WALL, surge)
        assert log.renewed(stands, pukou, Clock.WALL).version == stands.version


def test_a_start_without_a_policy_takes_the_plain_pack(pukou: Examined) -> None:
    assert log.renewed(None, pukou, Clock.LOG) == pukou.policy(Clock.LOG)


def test_a_changed_pack_comes_under_the_surge_that_is_on(pukou: Examined) -> None:
    stands = replace(pukou.policy(Clock.WALL, "flood"), version="of yesterday", reopen_score=1)
    assert log.renewed(stands, pukou, Clock.WALL) == pukou.policy(Clock.WALL, "flood")


def test_a_surge_that_the_pack_has_no_more_goes_on(pukou: Examined) -> None:
    stands = replace(pukou.policy(Clock.WALL, "flood"), surge="storm")
    assert log.renewed(stands, pukou, Clock.WALL) is stands


def test_another_districts_surge_is_no_reason(pukou: Examined) -> None:
    stands = replace(pukou.policy(Clock.WALL, "flood"), district="elsewhere")
    assert log.renewed(stands, pukou, Clock.WALL) == pukou.policy(Clock.WALL)
