"""Each role may do what it must, and nothing beyond it: held against a real broker, with clients of another make."""

import asyncio
from typing import Final

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from pydantic import SecretStr

from agents.brokers import cluster_at
from agents.feeding.errors import FeedRefused
from agents.feeding.ports import Quiet
from agents.feeding.there import rows_there
from agents.held import HeldFeedback
from agents.settings import KafkaSettings, SecuritySettings
from agents.topics import TopicsError, make_topics
from schemas.roles import ROLES, Role, user_of
from schemas.topics import ALL, DAY_MS, DESK_STATE, REPLIES
from streams.ownership.cluster import Cluster
from tests.security.kafka import PREFIX, WITHIN_S, SecureKafka

pytestmark = [pytest.mark.connected, pytest.mark.timeout(180)]

DENIED: Final = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
)
NAMES: Final = [topic.name for topic in ALL]


@pytest.fixture(scope="module")
def topics(kafka: SecureKafka) -> None:
    """All topics, made by who may."""
    asyncio.run(make_topics(Cluster(kafka.broker.bootstrap), KafkaSettings(partitions=1)))


def named(role: str) -> Role:
    return next(one for one in ROLES if one.name == role)


def as_user(kafka: SecureKafka, role: str) -> Cluster:
    """The brokers as our own clients in this role see them."""
    user = user_of(named(role), PREFIX)
    security = SecuritySettings(
        protocol="SASL_SSL", user=user, password=SecretStr(kafka.passwords[user]), ca_file=kafka.signs.file
    )
    return cluster_at(kafka.bootstrap, security)


def written(kafka: SecureKafka, role: Role) -> set[str]:
    """Those of all topics that it can write."""
    told: dict[str, KafkaError | None] = {}
    producer = Producer(kafka.client(user_of(role, PREFIX)))
    for name in NAMES:
        # By name: the client's callback does not tell the topic of what never left.
        def done(error: KafkaError | None, _: object, name: str = name) -> None:
            told[name] = error

        producer.produce(PREFIX + name, b"x", key=b"x", partition=0, on_delivery=done)
    assert producer.flush(WITHIN_S) == 0
    assert {error.code() for error in told.values() if error is not None} <= {*DENIED}
    return {name for name, error in told.items() if error is None}


def readable(kafka: SecureKafka, role: Role) -> tuple[set[str], set[str]]:
    """Those of all topics that it sees, and those that it can read, without a group."""
    settings = {"group.id": "of-nobody", "enable.auto.commit": False, "enable.partition.eof": True}
    consumer = Consumer(kafka.client(user_of(role, PREFIX), **settings))
    # The broker does not name what may not even be seen.
    seen = {PREFIX + name for name in NAMES} & set(consumer.list_topics(timeout=WITHIN_S).topics)
    consumer.assign([TopicPartition(name, 0, 0) for name in seen])
    may: dict[str, bool] = {}
    while len(may) < len(seen):
        for message in consumer.consume(100, timeout=0.2):
            error, topic = message.error(), message.topic()
            if topic is not None:
                code = error.code() if error is not None else None
                assert code in {None, KafkaError._PARTITION_EOF, *DENIED}, error  # noqa: SLF001 - its only name
                may[topic] = code not in DENIED
    consumer.close()
    return _short(seen), _short({name for name, is_allowed in may.items() if is_allowed})


def _short(names: set[str]) -> set[str]:
    return {name.removeprefix(PREFIX) for name in names}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_writes_its_topics_and_no_others(kafka: SecureKafka, topics: None, role: Role) -> None:
    assert written(kafka, role) == set(role.writes)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_reads_its_topics_and_sees_no_others(kafka: SecureKafka, topics: None, role: Role) -> None:
    seen, read = readable(kafka, role)
    assert read == set(role.reads)
    assert seen == (set(NAMES) if role.manages else {*role.reads, *role.writes})


@pytest.mark.parametrize(
    ("role", "name"),
    [("desk", "lianqin.views-0"), ("source-grid", "lianqin.intake-0"), ("views", "lianqin.desk.policy")],
)
def test_nobody_takes_anothers_place(kafka: SecureKafka, topics: None, role: str, name: str) -> None:
    producer = Producer(kafka.client(user_of(named(role), PREFIX), **{"transactional.id": name}))
    with pytest.raises(KafkaException) as refused:
        producer.init_transactions(WITHIN_S)
    assert refused.value.args[0].code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED


