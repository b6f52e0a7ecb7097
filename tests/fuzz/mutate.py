"""A real record made bad: as bytes, as a line of fields, as a document. Everything follows from the random numbers."""

import csv
import io
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

import orjson

from tests.fuzz import nasty

_RAW: Final = "\x00raw\x00"
"""Stands in a document for a value that is written as it is, whether it is JSON or not."""


def word(random: Random) -> str:
    """A text that somebody may write anywhere."""
    roll = random.random()
    if roll < 0.02:
        return random.choice(nasty.LONG)
    if roll < 0.20:
        return random.choice(nasty.KNOWN)
    if roll < 0.30:
        return "".join(chr(_code_point(random)) for _ in range(random.randrange(1, 12)))
    return random.choice(nasty.WORDS)


def _code_point(random: Random) -> int:
    code = random.choice((random.randrange(0x80), random.randrange(0x3000), random.randrange(0x11_0000)))
    return 0xFFFD if 0xD800 <= code < 0xE000 else code


def broken(random: Random, raw: bytes, other: bytes) -> bytes:
    """The bytes with one thing wrong, or some."""
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        raw = random.choice(_BREAK)(random, raw, other)
    return raw[:2_000_000]


def _flip(random: Random, raw: bytes, _: bytes) -> bytes:
    if not raw:
        return b"\0"
    at = random.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ (1 << random.randrange(8))]) + raw[at + 1 :]


def _cut(random: Random, raw: bytes, _: bytes) -> bytes:
    first, last = sorted((random.randrange(len(raw) + 1), random.randrange(len(raw) + 1)))
    return raw[:first] + raw[last:]


def _end(random: Random, raw: bytes, _: bytes) -> bytes:
    return raw[: random.randrange(len(raw) + 1)]


def _again(random: Random, raw: bytes, _: bytes) -> bytes:
    first, last = sorted((random.randrange(len(raw) + 1), random.randrange(len(raw) + 1)))
    return raw[:last] + raw[first:last] * random.choice((1, 1, 2, 30)) + raw[last:]


def _put(random: Random, raw: bytes, _: bytes) -> bytes:
    at = random.randrange(len(raw) + 1)
    return raw[:at] + random.choice(nasty.BYTES) * random.choice((1, 1, 1, 3, 1000)) + raw[at:]


def _splice(random: Random, raw: bytes, other: bytes) -> bytes:
    return raw[: random.randrange(len(raw) + 1)] + other[random.randrange(len(other) + 1) :]


def _junk(random: Random, _: bytes, __: bytes) -> bytes:
    return random.randbytes(random.randrange(200))


_BREAK: Final[Sequence[Callable[[Random, bytes, bytes], bytes]]] = (_flip, _cut, _end, _again, _put, _splice, _junk)


def line(random: Random, raw: bytes, delimiter: str = ",") -> bytes:
    """A line of fields, some of them something else; sometimes too few or too many."""
    try:
        fields = next(csv.reader([raw.decode()], delimiter=delimiter), [])
    except (UnicodeDecodeError, csv.Error):
        return raw
    for _ in range(random.choice((1, 1, 2, 4))):
        if fields:
            fields[random.randrange(len(fields))] = word(random)
    if random.random() < 0.05:
        fields = [*fields, word(random)] if random.random() < 0.5 else fields[:-1]
    text = io.StringIO()
    csv.writer(text, lineterminator="", delimiter=delimiter).writerow(fields)
    return text.getvalue().encode(errors="replace")


def document(random: Random, raw: bytes) -> bytes:
    """A JSON document with some of its values, names or wording changed; not always JSON afterwards."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw
    written: list[bytes] = []
    for _ in range(random.choice((1, 1, 2, 4))):
        _change(random, value, written)
    made = orjson.dumps(value)
    for one in written:
        made = made.replace(orjson.dumps(_RAW), one, 1)
    return _doubled(random, made) if random.random() < 0.05 else made


def _change(random: Random, value: Any, written: list[bytes]) -> None:
    """Change one place somewhere in a document."""
    at = value
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at))) if isinstance(at, list) else []
        if not keys:
            return
        key = random.choice(keys)
        if isinstance(at[key], dict | list) and at[key] and random.random() < 0.7:
            at = at[key]
            continue
        break
    roll = random.random()
    if roll < 0.12:
        del at[key]
    elif roll < 0.20 and isinstance(at, dict):
        at[word(random)[:100]] = at.pop(key)
    elif roll < 0.60:
        at[key] = word(random)
    elif roll < 0.75 and isinstance(at[key], int) and not isinstance(at[key], bool):
        at[key] = max(-(2**63), min(2**63 - 1, at[key] + random.choice((-1, 1, 1000, -86_400_000, 10**12, -(10**15)))))
    else:
        at[key] = _RAW
        written.append(random.choice(nasty.JSON))


def _doubled(random: Random, raw: bytes) -> bytes:
    """A document whose first name stands twice."""
    name, colon, _ = raw[1:].partition(b":")
    return b"{" + name + colon + random.choice(nasty.JSON) + b"," + raw[1:] if colon else raw
