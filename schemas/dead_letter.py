"""What stands on `dead-letter`: the raw bytes of an input that could not be used; why, and where from, in headers."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.codes import Reject
from schemas.commands import Origin
from schemas.intake import DRILL


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """The headers of a dead letter. The record's key is the source topic, its value the input's bytes."""

    reason: Reject
    hint: str
    """What is wrong, in words, without any of the input's values."""
    origin: Origin
    source: str | None = None
    time: int
    drill: bool = False
    """Its source says that it is of a drill (演练): left out of all figures."""

    def to_kafka(self) -> list[tuple[str, bytes]]:
        """As record headers."""
        headers = [
            ("lianqin-reason", self.reason.encode()),
            ("lianqin-hint", self.hint.encode()),
            ("lianqin-origin-topic", self.origin.topic.encode()),
            ("lianqin-origin-partition", b"%d" % self.origin.partition),
            ("lianqin-origin-offset", b"%d" % self.origin.offset),
            ("lianqin-time", b"%d" % self.time),
        ]
        if self.source is not None:
            headers.append(("lianqin-source", self.source.encode()))
        if self.drill:
            headers.append((DRILL, b"true"))
        return headers


def dead_letter_of(headers: Sequence[tuple[str, bytes]]) -> DeadLetter:
    """Read the headers of a dead letter; raises `KeyError` or `ValueError` where they are none."""
    found = {name: value.decode() for name, value in headers}
    return DeadLetter(
        reason=Reject(found["lianqin-reason"]),
        hint=found["lianqin-hint"],
        origin=Origin(
            topic=found["lianqin-origin-topic"],
            partition=int(found["lianqin-origin-partition"]),
            offset=int(found["lianqin-origin-offset"]),
        ),
        source=found.get("lianqin-source"),
        time=int(found["lianqin-time"]),
        drill=found.get(DRILL) == "true",
    )
