"""From a record on `tickets` or `dead-letter` to a row of the landing table `events`. Pure.

A record that cannot be read is a row of its own kind, never an error: nothing may stop the ledger. The raw bytes of
a dead letter are not kept: they may hold personal data.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson

from schemas.dead_letter import DeadLetter, dead_letter_of
from schemas.envelope import Envelope, envelope_of

DEAD_LETTER_TYPE: Final = "dead-letter"
"""`type` of a row that stands for a dead letter."""
UNREADABLE_TYPE: Final = "unreadable"
"""`type` of a row whose record could not be read: our own bug, shown by the audit."""
OVERALL: Final = "overall"

Json = dict[str, Any]
Row = tuple[object, ...]


class Record(Protocol):
    """One record as it was read; aiokafka's `ConsumerRecord` is one."""

    @property
    def topic(self) -> str:
        """Its full name."""
        ...

    @property
    def partition(self) -> int:
        """Of the topic."""
        ...

    @property
    def offset(self) -> int:
        """In the partition."""
        ...

    @property
    def timestamp(self) -> int:
        """Milliseconds since the epoch."""
        ...

    @property
    def value(self) -> bytes | None:
        """The body."""
        ...

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Names and values."""
        ...


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `events`: its ClickHouse type, and what a row has there when its record says nothing."""

    name: str
    type: str
    empty: object


_WORD: Final = "LowCardinality(String)"
_TIME: Final = "DateTime64(3, 'UTC')"

COLUMNS: Final = (
    Column("_topic", _WORD, ""),
    Column("_partition", "Int32", 0),
    Column("_offset", "Int64", 0),
    Column("type", _WORD, ""),
    Column("id", "String", ""),
    Column("emitter", _WORD, ""),
    Column("time", _TIME, 0),
    Column("area", _WORD, ""),
    Column("ticket", "String", ""),
    Column("sequence", "UInt32", 0),
    Column("matter", "String", ""),
    Column("cause", "String", ""),
    Column("source", _WORD, ""),
    Column("source_id", "String", ""),
    Column("fate", _WORD, ""),
    Column("outcome", _WORD, ""),
    Column("reason", _WORD, ""),
    Column("command", _WORD, ""),
    Column("origin_topic", _WORD, ""),
    Column("origin_partition", "Int32", -1),
    Column("origin_offset", "Int64", -1),
    Column("stage", _WORD, ""),
    Column("inferred", f"Array({_WORD})", []),
    Column("occurred_at", f"Nullable({_TIME})", None),
    Column("spent", "Nullable(Int64)", None),
    Column("allowed", "Nullable(Int64)", None),
    Column("limit_name", _WORD, ""),
    Column("overall_due", f"Nullable({_TIME})", None),
    Column("took", "Nullable(Int64)", None),
    Column("on_time", "Nullable(UInt8)", None),
    Column("score", "Nullable(UInt8)", None),
    Column("unit", _WORD, ""),
    Column("level", _WORD, ""),
    Column("category", _WORD, ""),
    Column("urgency", _WORD, ""),
    Column("flags", f"Array({_WORD})", []),
    Column("policy", _WORD, ""),
    Column("grid", _WORD, ""),
    Column("lat", "Nullable(Float64)", None),
    Column("lon", "Nullable(Float64)", None),
    Column("hint", "String", ""),
    Column("data", "String", ""),
)
"""Times are milliseconds since the epoch, durations milliseconds."""

_EMPTY: Final[Json] = {column.name: column.empty for column in COLUMNS}
_TAKEN: Final = frozenset(
    [
        "source",
        "source_id",
        "fate",
        "outcome",
        "reason",
        "command",
        "stage",
        "inferred",
        "occurred_at",
        "spent",
        "took",
        "on_time",
        "score",
        "unit",
        "level",
        "category",
        "urgency",
        "flags",
        "policy",
        "grid",
        "lat",
        "lon",
    ]
)
"""Fields of an event's data that go to the column of their own name."""


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one topic partition, in order, by column: what one INSERT writes."""

    topic: str
    partition: int
    first: int
    last: int
    columns: Sequence[Sequence[object]]

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.columns[0])

    @property
    def token(self) -> str:
        """Names the block by its records: the same records again have the same token."""
        return f"events:{self.topic}:{self.partition}:{self.first}-{self.last}:{self.rows}"


def block_of(records: Sequence[Record], row_of: Callable[[Record], Row]) -> Block:
    """The rows of some records of one topic partition; there is at least one."""
    first, last = records[0], records[-1]
    columns = tuple(zip(*map(row_of, records), strict=True))
    return Block(first.topic, first.partition, first.offset, last.offset, columns)


def event_row(record: Record) -> Row:
    """The row of a fact on `tickets`."""
    value = record.value or b""
    try:
        envelope, data = envelope_of(record.headers), _object(value)
        found = _of_envelope(envelope) | _of_data(data)
        found["data"] = value.decode()
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        found = _unreadable(record, error)
    return _row(record, found)


def dead_letter_row(record: Record) -> Row:
    """The row of a dead letter: what stands in its headers, not the input."""
    try:
        found = _of_dead_letter(dead_letter_of(record.headers))
    except (KeyError, ValueError) as error:
        found = _unreadable(record, error)
    return _row(record, found)


def _row(record: Record, found: Json) -> Row:
    place = {"_topic": record.topic, "_partition": record.partition, "_offset": record.offset}
    return tuple((_EMPTY | found | place).values())


def _object(value: bytes) -> Json:
    data = orjson.loads(value)
    if not isinstance(data, dict):
        msg = "the event is not a JSON object"
        raise TypeError(msg)
    return data


def _of_envelope(envelope: Envelope) -> Json:
    return {
        "type": envelope.type,
        "id": envelope.id,
        "emitter": envelope.source,
        "time": envelope.time,
        "area": envelope.area,
        "cause": envelope.cause,
        "ticket": envelope.subject or "",
        "sequence": envelope.sequence or 0,
        "matter": envelope.matter or "",
    }


def _of_data(data: Json) -> Json:
    found = {name: value for name, value in data.items() if name in _TAKEN and value is not None}
    if data.get("type") == "lianqin.ticket.opened.v1":
        found["stage"] = "opened"
    if (origin := data.get("origin")) is not None:
        found |= {f"origin_{name}": origin[name] for name in ("topic", "partition", "offset")}
    return found | _limits(data)


def _limits(data: Json) -> Json:
    """The limits in an event: what a stage was allowed, which limit fired, and when the overall one is due."""
    limit = data.get("limit")
    if isinstance(limit, str):
        return {"limit_name": limit, "allowed": data["allowed"]}
    found: Json = {} if limit is None else {"allowed": limit}
    for deadline in data.get("deadlines") or ():
        if deadline["limit"] == OVERALL:
            found["overall_due"] = deadline["due_at"]
    return found


def _of_dead_letter(letter: DeadLetter) -> Json:
    return {
        "type": DEAD_LETTER_TYPE,
        "time": letter.time,
        "source": letter.source or "",
        "reason": letter.reason.value,
        "hint": letter.hint,
        "origin_topic": letter.origin.topic,
        "origin_partition": letter.origin.partition,
        "origin_offset": letter.origin.offset,
    }


def _unreadable(record: Record, error: Exception) -> Json:
    return {"type": UNREADABLE_TYPE, "time": record.timestamp, "hint": type(error).__name__}
