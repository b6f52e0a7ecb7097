"""Making the topics of a district, and checking that those that stand are as the list says."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from agents.errors import UserError
from agents.settings import KafkaSettings
from schemas.topics import ALL, Topic
from streams.ownership.cluster import Cluster

LEADER_TRIES: Final = 200
LEADER_WAIT_S: Final = 0.1


class TopicsError(UserError):
    """The topics cannot be made, or stand otherwise than they must; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Made:
    """What `make_topics` did: full names."""

    created: tuple[str, ...]
    standing: tuple[str, ...]


def partitions_of(topic: Topic, kafka: KafkaSettings) -> int:
    """How many partitions a topic of this district has."""
    return topic.partitions or kafka.partitions


async def make_topics(cluster: Cluster, kafka: KafkaSettings, topics: Sequence[Topic] = ALL) -> Made:
    """Create what is missing. A topic that stands with another number of partitions is an error, never changed."""
    admin = AIOKafkaAdminClient(**cluster.options)
    await admin.start()
    try:
        standing = await _standing(admin)
        missing = [topic for topic in topics if kafka.prefix + topic.name not in standing]
        _check_partitions(standing, topics, kafka)
        await _create(admin, missing, kafka)
        await _wait_for_leaders(admin, {kafka.prefix + topic.name: partitions_of(topic, kafka) for topic in topics})
    finally:
        await admin.close()
    names = [kafka.prefix + topic.name for topic in missing]
    rest = [kafka.prefix + topic.name for topic in topics if topic not in missing]
    return Made(created=tuple(names), standing=tuple(rest))


async def _standing(admin: AIOKafkaAdminClient) -> dict[str, int]:
    names = await admin.list_topics()
    described = await admin.describe_topics(list(names)) if names else []
    return {topic["topic"]: len(topic["partitions"]) for topic in described}


def _check_partitions(standing: dict[str, int], topics: Sequence[Topic], kafka: KafkaSettings) -> None:
    for topic in topics:
        name, wanted = kafka.prefix + topic.name, partitions_of(topic, kafka)
        found = standing.get(name, wanted)
        if found != wanted:
            msg = (
                f"topic {name} has {found} partitions, this district is set to {wanted}: "
                "set LIANQIN_KAFKA__PARTITIONS to what stands, or take another LIANQIN_KAFKA__PREFIX"
            )
            raise TopicsError(msg)


async def _create(admin: AIOKafkaAdminClient, topics: Sequence[Topic], kafka: KafkaSettings) -> None:
    wanted = [
        NewTopic(
            kafka.prefix + topic.name,
            partitions_of(topic, kafka),
            kafka.replication,
            topic_configs=topic.config,
        )
        for topic in topics
    ]
    if not wanted:
        return
    answer = await admin.create_topics(wanted)
    for name, code, *text in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            msg = f"the broker refused to make topic {name}: {error.__name__} {text[0] if text else ''}".rstrip()
            raise TopicsError(msg)


async def _wait_for_leaders(admin: AIOKafkaAdminClient, wanted: Mapping[str, int]) -> None:
    """A topic is made before its partitions can be used, and seen by some brokers before others."""
    for _ in range(LEADER_TRIES):
        described = await admin.describe_topics(list(wanted))
        led = {topic["topic"]: sum(one["leader"] >= 0 for one in topic["partitions"]) for topic in described}
        if led == wanted:
            return
        await asyncio.sleep(LEADER_WAIT_S)
    msg = "the topics are made, but some partitions have no leader: look at the brokers, then start again"
    raise TopicsError(msg)
