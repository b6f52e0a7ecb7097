"""How the topics that stand are set, held against the list, and mended where they are set otherwise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from streams.ownership.cluster import Cluster

_EQUAL: Final = ("cleanup.policy", "message.timestamp.type")
_AT_LEAST: Final = ("max.message.bytes", "retention.ms")
"""More of these loses nothing. The other settings of the list are matters of pace and room: who runs the brokers may
have chosen otherwise."""
_FOR_EVER: Final = "-1"
_OF_THE_TOPIC: Final = 1
"""Kafka's word for a value that was set for this topic, and is not inherited from the broker."""


@dataclass(frozen=True, slots=True)
class Misset:
    """A topic that stands and would lose records, or have them refused."""

    topic: str
    found: Mapping[str, str]
    wanted: Mapping[str, str]
    """Of the settings that are wrong: how they must be, or how large at least."""
    own: Mapping[str, str]
    """All that was set for this topic."""

    def __str__(self) -> str:
        told = (f"{name}={self.found[name]}, not {value}" for name, value in self.wanted.items())
        return f"topic {self.topic} has {'; '.join(told)}"

    def command(self, cluster: Cluster) -> str:
        """The line for a shell that mends it; `$ADMIN` is the file with the admin's own way in."""
        way = f"--bootstrap-server {cluster.bootstrap}{' --command-config $ADMIN' if cluster.security else ''}"
        values = ",".join(f"{name}={value}" for name, value in self.wanted.items())
        return f"kafka-configs.sh {way} --alter --entity-type topics --entity-name {self.topic} --add-config {values}"


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found, and which topics do not show their settings to this user, and why."""

    misset: tuple[Misset, ...]
    hidden: Mapping[str, str]


async def look(admin: AIOKafkaAdminClient, wanted: Mapping[str, Mapping[str, str]]) -> Looked:
    """Hold topics against what each must be set to, by full name; all are asked for at once."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in wanted]
    misset, hidden = [], {}
    for answer in await admin.describe_configs(resources):
        for code, _, _, name, entries in answer.resources:
            if code:
                hidden[name] = for_code(code).__name__
            elif (wrong := _held(name, wanted[name], entries)) is not None:
                misset.append(wrong)
    return Looked(tuple(misset), hidden)


async def mend(admin: AIOKafkaAdminClient, misset: Sequence[Misset]) -> dict[str, str]:
    """Set these as they must be; which topics the broker refused, and why."""
    # This request sets a topic to what it names and to nothing else: what was set before goes along, or is gone.
    resources = [ConfigResource(ConfigResourceType.TOPIC, one.topic, {**one.own, **one.wanted}) for one in misset]
    refused = {}
    for answer in await admin.alter_configs(resources):
        for code, text, _, name in answer.resources:
            if code:
                refused[name] = f"{for_code(code).__name__} {text or ''}".rstrip()
    return refused


def _held(topic: str, wanted: Mapping[str, str], entries: Sequence[Sequence[object]]) -> Misset | None:
    found = {str(name): str(value) for name, value, *_ in entries if value is not None}
    wrong = {name: value for name, value in wanted.items() if name in found and not _serves(name, found[name], value)}
    if not wrong:
        return None
    own = {
        str(name): found[str(name)]
        for name, value, _, source, *_ in entries
        if source == _OF_THE_TOPIC and value is not None
    }
    return Misset(topic, found, wrong, own)


def _serves(name: str, found: str, wanted: str) -> bool:
    if name in _EQUAL:
        return found == wanted
    if name in _AT_LEAST:
        return found == _FOR_EVER or int(found) >= int(wanted)
    return True
