"""Where a process listens, as the kernel tells it."""

import os
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import Final

LISTEN: Final = "0A"


def listening(pid: int) -> set[tuple[str, int]]:
    """Address and port of all TCP sockets on which this process waits for others."""
    mine = _sockets(pid)
    return {place for file in ("tcp", "tcp6") for number, place in _all(pid, file) if number in mine}


def _sockets(pid: int) -> set[str]:
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            target = os.readlink(link)  # noqa: PTH115 - it is no path
            if target.startswith("socket:["):
                found.add(target[8:-1])
    return found


def _all(pid: int, file: str) -> list[tuple[str, tuple[str, int]]]:
    found = []
    for line in Path(f"/proc/{pid}/net/{file}").read_text().splitlines()[1:]:
        _, local, _, state, *rest = line.split()
        if state == LISTEN:
            address, _, port = local.partition(":")
            found.append((rest[5], (_address(address), int(port, 16))))
    return found


def _address(digits: str) -> str:
    words = [int(digits[at : at + 8], 16) for at in range(0, len(digits), 8)]
    packed = b"".join(struct.pack("=I", word) for word in words)
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
