"""What grows while it runs: memory and open handles of each process, lag of each stage, as slopes.

A process that was killed begins anew: its slope is that within its lives, without the minutes in which one warms up.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from tests.chaos.kafka import ANSWER_WITHIN_S, SILENT, Ends
from tests.watching import Watching

EVERY_S: Final = 5.0
WARM_AFTER_S: Final = 120.0
"""A life's first minutes: imports, folding, caches."""
LEAST_POINTS: Final = 12
READ: Final = {
    "intake": ("intake.citizen", "intake.urgent"),
    "desk": ("desk",),
    "views": ("tickets",),
    "ledger": ("tickets", "dead-letter"),
}
"""What each stage's group reads, of what is fed here."""


@dataclass(slots=True)
class Line:
    """Values over time, in lives."""

    lives: dict[int, list[tuple[float, float]]] = field(default_factory=dict)
    """By life: seconds and value."""

    def add(self, life: int, at: float, value: float) -> None:
        """One more."""
        self.lives.setdefault(life, []).append((at, value))

    @property
    def last(self) -> float:
        """The newest value."""
        return max((points[-1] for points in self.lives.values()), default=(0.0, 0.0))[1]

    def per_hour(self, warm_after_s: float = WARM_AFTER_S) -> float | None:
        """The slope within the lives, least squares; `None` where no life was long enough."""
        warm = [[p for p in points if p[0] >= points[0][0] + warm_after_s] for points in self.lives.values()]
        kept = [points for points in warm if len(points) >= LEAST_POINTS]
        over = under = 0.0
        for points in kept:
            mean_at = sum(at for at, _ in points) / len(points)
            mean = sum(value for _, value in points) / len(points)
            over += sum((at - mean_at) * (value - mean) for at, value in points)
            under += sum((at - mean_at) ** 2 for at, _ in points)
        return 3600 * over / under if under else None


class Growth(Watching):
    """Samples from a thread of its own while the context lasts."""

    every_s = EVERY_S

    def __init__(self, bootstrap: str, prefix: str, pids: Callable[[], Mapping[str, int]]) -> None:
        super().__init__()
        topics = sorted({topic for read in READ.values() for topic in read})
        self._ends = Ends(bootstrap, [prefix + topic for topic in topics])
        # No members: they only ask. librdkafka's admin client ends the process where the broker dies while it asks.
        self._groups = {
            stage: Consumer({"bootstrap.servers": bootstrap, "group.id": prefix + stage, **SILENT}) for stage in READ
        }
        self._prefix = prefix
        self._pids = pids
        self.memory_mb: dict[str, Line] = {}
        self.handles: dict[str, Line] = {}
        self.lag: dict[str, Line] = {}
        """By stage, in records (and markers) not yet committed."""

    def lines(self) -> Iterator[str]:
        """What is to be told; only of what lived long enough for a slope."""
        for name in sorted(self.memory_mb):
            memory, handles = self.memory_mb[name], self.handles[name]
            if (slope := memory.per_hour()) is not None:
                yield (
                    f"{name}: memory {memory.last:.0f} MB, {slope:+.1f} MB/h; "
                    f"open handles {handles.last:.0f}, {handles.per_hour() or 0:+.1f}/h"
                )
        for stage, lag in self.lag.items():
            if (slope := lag.per_hour()) is not None:
                yield f"{stage}: lag {lag.last:.0f} records, {slope:+.1f}/h"

    def look(self) -> None:
        """Take a point of each line."""
        now = time.monotonic()
        for name, pid in self._pids().items():
            with suppress(OSError):  # it ended meanwhile
                self.memory_mb.setdefault(name, Line()).add(pid, now, _resident_mb(pid))
                self.handles.setdefault(name, Line()).add(pid, now, _handles(pid))
        with suppress(KafkaException, TimeoutError):  # a broker is away; so is this point
            self._take_lag(now)

    def _take_lag(self, now: float) -> None:
        there = self._ends.now()
        for stage, topics in READ.items():
            full = [self._prefix + topic for topic in topics]
            read = [TopicPartition(*one) for one in there if one[0] in full]
            committed = self._groups[stage].committed(read, timeout=ANSWER_WITHIN_S)
            lag = sum(max(0, there[one.topic, one.partition] - max(0, one.offset)) for one in committed)
            self.lag.setdefault(stage, Line()).add(0, now, lag)


def _resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _handles(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
