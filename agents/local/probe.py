"""Ask a broker, by Kafka's own protocol, whether it serves; and find ports for one."""

import random
import socket
import struct
from contextlib import closing

_METADATA_V2 = struct.pack(">hhih", 3, 2, 1, 0) + struct.pack(">i", 0)
"""Metadata request, version 2, correlation id 1, empty client id, no topics."""

# Below the range from which the kernel takes ports for outgoing connections: a client that knocks
# at a broker which is just being restarted could otherwise be given the broker's own port.
_FREE_PORTS = range(20_000, 32_000)


def serving_cluster(port: int, *, timeout_s: float = 1.0) -> str | None:
    """The id of the cluster whose broker serves on 127.0.0.1:`port`, or None when none does yet."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout_s) as connection:
            connection.sendall(struct.pack(">i", len(_METADATA_V2)) + _METADATA_V2)
            with connection.makefile("rb") as stream:
                (size,) = struct.unpack(">i", stream.read(4))
                return _cluster_with_a_broker(stream.read(size))
    except (OSError, struct.error, UnicodeDecodeError):
        return None


def is_free(port: int) -> bool:
    """True when 127.0.0.1:`port` can be listened on now."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(1)
        except OSError:
            return False
    return True


def free_port(*, but: int | None = None) -> int:
    """A port that nothing listens on, and that no outgoing connection will be given."""
    draw = random.SystemRandom()
    while True:
        port = draw.choice(_FREE_PORTS)
        if port != but and is_free(port):
            return port


def free_ports(count: int) -> list[int]:
    """So many of them, no two the same: none is taken yet when the next one is drawn."""
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return list(ports)


def _cluster_with_a_broker(body: bytes) -> str | None:
    """The cluster's id from a metadata response, once a broker and the controller are known to it."""
    _correlation, brokers = struct.unpack_from(">ii", body)
    at = 8
    for _ in range(brokers):
        at = _after_text(body, at + 4)  # node id, host
        at = _after_text(body, at + 4)  # port, rack
    end = _after_text(body, at)
    (controller,) = struct.unpack_from(">i", body, end)
    return body[at + 2 : end].decode() if brokers > 0 and controller >= 0 else None


def _after_text(body: bytes, at: int) -> int:
    (length,) = struct.unpack_from(">h", body, at)
    return at + 2 + max(int(length), 0)
