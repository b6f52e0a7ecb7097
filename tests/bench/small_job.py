"""The small job: reports of 500 bytes, some of them twice; drop the repeats, forward the rest, remember the ids."""

import random
from collections.abc import Iterator
from typing import Final

import orjson

from tests.bench.logs import Row

PARTITIONS: Final = 4
REPEATED: Final = 0.1
"""Share of the records that repeat an earlier one."""
_BYTES: Final = 500
_TEXT: Final = "A manhole cover is broken in front of the school gate. "
_NEAR: Final = 5_000
"""A repeat follows within so many records."""


def rows(count: int, seed: int = 7) -> Iterator[Row]:
    """So many records; the same for the same seed."""
    draw = random.Random(seed)
    recent: list[tuple[bytes, bytes]] = []
    for number in range(count):
        if recent and draw.random() < REPEATED:
            key, value = recent[draw.randrange(len(recent))]
        else:
            key, value = _report(number, draw)
            if len(recent) < _NEAR:
                recent.append((key, value))
            else:
                recent[number % _NEAR] = (key, value)
        yield key, value, ()


def distinct(count: int, seed: int = 7) -> int:
    """How many different reports so many records hold."""
    return len({key for key, _, _ in rows(count, seed)})


def _report(number: int, draw: random.Random) -> tuple[bytes, bytes]:
    own_id = f"citizen-{number:012d}"
    report = {
        "id": own_id,
        "time": 1_700_000_000_000 + number,
        "category": f"category-{draw.randrange(80)}",
        "lat": round(32.0 + draw.random() / 4, 5),
        "lon": round(118.5 + draw.random() / 4, 5),
        "text": "",
    }
    report["text"] = (_TEXT * 10)[: _BYTES - len(orjson.dumps(report))]
    return own_id.encode(), orjson.dumps(report)
