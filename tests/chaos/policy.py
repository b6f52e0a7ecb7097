"""Limits so short that deadlines fire all through a run: the standing policy, changed and published like any other."""

import json
from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import Consumer, Producer, TopicPartition

Limits = Mapping[str, object]
SHORT_S: Final[Mapping[str, Limits]] = {
    "critical": {"overall_s": 60, "stages": {"signed": 15}},
    "urgent": {"overall_s": 150, "stages": {"signed": 40}},
}


def shorten(bootstrap: str, prefix: str, **limits: Limits) -> None:
    """Publish the policy that stands on the desk to all its partitions, with short limits for the urgent."""
    topic = f"{prefix}desk"
    command, partitions = _standing(bootstrap, topic)
    command["policy"]["version"] = "short-limits"
    command["policy"]["limits"].update(limits or SHORT_S)
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    for partition in range(partitions):
        producer.produce(topic, json.dumps(command).encode(), partition=partition)
    if producer.flush(20):
        msg = "the policy could not be published"
        raise TimeoutError(msg)


def _standing(bootstrap: str, topic: str) -> tuple[dict[str, Any], int]:
    """The first record of the desk is a policy."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "chaos-policy"})
    try:
        partitions = len(reader.list_topics(topic, timeout=20).topics[topic].partitions)
        reader.assign([TopicPartition(topic, 0, 0)])
        (message,) = reader.consume(1, timeout=20)
        command: dict[str, Any] = json.loads(message.value() or b"null")
    finally:
        reader.close()
    return command, partitions
