"""What befell owners once, or could: told one by one in the simulated cluster, where no schedule would come to it."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import ConcurrentTransactions

from streams.ownership.batch import Answer
from streams.ownership.faults import Faults, NoFaults, Point
from streams.ownership.owner import OwnerDeps
from streams.ownership.producer import Producer
from streams.ownership.reader import AlwaysOpen, Gate
from streams.ownership.seats import Seats
from streams.ownership.settings import OwnerSettings
from tests.ownership.running import Deaths, until
from tests.protocol.broker import BROKER, Broker
from tests.protocol.clients import installed
from tests.protocol.jobs import Relay
from tests.protocol.log import Data
from tests.protocol.loop import run_virtually
from tests.protocol.network import HERE, Link, Weather
from tests.protocol.trace import Trace

BUSY, IDLE = TopicPartition("in", 0), TopicPartition("first", 0)


class Story:
    """One partition that relays two inputs, in a cluster of its own."""

    def __init__(self, **changed: Any) -> None:
        self.broker = Broker(random.Random(1))
        BROKER.set(self.broker)
        HERE.set(Link("worker", Weather(), random.Random(2), Trace(kept=False)))
        self.job = Relay(self.broker, 1)
        self.settings = OwnerSettings(bootstrap="model", **changed)
        self.deaths = Deaths()
        self.gate: Gate = AlwaysOpen()
        self.faults: Faults = NoFaults()
        self.agent_s = 0.0
        self.at_once = 0
        """For how many records the agent answers; 0: all."""

    @asynccontextmanager
    async def seated(self) -> AsyncIterator[Seats]:
        """A worker that has the seat until the `with` ends, and what follows from its last commit is there."""
        deps = OwnerDeps(settings=self.settings, ask=self._ask, gate=self.gate, faults=self.faults)
        seats = Seats(self.job.stage, deps, told=self._told, die=self.deaths)
        seats.hold({0})
        await until(lambda: bool(self.deaths.told) or all(owner.is_open for owner in seats.owners))
        yield seats
        await seats.close()
        await until(self.broker.quiet)

    async def _told(self) -> frozenset[int]:
        return frozenset({0})

    async def _ask(self, batch: Any) -> None:
        await asyncio.sleep(self.agent_s)
        batch.settle(self._decide)

    def _decide(self, batch: Any) -> Answer:
        done = self.at_once or len(batch.records)
        return replace(self.job.decide(replace(batch, records=batch.records[:done])), done=done)

    def send(self, place: TopicPartition, *values: bytes) -> None:
        """Let records come."""
        self.broker.append(place, [Data(b"k", value) for value in values])

    async def busy_for(self, seconds: float) -> None:
        """Let a record come so often that the owner never has nothing to do."""
        for number in range(int(seconds / 0.05)):
            self.send(BUSY, b"busy%d" % number)
            await asyncio.sleep(0.05)

    async def transact(self, place: TopicPartition, *values: bytes) -> None:
        """Let records come in somebody's transaction, which leaves a marker behind them."""
        producer = Producer(OwnerSettings(bootstrap="model"), "stranger")
        await producer.start()
        await producer.begin_transaction()
        batch = producer.create_batch()
        for value in values:
            batch.append(timestamp=0, key=b"k", value=value, headers=[])
        await (await producer.send_batch(batch, place.topic, partition=place.partition))
        await producer.commit_transaction()
        await until(self.broker.quiet)

    def check_whole(self) -> None:
        """Each record was passed on once, and no process ended."""
        assert self.deaths.told == []
        assert list(self.job.wrong(0, whole=True)) == []


