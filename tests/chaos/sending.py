"""Records onto the intake topics, as sources send them: at a steady pace, held at a gate until a fault has struck."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import KafkaError, Message, Producer

from tests.chaos.kafka import SILENT
from tests.chaos.load import NUMBER, PLANT, Planted

SLICE_S: Final = 0.02


@dataclass(slots=True)
class Sent:
    """How far the sending is; shared between threads."""

    records: int = 0
    acknowledged: int = 0
    refused: list[str] = field(default_factory=list)
    gate: int | None = 0
    """Nothing beyond so many records is sent; `None`: no gate."""
    stood_since: float | None = None
    """When the sending last came to the closed gate, monotonic seconds."""
    stood_until: float | None = None
    """When it went on from there; `None` while it stands."""
    moved: threading.Condition = field(default_factory=threading.Condition)

    def open_to(self, records: int | None) -> None:
        """Let the sending go on as far as this."""
        with self.moved:
            self.gate = records
            self.moved.notify_all()

    def pass_gate(self) -> None:
        """Wait for the gate."""
        with self.moved:
            if self.gate is not None and self.records >= self.gate:
                self.stood_since, self.stood_until = time.monotonic(), None
                self.moved.wait_for(lambda: self.gate is None or self.records < self.gate)
                self.stood_until = time.monotonic()

    def acknowledge(self, error: KafkaError | None, _: Message) -> None:
        """The broker's answer to one record."""
        if error is None:
            self.acknowledged += 1
        else:
            self.refused.append(str(error))


@dataclass(frozen=True, slots=True)
class Pace:
    """So many records a second, in slices."""

    per_second: float

    def wait(self, begun: float, records: int) -> None:
        """Sleep where `records` are ahead of their time."""
        ahead = begun + records / self.per_second - time.monotonic()
        if ahead > SLICE_S:
            time.sleep(ahead)


def send(bootstrap: str, prefix: str, load: Iterable[Planted], sent: Sent, pace: Pace) -> None:
    """Send everything, in order for each partition, and wait until the broker has it."""
    producer = Producer(
        {
            **SILENT,
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "linger.ms": 5,
            "compression.type": "lz4",
        }
    )
    begun = time.monotonic()
    for planted in load:
        waited = time.monotonic()
        sent.pass_gate()
        begun += time.monotonic() - waited
        pace.wait(begun, sent.records)
        _produce(producer, prefix, planted, sent)
        sent.records += 1
    producer.flush(60)


def _produce(producer: Producer, prefix: str, planted: Planted, sent: Sent) -> None:
    headers: list[tuple[str, str | bytes | None]] = [
        *planted.headers,
        (PLANT, planted.plant.encode()),
        (NUMBER, b"%d" % sent.records),
    ]
    while True:
        try:
            producer.produce(
                prefix + planted.topic, planted.value, planted.key, headers=headers, on_delivery=sent.acknowledge
            )
        except BufferError:
            producer.poll(0.05)
        else:
            producer.poll(0)
            return
