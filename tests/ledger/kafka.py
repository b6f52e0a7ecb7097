"""Logs and a group's places in memory, as far as an owner of the ledger sees them: what a broker does in one moment."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from streams.ownership import clients
from tests.facts import Made


@dataclass
class Kafka:
    """One cluster. A marker follows each record; what is not in `logs` is empty."""

    logs: dict[TopicPartition, list[Made]] = field(default_factory=dict)
    starts: dict[TopicPartition, int] = field(default_factory=dict)
    group: dict[TopicPartition, int] = field(default_factory=dict)
    commits: list[dict[TopicPartition, int]] = field(default_factory=list)
    is_away: bool = False
    """It answers no question; what it said before stands."""

    def serve(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Be the cluster of the owners that are made from now on."""
        monkeypatch.setattr(clients, "consumer", self._consumer)

    def end(self, one: TopicPartition) -> int:
        """Behind the last marker."""
        log = self.logs.get(one)
        return log[-1].offset + 2 if log else self.starts.get(one, 0)

    def _consumer(self, *_: object, **__: object) -> "Consumer":
        return Consumer(self)


class Consumer:
    """One client of it."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._places: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}

    async def start(self) -> None:
        """It is there already."""

    async def stop(self) -> None:
        """It stays."""

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read these, from where `seek` says."""

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read on there."""
        self._places[partition] = offset

    async def position(self, partition: TopicPartition) -> int:
        """Where it reads on."""
        return self._places[partition]

    def last_stable_offset(self, partition: TopicPartition) -> int | None:
        """The end that came with the last records."""
        return self._ends.get(partition)

    async def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Where the logs begin."""
        self._answer()
        return {one: self._kafka.starts.get(one, 0) for one in partitions}

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Where they end."""
        self._answer()
        return {one: self._kafka.end(one) for one in partitions}

    async def committed(self, partition: TopicPartition) -> int | None:
        """The group's place."""
        self._answer()
        return self._kafka.group.get(partition)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Make these the group's places; as the real one, it takes nothing for a mistake."""
        if not offsets:
            raise ValueError(offsets)
        self._kafka.group.update(offsets)
        self._kafka.commits.append(dict(offsets))

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Any]]:
        """Records from where it reads on; of one partition at a time."""
        for one in partitions or list(self._places):
            found = [record for record in self._kafka.logs.get(one, ()) if record.offset >= self._places[one]]
            self._ends[one] = self._kafka.end(one)
            if found:
                some = found[:max_records]
                self._places[one] = some[-1].offset + 1
                return {one: some}
            self._places[one] = max(self._places[one], self._kafka.end(one))  # over markers
        await asyncio.sleep(min(timeout_ms / 1000, 0.01))
        return {}

    def _answer(self) -> None:
        if self._kafka.is_away:
            raise KafkaConnectionError
