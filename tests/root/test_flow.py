"""How much routine work may go on: what the desk does in a moment, whoever asks; nothing while that is not known."""

from agents.flow import AHEAD_S, LEAST, SLOWER, Flow
from streams.ownership.settings import OwnerSettings

IDLE = {0: 0, 1: 0}


def flow() -> Flow:
    return Flow(OwnerSettings(bootstrap="-"), "desk", "desk", 2)


async def test_nothing_goes_on_before_the_lag_is_known() -> None:
    assert not await flow().open(0)


async def test_what_goes_on_is_counted_whoever_asks() -> None:
    made = flow()
    made.look(0.0, IDLE, IDLE)
    assert made.room == 2 * LEAST
    assert await made.open(2 * LEAST - 1)
    assert await made.open(500), "a batch that is in hand is not cut"
    assert not await made.open(1)
    made.over(2 * LEAST + 499)
    made.look(0.1, IDLE, IDLE)
    assert await made.open(1)


async def test_what_has_not_landed_yet_is_counted_until_it_is_over() -> None:
    made = flow()
    made.look(0.0, IDLE, IDLE)
    assert await made.open(2 * LEAST)
    made.look(0.1, IDLE, IDLE)
    assert not await made.open(1), "it is under way, and cannot be seen on the log yet"
    made.over(150)
    made.look(0.2, IDLE, IDLE)
    assert made.room == 150


async def test_a_quick_partition_may_have_more_before_it_and_a_slow_one_less() -> None:
    made = flow()
    made.look(0.0, {0: 6_000, 1: 0}, IDLE)
    assert not await made.open(0), "it has enough to do"
    made.look(1.0, {0: 6_000, 1: 0}, {0: 4_000, 1: 0})
    assert not await made.open(0), "two thousand are more than it does in a moment"
    made.look(1.5, {0: 6_000, 1: 0}, {0: 5_600, 1: 0})
    assert made.room == 4_000 * SLOWER * AHEAD_S - 400 + LEAST


async def test_a_partition_with_nothing_to_do_is_slowly_forgotten_to_be_quick() -> None:
    made = flow()
    made.look(0.0, IDLE, IDLE)
    made.look(0.1, {0: 1_000, 1: 0}, {0: 1_000, 1: 0})
    rooms = []
    for tenth in range(2, 80):
        made.look(tenth / 10, {0: 1_000, 1: 0}, {0: 1_000, 1: 0})
        rooms.append(made.room)
    assert rooms[0] > 1_000
    assert rooms == sorted(rooms, reverse=True)
    assert rooms[-1] == 2 * LEAST


async def test_one_partition_that_is_behind_holds_all_back() -> None:
    made = flow()
    made.look(0.0, {0: 0, 1: LEAST}, IDLE)
    assert not await made.open(0)


async def test_several_workers_let_go_together_what_one_would() -> None:
    alone, mine, theirs = flow(), flow(), flow()
    ends = {0: 40_000, 1: 40_000}
    for made, share in ((alone, 1.0), (mine, 0.75), (theirs, 0.25)):
        made.look(0.0, IDLE, IDLE, share=share)
        made.look(1.0, ends, ends, share=share)
    assert alone.room == 2 * 40_000 * AHEAD_S
    assert mine.room + theirs.room == alone.room
