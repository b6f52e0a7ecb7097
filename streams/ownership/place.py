"""How far an owner has come in one input, and the proof that the log is still the same one."""

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from streams.ownership.batch import Record

_NOTHING: Final = b"\xff"


@dataclass(frozen=True, slots=True)
class Place:
    """The last applied record and where to read on.

    `next` is `offset + 1` after a batch; an idle owner moves it past transaction markers, so that it does not fall out
    of the log when retention takes them away. No record was applied yet: `offset` -1. Unknown checksum: empty.
    """

    offset: int
    checksum: str
    next: int


START: Final = Place(offset=-1, checksum="", next=0)


def after(record: Record) -> Place:
    """The place right after a record."""
    return Place(offset=record.offset, checksum=checksum(record), next=record.offset + 1)


def checksum(record: Record) -> str:
    """Sixteen hex digits over all that makes a record what it is: key, value, headers, timestamp."""
    digest = blake2b(digest_size=8)
    parts = [record.key, record.value, str(record.timestamp).encode()]
    for name, value in record.headers:
        parts += [name.encode(), value]
    for part in parts:
        # Lengths first: otherwise bytes could move from one field to the next unseen.
        digest.update(_NOTHING if part is None else len(part).to_bytes(8, "big"))
        digest.update(part or b"")
    return digest.hexdigest()


def to_state(place: Place) -> bytes:
    """As it stands in the changelog."""
    return json.dumps({"offset": place.offset, "checksum": place.checksum, "next": place.next}).encode()


def from_state(value: bytes) -> Place:
    """What `to_state` wrote; ValueError or KeyError for anything else."""
    written = json.loads(value)
    return Place(int(written["offset"]), str(written["checksum"]), int(written["next"]))


def to_metadata(place: Place, text: str) -> str:
    """As it stands beside a committed offset, with the agent's own text behind it."""
    return f"{place.offset}:{place.checksum}:{text}"


def from_metadata(committed: int, metadata: str) -> tuple[Place, str]:
    """The place and the agent's text. An offset that some tool set by hand has no checksum, and is believed."""
    offset, _, rest = metadata.partition(":")
    digest, found, text = rest.partition(":")
    if not found or not offset.removeprefix("-").isdecimal():
        return Place(offset=committed - 1, checksum="", next=committed), ""
    return Place(offset=int(offset), checksum=digest, next=committed), text
