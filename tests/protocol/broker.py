"""The broker: topics, transactions and their coordinator, offsets of groups. Each call happens at one moment."""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from aiokafka import TopicPartition
from aiokafka.errors import (
    ConcurrentTransactions,
    InvalidTxnState,
    OffsetOutOfRangeError,
    ProducerFenced,
    UnknownError,
    UnknownTopicOrPartitionError,
)
from aiokafka.structs import OffsetAndMetadata

from tests.protocol.log import Data, Fetched, Log

Offsets = Mapping[TopicPartition, OffsetAndMetadata]
Epoch = tuple[int, int]
"""A producer's id and epoch."""

NOTHING: Final = OffsetAndMetadata(-1, "")


class State(Enum):
    """Of a transactional id."""

    EMPTY = "empty"
    ONGOING = "ongoing"
    ENDING = "ending"
    """Decided, but not all markers are written."""


@dataclass(slots=True)
class Transactional:
    """What the coordinator knows of a transactional id."""

    producer_id: int
    timeout_s: float
    epoch: int = -1
    state: State = State.EMPTY
    last_committed: bool | None = None
    """How the last transaction ended."""
    number: int = 0
    """Counts transactions, so that a time-out knows its own."""
    places: dict[TopicPartition, None] = field(default_factory=dict)
    offsets: dict[str, dict[TopicPartition, OffsetAndMetadata]] = field(default_factory=dict)
    left: int = 0
    """Markers still to be written."""
    fencing: bool = False
    """The transaction ends because its producer is replaced."""


