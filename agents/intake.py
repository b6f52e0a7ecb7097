"""The intake stage's agent: records of `intake.*` to commands on `desk`, or to dead letters. No I/O, no state.

Each record gives exactly one command or one dead letter; one that cannot be read on `intake.police` or
`intake.urgent` gives both, the command being a bare report. On `intake.history` log time is kept as the metadata of
the committed offset, time that goes back is refused, and each later hour is told to all desk partitions by a tick.
"""

import json
from collections import Counter
from collections.abc import AsyncIterable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any, Final, NamedTuple, Protocol

from aiokafka.partitioner import murmur2

from schemas.codec import Maker, encode
from schemas.codes import Flag, Reject
from schemas.commands import Feedback, Origin, Report, Tick
from schemas.dead_letter import DeadLetter
from schemas.intake import ARRIVED, IntakeHeaders, intake_headers
from schemas.topics import DEAD_LETTER, DESK, FIRST, HISTORY, INNER_MAX_BYTES, INTAKE_MAX_BYTES
from streams.intake.rejected import Rejected
from streams.intake.sources import Sources
from streams.intake.times import EARLIEST, LATEST
from streams.ownership.batch import Answer, Batch, Headers, Record, Send
from streams.ownership.batches import UNREADABLE
from streams.ownership.unpacking import MOST_BYTES

_SEND: Final = Maker(Send)
_ORIGIN: Final = Maker(Origin)

HOUR_MS: Final = 3_600_000
ROOM: Final = 10_000
"""What a record needs beside its value: key, headers, the batch's frame."""

_TOPIC: Final = attrgetter("topic")

TAKEN_MAX_BYTES: Final = 2 * INTAKE_MAX_BYTES
"""A record that the broker took packed may be larger than that; nothing that a source has to say is."""
KEPT_BYTES: Final = 10_000

AgentBody = Callable[[AsyncIterable[Batch[Any]]], Coroutine[Any, Any, None]]


class Cut(NamedTuple):
    """A record of which only the beginning is kept."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes | None
    key: bytes | None = None
    headers: Headers = ()


class IntakeMetrics(Protocol):
    """What intake tells of itself."""

    def rejected(self, reason: Reject) -> None:
        """One dead letter."""
        ...

    def flagged(self, flag: Flag) -> None:
        """One doubt about one command."""
        ...

    def forwarded(self, commands: int) -> None:
        """So many commands made from records."""
        ...


class NoMetrics:
    """Tells nobody."""

    def rejected(self, reason: Reject) -> None:
        """Nothing."""

    def flagged(self, flag: Flag) -> None:
        """Nothing."""

    def forwarded(self, commands: int) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeDeps:
    """What intake works with. `partitions`: of `desk` and `dead-letter`; `prefix`: of the topics' names."""

    sources: Sources
    prefix: str
    partitions: int
    metrics: IntakeMetrics = field(default_factory=NoMetrics)
    judged: Callable[[Mapping[str, int], Mapping[str, int]], None] = lambda *_: None
    """Is told, after the commit, how many records of each topic a batch held, and how many of them are dead letters."""


def build(deps: IntakeDeps) -> AgentBody:
    """The agent: answers each batch; an exception fails the batch's future, and so its owner."""
    intake = Intake(deps)

    async def body(batches: AsyncIterable[Batch[Any]]) -> None:
        """Turn intake records into commands."""
        async for batch in batches:
            if batch.answer.done():
                continue  # the owner was closed meanwhile: nobody waits
            try:
                answer = intake.answer(batch.records, batch.metadata)
            except Exception as error:  # noqa: BLE001 - the owner must learn of it, whatever it is
                batch.answer.set_exception(error)
            else:
                batch.answer.set_result(answer)

    return body


def log_time(metadata: str) -> int | None:
    """Log time in the metadata of a committed offset of `intake.history`; `None` where there is none yet."""
    if not metadata:
        return None
    time: int = json.loads(metadata)["time"]
    return time


