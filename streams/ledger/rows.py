"""From a record on `tickets` or `dead-letter` to a row of the landing table `events`. Pure.

A record that cannot be read, or says what no column holds, is a row of its own kind, never an error: nothing may stop
the ledger. The raw bytes of a dead letter are not kept: they may hold personal data.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Any, Final, Protocol

import orjson

from schemas.dead_letter import DeadLetter, dead_letter_of
from schemas.envelope import Envelope, envelope_of
from streams.ledger.fitting import check_of, misfit

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
    Column("drill", "UInt8", 0),
    Column("side", _WORD, ""),
    Column("kind", _WORD, ""),
    Column("standing", _WORD, ""),
    Column("recorded", _WORD, ""),
    Column("by", _WORD, ""),
    Column("before", _WORD, ""),
    Column("kept", "Nullable(UInt8)", None),
    Column("step", _WORD, ""),
    Column("recipients", f"Array({_WORD})", []),
    Column("condition", _WORD, ""),
    Column("request", _WORD, ""),
    Column("granted", "Nullable(Int64)", None),
    Column("automatic", "Nullable(UInt8)", None),
    Column("self_handled", "Nullable(UInt8)", None),
    Column("from_side", _WORD, ""),
    Column("to_side", _WORD, ""),
    Column("diversion_list", _WORD, ""),
    Column("returned", "Nullable(UInt8)", None),
    Column("other", "String", ""),
    Column("why", _WORD, ""),
    Column("match_score", "Nullable(UInt8)", None),
    Column("distance_m", "Nullable(Int32)", None),
    Column("likeness", "Nullable(UInt8)", None),
    Column("with_master", "String", ""),
    Column("recurrence_of", "String", ""),
    Column("alarm", _WORD, ""),
)
"""Times are milliseconds since the epoch, durations milliseconds.

`spent` is how long what ended here took: a stage, a condition, a pause, a request that was refused, a diversion. `side`
and `standing` say what they are from here on; `recorded` is a stage that was told of afterwards and moves nothing;
`other` is the other ticket of a match, a link, a merging or a parting.
"""

_CHECKS: Final = [check_of(column.type) for column in COLUMNS]
_PLACE: Final = {column.name: number for number, column in enumerate(COLUMNS)}
_EMPTY: Final = [column.empty for column in COLUMNS]
_RENAMED: Final = {
    "paused": "spent", "waited": "spent", "elapsed": "spent", "card": "step", "into": "other", "child": "other",
    "master": "other", "list": "diversion_list",
}  # fmt: skip
_SAME: Final = (
    "source", "source_id", "fate", "outcome", "reason", "command", "stage", "inferred", "occurred_at", "spent", "took",
    "on_time", "score", "unit", "level", "category", "urgency", "flags", "policy", "grid", "lat", "lon", "side", "kind",
    "by", "before", "kept", "recipients", "condition", "request", "granted", "automatic", "self_handled", "from_side",
    "to_side", "returned", "other", "why", "distance_m", "likeness", "with_master", "recurrence_of", "alarm", "allowed",
)  # fmt: skip
_TAKEN: Final = {name: _PLACE[name] for name in _SAME} | {name: _PLACE[column] for name, column in _RENAMED.items()}
"""Fields of an event's data, and the places of the columns that they go to."""

