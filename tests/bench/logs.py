"""Filling topics and reading them back with confluent-kafka, which shares no code with what is measured."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

_IDLE_S: Final = 30.0
_WAIT_S: Final = 0.25
"""A batch that is not full comes only after this time: at the end of a topic the last one never is."""
_LOOK_EVERY_S: Final = 0.25

Row = tuple[bytes, bytes, Sequence[tuple[str, bytes]]]
"""Key, value, headers."""


def fill(bootstrap: str, topic: str, rows: Iterable[Row]) -> int:
    """Append rows, partitioned by key as Java's and our own clients do; how many they were."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "linger.ms": 20,
            "batch.size": 262_144,
            "compression.type": "lz4",
            "partitioner": "murmur2_random",
            "queue.buffering.max.messages": 100_000,
            "log_level": 0,
        }
    )
    count = 0
    for key, value, headers in rows:
        while not _took(producer, topic, key, value, list(headers)):
            producer.poll(0.05)
        count += 1
        if count % 1_000 == 0:
            producer.poll(0)
    producer.flush(60)
    return count


def _took(
    producer: Producer, topic: str, key: bytes, value: bytes, headers: list[tuple[str, str | bytes | None]]
) -> bool:
    try:
        producer.produce(topic, value, key, headers=headers)
    except BufferError:
        return False
    return True


def reader(bootstrap: str, group: str = "bench-reader", more: Mapping[str, Any] | None = None) -> Consumer:
    """A read_committed consumer that joins no group."""
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            **(more or {}),
        }
    )


def partitions_of(consumer: Consumer, topic: str) -> list[int]:
    """The numbers of a topic's partitions."""
    return sorted(consumer.list_topics(topic, timeout=10).topics[topic].partitions)


def read(bootstrap: str, topic: str) -> Iterator[Message]:
    """All committed records of a topic, from its beginning to its present end."""
    consumer = reader(bootstrap)
    try:
        numbers = partitions_of(consumer, topic)
        consumer.assign([TopicPartition(topic, number, 0) for number in numbers])
        ended: set[int | None] = set()
        heard_at = time.monotonic()
        while len(ended) < len(numbers):
            messages = consumer.consume(10_000, timeout=_WAIT_S)
            if messages:
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > _IDLE_S:
                msg = f"no answer from {topic}"
                raise TimeoutError(msg)
            for message in messages:
                error = message.error()
                if error is None:
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - this is its public name
                    ended.add(message.partition())
                else:
                    raise KafkaException(error)
    finally:
        consumer.close()


class Progress:
    """How far a group has come in a topic, by its committed offsets: a question that costs the broker nothing."""

    def __init__(self, bootstrap: str, group: str, topics: Sequence[str]) -> None:
        self._consumer = reader(bootstrap, group)
        self._places = [TopicPartition(t, number) for t in topics for number in partitions_of(self._consumer, t)]

    def done(self) -> int:
        """Offsets that are committed, over all partitions."""
        try:
            answer = self._consumer.committed(self._places, timeout=10)
        except KafkaException:
            return 0  # the coordinator is not known yet
        return sum(max(0, place.offset) for place in answer)

    def ends(self) -> int:
        """Where the topics end, over all partitions."""
        return sum(self._consumer.get_watermark_offsets(place, timeout=10)[1] for place in self._places)

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def wait(self, until: int, tell: Callable[[int], None], *, within_s: float) -> None:
        """Return when so many offsets are committed; TimeoutError when nothing moves for too long."""
        moved_at, last = time.monotonic(), -1
        while (done := self.done()) < until:
            if done != last:
                moved_at, last = time.monotonic(), done
                tell(done)
            elif time.monotonic() - moved_at > within_s:
                msg = f"stands still at {done} of {until}"
                raise TimeoutError(msg)
            time.sleep(_LOOK_EVERY_S)
        tell(until)
