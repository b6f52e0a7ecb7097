"""What the root does to a log before anything runs on it: topics, the policy that names the clock, the desk's lag."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata

from agents.flow import LEAST, Flow
from agents.local.broker import LocalBroker
from agents.packs import load_policy
from agents.policy import ClockError, clock_of, hold_to_clock, publish
from agents.settings import KafkaSettings
from agents.topics import TopicsError, make_topics
from schemas.codes import Clock
from schemas.topics import ALL, DESK, HISTORY
from streams.ownership import clients
from streams.ownership.cluster import Cluster
from streams.ownership.settings import OwnerSettings

pytestmark = pytest.mark.connected


@pytest.fixture
def kafka(request: pytest.FixtureRequest) -> KafkaSettings:
    return KafkaSettings(prefix=f"{request.node.name[:40]}.", partitions=2)


@pytest.fixture
def cluster(broker: LocalBroker) -> Cluster:
    return Cluster(broker.bootstrap)


async def test_topics_are_made_once_and_as_the_list_says(cluster: Cluster, kafka: KafkaSettings) -> None:
    first = await make_topics(cluster, kafka)
    again = await make_topics(cluster, kafka)
    names = {kafka.prefix + topic.name for topic in ALL}
    assert (set(first.created), set(again.created), set(again.standing)) == (names, set(), names)
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap)
    await admin.start()
    described = await admin.describe_topics([kafka.prefix + DESK, kafka.prefix + HISTORY])
    await admin.close()
    assert {topic["topic"]: len(topic["partitions"]) for topic in described} == {
        kafka.prefix + DESK: 2,
        kafka.prefix + HISTORY: 1,
    }


async def test_another_number_of_partitions_is_refused(cluster: Cluster, kafka: KafkaSettings) -> None:
    await make_topics(cluster, kafka)
    with pytest.raises(TopicsError, match="has 2 partitions, this district is set to 3"):
        await make_topics(cluster, kafka.model_copy(update={"partitions": 3}))


async def test_the_first_policy_names_the_clock(cluster: Cluster, kafka: KafkaSettings) -> None:
    await make_topics(cluster, kafka)
    desk = kafka.prefix + DESK
    await hold_to_clock(cluster, desk, Clock.WALL)  # a new log takes any
    assert await clock_of(cluster, desk) is None
    await publish(cluster, desk, 2, load_policy("pukou", Clock.LOG))
    assert await clock_of(cluster, desk) is Clock.LOG
    await hold_to_clock(cluster, desk, Clock.LOG)
    with pytest.raises(ClockError, match="runs on the log clock, not on wall: start with --clock log"):
        await hold_to_clock(cluster, desk, Clock.WALL)


async def test_a_record_that_is_no_command_does_not_hide_the_clock(cluster: Cluster, kafka: KafkaSettings) -> None:
    await make_topics(cluster, kafka)
    desk = kafka.prefix + DESK
    async with AIOKafkaProducer(bootstrap_servers=cluster.bootstrap) as producer:
        await producer.send_and_wait(desk, b"{", partition=0)
    await publish(cluster, desk, 2, load_policy("pukou", Clock.WALL))
    assert await clock_of(cluster, desk) is Clock.WALL


async def test_routine_intake_waits_while_the_desk_is_behind(cluster: Cluster, kafka: KafkaSettings) -> None:
    await make_topics(cluster, kafka)
    desk, group = kafka.prefix + DESK, f"{kafka.prefix}desk"
    flow = Flow(OwnerSettings(bootstrap=cluster.bootstrap, prefix=kafka.prefix), desk, group, 2)
    assert not await flow.open(0)  # not known is not small
    running = asyncio.create_task(flow.run(lambda: 2))
    await becomes(flow, open_=True)
    async with AIOKafkaProducer(bootstrap_servers=cluster.bootstrap) as producer:
        for _ in range(LEAST + 1):
            await producer.send(desk, b"x", partition=1)
    await becomes(flow, open_=False)
    await commit(cluster, group, TopicPartition(desk, 1), LEAST)
    await becomes(flow, open_=True)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def becomes(flow: Flow, *, open_: bool) -> None:
    async with asyncio.timeout(30):
        while await flow.open(0) is not open_:  # noqa: ASYNC110 - it is the flow that is watched
            await asyncio.sleep(0.02)


async def commit(cluster: Cluster, group: str, partition: TopicPartition, offset: int) -> None:
    settings = OwnerSettings(bootstrap=cluster.bootstrap)
    producer = clients.make_producer(settings, f"{group}-test")
    await producer.start()
    await producer.begin_transaction()
    await producer.send_offsets_to_transaction({partition: OffsetAndMetadata(offset, "")}, group)
    await producer.commit_transaction()
    await producer.stop()
