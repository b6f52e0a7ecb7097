"""A file's bytes, its header held against the mapping, its lines untouched."""

import csv
import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from agents.feeding.errors import FeedRefused
from schemas.mapping import SourceMapping
from schemas.topics import INTAKE_MAX_BYTES

ROOM: Final = 1024
"""What a record needs beside its value: key, headers, the batch's frame."""
LINE_MAX_BYTES: Final = INTAKE_MAX_BYTES - ROOM
LINES_MAX: Final = 1_000
"""Of one record whose quotes hold line ends. A quote that never ends must not take the rest of the file with it."""


CONTENT_MAX_BYTES: Final = 1 << 30
"""Of a whole file, unpacked: it is read into memory."""
ROWS_MAX: Final = 20_000_000


@dataclass(frozen=True, slots=True)
class Lines:
    """What is to be sent of a file. `fingerprint` tells this content, read by this mapping, from all others."""

    lines: tuple[bytes, ...]
    fingerprint: str
    numbers: tuple[int, ...] = ()
    """The line of the file that each record begins on, from 1."""


def read_file(file: Path, mapping: SourceMapping) -> Lines:
    """The records of a file, without line ends and blank lines; `FeedRefused` where it cannot be fed as it is."""
    content = _content(file)
    if len(content) > CONTENT_MAX_BYTES or content.count(b"\n") > ROWS_MAX:
        msg = (
            f"{file} holds more than {CONTENT_MAX_BYTES >> 20:,} MiB or {ROWS_MAX:,} lines: "
            "cut it into several and feed the oldest first; nothing was sent"
        )
        raise FeedRefused(msg)
    rows = [line.rstrip(b"\r") for line in content.split(b"\n")]
    rows[0] = rows[0].removeprefix(b"\xef\xbb\xbf")
    if mapping.format == "csv":
        _check_header(file, rows[0], mapping)
        records = _whole_records(rows, mapping)
    else:
        _check_json(file, rows)
        records = [(number, row) for number, row in enumerate(rows, start=1) if row.strip()]
    for number, row in records:
        if len(row) > LINE_MAX_BYTES:
            msg = (
                f"{file}, line {number}: {len(row):,} bytes, the broker takes {LINE_MAX_BYTES:,}: "
                "shorten the line or take it out; nothing was sent"
            )
            raise FeedRefused(msg)
    if not records:
        msg = f"{file} holds no records: nothing to feed"
        raise FeedRefused(msg)
    numbers, lines = zip(*records, strict=True)
    return Lines(lines, _fingerprint(content, mapping), numbers)


def _whole_records(rows: Sequence[bytes], mapping: SourceMapping) -> list[tuple[int, bytes]]:
    """Each record with its line: one line, or several where a field in quotes holds line ends."""
    records: list[tuple[int, bytes]] = []
    at = 1
    while at < len(rows):
        more = _more_lines(rows, at, mapping) if rows[at].count(b'"') % 2 else 0
        whole = b"\n".join(rows[at : at + 1 + more])
        if whole.strip():
            records.append((at + 1, whole))
        at += 1 + more
    return records


def _more_lines(rows: Sequence[bytes], at: int, mapping: SourceMapping) -> int:
    """How many lines after this one belong to it; 0 where no whole record comes of it: then it is a broken line."""
    quotes = rows[at].count(b'"')
    for more, row in enumerate(rows[at + 1 : at + LINES_MAX], start=1):
        quotes += row.count(b'"')
        if quotes % 2 == 0:
            whole = b"\n".join(rows[at : at + 1 + more])
            return more if len(_fields(whole, mapping)) == len(mapping.columns) else 0
    return 0


def _fingerprint(content: bytes, mapping: SourceMapping) -> str:
    # The mapping decides the order in which the lines are sent, so another mapping is another feed.
    return sha256(mapping.model_dump_json().encode() + b"\0" + content).hexdigest()[:16]


def _content(file: Path) -> bytes:
    try:
        # No more than is looked at: a small file can unpack to more than there is memory.
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as content:
            return content.read(CONTENT_MAX_BYTES + 1)
    except FileNotFoundError:
        msg = f"there is no file {file}"
    except (gzip.BadGzipFile, EOFError, zlib.error):
        msg = f"{file} is no whole gzip file: fetch it again, or rename it if it is not compressed"
    except OSError as error:
        msg = f"{file} cannot be read ({error.strerror})"
    raise FeedRefused(msg)


def _check_json(file: Path, rows: Sequence[bytes]) -> None:
    first = next((row.strip() for row in rows if row.strip()), b"")
    if first.startswith(b"[") or first == b"{":
        msg = f"{file} is one JSON document: write one object a line (`jq -c '.[]'` does that); nothing was sent"
        raise FeedRefused(msg)


def _check_header(file: Path, header: bytes, mapping: SourceMapping) -> None:
    found = [name.strip() for name in _fields(header, mapping)]
    if found == list(mapping.columns):
        return
    missing = [column for column in mapping.columns if column not in found]
    extra = [column for column in found if column not in mapping.columns]
    if missing:
        wrong = f"it has no column {', '.join(missing)}"
    elif extra:
        wrong = f"it has the further columns {', '.join(extra)}"
    else:
        wrong = "its columns stand in another order"
    expected = mapping.delimiter.join(mapping.columns)
    msg = f"{file} is no file of {mapping.name}: {wrong} (the first line must be {expected})"
    raise FeedRefused(msg)


def _fields(record: bytes, mapping: SourceMapping) -> list[str]:
    """Its fields; none where it cannot be read."""
    try:
        return next(csv.reader([record.decode(mapping.encoding)], strict=True, delimiter=mapping.delimiter), [])
    except (UnicodeDecodeError, csv.Error):
        return []
