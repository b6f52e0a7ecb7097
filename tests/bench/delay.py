"""The delay of a report: from its append on `intake.citizen` to its ticket, read by who reads what is committed."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any, Final

import orjson
from confluent_kafka import Message, Producer, TopicPartition

from schemas.topics import CITIZEN, TICKETS, URGENT
from tests.bench.logs import Row, partitions_of, reader
from tests.bench.path import PREFIX
from tests.bench.stand import Stand, Tell

PER_SECOND: Final = 100
ALARMS_PER_SECOND: Final = 20
_WARM: Final = 300
"""The first rows are not counted: workers start, owners fold their state, connections are made."""
_QUIET_S: Final = 2.0
_PATIENCE_S: Final = 60.0
_OPENED: Final = b"lianqin.ticket.opened.v1"


@dataclass(frozen=True, slots=True)
class Delay:
    """Milliseconds."""

    count: int
    per_second: int
    p50_ms: float
    p99_ms: float


class _Subscriber:
    """Notes when each ticket could be read."""

    def __init__(self, bootstrap: str) -> None:
        self.seen: dict[str, float] = {}
        self._over = threading.Event()
        self._consumer = reader(bootstrap, more={"fetch.wait.max.ms": 100, "enable.partition.eof": False})
        topic = PREFIX + TICKETS
        places = [TopicPartition(topic, number) for number in partitions_of(self._consumer, topic)]
        for place in places:
            place.offset = self._consumer.get_watermark_offsets(place, timeout=10)[1]
        self._consumer.assign(places)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait_quiet(self) -> None:
        """Return when tickets were seen, and for a while no more came."""
        deadline, last = time.monotonic() + _PATIENCE_S, -1
        while (count := len(self.seen)) == 0 or count != last:
            if time.monotonic() > deadline:
                msg = f"no end of tickets, or no beginning: {count} until now"
                raise TimeoutError(msg)
            last = count
            time.sleep(_QUIET_S)

    def stop(self) -> None:
        self._over.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        while not self._over.is_set():
            message = self._consumer.poll(0.1)
            if message is not None and message.error() is None and _is_opening(message):
                self.seen[orjson.loads(message.value() or b"")["source_id"]] = time.time()


def _is_opening(message: Message) -> bool:
    return bool(dict(message.headers() or ())["ce_type"] == _OPENED)


def measured(stand: Stand, rows: Sequence[Row], tell: Tell) -> Delay:
    """Send the rows at an even pace while workers run. Repeats, urges and merges open no ticket and do not count."""
    subscriber = _Subscriber(stand.bootstrap)
    try:
        _send(stand.bootstrap, rows[:_WARM], tell)
        subscriber.wait_quiet()
        appended = _send(stand.bootstrap, rows[_WARM:], lambda done: tell(_WARM + done))
        subscriber.wait_quiet()
    finally:
        subscriber.stop()
    delays = [(subscriber.seen[key] - at) * 1000 for key, at in appended.items() if key in subscriber.seen]
    return Delay(len(delays), PER_SECOND, round(median(delays), 1), round(quantiles(delays, n=100)[98], 1))


def under_flood(stand: Stand, flood: Sequence[Row], alarms: Sequence[Row], tell: Tell) -> Delay:
    """The same of alarms on `intake.urgent`, while a flood of routine reports lies before the workers."""
    subscriber = _Subscriber(stand.bootstrap)
    try:
        _pour(stand.bootstrap, flood)
        appended = _send(stand.bootstrap, alarms, tell, URGENT, ALARMS_PER_SECOND)
        left = len(flood) - sum(key.decode() in subscriber.seen for key, _, _ in flood)
        if left < len(flood) // 10:
            msg = f"only {left} of {len(flood)} routine reports were left when the last alarm came: take more of them"
            raise ValueError(msg)
        subscriber.wait_quiet()
    finally:
        subscriber.stop()
    delays = [(subscriber.seen[key] - at) * 1000 for key, at in appended.items() if key in subscriber.seen]
    return Delay(len(delays), ALARMS_PER_SECOND, round(median(delays), 1), round(quantiles(delays, n=100)[98], 1))


def _pour(bootstrap: str, rows: Sequence[Row]) -> None:
    """Send as fast as the broker takes it."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "partitioner": "murmur2_random"})
    for key, value, headers in rows:
        producer.produce(PREFIX + CITIZEN, value, key, headers=list(headers))
        producer.poll(0)
    producer.flush(60)


def _send(
    bootstrap: str, rows: Sequence[Row], tell: Tell, topic: str = CITIZEN, per_second: int = PER_SECOND
) -> dict[str, float]:
    """When the broker appended each report, in seconds since the epoch; of one sent twice, the first time."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0, "partitioner": "murmur2_random"})
    appended: dict[str, float] = {}

    def took(error: object, message: Any) -> None:
        if error is None:
            appended.setdefault(message.key().decode(), message.timestamp()[1] / 1000)

    begun = time.monotonic()
    for number, (key, value, headers) in enumerate(rows):
        while (early := begun + number / per_second - time.monotonic()) > 0:
            producer.poll(early)
        producer.produce(PREFIX + topic, value, key, headers=list(headers), on_delivery=took)
        tell(number + 1)
    producer.flush(10)
    return appended
