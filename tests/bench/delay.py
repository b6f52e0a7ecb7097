"""The delay of a report: from its append on `intake.citizen` to its ticket, read by who reads what is committed."""

from collections.abc import Sequence
from typing import Final

from confluent_kafka import Producer

from schemas.topics import CITIZEN, TICKETS, URGENT
from tests.bench import pace
from tests.bench.logs import Row
from tests.bench.pace import Opened
from tests.bench.paced import Delay, Subscriber, delay, send
from tests.bench.path import PREFIX
from tests.bench.stand import Stand, Tell

PER_SECOND: Final = 100
ALARMS_PER_SECOND: Final = 20


def measured(stand: Stand, rows: Sequence[Row], tell: Tell) -> Delay:
    """Send the rows at an even pace while workers run. Repeats, urges and merges open no ticket and do not count."""
    found = pace.measured(stand, rows, PER_SECOND, tell).whole
    return Delay(found.count, PER_SECOND, found.p50_ms, found.p99_ms)


def under_flood(stand: Stand, flood: Sequence[Row], alarms: Sequence[Row], tell: Tell) -> Delay:
    """The same of alarms on `intake.urgent`, while a flood of routine reports lies before the workers."""
    subscriber = Subscriber(stand.bootstrap, PREFIX + TICKETS, Opened())
    try:
        _pour(stand.bootstrap, flood)
        appended = send(stand.bootstrap, PREFIX + URGENT, alarms, ALARMS_PER_SECOND, tell)
        left = len(flood) - sum(key.decode() in subscriber.seen for key, _, _ in flood)
        if left < len(flood) // 10:
            msg = f"only {left} of {len(flood)} routine reports were left when the last alarm came: take more of them"
            raise ValueError(msg)
        subscriber.wait_quiet()
    finally:
        subscriber.stop()
    return delay(appended, subscriber.seen, ALARMS_PER_SECOND)


def _pour(bootstrap: str, rows: Sequence[Row]) -> None:
    """Send as fast as the broker takes it."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "partitioner": "murmur2_random"})
    for key, value, headers in rows:
        producer.produce(PREFIX + CITIZEN, value, key, headers=list(headers))
        producer.poll(0)
    producer.flush(60)
