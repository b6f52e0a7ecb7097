"""The watchdog ends what holds a seat without working, and leaves alone what has a reason to wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from streams.ownership.ending import Code, LastResort
from streams.ownership.membership import Told
from streams.ownership.owner import OwnerDeps
from streams.ownership.reader import AlwaysOpen
from streams.ownership.seats import Seats
from streams.ownership.stage import Stage
from streams.ownership.watchdog import Patience, Reasons, Watchdog
from tests.ownership.counting import counting_stage
from tests.ownership.kafka import Kafka
from tests.ownership.running import Deaths, deps, settings, until

HASTE = Patience(every_s=0.05, open_s=30.0, progress_s=0.6, busy_s=0.6, group_s=0.6)


class _Closed(AlwaysOpen):
    async def open(self, _: int) -> bool:
        return False


async def _never(_batch: Any) -> None:
    """Take a batch and forget it."""


@asynccontextmanager
async def _watched(
    stage: Stage[Any], given: OwnerDeps, *, seen: OwnerDeps | None = None, told: Told | None = None, **changed: float
) -> AsyncIterator[Deaths]:
    """Seat 0 under the watchdog's eyes; `seen` are the deps that the watchdog is given if they are others."""
    deaths = Deaths()
    seats = Seats(stage, given, die=deaths)

    async def as_held() -> frozenset[int]:
        return seats.held

    patience = Patience(**{**{name: getattr(HASTE, name) for name in HASTE.__slots__}, **changed})
    watchdog = Watchdog(
        seats,
        given.settings,
        told or as_held,
        reasons=Reasons(gate=(seen or given).gate),
        patience=patience,
        die=deaths,
    )
    seats.hold({0})
    task = asyncio.create_task(watchdog.run())
    try:
        yield deaths
    finally:
        task.cancel()
        await asyncio.wait([task])
        await seats.close()


async def _death(deaths: Deaths, text: str) -> None:
    await until(lambda: bool(deaths.told), within_s=10)
    code, message = deaths.told[0]
    assert (code, text in message) == (Code.FAILED, True), message


@pytest.mark.connected
async def test_a_seat_that_is_not_open_in_time(kafka: Kafka) -> None:
    """Its topics are not there: aiokafka asks for them again and again."""
    async with _watched(counting_stage(kafka.prefix), deps(kafka), open_s=0.3) as deaths:
        await _death(deaths, "count partition 0 is not open after 0.3 s")


@pytest.mark.connected
async def test_a_batch_that_is_never_answered(kafka: Kafka) -> None:
    await kafka.make()
    await kafka.feed([b"v"])
    given = deps(kafka, ask=_never, settings=settings(kafka, close_within_s=0.1))
    async with _watched(counting_stage(kafka.prefix), given) as deaths:
        await _death(deaths, "has one batch in hand for more than 0.6 s")


@pytest.mark.connected
async def test_an_owner_that_does_not_read_what_is_there(kafka: Kafka) -> None:
    await kafka.make()
    await kafka.feed([b"v"] * 5)
    stuck = deps(kafka, gate=_Closed())
    async with _watched(counting_stage(kafka.prefix), stuck, seen=deps(kafka)) as deaths:
        await _death(deaths, "has 5 offsets to read and did not move for 0.6 s")


@pytest.mark.connected
async def test_waiting_at_the_gate_or_behind_markers_is_no_fault(kafka: Kafka) -> None:
    await kafka.make()
    await kafka.transact([b"v"])
    await kafka.transact([b"v"], commit=False)
    async with _watched(counting_stage(kafka.prefix), deps(kafka)) as deaths:
        await asyncio.sleep(1.2)
    assert deaths.told == []
    await kafka.feed([b"v"])
    async with _watched(counting_stage(kafka.prefix), deps(kafka, gate=_Closed())) as deaths:
        await asyncio.sleep(1.2)
    assert deaths.told == []


@pytest.mark.connected
@pytest.mark.parametrize(
    ("given", "text"),
    [(None, "the group does not know this worker, which holds [0]"), (frozenset({0, 3}), "gives it the seats [0, 3]")],
)
async def test_a_group_that_sees_it_otherwise(kafka: Kafka, given: frozenset[int] | None, text: str) -> None:
    await kafka.make()

    async def told() -> frozenset[int] | None:
        return given

    async with _watched(counting_stage(kafka.prefix), deps(kafka), told=told) as deaths:
        await _death(deaths, text)


@pytest.mark.connected
async def test_a_broker_that_does_not_answer_is_no_fault_of_the_worker(kafka: Kafka) -> None:
    await kafka.make()

    async def told() -> frozenset[int] | None:
        raise OSError

    async with _watched(counting_stage(kafka.prefix), deps(kafka), told=told) as deaths:
        await asyncio.sleep(1.2)
    assert deaths.told == []


@pytest.mark.parametrize(("settled", "code"), [(False, Code.FAILED), (True, Code.DONE)])
async def test_the_last_resort_ends_also_a_loop_that_hangs(settled: bool, code: Code) -> None:
    deaths = Deaths()
    last = LastResort(0.05, deaths)
    last.arm()
    last.arm()
    if settled:
        last.nothing_open()
    await until(lambda: bool(deaths.told), within_s=5)
    assert [told for told, _ in deaths.told] == [code]


async def test_a_last_resort_can_be_taken_back() -> None:
    deaths = Deaths()
    last = LastResort(0.05, deaths)
    last.arm()
    last.disarm()
    await asyncio.sleep(0.15)
    assert deaths.told == []
