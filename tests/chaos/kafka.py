"""Kafka as a subscriber sees it, through librdkafka: ends and records, `read_committed`."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

ANSWER_WITHIN_S: Final = 20.0
LEADER_WITHIN_S: Final = 2.0
THERE_WITHIN_S: Final = 120.0
"""A broker that was killed is waited for so long."""
SILENT: Final[Mapping[str, str | int]] = {"log_level": 0}
"""A broker that stops is no news to who stopped it."""

Place = tuple[str, int, int]
"""Topic, partition, offset."""
Partition = tuple[str, int]


class Ends:
    """The ends of some topics, as they may be read.

    Asked of a consumer: librdkafka's admin client takes a whole core for as long as a leader is away, from those who
    are to bring it back, and ends the process where the broker dies while it asks.
    """

    def __init__(self, bootstrap: str, topics: Sequence[str]) -> None:
        # No member of its group: it only asks.
        self._consumer = Consumer(
            {**SILENT, "bootstrap.servers": bootstrap, "group.id": "chaos-ends", "isolation.level": "read_committed"}
        )
        known = self._consumer.list_topics(timeout=ANSWER_WITHIN_S).topics
        self.partitions = [TopicPartition(topic, p, 0) for topic in topics for p in sorted(known[topic].partitions)]

    def now(self) -> Mapping[Partition, int]:
        """One number for each partition; while a leader is away it is asked for again."""
        until = time.monotonic() + THERE_WITHIN_S
        while True:
            try:
                return {(one.topic, one.partition): self._end(one) for one in self.partitions}
            except KafkaException:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
                self._refresh()

    def _refresh(self) -> None:
        """Ask what is where. Of a broker that had only just started it may have heard of fewer partitions."""
        with suppress(KafkaException):
            self._consumer.list_topics(timeout=LEADER_WITHIN_S)

    def _end(self, one: TopicPartition) -> int:
        _, end = self._consumer.get_watermark_offsets(one, timeout=LEADER_WITHIN_S)
        return end


class Reader:
    """Reads topics from their start, `read_committed`; goes on where it stopped."""

    def __init__(self, bootstrap: str, topics: Sequence[str]) -> None:
        self._ends = Ends(bootstrap, topics)
        self._consumer = Consumer(
            {
                **SILENT,
                "bootstrap.servers": bootstrap,
                "group.id": "chaos-verify",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 50,
                "queued.max.messages.kbytes": 32_768,
            }
        )
        self._reached = {(one.topic, one.partition): 0 for one in self._ends.partitions}
        self._consumer.assign(self._ends.partitions)

    def new(self) -> Iterator[Message]:
        """What can be read now, up to the ends as they are."""
        ends = self._ends.now()
        while any(self._reached[one] < end for one, end in ends.items()):
            for message in self._consumer.consume(5_000, timeout=0.2):
                topic, partition, offset = place_of(message)
                error = message.error()
                if error is None:
                    self._reached[topic, partition] = offset + 1
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its only name
                    # Behind the markers, which are no records.
                    self._reached[topic, partition] = offset
                else:
                    raise RuntimeError(str(error))

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()


def place_of(message: Message) -> Place:
    """Where a record stands."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    return topic, partition, offset


def headers_of(message: Message) -> dict[str, str]:
    """A record's headers."""
    # The client's stubs give them three types; what it returns is a list of pairs.
    pairs: list[tuple[str, bytes | None]] = message.headers() or []  # type: ignore[assignment]
    return {name: (value or b"").decode() for name, value in pairs}
