"""Delays at an even pace: the sender notes when each record was appended, the subscriber when it could be read."""

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

from tests.bench.logs import Row, partitions_of, reader
from tests.bench.stand import Tell

_QUIET_S: Final = 2.0
_PATIENCE_S: Final = 60.0
_LOOK_EVERY_S: Final = 0.1
_WAIT_MS: Final = 100

Name = Callable[[Message], str | None]
"""Whose record it is that could be read; None when it does not count."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Milliseconds."""

    count: int
    per_second: int
    p50_ms: float
    p99_ms: float


class Subscriber:
    """Notes when each record of a topic could be read by who reads what is committed."""

    def __init__(self, bootstrap: str, topic: str, name: Name) -> None:
        self.seen: dict[str, float] = {}
        """Seconds since the epoch, by name; of one that comes twice, the first time."""
        self._name = name
        self._over = threading.Event()
        self._consumer = reader(bootstrap, more={"fetch.wait.max.ms": _WAIT_MS, "enable.partition.eof": False})
        places = [TopicPartition(topic, number) for number in partitions_of(self._consumer, topic)]
        for place in places:
            place.offset = _end(self._consumer, place)
        self._consumer.assign(places)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait_quiet(self) -> None:
        """Return when records were seen, and for a while no more came."""
        deadline, last = time.monotonic() + _PATIENCE_S, -1
        while (count := len(self.seen)) == 0 or count != last:
            if time.monotonic() > deadline:
                msg = f"no end of records, or no beginning: {count} until now"
                raise TimeoutError(msg)
            last = count
            time.sleep(_QUIET_S)

    def wait_for(self, names: Collection[str]) -> None:
        """Return when all of these were seen."""
        deadline = time.monotonic() + _PATIENCE_S
        while missing := [name for name in names if name not in self.seen]:
            if time.monotonic() > deadline:
                msg = f"{len(missing)} of {len(names)} records were never seen, {missing[0]} among them"
                raise TimeoutError(msg)
            time.sleep(_LOOK_EVERY_S)

    def stop(self) -> None:
        """Let go of the connection."""
        self._over.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        while not self._over.is_set():
            message = self._consumer.poll(0.1)
            if message is not None and message.error() is None and (name := self._name(message)) is not None:
                self.seen.setdefault(name, time.time())


def _end(consumer: Consumer, place: TopicPartition) -> int:
    """Where a partition ends; one that was just made has no leader for a moment."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return int(consumer.get_watermark_offsets(place, timeout=10)[1])
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def send(bootstrap: str, topic: str, rows: Sequence[Row], per_second: int, tell: Tell) -> dict[str, float]:
    """When the broker appended each record, by key, in seconds since the epoch; of one sent twice, the first time."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0, "partitioner": "murmur2_random"})
    appended: dict[str, float] = {}

    def took(error: object, message: Any) -> None:
        if error is None:
            appended.setdefault(message.key().decode(), message.timestamp()[1] / 1000)

    begun = time.monotonic()
    for number, (key, value, headers) in enumerate(rows):
        while (early := begun + number / per_second - time.monotonic()) > 0:
            producer.poll(0)
            time.sleep(early)  # librdkafka's own wait knows whole milliseconds: below one it would spin on a core
        producer.produce(topic, value, key, headers=list(headers), on_delivery=took)
        tell(number + 1)
    producer.flush(10)
    return appended


def delay(appended: Mapping[str, float], seen: Mapping[str, float], per_second: int) -> Delay:
    """Of what was appended and then seen; the rest came to nothing that counts."""
    delays = [(seen[key] - at) * 1000 for key, at in appended.items() if key in seen]
    return Delay(len(delays), per_second, round(median(delays), 1), round(quantiles(delays, n=100)[98], 1))