class Intake:
    """Answers batches. Pure but for the metrics: the same records and metadata give the same answer."""

    def __init__(self, deps: IntakeDeps) -> None:
        self._deps = deps
        self._metrics = deps.metrics
        self._desk = deps.prefix + DESK
        self._dead = deps.prefix + DEAD_LETTER
        self._history = deps.prefix + HISTORY
        self._first = frozenset(deps.prefix + name for name in FIRST)
        self._refused: Counter[str] = Counter()
        """Of the batch in hand, by topic."""
        self._strip = len(deps.prefix) + len("intake.")
        partitions = deps.partitions

        @lru_cache(maxsize=65_536)
        def place(area: str) -> tuple[bytes, int]:
            key = area.encode()
            return key, partition_of(key, partitions)

        self._place = place

    def answer(self, records: Sequence[Record], metadata: str) -> Answer:
        """All that a batch is turned into, in order."""
        sends: list[Send] = []
        time = log_time(metadata)
        commands = 0
        for record in records:
            headers = intake_headers(record.headers)
            if record.topic == self._history:
                time, usable = self._tell_time(sends, record, headers, time)
                if not usable:
                    continue
            commands += self._take(sends, record, headers)
        self._metrics.forwarded(commands)
        seen, refused = Counter(map(_TOPIC, records)), self._refused
        self._refused = Counter()
        return Answer(
            sends=sends,
            metadata=metadata if time is None else json.dumps({"time": time}),
            take=partial(self._deps.judged, seen, refused),
        )

    def _tell_time(
        self, sends: list[Send], record: Record, headers: IntakeHeaders, time: int | None
    ) -> tuple[int | None, bool]:
        """Log time after this record of history, and whether the record goes on to be read."""
        own = _time_after(headers, time)
        if headers.marker is not None:
            # Outside the account: a marker that says nothing is passed over, never a dead letter.
            if isinstance(own, Rejected):
                return time, False
            self._tick(sends, own)
            return own, False
        if isinstance(own, Rejected):
            self._bury(sends, record, headers, own)
            return time, False
        hour = own // HOUR_MS * HOUR_MS
        if time is None or hour > time:
            self._tick(sends, hour)
        return own, True

    def _tick(self, sends: list[Send], time: int) -> None:
        value = encode(Tick(time=time))
        sends.extend(Send(self._desk, partition, None, value) for partition in range(self._deps.partitions))

    def _take(self, sends: list[Send], record: Record, headers: IntakeHeaders) -> int:
        origin = Origin(topic=record.topic, partition=record.partition, offset=record.offset)
        topic = record.topic[self._strip :]
        if record.value is not None and len(record.value) > TAKEN_MAX_BYTES:
            return self._refuse_large(sends, record, headers)
        made = self._deps.sources.read(headers, record.value, topic=topic, origin=origin)
        if isinstance(made, Rejected):
            return self._refuse(sends, record, headers, _packed_wrong(record) or made)
        value = encode(made)
        if len(value) > INNER_MAX_BYTES - ROOM:
            hint = "the command made of it does not fit on the desk's topic"
            return self._refuse(sends, record, headers, Rejected(Reject.TOO_LARGE, hint, headers.source))
        self._forward(sends, record, made, value)
        return 1

    def _forward(self, sends: list[Send], record: Record, command: Report | Feedback, value: bytes) -> None:
        key, partition = self._place(command.area)
        sends.append(_SEND.of(self._desk, partition, key, value, [(ARRIVED, b"%d" % record.timestamp)]))
        for flag in command.flags:
            self._metrics.flagged(flag)

    def _refuse_large(self, sends: list[Send], record: Record, headers: IntakeHeaders) -> int:
        """The broker limits packed bytes: a record of nothing but one letter may be a thousand times as large.

        Its bytes would not fit on `dead-letter` either: its beginning goes there.
        """
        value = record.value or b""
        hint = f"the record has {len(value):,} bytes; here are the first {KEPT_BYTES:,}"
        begin = Cut(record.topic, record.partition, record.offset, record.timestamp, value[:KEPT_BYTES])
        return self._refuse(sends, begin, headers, Rejected(Reject.TOO_LARGE, hint, None))

    def _refuse(self, sends: list[Send], record: Record, headers: IntakeHeaders, why: Rejected) -> int:
        """A dead letter; where lives may hang on it a bare report too. Returns the commands made."""
        self._bury(sends, record, headers, why)
        if record.topic not in self._first:
            return 0
        origin = Origin(topic=record.topic, partition=record.partition, offset=record.offset)
        topic = record.topic[self._strip :]
        bare = self._deps.sources.bare(headers, record.value, at=record.timestamp, topic=topic, origin=origin)
        self._forward(sends, record, bare, encode(bare))
        return 1

    def _bury(self, sends: list[Send], record: Record, headers: IntakeHeaders, why: Rejected) -> None:
        own = headers.time if record.topic == self._history else None
        letter = DeadLetter(
            reason=why.reason,
            hint=why.hint,
            origin=Origin(topic=record.topic, partition=record.partition, offset=record.offset),
            source=why.source,
            time=record.timestamp if own is None or not EARLIEST <= own < LATEST else own,
            drill=headers.drill,
        )
        partition = record.partition % self._deps.partitions
        sends.append(Send(self._dead, partition, record.topic.encode(), record.value, letter.to_kafka()))
        self._refused[record.topic] += 1
        self._metrics.rejected(why.reason)


def _packed_wrong(record: Record) -> Rejected | None:
    if (UNREADABLE, b"") not in record.headers:
        return None
    hint = f"its batch cannot be unpacked, or only to more than {MOST_BYTES >> 20} MiB; here is the batch's beginning"
    return Rejected(Reject.BROKEN, hint, None)


def partition_of(area: bytes, partitions: int) -> int:
    """Where an area's commands go, as Kafka's own clients would send them."""
    hashed: int = murmur2(area)
    return (hashed & 0x7FFFFFFF) % partitions


def _time_after(headers: IntakeHeaders, time: int | None) -> int | Rejected:
    own = headers.time
    if own is None:
        return Rejected(Reject.MISSING_FIELD, "the header lianqin-time is missing or no number")
    if not EARLIEST <= own < LATEST:
        return Rejected(Reject.WRONG_TYPE, "the header lianqin-time is not a time between 1970 and 2100")
    if time is not None and own < time:
        return Rejected(Reject.TIME_WENT_BACK, "the header lianqin-time is older than the records before it")
    return own
