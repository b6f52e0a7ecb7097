"""CloudEvents 1.0 in Kafka's binary mode: the attributes of an event stand in the record's headers.

Source: CloudEvents specification 1.0, its Kafka protocol binding, and the documented extensions `sequence`,
`partitionkey`, `correlationid` and `causationid`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha1
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from schemas.codec import contract

NAMESPACE: Final = uuid5(NAMESPACE_URL, "https://lianqin.invalid/events").bytes

_VARIANT: Final = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def derived_id(cause: str) -> str:
    """The uuid5 of a cause: redoing a batch gives the same ids. Four times as fast as the standard library's."""
    text = sha1(NAMESPACE + cause.encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=4096)  # what a batch of records was appended with is one time
def rfc3339(time: int) -> str:
    """A time in milliseconds since the epoch as RFC 3339, UTC."""
    return f"{_second(time // 1000)}.{time % 1000:03d}Z"


@contract
class Envelope:
    """The attributes of one event."""

    id: str
    source: str
    type: str
    time: int
    """Log time, milliseconds since the epoch; for a fired deadline its due time."""
    area: str
    cause: str
    """The command's id."""
    subject: str | None = None
    """The ticket; absent where there is none, and with it the sequence."""
    sequence: int | None = None
    matter: str | None = None
    drill: bool = False
    """It is about a drill: left out of all figures."""

    @property
    def key(self) -> bytes:
        """The record's key: the ticket, else the command."""
        return (self.subject or self.cause).encode()

    def headers(self) -> list[tuple[str, bytes]]:
        """The record's headers, always in this order."""
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", self.id.encode()),
            ("ce_source", self.source.encode()),
            ("ce_type", self.type.encode()),
            ("ce_time", rfc3339(self.time).encode()),
            ("ce_partitionkey", self.area.encode()),
            ("ce_causationid", self.cause.encode()),
            ("content-type", b"application/json"),
        ]
        if self.subject is not None and self.sequence is not None:
            headers.append(("ce_subject", self.subject.encode()))
            headers.append(("ce_sequence", b"%010d" % self.sequence))
        if self.matter is not None:
            headers.append(("ce_correlationid", self.matter.encode()))
        if self.drill:
            headers.append(("ce_lianqindrill", b"true"))
        return headers


def parse_time(text: str) -> int:
    """Milliseconds since the epoch of an RFC 3339 time; raises `ValueError`."""
    moment = datetime.fromisoformat(text)
    return round(moment.timestamp() * 1000)


def envelope_of(headers: Sequence[tuple[str, bytes]]) -> Envelope:
    """The envelope in a record's headers; raises `KeyError` or `ValueError` where there is none."""
    found: Mapping[str, str] = {name: value.decode() for name, value in headers}
    sequence = found.get("ce_sequence")
    return Envelope(
        id=found["ce_id"],
        source=found["ce_source"],
        type=found["ce_type"],
        time=parse_time(found["ce_time"]),
        area=found["ce_partitionkey"],
        cause=found["ce_causationid"],
        subject=found.get("ce_subject"),
        sequence=None if sequence is None else int(sequence),
        matter=found.get("ce_correlationid"),
        drill=found.get("ce_lianqindrill") == "true",
    )
