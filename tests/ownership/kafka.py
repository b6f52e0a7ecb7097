"""What the tests do to the broker: topics, records in, records out (read by a client that shares no code with ours)."""

import asyncio
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as Assigned
from confluent_kafka.admin import AdminClient


@dataclass(frozen=True, slots=True)
class Read:
    """A record as an independent reader sees it."""

    offset: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Kafka:
    """A broker, and a prefix of one test's own."""

    bootstrap: str
    prefix: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:8]}.")

    def topic(self, name: str) -> str:
        """The full name."""
        return self.prefix + name

    async def make(self, partitions: int = 1, **configs: Mapping[str, str]) -> None:
        """Make `in`, `out`, `state`, `seats` and whatever else has a config."""
        names = {"in", "out", "state", "seats", *configs}
        wanted = [
            NewTopic(self.topic(name), partitions, 1, topic_configs=dict(configs.get(name, {}))) for name in names
        ]
        await self._admin("create_topics", wanted)

    async def delete(self, name: str) -> None:
        """Delete a topic and wait until it is gone."""
        await self._admin("delete_topics", [self.topic(name)])
        while self.topic(name) in await self._admin("list_topics"):  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.02)

    async def _admin(self, method: str, *arguments: Any) -> Any:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            return await getattr(admin, method)(*arguments)
        finally:
            await admin.close()

    async def feed(self, values: Iterable[bytes], *, topic: str = "in", partition: int = 0, keys: int = 3) -> None:
        """Append records, whose keys are `k0`, `k1`, … in turn."""
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, enable_idempotence=True) as producer:
            sent = [
                await producer.send(self.topic(topic), value, key=b"k%d" % (number % keys), partition=partition)
                for number, value in enumerate(values)
            ]
            await asyncio.gather(*sent)

    async def transact(
        self, values: Iterable[bytes], *, topic: str = "in", commit: bool = True, key: bytes = b"k", by: str = "other"
    ) -> None:
        """Append records in a transaction of somebody else, committed or aborted."""
        name = f"{self.prefix}{by}"
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, transactional_id=name) as producer:
            await producer.begin_transaction()
            for value in values:
                await producer.send_and_wait(self.topic(topic), value, key=key, partition=0)
            await (producer.commit_transaction() if commit else producer.abort_transaction())

    async def committed(self, group: str, topic: str = "in", partition: int = 0) -> int:
        """The group's offset, -1 without one."""
        return int((await self._told(group, topic, partition)).offset)

    async def metadata(self, group: str, topic: str = "in", partition: int = 0) -> str:
        """What stands beside the group's offset."""
        return str((await self._told(group, topic, partition)).metadata)

    async def _told(self, group: str, topic: str, partition: int) -> Any:
        place = TopicPartition(self.topic(topic), partition)
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            told = await admin.list_consumer_group_offsets(self.topic(group), partitions=[place])
        finally:
            await admin.close()
        return told[place]

    async def set_committed(self, group: str, offset: int, topic: str = "in", metadata: str = "") -> None:
        """Commit an offset by hand, as a tool would."""
        place = TopicPartition(self.topic(topic), 0)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, group_id=self.topic(group), enable_auto_commit=False
        )
        await consumer.start()
        try:
            consumer.assign([place])
            await consumer.commit({place: (offset, metadata)})
        finally:
            await consumer.stop()

    async def ends(self, topic: str, partition: int = 0) -> tuple[int, int]:
        """Log start and end."""
        place = TopicPartition(self.topic(topic), partition)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap)
        await consumer.start()
        try:
            start, end = await consumer.beginning_offsets([place]), await consumer.end_offsets([place])
        finally:
            await consumer.stop()
        return start[place], end[place]

    async def cut(self, topic: str, before: int) -> None:
        """Let the log start at an offset, as retention does."""
        place = TopicPartition(self.topic(topic), 0)
        await self._admin("delete_records", {place: RecordsToDelete(before_offset=before)})

    async def hurry_cleaner(self) -> None:
        """Let the broker look for logs to compact several times a second; its default is every 15."""
        resource = ConfigResource(ConfigResourceType.BROKER, "1", configs={"log.cleaner.backoff.ms": "200"})
        await self._admin("alter_configs", [resource])

    async def forget(self, group: str) -> None:
        """Let the group be forgotten with its offsets, as Kafka does after a week without members."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        done = admin.delete_consumer_groups([self.topic(group)])
        await asyncio.to_thread(done[self.topic(group)].result, 10)

    async def read(self, topic: str = "out", partition: int = 0) -> list[Read]:
        """All that a read_committed reader sees of a partition, up to its end."""
        return await asyncio.to_thread(self._read, topic, partition)

    def _read(self, topic: str, partition: int) -> list[Read]:
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": "reader",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 10,
                "auto.offset.reset": "earliest",
            }
        )
        consumer.assign([Assigned(self.topic(topic), partition, 0)])
        found = []
        try:
            while True:
                message = consumer.poll(10.0)
                if message is None:
                    raise TimeoutError(topic)
                if (error := message.error()) is None:
                    found.append(Read(message.offset() or 0, message.key(), message.value()))
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                    return found
                else:
                    raise KafkaException(error)
        finally:
            consumer.close()


def numbers(read: Iterable[Read]) -> dict[bytes, list[int]]:
    """The running numbers that each key's outputs carry, in order."""
    found: dict[bytes, list[int]] = {}
    for record in read:
        found.setdefault(record.key or b"", []).append(int((record.value or b"").split()[0]))
    return found


def payloads(read: Iterable[Read]) -> list[bytes]:
    """What was said about, without the numbers."""
    return [(record.value or b"").split(b" ", 1)[1] for record in read]
