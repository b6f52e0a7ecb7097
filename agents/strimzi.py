"""The topics and the users of a district as Strimzi's resources: `KafkaTopic` and `KafkaUser`, for Kubernetes."""

from collections.abc import Iterator
from typing import Any, Final

import yaml

from agents.settings import KafkaSettings
from agents.topics import partitions_of
from schemas.roles import ROLES, Resource, Right, Role, rights_of, user_of
from schemas.topics import ALL, Topic

API: Final = "kafka.strimzi.io/v1"
CLUSTER: Final = "lianqin"


def written(kafka: KafkaSettings) -> str:
    """One document each, topics first. Without the admin: there Strimzi's own operators make topics and users."""
    topics = [_topic(topic, kafka) for topic in ALL]
    users = [_user(role, kafka.prefix) for role in ROLES if not role.manages]
    return yaml.safe_dump_all([*topics, *users], sort_keys=False, allow_unicode=True, width=120)


def _resource(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    labels = {"strimzi.io/cluster": CLUSTER}
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name, "labels": labels}, "spec": spec}


def _topic(topic: Topic, kafka: KafkaSettings) -> dict[str, Any]:
    name = kafka.prefix + topic.name
    spec = {
        "topicName": name,
        "partitions": partitions_of(topic, kafka),
        "replicas": kafka.replication,
        "config": dict(topic.config),
    }
    return _resource("KafkaTopic", name, spec)


def _user(role: Role, prefix: str) -> dict[str, Any]:
    spec = {
        "authentication": {"type": "scram-sha-512"},
        "authorization": {"type": "simple", "acls": list(_acls(rights_of(role, prefix)))},
    }
    return _resource("KafkaUser", user_of(role, prefix), spec)


def _acls(rights: list[Right]) -> Iterator[dict[str, Any]]:
    for right in rights:
        resource = {"type": right.resource.value}
        if right.resource is not Resource.CLUSTER:
            resource |= {"name": right.name, "patternType": "prefix" if right.prefixed else "literal"}
        yield {"resource": resource, "operations": [operation.value for operation in right.operations]}
