"""A source that sends mostly what cannot be used is paused, tried, and goes on; others never are."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.breaker import FEW, IN_A_ROW, QUIET_S, WINDOW, Breaker

CITIZEN, GRID = "lianqin.intake.citizen", "lianqin.intake.grid"


class Told:
    """Remembers what it is told, and says what time it is."""

    def __init__(self) -> None:
        self.said: list[tuple[str, bool]] = []
        self.now = 100.0

    def source_paused(self, topic: str, *, paused: bool) -> None:
        """A topic is paused, or goes on."""
        self.said.append((topic, paused))


def breaker(told: Told) -> Breaker:
    return Breaker([CITIZEN, GRID], told, prefix="lianqin.", cool_down_s=10.0, now=lambda: told.now)


def test_many_in_a_row_pause_their_topic_and_no_other() -> None:
    told = Told()
    made = breaker(told)
    made.judged({CITIZEN: IN_A_ROW - 1, GRID: 5}, {CITIZEN: IN_A_ROW - 1})
    assert made.limits == {}
    made.judged({CITIZEN: 1}, {CITIZEN: 1})
    assert made.limits == {CITIZEN: 0}
    assert told.said == [("intake.citizen", True)]


def test_one_usable_record_breaks_the_row_but_not_the_share() -> None:
    made = breaker(Told())
    for _ in range(WINDOW // 50 - 1):
        made.judged({CITIZEN: 50}, {CITIZEN: 49})
    assert made.limits == {}
    made.judged({CITIZEN: 50}, {CITIZEN: 49})
    assert made.limits == {CITIZEN: 0}


def test_a_source_with_as_many_usable_records_goes_on() -> None:
    made = breaker(Told())
    for _ in range(100):
        made.judged({CITIZEN: 20}, {CITIZEN: 10})
    assert made.limits == {}


def test_what_was_long_ago_does_not_count() -> None:
    made = breaker(Told())
    made.judged({CITIZEN: 90}, {CITIZEN: 90})
    for _ in range(10):
        made.judged({CITIZEN: 100}, {})
    made.judged({CITIZEN: 90}, {CITIZEN: 90})
    assert made.limits == {}


def test_after_a_while_a_few_are_tried_and_bad_ones_pause_it_again() -> None:
    told = Told()
    made = breaker(told)
    made.judged({CITIZEN: IN_A_ROW}, {CITIZEN: IN_A_ROW})
    told.now += 9.9
    made.look()
    assert made.limits == {CITIZEN: 0}
    told.now += 0.1
    made.look()
    assert made.limits == {CITIZEN: FEW}
    made.judged({CITIZEN: FEW}, {CITIZEN: FEW})
    assert made.limits == {CITIZEN: 0}
    made.judged({CITIZEN: FEW}, {})  # was in hand when the trial ended
    assert made.limits == {CITIZEN: 0}
    assert told.said == [("intake.citizen", True)]


def test_usable_ones_on_trial_let_it_go_on() -> None:
    told = Told()
    made = breaker(told)
    made.judged({CITIZEN: IN_A_ROW}, {CITIZEN: IN_A_ROW})
    told.now += 10
    made.look()
    made.judged({CITIZEN: FEW - 1}, {})
    made.judged({CITIZEN: 2}, {CITIZEN: 1})
    assert made.limits == {}
    assert told.said == [("intake.citizen", True), ("intake.citizen", False)]
    made.judged({CITIZEN: IN_A_ROW - 1}, {CITIZEN: IN_A_ROW - 1})
    assert made.limits == {}, "it begins anew"


def test_a_source_that_sends_nothing_any_more_goes_on() -> None:
    told = Told()
    made = breaker(told)
    made.judged({CITIZEN: IN_A_ROW}, {CITIZEN: IN_A_ROW})
    told.now += 10
    made.look()
    told.now += QUIET_S - 1
    made.judged({CITIZEN: 1}, {CITIZEN: 1})
    told.now += QUIET_S - 1
    made.look()
    assert made.limits == {CITIZEN: FEW}
    told.now += 1
    made.look()
    assert made.limits == {}
    assert told.said == [("intake.citizen", True), ("intake.citizen", False)]


def test_what_may_not_be_paused_never_is() -> None:
    told = Told()
    made = breaker(told)
    made.judged({"lianqin.intake.police": 10_000}, {"lianqin.intake.police": 10_000})
    assert (made.limits, told.said) == ({}, [])


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 300))))
def test_a_source_whose_every_batch_is_mostly_usable_is_never_paused(batches: list[tuple[int, int]]) -> None:
    made = breaker(Told())
    for seen, refused in batches:
        made.judged({CITIZEN: seen}, {CITIZEN: min(refused, seen // 2)})
        assert made.limits == {}


async def test_it_says_at_the_start_that_nothing_is_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.breaker.EVERY_S", 0.001)
    told = Told()
    running = asyncio.create_task(breaker(told).run())
    await asyncio.sleep(0.01)
    running.cancel()
    assert sorted(told.said) == [("intake.citizen", False), ("intake.grid", False)]


async def test_it_looks_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.breaker.EVERY_S", 0.001)
    told = Told()
    made = breaker(told)
    made.judged({CITIZEN: IN_A_ROW}, {CITIZEN: IN_A_ROW})
    told.now += 10
    looking = asyncio.create_task(made.run())
    while made.limits[CITIZEN] == 0:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.001)
    looking.cancel()
    assert made.limits == {CITIZEN: FEW}
