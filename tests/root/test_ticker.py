"""When a desk partition needs a tick."""

import asyncio
from dataclasses import dataclass

import pytest

from agents.ticker import IDLE_MS, Last, Ticker, due
from schemas.commands import COMMAND, Tick

NOW = 1_000_000
"""By the steady clock of the worker."""
BROKERS = 1_772_409_600_000
"""By the broker's, at the same moment."""


@dataclass
class Partition:
    """A desk partition as the ticker sees it."""

    applied: int = -1
    deadline: int | None = None

    def next_due(self) -> int | None:
        """When its next deadline fires."""
        return self.deadline


@dataclass(frozen=True)
class Sent:
    """Where and when a tick was appended."""

    offset: int
    timestamp: int


class Producer:
    """Appends, and answers with the offset and the broker's time."""

    def __init__(self, clock: int = BROKERS) -> None:
        self.clock = clock
        self.sent: list[tuple[int, bytes]] = []

    async def send_and_wait(self, topic: str, value: bytes, partition: int) -> Sent:
        """Append."""
        assert topic == "desk"
        self.sent.append((partition, value))
        return Sent(len(self.sent) - 1, self.clock)


async def turn(ticker: Ticker, producer: Producer) -> None:
    """A look, and what goes out is appended where it can be."""
    ticker.turn(producer)
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("deadline", "expected"),
    [(None, False), (BROKERS + 1, False), (BROKERS, True), (BROKERS - 5, True)],
    ids=["none", "not yet", "now", "passed"],
)
def test_a_deadline_that_has_passed_asks_for_a_tick(deadline: int | None, expected: bool) -> None:
    partition = Partition(deadline=deadline)
    ticker = Ticker("desk", lambda: {0: partition}, now=lambda: NOW)
    assert ticker.wants(0, partition, NOW) is True  # a new worker ticks once, so that log time moves
    assert due(partition, Last(0, BROKERS - 1, NOW - 1), NOW) is expected


async def test_at_most_one_tick_is_in_flight() -> None:
    partition, producer, now = Partition(deadline=BROKERS), Producer(), [NOW]
    ticker = Ticker("desk", lambda: {3: partition}, now=lambda: now[0])
    await turn(ticker, producer)
    await turn(ticker, producer)
    assert len(producer.sent) == 1
    partition.applied = 0  # the owner has applied it, and the deadline still stands
    await turn(ticker, producer)
    assert [number for number, _ in producer.sent] == [3, 3]


async def test_an_idle_partition_gets_a_tick_a_minute() -> None:
    partition, producer, now = Partition(), Producer(), [NOW]
    ticker = Ticker("desk", lambda: {0: partition}, now=lambda: now[0])
    await turn(ticker, producer)
    partition.applied = 0
    now[0] += IDLE_MS - 1
    await turn(ticker, producer)
    assert len(producer.sent) == 1
    now[0] += 1
    await turn(ticker, producer)
    assert len(producer.sent) == 2
    assert COMMAND.decode(producer.sent[0][1]) == Tick()


async def test_a_partition_that_came_back_is_begun_anew() -> None:
    partition, producer = Partition(deadline=BROKERS), Producer()
    held = {0: partition}
    ticker = Ticker("desk", lambda: held, now=lambda: NOW)
    await turn(ticker, producer)
    held.clear()
    await turn(ticker, producer)
    held[0] = partition
    await turn(ticker, producer)
    assert len(producer.sent) == 2


async def test_the_brokers_clock_says_what_has_passed_also_when_it_jumps() -> None:
    partition, producer, now = Partition(deadline=BROKERS + 500), Producer(), [NOW]
    ticker = Ticker("desk", lambda: {0: partition}, now=lambda: now[0])
    await turn(ticker, producer)
    partition.applied = 0
    now[0] += 499
    await turn(ticker, producer)
    assert len(producer.sent) == 1
    now[0] += 1
    producer.clock = BROKERS - 3_600_000  # it was set back meanwhile: nothing is due for an hour
    await turn(ticker, producer)
    partition.applied = 1
    now[0] += IDLE_MS - 1
    await turn(ticker, producer)
    assert len(producer.sent) == 2
    now[0] += 1
    producer.clock = BROKERS + 500  # and put right again, which the tick of the minute tells
    await turn(ticker, producer)
    partition.applied = 2
    await turn(ticker, producer)
    assert len(producer.sent) == 4


class Stuck(Producer):
    """Partition 3 has no leader until somebody says so; then it takes what waits."""

    def __init__(self) -> None:
        super().__init__()
        self.back = asyncio.Event()
        self.waiting = 0

    async def send_and_wait(self, topic: str, value: bytes, partition: int) -> Sent:
        """Append, or wait."""
        if partition == 3:
            self.waiting += 1
            await self.back.wait()
            self.waiting -= 1
        return await super().send_and_wait(topic, value, partition)


async def test_a_partition_that_takes_no_tick_stops_no_other_one() -> None:
    partitions, producer = {number: Partition(deadline=BROKERS) for number in range(4)}, Stuck()
    ticker = Ticker("desk", lambda: partitions, now=lambda: NOW)
    for _ in range(5):
        await turn(ticker, producer)
        for partition in partitions.values():
            partition.applied = len(producer.sent)
    assert sorted(number for number, _ in producer.sent) == sorted([0, 1, 2] * 5)
    assert producer.waiting == 1
    # Its seat may go and come back meanwhile: the one that waits is still the only one.
    stuck = partitions.pop(3)
    await turn(ticker, producer)
    partitions[3] = stuck
    await turn(ticker, producer)
    assert producer.waiting == 1
    producer.back.set()
    await turn(ticker, producer)
    producer.sent.clear()
    stuck.applied = 100
    await turn(ticker, producer)
    assert 3 in [number for number, _ in producer.sent]


class Refused(Producer):
    """May not write."""

    async def send_and_wait(self, topic: str, value: bytes, partition: int) -> Sent:
        """Refuse."""
        raise PermissionError


async def test_what_a_sending_raises_is_not_kept_back() -> None:
    ticker = Ticker("desk", lambda: {0: Partition(), 1: Partition()}, now=lambda: NOW)
    with pytest.raises(PermissionError):
        await ticker.run(Refused())
