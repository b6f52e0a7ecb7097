"""A file's bytes, its header held against the mapping, its lines untouched."""

import csv
import gzip
import zlib
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


@dataclass(frozen=True, slots=True)
class Lines:
    """What is to be sent of a file. `fingerprint` tells this content, read by this mapping, from all others."""

    lines: tuple[bytes, ...]
    fingerprint: str


def read_file(file: Path, mapping: SourceMapping) -> Lines:
    """The records of a file, without line ends and blank lines; `FeedRefused` where it cannot be fed as it is."""
    content = _content(file)
    rows = [line.rstrip(b"\r") for line in content.split(b"\n")]
    first = 0
    if mapping.format == "csv":
        _check_header(file, rows[0].removeprefix(b"\xef\xbb\xbf"), mapping)
        first = 1
    for number, row in enumerate(rows, start=1):
        if len(row) > LINE_MAX_BYTES:
            msg = (
                f"{file}, line {number}: {len(row):,} bytes, the broker takes {LINE_MAX_BYTES:,}: "
                "shorten the line or take it out; nothing was sent"
            )
            raise FeedRefused(msg)
    lines = tuple(row for row in rows[first:] if row.strip())
    if not lines:
        msg = f"{file} holds no records: nothing to feed"
        raise FeedRefused(msg)
    return Lines(lines, _fingerprint(content, mapping))


def _fingerprint(content: bytes, mapping: SourceMapping) -> str:
    # The mapping decides the order in which the lines are sent, so another mapping is another feed.
    return sha256(mapping.model_dump_json().encode() + b"\0" + content).hexdigest()[:16]


def _content(file: Path) -> bytes:
    try:
        raw = file.read_bytes()
        return gzip.decompress(raw) if file.suffix == ".gz" else raw
    except FileNotFoundError:
        msg = f"there is no file {file}"
    except (gzip.BadGzipFile, EOFError, zlib.error):
        msg = f"{file} is no whole gzip file: fetch it again, or rename it if it is not compressed"
    except OSError as error:
        msg = f"{file} cannot be read ({error.strerror})"
    raise FeedRefused(msg)


def _check_header(file: Path, header: bytes, mapping: SourceMapping) -> None:
    found = _header_columns(header)
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
    msg = f"{file} is no file of {mapping.name}: {wrong} (the first line must be {','.join(mapping.columns)})"
    raise FeedRefused(msg)


def _header_columns(header: bytes) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([header.decode()]), [])]
    except (UnicodeDecodeError, csv.Error):
        return []
