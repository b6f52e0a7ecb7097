"""Batches of records as bytes on the wire, also such as aiokafka would not make, sealed so that a broker takes them."""

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

from aiokafka import codec
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

HEAD: Final = 61
"""Bytes before a batch's records."""
AT: Final = 1_700_000_000_000
NOTE: Final = "NOTE"  # as long as the other, for records tell their length
GBK: Final = "来源".encode("gbk")
PACKED: Final[dict[int, Callable[[bytes], bytes]]] = {
    0: bytes,
    1: codec.gzip_encode,
    2: codec.snappy_encode,
    3: codec.lz4_encode,
    4: codec.zstd_encode,
}
VALUES: Final = (b'{"id": "1"}', b"", b'{"id": "3"}')


def built(first: int, values: Sequence[bytes] = VALUES) -> bytes:
    """A batch of a source's records, not packed."""
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1 << 30)
    for delta, value in enumerate(values):
        builder.append(delta, AT + delta, b"k", value, [("lianqin-source", b"citizenapp"), (NOTE, None)])
    return sealed(bytes(builder.build()), first)


def packed(batch: bytes, how: int, rest: bytes = b"") -> bytes:
    """The same batch with its records packed, and perhaps something behind their end."""
    raw = bytearray(batch[:HEAD] + PACKED[how](batch[HEAD:]) + rest)
    struct.pack_into(">h", raw, 21, how)
    return sealed(bytes(raw), struct.unpack_from(">q", batch)[0])


def in_gbk(batch: bytes) -> bytes:
    """The same batch with each header's name as a producer in C may write it."""
    return sealed(batch.replace(NOTE.encode(), GBK), struct.unpack_from(">q", batch)[0])


def sealed(batch: bytes, first: int) -> bytes:
    """The batch with its first offset, its length and its checksum set right."""
    raw = bytearray(batch)
    struct.pack_into(">q", raw, 0, first)
    struct.pack_into(">i", raw, 8, len(raw) - 12)
    struct.pack_into(">I", raw, 17, calc_crc32c(bytes(raw[21:])))
    return bytes(raw)


async def produced(bootstrap: str, topic: str, partition: int, batch: bytes) -> int:
    """Send a batch as it is; where its first record stands. The one broker leads every partition."""
    client: Any = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        leader = client.cluster.brokers().pop().nodeId
        request = ProduceRequest(None, -1, 10_000, [(topic, [(partition, batch)])])
        answer = await client.send(leader, request)
    finally:
        await client.close()
    [(_, [(_, error, first, *_)])] = answer.topics
    assert error == 0, f"the broker refuses it: error {error}"
    return int(first)
