"""Seats: who stays is not touched, who was replaced ends quietly, who is replaced by nobody ends the process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from streams.ownership.ending import Code
from streams.ownership.membership import Told
from streams.ownership.seats import Seats
from tests.ownership.counting import counting_stage
from tests.ownership.kafka import Kafka
from tests.ownership.running import Deaths, at_work, check_whole, deps, said, settings, until

pytestmark = pytest.mark.connected

VALUES = [b"v%d" % number for number in range(20)]


def _seats(kafka: Kafka, told: Told | None = None, grace_s: float = 0.5) -> tuple[Seats, Deaths]:
    deaths = Deaths()
    given = deps(kafka, settings=settings(kafka, fenced_grace_s=grace_s))
    return Seats(counting_stage(kafka.prefix), given, told=told, die=deaths), deaths


async def _open(seats: Seats) -> None:
    await until(lambda: len(seats.owners) == len(seats.held) and all(owner.is_open for owner in seats.owners))


async def test_owners_that_stay_are_not_touched(kafka: Kafka) -> None:
    await kafka.make(3)
    seats, deaths = _seats(kafka)
    seats.hold({0, 1})
    await _open(seats)
    before = {owner.partition: owner for owner in seats.owners}
    seats.hold({1, 2})
    await _open(seats)
    after = {owner.partition: owner for owner in seats.owners}
    assert (set(after), after[1] is before[1]) == ({1, 2}, True)
    await seats.close()
    assert (seats.held, seats.owners, deaths.told) == (frozenset(), [], [])


async def test_a_seat_that_comes_back_at_once_is_opened_anew(kafka: Kafka) -> None:
    await kafka.make()
    await kafka.feed(VALUES)
    seats, deaths = _seats(kafka)
    seats.hold({0})
    seats.hold(set())
    seats.hold({0})
    await _open(seats)
    seats.hold(set())
    seats.hold({0})
    check_whole(await said(kafka, len(VALUES)), VALUES)
    await seats.close()
    assert deaths.told == []


@asynccontextmanager
async def _fenced(kafka: Kafka, seats: Seats) -> AsyncIterator[None]:
    """Another worker's owner has taken over, and ours found out with its next batch; then the other goes, too."""
    seats.hold({0})
    await _open(seats)
    async with at_work(counting_stage(kafka.prefix), deps(kafka)):
        await kafka.feed(VALUES)
        await said(kafka, len(VALUES))
        await until(lambda: not seats.owners)
        yield


async def test_a_fenced_owner_ends_quietly_and_opens_anew_when_its_seat_is_given_again(kafka: Kafka) -> None:
    await kafka.make()
    seats, deaths = _seats(kafka, grace_s=2.0)
    async with _fenced(kafka, seats):
        pass
    seats.hold({0})
    await kafka.feed(VALUES)
    check_whole(await said(kafka, 2 * len(VALUES)), VALUES * 2)
    await asyncio.sleep(2.2)
    await seats.close()
    assert deaths.told == []


async def test_a_fenced_owner_whose_seat_went_away_is_nothing_to_die_of(kafka: Kafka) -> None:
    await kafka.make()
    seats, deaths = _seats(kafka)
    async with _fenced(kafka, seats):
        seats.hold(set())
    await asyncio.sleep(0.7)
    await seats.close()
    assert deaths.told == []


async def test_a_fence_after_which_the_seat_stays_here_ends_the_process(kafka: Kafka) -> None:
    await kafka.make()
    seats, deaths = _seats(kafka)
    async with _fenced(kafka, seats):
        pass
    await until(lambda: bool(deaths.told), within_s=5)
    await seats.close()
    assert [code for code, _ in deaths.told] == [Code.FAILED]
    assert "the group still gives it to this worker" in deaths.told[0][1]


async def test_where_the_group_says_that_the_seat_is_still_ours_a_fenced_owner_is_followed_at_once(
    kafka: Kafka,
) -> None:
    await kafka.make()
    ours = False

    async def told() -> frozenset[int]:
        return frozenset({0} if ours else {})

    seats, deaths = _seats(kafka, told, grace_s=30.0)
    async with _fenced(kafka, seats):
        pass
    ours = True
    await _open(seats)
    await kafka.feed(VALUES)
    check_whole(await said(kafka, 2 * len(VALUES)), VALUES * 2)
    await asyncio.sleep(0.7)
    await seats.close()
    assert deaths.told == []


async def test_after_the_close_no_seat_is_taken(kafka: Kafka) -> None:
    await kafka.make()
    seats, deaths = _seats(kafka)
    seats.hold({0})
    await seats.close()
    seats.hold({0})
    assert (seats.held, deaths.told) == (frozenset(), [])
