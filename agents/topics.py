"""Making the topics of a district, and checking that those that stand are as the list says."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.protocol.metadata import MetadataRequest

from agents.errors import UserError
from agents.settings import KafkaSettings
from agents.topic_settings import Misset, look, mend
from schemas.topics import ALL, Topic
from streams.ownership.cluster import Cluster

_LOG: Final = logging.getLogger(__name__)
LEADER_TRIES: Final = 200
LEADER_WAIT_S: Final = 0.1


class TopicsError(UserError):
    """The topics cannot be made, or stand otherwise than they must; the text says what to do, a line a topic."""


@dataclass(frozen=True, slots=True)
class Made:
    """What `make_topics` did: full names."""

    created: tuple[str, ...]
    standing: tuple[str, ...]


def partitions_of(topic: Topic, kafka: KafkaSettings) -> int:
    """How many partitions a topic of this district has."""
    return topic.partitions or kafka.partitions


async def make_topics(
    cluster: Cluster, kafka: KafkaSettings, topics: Sequence[Topic] = ALL, *, mends: bool = False
) -> Made:
    """Create what is missing. A topic that stands with another number of partitions is an error, never changed.

    So is one that is set so that it would lose records. Where it `mends`, and on a broker of our own, it is set anew
    and a line of the journal says so: folders of earlier builds have such topics. A user who may not look at settings
    is told, and goes on.
    """
    admin = AIOKafkaAdminClient(**cluster.options)
    await admin.start()
    try:
        standing = await _standing(admin)
        missing = [topic for topic in topics if kafka.prefix + topic.name not in standing]
        _check_partitions(standing, topics, kafka)
        wanted = {kafka.prefix + topic.name: topic.config for topic in topics if topic not in missing}
        # Without an address it is the broker that `up` started for itself.
        await _check_settings(admin, cluster, wanted, mends=mends or kafka.bootstrap is None)
        await _create(admin, missing, kafka)
        await _wait_for_leaders(cluster, {kafka.prefix + topic.name: partitions_of(topic, kafka) for topic in topics})
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


async def _check_settings(
    admin: AIOKafkaAdminClient, cluster: Cluster, wanted: Mapping[str, Mapping[str, str]], *, mends: bool
) -> None:
    if not wanted:
        return
    looked = await look(admin, wanted)
    if looked.hidden:
        names, why = ", ".join(sorted(looked.hidden)), ", ".join(sorted({*looked.hidden.values()}))
        _LOG.warning("settings are not looked at (%s; who may has DescribeConfigs), of topics: %s", why, names)
    refused = await mend(admin, looked.misset) if mends and looked.misset else {}
    left = [one for one in looked.misset if not mends or one.topic in refused]
    for one in looked.misset:
        if one not in left:
            _LOG.warning("%s: it is set anew now; what was deleted until now is gone", one)
    if left:
        raise TopicsError(_what_to_do(left, refused, cluster))


def _what_to_do(left: Sequence[Misset], refused: Mapping[str, str], cluster: Cluster) -> str:
    lines = [f"{one}{_because(refused.get(one.topic))}: {one.command(cluster)}" for one in left]
    first = "topics stand that would lose or refuse records: let `lianqin topics --create` mend them as admin, or do it"
    return "\n".join([first, *lines])


def _because(refused: str | None) -> str:
    return f", which the broker refused to change ({refused})" if refused else ""


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


async def _wait_for_leaders(cluster: Cluster, wanted: Mapping[str, int]) -> None:
    """A topic is made before its partitions can be used, and each broker hears of it in its own time."""
    client = AIOKafkaClient(**cluster.options)
    try:
        await client.bootstrap()
        for _ in range(LEADER_TRIES):
            if await known_to_all(client, wanted):
                return
            await asyncio.sleep(LEADER_WAIT_S)
    finally:
        await client.close()
    msg = "the topics are made, but some partitions have no leader: look at the brokers, then start again"
    raise TopicsError(msg)


async def known_to_all(client: Any, wanted: Mapping[str, int]) -> bool:
    """Whether every broker that answers knows a leader for each partition: whoever comes next asks any of them."""
    answers = [await _led(client, broker.nodeId, list(wanted)) for broker in client.cluster.brokers()]
    told = [led for led in answers if led is not None]
    return bool(told) and all(led == wanted for led in told)


async def _led(client: Any, broker: int, topics: list[str]) -> Mapping[str, int] | None:
    """How many partitions of each topic have a leader, says this broker; None where it does not answer."""
    try:
        answer = await client.send(broker, MetadataRequest(topics))
    except KafkaError:
        return None
    described = answer.to_object()["topics"]
    return {topic["topic"]: sum(one["leader"] >= 0 for one in topic["partitions"]) for topic in described}