class Broker:
    """All state of the cluster. Answers are given, or errors raised, as a broker would send them.

    It lives on the loop that runs when it is made. Python looks up the running loop with a system call, so it is kept.
    """

    def __init__(self, chance: random.Random, *, marker_s: float = 0.002) -> None:
        self.loop = asyncio.get_running_loop()
        self.logs: dict[TopicPartition, Log] = {}
        self.offsets: dict[tuple[str, TopicPartition], OffsetAndMetadata] = {}
        self.committed_at: dict[tuple[str, TopicPartition], float] = {}
        """When each of them was committed last: one for itself, as Kafka forgets them."""
        self.loading = False
        """The coordinator of groups says nothing yet."""
        self.behind = False
        """A new coordinator of groups tells each offset as it was before its last move, until it writes something."""
        self._before: dict[tuple[str, TopicPartition], OffsetAndMetadata] = {}
        self.timed_out = 0
        """Transactions that the broker ended because they took too long."""
        self.marker_s = marker_s
        """How long a marker takes at most."""
        self.decided: dict[tuple[str, TopicPartition], int] = {}
        """The largest offset of each group whose commit is decided, though it may not be told yet."""
        self._chance = chance
        self._ids: dict[str, Transactional] = {}
        self._waiters: dict[TopicPartition, list[Callable[[], None]]] = {}

    def make(self, topic: str, partitions: int) -> None:
        """Make a topic, or make it anew."""
        for partition in range(partitions):
            place = TopicPartition(topic, partition)
            self.logs[place] = Log(place)

    def log(self, place: TopicPartition) -> Log:
        """The log of a partition."""
        found = self.logs.get(place)
        if found is None:
            raise UnknownTopicOrPartitionError
        return found

    def now_ms(self) -> int:
        """The broker's clock."""
        return int(self.loop.time() * 1000)

    def append(self, place: TopicPartition, records: Sequence[Data]) -> None:
        """Take records that belong to no transaction."""
        self.log(place).append(records, self.now_ms())
        self._wake(place)

    def changed(self, places: Iterable[TopicPartition], tell: Callable[[], None]) -> None:
        """Tell when something can be read of these that could not be read before."""
        for place in places:
            self._waiters.setdefault(place, []).append(tell)

    def not_waiting(self, places: Iterable[TopicPartition], tell: Callable[[], None]) -> None:
        """Take it back."""
        for place in places:
            self._waiters[place].remove(tell)

    def _wake(self, place: TopicPartition) -> None:
        for tell in self._waiters.get(place, ()):
            tell()

    def fetch(
        self, positions: Mapping[TopicPartition, int], *, committed: bool, most: int
    ) -> dict[TopicPartition, Fetched | OffsetOutOfRangeError]:
        """What each partition holds from its position on."""
        found: dict[TopicPartition, Fetched | OffsetOutOfRangeError] = {}
        for place, position in positions.items():
            try:
                found[place] = self.log(place).fetch(position, committed=committed, most=most)
            except OffsetOutOfRangeError as error:
                found[place] = error
        return found

    def ends(self, places: Iterable[TopicPartition], *, committed: bool) -> dict[TopicPartition, int]:
        """The last stable offsets, or the logs' ends."""
        return {place: self.log(place).stable if committed else self.log(place).end for place in places}

    def starts(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Where the logs start."""
        return {place: self.log(place).start for place in places}

    def committed(self, group: str, places: Sequence[TopicPartition]) -> Offsets:
        """The group's offsets; nothing at all while the coordinator loads, as aiokafka drops the error."""
        known = self._before if self.behind else self.offsets
        return {} if self.loading else {place: known.get((group, place), NOTHING) for place in places}

    def init(self, name: str, timeout_s: float) -> Epoch:
        """Give a new epoch to a transactional id; what the former one left open is aborted first."""
        it = self._ids.setdefault(name, Transactional(1000 + len(self._ids), timeout_s))
        if it.state is State.ONGOING:
            it.epoch += 1
            it.fencing = True
            self._end(it, commit=False)
        if it.state is State.ENDING:
            raise ConcurrentTransactions
        it.epoch += 1
        it.timeout_s = timeout_s
        it.last_committed = None
        return it.producer_id, it.epoch

    def _its(self, name: str, producer: Epoch) -> Transactional:
        it = self._ids[name]
        if producer != (it.producer_id, it.epoch):
            raise ProducerFenced
        return it

    def _ongoing(self, name: str, producer: Epoch) -> Transactional:
        """The transaction of this producer, begun if it has none."""
        it = self._its(name, producer)
        if it.state is State.ENDING:
            raise ConcurrentTransactions
        if it.state is State.EMPTY:
            it.state = State.ONGOING
            it.number += 1
            self.loop.call_later(it.timeout_s, self._time_out, it, it.number)
        return it

    def add(self, name: str, producer: Epoch, places: Sequence[TopicPartition]) -> None:
        """Let partitions belong to the transaction, all of them or none."""
        for place in places:
            self.log(place)
        self._ongoing(name, producer).places.update(dict.fromkeys(places))

    def produce(
        self, name: str, producer: Epoch, place: TopicPartition, sequence: int, records: Sequence[Data]
    ) -> None:
        """Append a batch, if its transaction is still open and knows the partition."""
        it = self._its(name, producer)
        if it.state is not State.ONGOING or place not in it.places:
            raise InvalidTxnState
        self.log(place).produce(producer, sequence, records, self.now_ms())
        self._wake(place)

    def add_group(self, name: str, producer: Epoch, group: str) -> None:
        """Let a group belong to the transaction."""
        self._ongoing(name, producer).offsets.setdefault(group, {})

    def commit_offsets(self, name: str, producer: Epoch, group: str, offsets: Offsets) -> None:
        """Let offsets be committed with the transaction, if it is still open and knows the group."""
        it = self._its(name, producer)
        if it.state is not State.ONGOING or group not in it.offsets:
            raise InvalidTxnState
        it.offsets[group].update(offsets)
        self.behind = False

    def end(self, name: str, producer: Epoch, commit: bool) -> None:
        """Decide the transaction; the markers follow. Asked again, it says the same again.

        Kafka 4.3.1 fails at a commit that comes while the fence of its producer is being written.
        """
        if self._ids[name].fencing and commit:
            raise UnknownError
        it = self._its(name, producer)
        if it.state is State.ENDING:
            if it.last_committed is not commit:
                raise InvalidTxnState
            raise ConcurrentTransactions
        if it.state is State.EMPTY:
            if it.last_committed is not commit:
                raise InvalidTxnState
            return
        self._end(it, commit=commit)

    def _time_out(self, it: Transactional, number: int) -> None:
        if it.state is State.ONGOING and it.number == number:
            # Its producer is fenced by that.
            self.timed_out += 1
            it.epoch += 1
            self._end(it, commit=False)

    def _end(self, it: Transactional, *, commit: bool) -> None:
        it.state, it.last_committed = State.ENDING, commit
        it.left = len(it.places) + 1
        if commit:
            self._decide(it)
        later = self.loop.call_later
        for place in it.places:
            later(self._chance.random() * self.marker_s, self._mark, it, place, commit)
        later(self._chance.random() * self.marker_s, self._mark_offsets, it, commit)

    def _decide(self, it: Transactional) -> None:
        for group, offsets in it.offsets.items():
            for place, told in offsets.items():
                self.decided[group, place] = max(told.offset, self.decided.get((group, place), -1))

    def _mark(self, it: Transactional, place: TopicPartition, commit: bool) -> None:
        if (log := self.logs.get(place)) is not None:
            log.mark(it.producer_id, commit=commit, now_ms=self.now_ms())
            self._wake(place)
        self._marked(it)

    def _mark_offsets(self, it: Transactional, commit: bool) -> None:
        if commit:
            for group, offsets in it.offsets.items():
                for place, offset in offsets.items():
                    if (before := self.offsets.get((group, place), NOTHING)).offset != offset.offset:
                        self._before[group, place] = before
                    self.offsets[group, place] = offset
                    self.committed_at[group, place] = self.loop.time()
        self._marked(it)

    def _marked(self, it: Transactional) -> None:
        it.left -= 1
        if not it.left:
            it.state, it.fencing = State.EMPTY, False
            it.places.clear()
            it.offsets.clear()

    def forget(self, *, older_s: float) -> None:
        """Forget the offsets that were committed longer ago, as Kafka does with those of groups without members."""
        for one in [one for one, at in self.committed_at.items() if self.loop.time() - at > older_s]:
            self.offsets.pop(one, None)

    def quiet(self, prefix: str = "") -> bool:
        """Whether no transaction of ids that begin so is open or ending."""
        return all(it.state is State.EMPTY for name, it in self._ids.items() if name.startswith(prefix))


BROKER: Final[ContextVar[Broker]] = ContextVar("BROKER")
"""The cluster that clients reach."""
