"""What an owner's reader hands out at once."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import TopicPartition

from streams.ownership.reader import AlwaysOpen, Reader
from tests.ownership.kafka import Kafka
from tests.ownership.running import settings, until


@asynccontextmanager
async def _fetched_ahead(kafka: Kafka, refetch_ms: float) -> AsyncIterator[tuple[Reader, TopicPartition]]:
    """A reader whose consumer holds one record that nobody has asked for."""
    await kafka.make()
    place = TopicPartition(kafka.topic("in"), 0)
    reader = Reader(settings(kafka, refetch_ms=refetch_ms), AlwaysOpen())
    await reader.open({}, {place: 0})
    try:
        await kafka.feed([b"fetched ahead"])
        fetcher = reader._lane_of[place].consumer._fetcher  # noqa: SLF001 - nothing else tells what was fetched ahead
        await until(lambda: place in fetcher._records)  # noqa: SLF001
        yield reader, place
    finally:
        await reader.stop()


@pytest.mark.connected
@pytest.mark.parametrize(("refetch_ms", "at_once"), [(5_000, 6), (0, 1)])
async def test_what_came_after_a_fetch_ahead_is_in_the_same_batch(
    kafka: Kafka, refetch_ms: float, at_once: int
) -> None:
    async with _fetched_ahead(kafka, refetch_ms) as (reader, place):
        await kafka.feed([b"%d" % number for number in range(5)])
        assert (len((await reader.next())[place]) > 1) == (refetch_ms > 0)


@pytest.mark.connected
async def test_while_a_batch_grows_the_place_is_not_told(kafka: Kafka) -> None:
    async with _fetched_ahead(kafka, 5_000) as (reader, place):
        lane = reader._lane_of[place]  # noqa: SLF001 - the moment between two answers has no other sign
        asked = lane.ask()
        await until(lambda: lane.holds_some)
        assert not asked.done()
        assert await reader.position(place) is None


@pytest.mark.connected
async def test_what_a_busy_loop_had_no_time_to_read_is_in_the_same_batch(kafka: Kafka) -> None:
    async with _fetched_ahead(kafka, 1) as (reader, place):
        await kafka.feed([b"%d" % number for number in range(5)])
        others = asyncio.create_task(_others_work())
        assert len((await reader.next())[place]) > 1
        others.cancel()


async def _others_work() -> None:
    while True:
        time.sleep(0.005)  # noqa: ASYNC251 - a batch of another owner, which leaves the loop no time
        await asyncio.sleep(0)