def told(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Play it to its end."""
    with installed():
        run_virtually(story)


async def _an_idle_input_beside_a_busy_one() -> None:
    story = Story(offset_every_s=0.2)
    story.send(IDLE, b"1", b"2", b"3")
    async with story.seated():
        await story.busy_for(2.0)
    story.broker.forget(older_s=0.5)
    async with story.seated():
        await asyncio.sleep(0.5)
    story.check_whole()


def test_the_offset_of_an_idle_input_is_kept_by_an_owner_that_is_busy_with_another() -> None:
    told(_an_idle_input_beside_a_busy_one)


async def _markers_on_an_idle_input() -> None:
    story = Story(offset_every_s=0.2)
    await story.transact(IDLE, b"1", b"2", b"3")
    async with story.seated():
        await story.busy_for(2.0)
    # The record was applied and the marker behind it is all that is left; then retention takes that too.
    story.broker.log(IDLE).cut(story.broker.log(IDLE).end)
    async with story.seated():
        await asyncio.sleep(0.5)
    story.check_whole()


def test_a_busy_owner_moves_its_place_in_an_idle_input_past_markers_before_retention_takes_them() -> None:
    told(_markers_on_an_idle_input)


async def _owners_that_stay_for_a_moment() -> None:
    story = Story(offset_every_s=1.0)
    story.send(IDLE, b"1", b"2", b"3")
    for _ in range(5):
        async with story.seated():
            await story.busy_for(0.5)
    story.broker.forget(older_s=1.5)
    async with story.seated():
        await asyncio.sleep(0.5)
    story.check_whole()


def test_owners_that_never_stay_for_long_do_not_leave_an_idle_inputs_offset_to_each_other() -> None:
    told(_owners_that_stay_for_a_moment)


async def _asked_to_leave_amid_a_batch() -> None:
    story = Story(offset_every_s=0.0)
    story.agent_s, story.at_once = 0.1, 1
    async with story.seated():
        story.send(BUSY, b"1", b"2", b"3", b"4", b"5")
        await asyncio.sleep(0.25)
    assert 0 < len(story.job.said(BUSY)) < 5
    story.at_once = 0
    async with story.seated():
        await asyncio.sleep(1.0)
    story.check_whole()


def test_what_an_owner_leaves_of_a_batch_when_it_goes_is_not_committed_with_all_places() -> None:
    told(_asked_to_leave_amid_a_batch)


class _Shuts(AlwaysOpen):
    """A gate that is shut as soon as records come to it."""

    def __init__(self) -> None:
        self.is_open = True

    async def open(self, records: int) -> bool:
        self.is_open = self.is_open and not records
        return self.is_open


async def _records_held_at_the_gate() -> None:
    story = Story()
    async with story.seated():
        story.send(BUSY, b"1", b"2")
        await asyncio.sleep(0.5)
    story.gate = _Shuts()
    story.send(BUSY, b"3", b"4", b"5")
    async with story.seated() as seats:
        await asyncio.sleep(0.5)
        (owner,) = seats.owners
        assert [await owner.position(one) for one in (BUSY, IDLE)] == [2, 0]


def test_an_owner_that_holds_records_at_the_gate_has_still_to_do_them() -> None:
    told(_records_held_at_the_gate)


async def _a_seat_that_goes_again_while_its_new_owner_waits_for_the_last_one() -> None:
    story = Story()
    story.agent_s = 0.2
    async with story.seated() as seats:
        for number in range(3):
            story.send(BUSY, b"%d" % number)
            await asyncio.sleep(0.1)  # the batch is in hand
            for held in ((), {0}, ()):
                seats.hold(held)
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.5)
            assert seats._tasks == {}  # noqa: SLF001 - what is kept for ever shows nowhere else
            seats.hold({0})
            await until(lambda: seats.owners[0].is_open)
    story.check_whole()


def test_of_an_owner_that_never_came_to_open_nothing_is_kept() -> None:
    told(_a_seat_that_goes_again_while_its_new_owner_waits_for_the_last_one)


class _Replaced:
    """Somebody takes the first owner's transactional id between its sends and its commit, and goes away."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.times = 0

    def point(self, name: Point) -> None:
        if name is Point.AFTER_SENDS and not self.times:
            self.times += 1
            with suppress(ConcurrentTransactions):
                self._broker.init("relay-0", 6.0)


async def _a_commit_while_the_fence_is_written() -> None:
    story = Story()
    story.broker.marker_s = 0.5
    story.faults = replaced = _Replaced(story.broker)
    async with story.seated():
        story.send(BUSY, b"1", b"2")
        await asyncio.sleep(1.0)
    assert replaced.times == 1
    story.check_whole()


def test_a_commit_that_meets_the_fence_of_its_owner_ends_the_owner_and_not_the_process() -> None:
    told(_a_commit_while_the_fence_is_written)


async def _the_groups_coordinator_fails_over() -> None:
    story = Story()
    for number in range(3):
        story.send(BUSY, b"%d" % number)
        async with story.seated():
            await asyncio.sleep(0.5)
    # Three brokers were killed at once. The log of the group's offsets is whole, but who leads it now tells offsets up
    # to what it knows to be on the others: a batch of 60 was decided a second time.
    story.broker.behind = True
    async with story.seated():
        await asyncio.sleep(0.5)
    story.check_whole()


def test_an_owner_does_not_go_on_from_an_offset_that_the_coordinator_knows_no_better() -> None:
    told(_the_groups_coordinator_fails_over)
