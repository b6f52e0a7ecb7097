"""A partition's log as Kafka keeps it: markers, the last stable offset, retention, compaction."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import MessageSizeTooLargeError, OffsetOutOfRangeError, OutOfOrderSequenceNumber

from streams.ownership.batch import Headers

LIMIT_BYTES: Final = 1_000_000


class Data(NamedTuple):
    """One record as it is sent."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Fate:
    """What becomes of the records of one transaction in one log; None while it is open."""

    __slots__ = ("committed", "first")

    def __init__(self, first: int) -> None:
        self.first = first
        self.committed: bool | None = None


class Stored:
    """One record in the log, or a marker of a transaction's end. It has the fields of aiokafka's ConsumerRecord."""

    __slots__ = ("fate", "headers", "key", "marker", "offset", "partition", "timestamp", "topic", "value")

    def __init__(self, place: TopicPartition, offset: int, timestamp: int, data: Data, fate: Fate | None) -> None:
        self.topic, self.partition = place
        self.offset = offset
        self.timestamp = timestamp
        self.key, self.value, self.headers = data
        self.fate = fate
        self.marker = False

    @property
    def visible(self) -> bool:
        """Whether a read_committed reader sees it, below the last stable offset."""
        return not self.marker and (self.fate is None or self.fate.committed is True)


class Fetched(NamedTuple):
    """Some records, and where reading goes on behind them."""

    records: Sequence[Stored]
    next: int


class Log:
    """One partition. Time is an argument, in milliseconds."""

    def __init__(self, place: TopicPartition) -> None:
        self.place = place
        self.start = 0
        self.end = 0
        self.limit_bytes = LIMIT_BYTES
        self.ever: list[Stored] = []
        """All that was ever appended, also what retention or compaction took."""
        self._entries: list[Stored] = []
        self._open: dict[int, Fate] = {}
        self._sequences: dict[tuple[int, int], int] = {}

    @property
    def stable(self) -> int:
        """The last stable offset: the first record of the oldest open transaction, else the end."""
        return min((fate.first for fate in self._open.values()), default=self.end)

    def append(self, records: Sequence[Data], now_ms: int) -> None:
        """Append outside of transactions."""
        self._append(records, now_ms, None)

    def produce(self, producer: tuple[int, int], sequence: int, records: Sequence[Data], now_ms: int) -> None:
        """Append one batch of an open transaction of this producer (id, epoch); a batch that came before is ignored."""
        if sum(len(one.key or b"") + len(one.value or b"") for one in records) > self.limit_bytes:
            raise MessageSizeTooLargeError
        expected = self._sequences.get(producer)
        if expected is not None and sequence < expected:
            return
        if expected is not None and sequence > expected:
            raise OutOfOrderSequenceNumber
        self._sequences[producer] = sequence + len(records)
        fate = self._open.setdefault(producer[0], Fate(self.end))
        self._append(records, now_ms, fate)

    def _append(self, records: Sequence[Data], now_ms: int, fate: Fate | None) -> None:
        for data in records:
            self._add(Stored(self.place, self.end, now_ms, data, fate))

    def _add(self, stored: Stored) -> None:
        self._entries.append(stored)
        self.ever.append(stored)
        self.end += 1

    def mark(self, producer_id: int, *, commit: bool, now_ms: int) -> None:
        """Write the marker that ends a producer's transaction here; also where it has written nothing."""
        if (fate := self._open.pop(producer_id, None)) is not None:
            fate.committed = commit
        marker = Stored(self.place, self.end, now_ms, Data(None, None), fate)
        marker.marker = True
        self._add(marker)

    def fetch(self, offset: int, *, committed: bool, most: int) -> Fetched:
        """The records from an offset on, as the isolation shows them; raises OffsetOutOfRangeError outside the log."""
        if not self.start <= offset <= self.end:
            raise OffsetOutOfRangeError({self.place: offset})
        bound, found = self.stable if committed else self.end, list[Stored]()
        for stored in self._from(offset):
            if stored.offset >= bound or len(found) == most:
                break
            offset = stored.offset + 1
            if stored.visible or not (committed or stored.marker):
                found.append(stored)
        return Fetched(found, offset)

    def _from(self, offset: int) -> Iterator[Stored]:
        entries = self._entries
        for number in range(bisect_left(entries, offset, key=attrgetter("offset")), len(entries)):
            yield entries[number]

    def readable(self) -> list[Stored]:
        """All that a read_committed reader could ever see."""
        stable = self.stable
        return [stored for stored in self.ever if stored.offset < stable and stored.visible]

    def held(self) -> list[Stored]:
        """What a read_committed reader finds there now."""
        stable = self.stable
        return [stored for stored in self._entries if stored.offset < stable and stored.visible]

    def cut(self, before: int) -> None:
        """Let the log start at an offset, as retention does."""
        self.start = max(self.start, before)
        self._entries = [stored for stored in self._entries if stored.offset >= self.start]

    def compact(self, before: int) -> None:
        """Keep the newest visible record of each key below an offset; markers and tombstones there go. Offsets stay."""
        before = min(before, self.stable)
        newest = {stored.key: stored.offset for stored in self._entries if stored.visible and stored.offset < before}
        self._entries = [
            stored
            for stored in self._entries
            if stored.offset >= before
            or (stored.visible and stored.value is not None and newest[stored.key] == stored.offset)
        ]
