"""A file of records, sealed: a first line with the checksum of all the rest, then a zip, a section a partition.

`unzip -p FILE desk-3.jsonl` shows a section. A record is one JSON object; its bytes are text where they are UTF-8,
which comes back byte for byte, and `{"base64": …}` where they are not.
"""

import os
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, Final, NamedTuple
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

import orjson

from agents.errors import DiskFull, UserError, is_full
from streams.ownership.batch import Record

MANIFEST: Final = "manifest.json"
_FORMAT: Final = 1
_LEVEL: Final = 1
"""Of compression: a month is written in half the time of the usual level, and takes a fifth more room."""
_BLOCK: Final = 1 << 20


class ArchiveError(UserError):
    """A file that cannot be used; the text says why and what to do."""


class Stored(NamedTuple):
    """One record, as it stood on its topic."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class Writer:
    """Writes the sections of one file, one after the other."""

    def __init__(self, file: ZipFile) -> None:
        self._file = file

    @contextmanager
    def section(self, name: str) -> Iterator[IO[bytes]]:
        """A section, to which `line_of` lines are written."""
        with self._file.open(name, "w", force_zip64=True) as to:
            yield to

    def manifest(self, said: Mapping[str, object]) -> None:
        """What the file is; once, after the sections."""
        self._file.writestr(MANIFEST, orjson.dumps(said, option=orjson.OPT_INDENT_2))


@contextmanager
def written(path: Path, kind: str) -> Iterator[Writer]:
    """A file of that kind, whole in its place when this is left, or not there at all.

    `ArchiveError` where it cannot be written there; `DiskFull`, also from the middle of it, where there is no room.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(handle, "w+b") as file:
            file.write(_first_line(kind, "0" * 64))
            with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=_LEVEL) as zipped:
                yield Writer(zipped)
            checksum = _checksum(file, len(_first_line(kind, "")) + 64)
            file.seek(0)
            file.write(_first_line(kind, checksum))
        _put(Path(name), path)
    except BaseException as error:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        if isinstance(error, OSError) and is_full(error):
            raise _unwritable(path, error) from error
        raise


def _put(made: Path, path: Path) -> None:
    try:
        made.replace(path)
    except OSError as error:  # a folder stands there
        raise _unwritable(path, error) from error


class Archive:
    """A file that was written before."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def check(self, kind: str) -> Mapping[str, Any]:
        """Its manifest; `ArchiveError` where it is no such file, of another format, or not as it was written."""
        with self._opened() as file:
            line = file.readline(200)
            _check_kind(self.path, line, kind)
            if line != _first_line(kind, _checksum(file, len(line))):
                raise ArchiveError(_damaged(self.path))
        try:
            manifest: Mapping[str, Any] = orjson.loads(b"".join(self._section(MANIFEST)))
        except ValueError as error:
            raise ArchiveError(_damaged(self.path)) from error
        return manifest

    def records(self, name: str, topic: str, partition: int) -> Iterator[Stored]:
        """The records of a section that `check` has found whole."""
        for line in self._section(name):
            yield _stored(topic, partition, orjson.loads(line))

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        try:
            with self.path.open("rb") as file:
                yield file
        except OSError as error:
            msg = f"{self.path} cannot be read ({error.strerror}): check the path"
            raise ArchiveError(msg) from error

    def _section(self, name: str) -> Iterator[bytes]:
        try:
            with self._opened() as file, ZipFile(file) as zipped, zipped.open(name) as section:
                yield from BufferedReader(section, _BLOCK)  # type: ignore[type-var]  # it reads
        except (BadZipFile, KeyError) as error:
            raise ArchiveError(_damaged(self.path)) from error


def line_of(record: Record) -> bytes:
    """A record as a line."""
    said = {
        "offset": record.offset,
        "timestamp": record.timestamp,
        "key": _text(record.key),
        "value": _text(record.value),
        "headers": [(name, _text(value)) for name, value in record.headers],
    }
    return orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)


def _stored(topic: str, partition: int, said: dict[str, Any]) -> Stored:
    headers = tuple((name, _bytes(value) or b"") for name, value in said["headers"])
    return Stored(
        topic, partition, said["offset"], said["timestamp"], _bytes(said["key"]), _bytes(said["value"]), headers
    )


def _text(raw: bytes | None) -> object:
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(raw).decode()}


def _bytes(said: Any) -> bytes | None:
    if isinstance(said, str):
        return said.encode()
    return None if said is None else b64decode(said["base64"])


def _first_line(kind: str, checksum: str) -> bytes:
    return f"lianqin {kind} {_FORMAT} sha256={checksum}\n".encode()


def _check_kind(path: Path, line: bytes, kind: str) -> None:
    words = line.decode(errors="replace").split()
    if words[:1] != ["lianqin"] or len(words) != 4:
        msg = f"{path} is no file of lianqin's, or its first line is damaged: take another one"
        raise ArchiveError(msg)
    if words[1] != kind:
        msg = f"{path} is a {words[1]}, not a {kind}"
        raise ArchiveError(msg)
    if words[2] != str(_FORMAT):
        msg = f"{path} was written by another build (format {words[2]}, this one reads {_FORMAT}): write it anew"
        raise ArchiveError(msg)


def _checksum(file: IO[bytes], start: int) -> str:
    digest = sha256()
    file.seek(start)
    while block := file.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _unwritable(path: Path, error: OSError) -> UserError:
    if is_full(error):
        return DiskFull(str(path), error)
    return ArchiveError(f"{path} cannot be written ({error.strerror}): choose another file")


def _damaged(path: Path) -> str:
    return f"{path} is damaged: it is not as it was written; take another copy, or write it anew"
