"""One record's bytes as the values of its columns, all text. Pure."""

import csv
from collections.abc import Callable, Sequence
from typing import Final

import orjson

from schemas.codes import Reject
from schemas.mapping import SourceMapping
from schemas.topics import INTAKE_MAX_BYTES
from streams.intake.rejected import Unusable

Fields = Sequence[str]
Splitter = Callable[[bytes], Fields]
"""Raises `Unusable`."""

# The module's own limit (128 KiB) is below what a source may send.
csv.field_size_limit(INTAKE_MAX_BYTES)

_ABSENT: Final = object()


def splitter(mapping: SourceMapping) -> Splitter:
    """How this source's records are taken apart."""
    return _csv(mapping) if mapping.format == "csv" else _json(mapping.columns)


def _text(value: bytes, encoding: str = "utf-8") -> str:
    try:
        return value.decode(encoding)
    except UnicodeDecodeError:
        raise Unusable(Reject.NOT_UTF8, f"the record is not {encoding.upper()}") from None


def _csv(mapping: SourceMapping) -> Splitter:
    columns, delimiter, encoding = len(mapping.columns), mapping.delimiter, mapping.encoding

    def split(value: bytes) -> Fields:
        line = _text(value.rstrip(b"\r\n"), encoding)
        fields = line.split(delimiter) if '"' not in line else _quoted(line, delimiter)
        if len(fields) != columns:
            hint = f"the line has {len(fields)} fields, the mapping {columns} columns"
            raise Unusable(Reject.BROKEN, hint)
        return fields

    return split


def _quoted(line: str, delimiter: str) -> list[str]:
    try:  # a field in quotes may hold line ends; one outside of quotes is an error
        return next(csv.reader([line], strict=True, delimiter=delimiter), [])
    except csv.Error:
        raise Unusable(Reject.BROKEN, "the line's quotes do not fit together") from None


def _json(columns: Sequence[str]) -> Splitter:
    paths = [(column, column.split(".")) for column in columns]

    def split(value: bytes) -> Fields:
        _text(value)
        try:
            document = orjson.loads(value)
        except orjson.JSONDecodeError:
            raise Unusable(Reject.BROKEN, "the record is not JSON") from None
        if not isinstance(document, dict):
            raise Unusable(Reject.BROKEN, "the record is not a JSON object")
        return [_as_text(column, _at(document, path)) for column, path in paths]

    return split


def _at(document: object, path: Sequence[str]) -> object:
    for name in path:
        if not isinstance(document, dict):
            return _ABSENT
        document = document.get(name, _ABSENT)
    return document


def _as_text(column: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None or value is _ABSENT:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise Unusable(Reject.WRONG_TYPE, f"{column} is not a single value")
