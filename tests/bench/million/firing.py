"""Deadlines that are due at once, through real workers with the real ticker: how late, and how many a second."""

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Any, Final

from confluent_kafka import Message, TopicPartition

from schemas.codec import encode
from schemas.commands import Tick
from schemas.envelope import envelope_of
from schemas.policy import Policy
from schemas.state import POLICY_KEY, Ticket
from schemas.topics import TICKETS
from streams.desk.memory import DeskMemory
from tests.bench.logs import reader
from tests.bench.million.fold import PREFIX
from tests.bench.million.tickets import PARTITIONS, Row, decided, records
from tests.bench.million.workers import wait

CORE: Final = 20_000
"""Tickets that fire in the core alone."""
_AT: Final = 1_700_000_000_000


@dataclass(frozen=True, slots=True)
class Late:
    """From a deadline's due time until its event could be read, in seconds."""

    count: int
    p50_s: float
    p99_s: float
    worst_s: float


class Subscriber:
    """Reads `tickets`, committed facts only, from where it ends now."""

    def __init__(self, bootstrap: str) -> None:
        self.count = 0
        self.last_at = 0.0
        """When the newest could be read, seconds since the epoch."""
        self.kept: list[tuple[float, list[Message]]] = []
        self.keeps = True
        """Whether messages are kept, and not only counted."""
        self._over = threading.Event()
        self._consumer = reader(
            bootstrap, more={"fetch.wait.max.ms": 20, "enable.partition.eof": False, "queued.min.messages": 10_000}
        )
        places = [TopicPartition(PREFIX + TICKETS, number) for number in range(PARTITIONS)]
        for place in places:
            place.offset = self._consumer.get_watermark_offsets(place, timeout=10)[1]
        self._consumer.assign(places)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let go."""
        self._over.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        while not self._over.is_set():
            messages = [one for one in self._consumer.consume(10_000, timeout=0.02) if one.error() is None]
            if messages:
                self.last_at = time.time()
                self.count += len(messages)
                if self.keeps:
                    self.kept.append((self.last_at, messages))


def lateness(subscriber: Subscriber, wanted: int, until: float) -> Late:
    """Wait for so many deadlines, due before `until` (seconds since the epoch); how late each was."""
    time.sleep(max(0.0, until - time.time()))
    wait(lambda: subscriber.count >= wanted, f"{wanted} deadlines fire")
    late = [at - _due_at(one) for at, messages in subscriber.kept for one in messages]
    subscriber.keeps, subscriber.kept = False, []
    percentiles = quantiles(late, n=100)
    return Late(len(late), round(percentiles[49], 3), round(percentiles[98], 3), round(max(late), 3))


def _due_at(message: Message) -> float:
    """When its deadline was due, seconds since the epoch."""
    pairs: Any = message.headers() or ()  # a list of pairs, as nobody has set any otherwise
    return envelope_of(pairs).time / 1000


def rate(subscriber: Subscriber, wanted: int, due_at: float) -> tuple[float, float]:
    """Wait for so many more, all due at one moment; seconds from then to the last, and how many a second."""
    before = subscriber.count
    time.sleep(max(0.0, due_at - time.time()))
    wait(lambda: subscriber.count - before >= wanted, f"{wanted} deadlines fire", within_s=600)
    seconds = subscriber.last_at - due_at
    return seconds, wanted / seconds


def core(policy: Policy, models: Sequence[Ticket]) -> float:
    """Deadlines a CPU second of the desk's core alone: from the tick to facts, state and memory."""
    memory = DeskMemory()
    memory.fold(POLICY_KEY, encode(policy))
    for key, value in records(models, range(CORE), _AT):
        memory.fold(key, value)
    memory.folded()
    tick = Row(1, _AT, encode(Tick()))
    began = time.process_time()
    said = asyncio.run(decided(memory, [tick]))
    used = time.process_time() - began
    if said != CORE:
        msg = f"{CORE} deadlines were due, {said} events were said"
        raise RuntimeError(msg)
    return CORE / used
