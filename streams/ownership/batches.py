"""Batches of records as they were fetched, also those that a broker takes and aiokafka's parser raises for.

A broker looks into a batch less closely than a reader does: the name of a header may be bytes that are no UTF-8
(a producer in C writes `来源` in GBK), and packed bytes may have a rest behind their end, or be a bomb. Raised from a
fetch, such a batch would end its reader again and again at one offset. Here each of its offsets becomes a record.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.record.memory_records import MemoryRecords

from streams.ownership.unpacking import UNPACK

UNREADABLE: Final = "lianqin-unreadable"
"""Header of a record that stands for one of a batch that nobody can unpack; its value is the batch's beginning."""

_LENGTH_AT: Final = 8
_FRAME: Final = 12
"""Bytes before what the length counts: the base offset and the length."""
_HEAD: Final = struct.Struct(">qiibIhiqqqhii")
"""https://kafka.apache.org/documentation/#recordbatch"""
_LENGTH: Final = struct.Struct(">i")
_ATTRIBUTES_AT: Final = 21
_CODEC_MASK, _APPEND_TIME = 0x07, 0x08
_SHIFTS: Final = range(0, 64, 7)
_KEPT_BYTES: Final = 10_000


class Batches:
    """What one fetch brought of a partition; in place of aiokafka's MemoryRecords."""

    def __init__(self, fetched: bytes) -> None:
        self._fetched = fetched
        self._at = 0
        self._batches: Any = MemoryRecords(fetched)

    def has_next(self) -> bool:
        """Whether a whole batch is left."""
        return bool(self._batches.has_next())

    def size_in_bytes(self) -> int:
        """Of all that was fetched."""
        return len(self._fetched)

    def next_batch(self) -> "_Batch":
        """The next batch; its records are made when they are asked for."""
        begin = self._at
        (length,) = _LENGTH.unpack_from(self._fetched, begin + _LENGTH_AT)
        self._at = begin + _FRAME + length
        return _Batch(self._batches.next_batch(), memoryview(self._fetched)[begin : self._at])


class _Batch:
    """aiokafka's own batch, but for records that it cannot make."""

    __slots__ = ("_batch", "_bytes")

    def __init__(self, batch: Any, as_fetched: memoryview) -> None:
        self._batch = batch
        self._bytes = as_fetched

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        # One at a time: a megabyte may hold half a million records.
        at = int(self._batch.base_offset)
        try:
            for record in self._unpacked():
                yield record
                at = record.offset + 1
        except MemoryError:  # this process's lack, not the batch's fault: with more of it the records are read
            raise
        except Exception:  # noqa: BLE001 - whichever of several parsers and unpackers says so
            yield from _records_of(bytes(self._bytes), at)

    def _unpacked(self) -> Any:
        """The batch itself, or one of the same records that is not packed: aiokafka unpacks whatever it is given."""
        how = self._bytes[_ATTRIBUTES_AT + 1] & _CODEC_MASK
        if not how:
            return self._batch
        raw = bytearray(self._bytes[: _HEAD.size]) + UNPACK[how](self._bytes[_HEAD.size :])
        raw[_ATTRIBUTES_AT + 1] ^= how
        _LENGTH.pack_into(raw, _LENGTH_AT, len(raw) - _FRAME)
        return MemoryRecords(bytes(raw)).next_batch()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """One record, with the fields that aiokafka's have."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    checksum: None = None


def _records_of(batch: bytes, at: int) -> Iterator[_Record]:
    """The records from an offset on, whose names may be no UTF-8; from where that ends, one that says so for each."""
    head = _Head(*_HEAD.unpack_from(batch))
    try:
        for record in _parsed(head, UNPACK[head.attributes & _CODEC_MASK](batch[_HEAD.size :])):
            if record.offset >= at:
                yield record
                at = record.offset + 1
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - as above
        kept = batch[:_KEPT_BYTES]
        for offset in range(at, head.base_offset + head.last_delta + 1):
            yield head.record(offset - head.base_offset, 0, None, kept, [(UNREADABLE, b"")])
            kept = b""  # once is enough: a batch of many would make as many dead letters of this length


@dataclass(frozen=True, slots=True)
class _Head:
    """The fields before a batch's records, in their order."""

    base_offset: int
    length: int
    leader_epoch: int
    magic: int
    crc: int
    attributes: int
    last_delta: int
    first_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    count: int

    def record(
        self,
        offset_delta: int,
        timestamp_delta: int,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes | None]],
    ) -> _Record:
        """One record of the batch."""
        appended = bool(self.attributes & _APPEND_TIME)
        return _Record(
            offset=self.base_offset + offset_delta,
            timestamp=self.max_timestamp if appended else self.first_timestamp + timestamp_delta,
            timestamp_type=int(appended),
            key=key,
            value=value,
            headers=headers,
        )


def _parsed(head: _Head, unpacked: bytes) -> Iterator[_Record]:
    fields = _Fields(unpacked)
    for _ in range(head.count):
        end = fields.number() + fields.at
        fields.at += 1  # attributes, of which there are none yet
        timestamp_delta, offset_delta = fields.number(), fields.number()
        key, value = fields.bytes(), fields.bytes()
        headers = [(fields.text(), fields.bytes()) for _ in range(fields.number())]
        if fields.at != end:
            msg = "a record that is not as long as it says"
            raise ValueError(msg)
        yield head.record(offset_delta, timestamp_delta, key, value, headers)


class _Fields:
    """Reads the fields of records one after the other; raises IndexError or ValueError where they are none."""

    def __init__(self, unpacked: bytes) -> None:
        self._buffer = unpacked
        self.at = 0

    def number(self) -> int:
        """A number of variable length. aiokafka's own function reads on behind the end of what it is given."""
        value = 0
        for shift in _SHIFTS:
            byte = self._buffer[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return (value >> 1) ^ -(value & 1)
        msg = "a number without an end"
        raise ValueError(msg)

    def bytes(self) -> bytes | None:
        """Bytes behind their length; none where it is below zero."""
        length = self.number()
        if length < 0:
            return None
        begin, self.at = self.at, self.at + length
        if self.at > len(self._buffer):
            msg = "bytes that are not there"
            raise ValueError(msg)
        return self._buffer[begin : self.at]

    def text(self) -> str:
        """A name; what is no UTF-8 in it is marked as such."""
        return (self.bytes() or b"").decode(errors="replace")
