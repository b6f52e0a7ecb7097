"""When topics that were just made may be used: brokers hear of them one after the other."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import NodeNotReadyError

from agents.topics import known_to_all

WANTED = {"desk": 2, "policy": 1}


class Client:
    """A cluster's client, as far as it is asked; each broker knows its topics' leaders, or does not answer."""

    def __init__(self, brokers: Mapping[int, Mapping[str, list[int]] | None]) -> None:
        self._brokers = brokers
        self.cluster = SimpleNamespace(brokers=lambda: [SimpleNamespace(nodeId=node) for node in brokers])

    async def send(self, node: int, _: object) -> Any:
        """A broker's answer about all topics."""
        known = self._brokers[node]
        if known is None:
            raise NodeNotReadyError
        topics = [
            {"topic": topic, "partitions": [{"leader": leader} for leader in known.get(topic, [])]} for topic in WANTED
        ]
        return SimpleNamespace(to_object=lambda: {"topics": topics})


ALL_OF_IT: Mapping[str, list[int]] = {"desk": [1, 2], "policy": [2]}


@pytest.mark.parametrize(
    ("brokers", "known"),
    [
        pytest.param({1: ALL_OF_IT, 2: ALL_OF_IT}, True, id="all know"),
        pytest.param({1: ALL_OF_IT, 2: {"policy": [2]}}, False, id="one has not heard of a topic"),
        pytest.param({1: ALL_OF_IT, 2: {"desk": [1, -1], "policy": [2]}}, False, id="one knows no leader yet"),
        pytest.param({1: ALL_OF_IT, 2: None}, True, id="one is away"),
        pytest.param({1: None, 2: None}, False, id="nobody answers"),
        pytest.param({}, False, id="no broker is known"),
    ],
)
async def test_topics_are_used_once_every_broker_knows_them(
    brokers: Mapping[int, Mapping[str, list[int]] | None], known: bool
) -> None:
    assert await known_to_all(Client(brokers), WANTED) is known
