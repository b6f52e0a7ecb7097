"""A worker joins and leaves: which partitions move, and how long those were silent that did not."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from confluent_kafka import Producer, TopicPartition

from schemas.codec import encode
from schemas.commands import Tick
from schemas.topics import DESK, DESK_STATE
from tests.bench.logs import reader
from tests.bench.million.fold import PREFIX
from tests.bench.million.tickets import PARTITIONS
from tests.bench.million.workers import Worker, moved, seats, wait
from tests.bench.stand import Stand

EVERY_S: Final = 0.25
"""A tick on each partition: how fine a silence can be told."""
_CALM_S: Final = 4.0


@dataclass(frozen=True, slots=True)
class Moved:
    """What one change of the group moved."""

    what: str
    partitions: Sequence[int]
    seconds: float
    """Until all were open again."""
    silent_calm_s: float
    """The longest silence of any partition in the calm seconds after."""
    silent_stayed_s: float
    """The longest silence of those that stayed, meanwhile."""
    silent_moved_s: float
    """And of those that moved."""


class Pulse:
    """Ticks on each partition all the time, and when what each led to could be read."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._over = threading.Event()
        self._beats: dict[int, list[float]] = {number: [] for number in range(PARTITIONS)}
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._tick, self._listen)]

    def __enter__(self) -> "Pulse":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def silences(self, since: float, until: float) -> Mapping[int, float]:
        """The longest silence of each partition between two moments, in seconds."""
        longest = {}
        for number, beats in self._beats.items():
            edges = [since, *(at for at in beats if since < at < until), until]
            longest[number] = max(later - at for at, later in pairwise(edges))
        return longest

    def _tick(self) -> None:
        producer = Producer({"bootstrap.servers": self._bootstrap, "linger.ms": 0, "log_level": 0})
        while not self._over.wait(EVERY_S):
            for number in range(PARTITIONS):
                producer.produce(PREFIX + DESK, encode(Tick()), partition=number)
            producer.poll(0)
        producer.flush(10)

    def _listen(self) -> None:
        consumer = reader(self._bootstrap, more={"fetch.wait.max.ms": 20, "enable.partition.eof": False})
        places = [TopicPartition(PREFIX + DESK_STATE, number) for number in range(PARTITIONS)]
        for place in places:
            place.offset = consumer.get_watermark_offsets(place, timeout=10)[1]
        consumer.assign(places)
        while not self._over.is_set():
            for message in consumer.consume(1000, timeout=0.02):
                number = message.partition()
                if message.error() is None and number is not None:
                    self._beats[number].append(time.monotonic())
        consumer.close()


def measured(stand: Stand) -> Sequence[Moved]:
    """One worker holds all; a second one joins, and leaves."""
    one, other = Worker(stand, "first"), Worker(stand, "second")
    with stand.running(one.child):
        wait(lambda: one.open() == PARTITIONS, "the first worker opens all partitions")
        with Pulse(stand.bootstrap) as pulse:
            with stand.running(other.child):
                half = PARTITIONS // 2
                joined = _change(stand, pulse, "joins", lambda: (one.open(), other.open()) == (half, half))
                leaving = time.monotonic()
                before = seats(stand.bootstrap)
            # It has left in order: its last batches are committed, and the group knows.
            left = _after(stand, pulse, "leaves", before, leaving, lambda: one.open() == PARTITIONS)
    return joined, left


def _change(stand: Stand, pulse: Pulse, what: str, whole: Callable[[], bool]) -> Moved:
    # The new process takes some seconds until it asks to join; those before are the calm ones.
    return _after(stand, pulse, what, seats(stand.bootstrap), time.monotonic(), whole)


def _after(
    stand: Stand, pulse: Pulse, what: str, before: Mapping[int, str], began: float, whole: Callable[[], bool]
) -> Moved:
    wait(whole, f"all partitions are open after a worker {what}")
    seconds = time.monotonic() - began
    after = seats(stand.bootstrap)
    time.sleep(_CALM_S)
    calm = pulse.silences(time.monotonic() - _CALM_S + EVERY_S, time.monotonic() - EVERY_S)
    gone = moved(before, after)
    silent = pulse.silences(began, began + seconds)
    return Moved(
        what=what,
        partitions=gone,
        seconds=round(seconds, 2),
        silent_calm_s=round(max(calm.values()), 2),
        silent_stayed_s=round(max((silence for one, silence in silent.items() if one not in gone), default=0), 2),
        silent_moved_s=round(max((silent[one] for one in gone), default=0), 2),
    )