_ALWAYS: Final[dict[str, tuple[tuple[int, str], ...]]] = {
    f"lianqin.{kind}.v1": tuple((_PLACE[column], value) for column, value in said.items())
    for kind, said in {
        "ticket.opened": {"stage": "opened", "standing": "running"},
        "ticket.voided": {"standing": "voided"},
        "ticket.suspended": {"standing": "suspended"},
        "ticket.resumed": {"standing": "running"},
        "ticket.absorbed": {"standing": "merged"},
        "ticket.restored": {"standing": "running"},
        "limit.warned": {"step": "warned"},
        "limit.passed": {"step": "passed"},
        "limit.escalated": {"step": "escalated"},
    }.items()
}
"""What an event says by its type alone."""
_MOVED: Final[dict[str, tuple[tuple[int, int], ...]]] = {
    f"lianqin.{kind}.v1": tuple((_PLACE[here], _PLACE[there]) for here, there in moved.items())
    for kind, moved in {
        "stage.recorded": {"stage": "recorded"},
        "match.proposed": {"score": "match_score"},
    }.items()
}
"""Fields that mean something else in an event of this type, and where they go instead."""
_CLOSED: Final = "lianqin.ticket.closed.v1"
_DIVERTED: Final = "lianqin.ticket.diverted.v1"


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one topic partition, in order, by column: what one INSERT writes."""

    topic: str
    partition: int
    first: int
    last: int
    columns: Sequence[Sequence[object]]
    digest: str
    """Of what tells its records from others at the same offsets."""

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.columns[0])

    @property
    def token(self) -> str:
        """Names the block by its records: the same again have the same token, those of another log have another."""
        return f"events:{self.topic}:{self.partition}:{self.first}-{self.last}:{self.rows}:{self.digest}"


_UNREADABLE: Final = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError)
"""What reading a record may raise that is not as it should be; a header without a value is an AttributeError."""


def block_of(records: Sequence[Record], row_of: Callable[[Record], Row]) -> Block:
    """The rows of some records of one topic partition; there is at least one."""
    first, last = records[0], records[-1]
    columns = _by_column(map(row_of, records))
    if misfit(_CHECKS, columns) is not None:
        columns = _by_column(_fitting(row_of(record), record) for record in records)
    digest = _digest(records, columns[_ID], columns[_DATA])
    return Block(first.topic, first.partition, first.offset, last.offset, columns, digest)


def _digest(records: Sequence[Record], *said: Sequence[Any]) -> str:
    # A topic that was made anew has the same offsets and, where all were, the same ids, which follow from places on
    # `desk`. Its records were appended at other times and, where a topic keeps the writer's times, say something else.
    found = sha1(usedforsecurity=False)
    found.update(array("q", [number for record in records for number in (record.offset, record.timestamp)]))
    for column in said:
        found.update("".join(column).encode())
    return found.hexdigest()


def _by_column(rows: Iterable[Row]) -> Sequence[Sequence[object]]:
    return tuple(zip(*rows, strict=True))


def _fitting(row: Row, record: Record) -> Row:
    error = misfit(_CHECKS, _by_column([row]))
    return row if error is None else _placed(_named(_unreadable(record, error)), record)


def event_row(record: Record) -> Row:
    """The row of a fact on `tickets`."""
    value = record.value or b""
    row = _EMPTY.copy()
    try:
        _take_envelope(row, envelope_of(record.headers))
        _take_data(row, _object(value))
        row[_DATA] = value.decode()
    except _UNREADABLE as error:
        row = _named(_unreadable(record, error))
    return _placed(row, record)


def dead_letter_row(record: Record) -> Row:
    """The row of a dead letter: what stands in its headers, not the input."""
    try:
        found = _of_dead_letter(dead_letter_of(record.headers))
    except _UNREADABLE as error:
        found = _unreadable(record, error)
    return _placed(_named(found), record)


_TYPE: Final = _PLACE["type"]
_ID: Final = _PLACE["id"]
_ENVELOPE: Final = slice(_TYPE, _PLACE["source"])
"""type, id, emitter, time, area, ticket, sequence, matter, cause."""
_ORIGIN: Final = slice(_PLACE["origin_topic"], _PLACE["origin_offset"] + 1)
_DATA: Final = _PLACE["data"]
_DRILL: Final = _PLACE["drill"]
_STAGE: Final = _PLACE["stage"]
_SIDE: Final = _PLACE["side"]
_STANDING: Final = _PLACE["standing"]
_ALLOWED: Final = _PLACE["allowed"]
_LIMIT_NAME: Final = _PLACE["limit_name"]
_OVERALL_DUE: Final = _PLACE["overall_due"]


def _named(found: Json) -> list[object]:
    row = _EMPTY.copy()
    for name, value in found.items():
        row[_PLACE[name]] = value
    return row


def _placed(row: list[object], record: Record) -> Row:
    row[:3] = record.topic, record.partition, record.offset
    return tuple(row)


def _object(value: bytes) -> Json:
    data = orjson.loads(value)
    if not isinstance(data, dict):
        msg = "the event is not a JSON object"
        raise TypeError(msg)
    return data


def _take_envelope(row: list[object], envelope: Envelope) -> None:
    row[_ENVELOPE] = (
        envelope.type,
        envelope.id,
        envelope.source,
        envelope.time,
        envelope.area,
        envelope.subject or "",
        envelope.sequence or 0,
        envelope.matter or "",
        envelope.cause,
    )
    row[_DRILL] = int(envelope.drill)


def _take_data(row: list[object], data: Json) -> None:
    taken = _TAKEN
    for name, value in data.items():
        place = taken.get(name)
        if place is not None and value is not None:
            row[place] = value
    if (origin := data.get("origin")) is not None:
        row[_ORIGIN] = origin["topic"], origin["partition"], origin["offset"]
    _take_limits(row, data)
    _take_type(row, data)


def _take_limits(row: list[object], data: Json) -> None:
    """The limits in an event: what a stage was allowed, which limit fired, and when the overall one is due."""
    limit = data.get("limit")
    if isinstance(limit, str):
        row[_LIMIT_NAME], row[_ALLOWED] = limit, data["allowed"]
    elif limit is not None:
        row[_ALLOWED] = limit
    for deadline in data.get("deadlines") or ():
        if deadline["limit"] == OVERALL:
            row[_OVERALL_DUE] = deadline["due_at"]


def _take_type(row: list[object], data: Json) -> None:
    """What follows from the event's type."""
    kind: str = row[_TYPE]  # type: ignore[assignment]  # the envelope's
    for place, value in _ALWAYS.get(kind, ()):
        row[place] = value
    for here, there in _MOVED.get(kind, ()):
        row[there], row[here] = row[here], _EMPTY[here]
    if kind == _CLOSED and data.get("with_master") is None:
        row[_STANDING] = "running"  # a child that its own source closed is nobody's child any more
    elif kind == _DIVERTED:
        row[_SIDE] = data["to_side"]


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
        "drill": int(letter.drill),
    }


def _unreadable(record: Record, error: Exception) -> Json:
    return {"type": UNREADABLE_TYPE, "time": record.timestamp, "hint": type(error).__name__}
