"""What the root does to a log before anything runs on it: topics, the policy that names the clock, the desk's lag."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.structs import OffsetAndMetadata

from agents.flow import LEAST, Flow
from agents.local.broker import LocalBroker
from agents.packs import load_policy
from agents.policy import ClockError, clock_of, hold_to_clock, publish
from agents.settings import KafkaSettings
from agents.topic_settings import Misset, mend
from agents.topics import TopicsError, make_topics
from schemas.codes import Clock
from schemas.topics import ALL, DESK, DESK_STATE, HISTORY, TICKETS
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


WRONG = {
    DESK_STATE: {"cleanup.policy": "delete", "message.timestamp.type": "LogAppendTime", "segment.ms": "3600000"},
    DESK: {"retention.ms": "604800000", "message.timestamp.type": "LogAppendTime", "max.message.bytes": "8000000"},
    TICKETS: {"retention.ms": "-1", "max.message.bytes": "9000000"},
}
"""As a cluster that makes topics by itself, a careless hand and an earlier build leave them."""


@contextlib.asynccontextmanager
async def administering(cluster: Cluster) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap)
    await admin.start()
    yield admin
    await admin.close()


async def stand_wrong(cluster: Cluster, kafka: KafkaSettings) -> None:
    made = [NewTopic(kafka.prefix + name, 2, 1, topic_configs=config) for name, config in WRONG.items()]
    async with administering(cluster) as admin:
        await admin.create_topics(made)
        async with asyncio.timeout(30):
            # A broker shows a topic a moment after it has made it.
            while not {one.name for one in made} <= set(await admin.list_topics()):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)


async def settings_of(cluster: Cluster, topic: str) -> dict[str, str]:
    async with administering(cluster) as admin:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    return {name: value for name, value, *_ in answer.resources[0][4]}


async def test_topics_that_would_lose_records_are_refused_on_brokers_of_others(
    cluster: Cluster, kafka: KafkaSettings
) -> None:
    await stand_wrong(cluster, kafka)
    with pytest.raises(TopicsError) as refused:
        await make_topics(cluster, kafka.model_copy(update={"bootstrap": cluster.bootstrap}))
    told = {line.split()[1]: line for line in str(refused.value).splitlines()[1:]}
    assert set(told) == {kafka.prefix + name for name in WRONG}
    state, desk, tickets = (told[kafka.prefix + name] for name in WRONG)
    assert "has cleanup.policy=delete, not compact; max.message.bytes=1048588, not 8000000: kafka-configs.sh" in state
    assert f"{kafka.prefix}desk has retention.ms=604800000, not 34560000000: " in desk
    assert desk.endswith(
        f"kafka-configs.sh --bootstrap-server {cluster.bootstrap} --alter --entity-type topics "
        f"--entity-name {kafka.prefix}desk --add-config retention.ms=34560000000"
    )
    assert f"{kafka.prefix}tickets has message.timestamp.type=CreateTime, not LogAppendTime: " in tickets
    assert (await settings_of(cluster, kafka.prefix + DESK))["retention.ms"] == "604800000"


async def test_they_are_mended_on_a_broker_of_our_own_and_keep_what_else_they_have(
    cluster: Cluster, kafka: KafkaSettings, caplog: pytest.LogCaptureFixture
) -> None:
    await stand_wrong(cluster, kafka)
    await make_topics(cluster, kafka)
    assert sum("it is set anew" in record.getMessage() for record in caplog.records) == len(WRONG)
    state = await settings_of(cluster, kafka.prefix + DESK_STATE)
    assert (state["cleanup.policy"], state["max.message.bytes"]) == ("compact", "8000000")
    assert (state["message.timestamp.type"], state["segment.ms"]) == ("LogAppendTime", "3600000")
    tickets = await settings_of(cluster, kafka.prefix + TICKETS)
    assert (tickets["message.timestamp.type"], tickets["retention.ms"]) == ("LogAppendTime", "-1")
    assert tickets["max.message.bytes"] == "9000000"
    caplog.clear()
    await make_topics(cluster, kafka.model_copy(update={"bootstrap": cluster.bootstrap}))
    assert not caplog.records


async def test_what_the_broker_refuses_to_change_is_told(cluster: Cluster, kafka: KafkaSettings) -> None:
    right, bad = ({"retention.ms": value} for value in ("1000000", "-7"))
    await make_topics(cluster, kafka, [topic for topic in ALL if topic.name == DESK])
    async with administering(cluster) as admin:
        refused = await mend(admin, [Misset(kafka.prefix + DESK, right, bad, right)])
    ((topic, why),) = refused.items()
    assert topic == kafka.prefix + DESK
    assert why.startswith("InvalidConfigurationError ")


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
