"""What an owner's reader hands out at once."""

import asyncio
import time

import pytest
from aiokafka import TopicPartition

from streams.ownership.reader import Reader, always_open
from tests.ownership.kafka import Kafka
from tests.ownership.running import settings, until


@pytest.mark.connected
@pytest.mark.parametrize(("refetch_ms", "at_once"), [(5_000, 6), (0, 1)])
async def test_what_came_after_a_fetch_ahead_is_in_the_same_batch(
    kafka: Kafka, refetch_ms: float, at_once: int
) -> None:
    await kafka.make()
    place = TopicPartition(kafka.topic("in"), 0)
    reader = Reader(settings(kafka, refetch_ms=refetch_ms), always_open)
    await reader.open({}, {place: 0})
    try:
        await kafka.feed([b"fetched ahead"])
        fetcher = reader._lane_of[place].consumer._fetcher  # noqa: SLF001 - nothing else tells what was fetched ahead
        await until(lambda: place in fetcher._records)  # noqa: SLF001
        await kafka.feed([b"%d" % number for number in range(5)])
        assert (len((await reader.next())[place]) > 1) == (refetch_ms > 0)
    finally:
        await reader.stop()


@pytest.mark.connected
async def test_while_a_batch_grows_the_place_is_not_told(kafka: Kafka) -> None:
    await kafka.make()
    place = TopicPartition(kafka.topic("in"), 0)
    reader = Reader(settings(kafka, refetch_ms=5_000), always_open)
    await reader.open({}, {place: 0})
    try:
        await kafka.feed([b"fetched ahead"])
        lane = reader._lane_of[place]  # noqa: SLF001 - the moment between two answers has no other sign
        await until(lambda: place in lane.consumer._fetcher._records)  # noqa: SLF001
        asked = lane.ask()
        await until(lambda: lane.holds_some)
        assert not asked.done()
        assert await reader.position(place) is None
    finally:
        await reader.stop()


@pytest.mark.connected
async def test_what_a_busy_loop_had_no_time_to_read_is_in_the_same_batch(kafka: Kafka) -> None:
    await kafka.make()
    place = TopicPartition(kafka.topic("in"), 0)
    reader = Reader(settings(kafka, refetch_ms=1), always_open)
    await reader.open({}, {place: 0})
    try:
        await kafka.feed([b"fetched ahead"])
        fetcher = reader._lane_of[place].consumer._fetcher  # noqa: SLF001 - nothing else tells what was fetched ahead
        await until(lambda: place in fetcher._records)  # noqa: SLF001
        await kafka.feed([b"%d" % number for number in range(5)])
        others = asyncio.create_task(_others_work())
        assert len((await reader.next())[place]) > 1
        others.cancel()
    finally:
        await reader.stop()


async def _others_work() -> None:
    while True:
        time.sleep(0.005)  # noqa: ASYNC251 - a batch of another owner, which leaves the loop no time
        await asyncio.sleep(0)
