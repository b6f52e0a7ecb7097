"""Limits so short that deadlines fire all through a run: the standing policy, changed and published like any other."""

import json
from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import Consumer, Producer, TopicPartition

Limits = Mapping[str, int]
"""`overall` or a stage, in seconds."""
SHORT_S: Final[Mapping[str, Limits]] = {
    "critical": {"overall": 60, "signed": 15},
    "urgent": {"overall": 150, "signed": 40},
}


def shorten(bootstrap: str, prefix: str, **limits: Limits) -> None:
    """Publish the policy that stands on the desk to all its partitions, with short limits for the urgent."""
    topic = f"{prefix}desk"
    command, partitions = _standing(bootstrap, topic)
    command["policy"]["version"] = "short-limits"
    rows = [_row(urgency, given) for urgency, given in (limits or SHORT_S).items()]
    command["policy"]["limits"] = [*rows, *command["policy"]["limits"]]  # the first row that fits and names it decides
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    for partition in range(partitions):
        producer.produce(topic, json.dumps(command).encode(), partition=partition)
    if producer.flush(20):
        msg = "the policy could not be published"
        raise TimeoutError(msg)


def _row(urgency: str, limits: Limits) -> dict[str, object]:
    spans = {name: {"seconds": seconds, "clock": "wall", "written": f"{seconds} s"} for name, seconds in limits.items()}
    stages = {name: span for name, span in spans.items() if name != "overall"}
    return {"urgency": urgency, "overall": spans.get("overall"), "stages": stages}


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
