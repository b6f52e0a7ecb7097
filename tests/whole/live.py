"""Records as a live source sends them, and what became of each, read as any subscriber would."""

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import Producer

from tests.chaos.kafka import SILENT, Place, Reader, headers_of, place_of

SETTLED: Final = frozenset({"lianqin.report.settled.v1", "lianqin.command.settled.v1"})
WITHIN_S: Final = 60.0
REHEARSAL: Final = {"lianqin-source": b"rehearsal"}


def line(**chosen: str) -> bytes:
    """A line of the source `rehearsal`; what is not chosen is right."""
    row = {
        "id": f"W-{uuid.uuid4().hex[:12]}",
        "time": "2026-03-02T08:00:00",
        "category": "street-lamp",
        "lat": "32.06000",
        "lon": "118.63000",
        "reporter_name": "",
        "reporter_phone": "",
        "object": "",
        "text": "路灯不亮",
        "closed_at": "",
        "label": "",
        "label_of": "",
    }
    return ",".join((row | chosen).values()).encode()


@dataclass(slots=True)
class Became:
    """What became of one record: its settlement, its dead letter, the facts of its ticket."""

    fate: str = ""
    ticket: str = ""
    flags: tuple[str, ...] = ()
    area: str = ""
    dead: str = ""
    letter: bytes = b""


@dataclass(slots=True)
class Live:
    """A source and a subscriber at once."""

    bootstrap: str
    prefix: str
    events: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    became: dict[Place, Became] = field(default_factory=dict)
    _producer: Producer = field(init=False)
    _reader: Reader = field(init=False)

    def __post_init__(self) -> None:
        self._producer = Producer(
            {**SILENT, "bootstrap.servers": self.bootstrap, "enable.idempotence": True, "message.max.bytes": 8_000_000}
        )
        self._reader = Reader(self.bootstrap, [self.prefix + "tickets", self.prefix + "dead-letter"])

    def send(self, topic: str, value: bytes, headers: Mapping[str, bytes] = REHEARSAL) -> Place:
        """Send one record; where it stands."""
        sent: list[Place] = []
        refused: list[str] = []

        def told(error: object, message: Any) -> None:
            if error is None:
                sent.append(place_of(message))
            else:
                refused.append(str(error))

        self._producer.produce(self.prefix + topic, value, headers=dict(headers), on_delivery=told)
        self._producer.flush(20)
        if not sent:
            raise ConnectionError(*refused)
        return sent[0]

    def send_all(self, topic: str, values: Sequence[bytes], headers: Mapping[str, bytes]) -> None:
        """Send many records, and return when all of them are there."""
        for value in values:
            self._producer.produce(self.prefix + topic, value, headers=dict(headers))
            self._producer.poll(0)
        assert self._producer.flush(60) == 0

    def settled(self, *places: Place, bare: bool = False) -> list[Became]:
        """Wait until all of these are settled or dead letters; with `bare` both."""
        until = time.monotonic() + WITHIN_S
        while missing := [place for place in places if not self._is_done(place, bare=bare)]:
            assert time.monotonic() < until, f"not settled: {missing}"
            self.read()
        self.read()
        return [self.became[place] for place in places]

    def read(self) -> None:
        """Take what is new."""
        for message in self._reader.new():
            headers = headers_of(message)
            if "ce_type" in headers:
                self._event(headers, json.loads(message.value() or b"null"))
            else:
                self._letter(headers, message.value() or b"")

    def facts(self, ticket: str) -> list[tuple[dict[str, str], dict[str, Any]]]:
        """The facts of one ticket, in order."""
        return [(headers, data) for headers, data in self.events if headers.get("ce_subject") == ticket]

    def other(self, topic: str) -> list[tuple[str, dict[str, Any] | None]]:
        """Keys and values on another topic so far, read anew; `None` is a tombstone."""
        reader = Reader(self.bootstrap, [self.prefix + topic])
        found = [((message.key() or b"").decode(), json.loads(message.value() or b"null")) for message in reader.new()]
        reader.close()
        return found

    def close(self) -> None:
        """Let go of the connection."""
        self._reader.close()

    def _is_done(self, place: Place, *, bare: bool) -> bool:
        found = self.became.get(place, Became())
        return bool(found.fate and found.dead) if bare else bool(found.fate or found.dead)

    def _event(self, headers: dict[str, str], data: dict[str, Any]) -> None:
        self.events.append((headers, data))
        origin = data.get("origin")
        if headers["ce_type"] in SETTLED and origin is not None:
            became = self._of(origin["topic"], origin["partition"], origin["offset"])
            assert not became.fate, "settled twice"
            became.fate = data.get("fate") or data["outcome"]
            became.ticket, became.flags = data["ticket"] or "", tuple(data["flags"])
            became.area = headers["ce_partitionkey"]

    def _letter(self, headers: dict[str, str], value: bytes) -> None:
        became = self._of(
            headers["lianqin-origin-topic"],
            int(headers["lianqin-origin-partition"]),
            int(headers["lianqin-origin-offset"]),
        )
        assert not became.dead, "a dead letter twice"
        became.dead, became.letter = headers["lianqin-reason"], value

    def _of(self, topic: str, partition: int, offset: int) -> Became:
        return self.became.setdefault((topic, partition, offset), Became())
