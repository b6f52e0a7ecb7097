"""What is packed in a batch of records, as long as it is no bomb: a megabyte may hold thousands of them."""

import threading
from collections.abc import Callable
from typing import Any, Final

import cramjam
from aiokafka import codec

MOST_BYTES: Final = 64 << 20
"""Neither a broker nor aiokafka limits what a batch of a megabyte unpacks to. The largest honest ones are far below."""


class _Room(threading.local):
    """Where a thread's batches are unpacked; of its pages only those are real that something has filled."""

    def __init__(self) -> None:
        self.bytes = memoryview(bytearray(MOST_BYTES))


_ROOM: Final = _Room()


def _bounded(unpack_into: Callable[[Any, Any], int]) -> Callable[[Any], bytes]:
    def unpack(packed: Any) -> bytes:
        room = _ROOM.bytes
        return bytes(room[: unpack_into(packed, room)])

    return unpack


UNPACK: Final[dict[int, Callable[[Any], bytes]]] = {
    0: bytes,
    1: _bounded(cramjam.gzip.decompress_into),
    2: codec.snappy_decode,  # makes no more than about twenty bytes of one
    3: _bounded(cramjam.lz4.decompress_into),
    4: _bounded(cramjam.zstd.decompress_into),
}
"""By the number that a batch names its codec by. Each raises for what cannot be unpacked, or not within the room."""