@pytest.mark.parametrize(("group", "may"), [("lianqin-subscriber-tickets.board", True), ("lianqin.desk", False)])
def test_a_subscriber_reads_in_groups_of_its_own(kafka: SecureKafka, topics: None, group: str, *, may: bool) -> None:
    more = {"group.id": group, "enable.partition.eof": True, "auto.offset.reset": "earliest"}
    consumer = Consumer(kafka.client(user_of(named("subscriber-tickets"), PREFIX), **more))
    consumer.subscribe([f"{PREFIX}tickets"])
    first = consumer.poll(WITHIN_S)
    assert first is not None
    error = first.error()
    assert (error is not None and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED) is not may
    consumer.close()


@pytest.mark.parametrize("role", ["admin", "desk"])
def test_settings_of_topics_are_looked_at_by_who_may_and_others_go_on_with_a_line(
    kafka: SecureKafka, topics: None, role: str, caplog: pytest.LogCaptureFixture
) -> None:
    chosen = KafkaSettings(bootstrap=kafka.bootstrap, partitions=1)
    seen = [topic for topic in ALL if role == "admin" or topic.name == DESK_STATE]
    asyncio.run(make_topics(as_user(kafka, role), chosen, seen))
    told = [record.getMessage() for record in caplog.records if record.name == "agents.topics"]
    if role == "admin":
        assert told == []
    else:
        (line,) = told
        assert "not looked at (TopicAuthorizationFailedError" in line
        assert line.endswith(f"of topics: {PREFIX}{DESK_STATE}")


async def test_a_topic_that_would_lose_records_is_mended_by_the_admin_where_asked(
    kafka: SecureKafka, topics: None, caplog: pytest.LogCaptureFixture
) -> None:
    chosen = KafkaSettings(bootstrap=kafka.bootstrap, partitions=1)
    master = AIOKafkaAdminClient(bootstrap_servers=kafka.broker.bootstrap)
    await master.start()
    wrong = {"retention.ms": str(DAY_MS), "message.timestamp.type": "LogAppendTime", "max.message.bytes": "8000000"}
    await master.alter_configs([ConfigResource(ConfigResourceType.TOPIC, PREFIX + REPLIES, wrong)])
    await master.close()
    admin = as_user(kafka, "admin")
    with pytest.raises(
        TopicsError, match=r"retention\.ms=86400000, not 2592000000: .* --command-config \$ADMIN --alter"
    ):
        await make_topics(admin, chosen)
    await make_topics(admin, chosen, mends=True)
    assert [f"{PREFIX}{REPLIES} has retention.ms=86400000" in one.getMessage() for one in caplog.records] == [True]
    await make_topics(admin, chosen)


@pytest.mark.parametrize(("role", "may"), [("admin", True), ("operator", False)])
def test_topics_are_made_by_the_admin_alone(kafka: SecureKafka, role: str, *, may: bool) -> None:
    admin = AdminClient(kafka.client(user_of(named(role), PREFIX)))
    (made,) = admin.create_topics([NewTopic(f"{PREFIX}made-by-{role}", 1, 1)]).values()
    error = made.exception(WITHIN_S)
    assert (error is None) is may
    (elsewhere,) = admin.create_topics([NewTopic(f"elsewhere.made-by-{role}", 1, 1)]).values()
    assert elsewhere.exception(WITHIN_S) is not None


async def test_who_may_not_see_what_is_there_does_not_feed_it_twice(kafka: SecureKafka, topics: None) -> None:
    user = user_of(named("source-feedback"), PREFIX)
    producer = Producer(kafka.client(user))
    producer.produce(f"{PREFIX}intake.feedback", b"x", partition=0)
    assert producer.flush(WITHIN_S) == 0
    own = SecuritySettings(
        protocol="SASL_SSL", user=user, password=SecretStr(kafka.passwords[user]), ca_file=kafka.signs.file
    )
    with pytest.raises(FeedRefused, match=r"may not read lianqin\.intake\.feedback, .* nothing was sent"):
        await rows_there(cluster_at(kafka.bootstrap, own), [f"{PREFIX}intake.feedback"], "mark", Quiet())
    assert await HeldFeedback(cluster_at(kafka.bootstrap, own), PREFIX).look() == []
