"""Where an owner of the ledger begins, what it commits, and which log it refuses: on logs in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

import pytest
from aiokafka import TopicPartition

from agents.ledger.deps import LedgerDeps, NoMetrics
from agents.ledger.seats import LedgerSeats
from streams.ledger.errors import LedgerAway
from streams.ledger.newest import Newest
from streams.ledger.rows import Block, block_of, dead_letter_row, event_row
from streams.ownership.cluster import Cluster
from tests.facts import BEGIN, DAY, Made, origin
from tests.ledger.histories import DEAD_LETTERS, TICKETS, Partition, dead_letter, newest_of, small_history
from tests.ledger.kafka import Kafka

FACTS: Final = TopicPartition(TICKETS, 0)
LETTERS: Final = TopicPartition(DEAD_LETTERS, 0)
ROW_OF: Final = {FACTS: event_row, LETTERS: dead_letter_row}
RECORDS: Final = small_history().records


@dataclass
class Bench(NoMetrics):
    """Owners, what they find and what they say."""

    kafka: Kafka
    blocks: list[Block] = field(default_factory=list)
    asked: list[tuple[str, int]] = field(default_factory=list)
    waits: int = 0
    lags: list[int] = field(default_factory=list)
    deaths: list[tuple[int, str]] = field(default_factory=list)
    is_away: bool = False
    inserting: int = 0
    """So many INSERTs began."""
    slow: asyncio.Event | None = None
    """An INSERT lasts until this is set."""

    def hold(self, records: list[Made], one: TopicPartition = FACTS) -> None:
        """ClickHouse has these already."""
        self.blocks.append(block_of(records, ROW_OF[one]))

    async def insert(self, block: Block) -> None:
        """As ClickHouse takes a block."""
        self.inserting += 1
        self._knock()
        if self.slow is not None:
            await self.slow.wait()
        self.blocks.append(block)

    async def newest(self, topic: str, partition: int) -> Newest | None:
        """As ClickHouse answers."""
        self.asked.append((topic, partition))
        self._knock()
        mine = [block for block in self.blocks if (block.topic, block.partition) == (topic, partition)]
        return newest_of(max(mine, key=lambda block: block.last)) if mine else None

    def _knock(self) -> None:
        if self.is_away:
            msg = "away"
            raise LedgerAway(msg)

    def waited(self) -> None:
        """Once more."""
        self.waits += 1

    def lag(self, partition: int, n: int) -> None:
        """So much."""
        self.lags.append(n)

    @property
    def offsets(self) -> list[object]:
        """What stands in ClickHouse, in the order it came."""
        return [offset for block in self.blocks for offset in block.columns[2]]

    def seats(self, *, look_s: float = 60.0) -> LedgerSeats:
        """One worker's."""
        deps = LedgerDeps(
            cluster=Cluster("nowhere"), prefix="t.", insert=self.insert, newest=self.newest, metrics=self, wait_s=0.02,
            look_s=look_s,
        )  # fmt: skip
        return LedgerSeats(deps, die=lambda code, message: self.deaths.append((code, message)))

    @asynccontextmanager
    async def at_work(self, *, look_s: float = 60.0) -> AsyncIterator[LedgerSeats]:
        """A worker with the one seat."""
        seats = self.seats(look_s=look_s)
        seats.hold([0])
        try:
            yield seats
        finally:
            await seats.close()


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    kafka = Kafka()
    kafka.serve(monkeypatch)
    return Bench(kafka)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while True:
            if true():
                return
            await asyncio.sleep(0.01)


def another_log(records: int, *, at: int = BEGIN + DAY) -> list[Made]:
    """A topic that was made anew: the same offsets and ids, which follow from places on `desk`; other tickets."""
    log = Partition()
    for number in range(records):
        log.rate(f"n{number}", origin(number), at=at)
    return log.records[:records]


def letters(at: int, came: int = 0) -> list[Made]:
    """Three dead letters."""
    return [replace(dead_letter(2 * n, origin(came + n)), timestamp=at) for n in range(3)]


REFUSED: Final[dict[str, tuple[TopicPartition, list[Made], list[Made]]]] = {
    "nothing yet": (FACTS, RECORDS[:5], []),
    "shorter": (FACTS, RECORDS[:5], another_log(2)),
    "as long": (FACTS, RECORDS[:5], another_log(5)),
    "longer": (FACTS, RECORDS[:5], another_log(9)),
    "at the same time": (FACTS, RECORDS[:5], another_log(9, at=RECORDS[4].timestamp)),
    "with a marker there": (FACTS, RECORDS[:5], [replace(one, offset=one.offset + 1) for one in another_log(9)]),
    "of dead letters": (LETTERS, letters(BEGIN), letters(BEGIN + DAY, came=7)),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_log_made_anew_is_refused_although_kafka_forgot_the_place_with_it(bench: Bench, name: str) -> None:
    one, old, new = REFUSED[name]
    bench.hold(old, one)
    bench.kafka.logs[one] = new
    async with bench.at_work():
        await until(lambda: bool(bench.deaths))
    ((code, line),) = bench.deaths
    assert code == 2
    assert f"{one.topic}-0" in line
    assert "made anew; take another database or data folder, or another LIANQIN_KAFKA__PREFIX" in line
    assert (len(bench.blocks), bench.kafka.commits) == (1, [])


@pytest.mark.parametrize("one", [FACTS, LETTERS], ids=["facts", "dead letters"])
async def test_the_same_log_is_read_again_where_kafka_forgot_the_place(bench: Bench, one: TopicPartition) -> None:
    log = RECORDS[:5] if one == FACTS else letters(BEGIN)
    bench.kafka.logs[one] = log
    bench.hold(log, one)
    async with bench.at_work():
        await until(lambda: one in bench.kafka.group)
    assert (bench.deaths, bench.kafka.group[one]) == ([], log[-1].offset + 1)
    assert bench.offsets == [record.offset for record in log] * 2
    assert len({block.token for block in bench.blocks}) == 1


async def test_rows_whose_records_retention_took_are_no_sign_of_another_log(bench: Bench) -> None:
    bench.hold(RECORDS[:3])
    bench.kafka.logs[FACTS] = RECORDS[5:8]
    bench.kafka.starts[FACTS] = RECORDS[5].offset
    async with bench.at_work():
        await until(lambda: len(bench.blocks) == 2)
    assert bench.deaths == []


async def test_clickhouse_is_asked_about_logs_without_a_place_alone(bench: Bench) -> None:
    bench.kafka.logs[FACTS] = RECORDS[:5]
    bench.kafka.group[FACTS] = RECORDS[2].offset
    async with bench.at_work():
        await until(lambda: bool(bench.blocks))
    assert bench.offsets == [record.offset for record in RECORDS[2:5]]
    assert bench.asked == [(DEAD_LETTERS, 0)]


async def test_a_clickhouse_that_is_away_is_waited_for_before_a_log_is_read(bench: Bench) -> None:
    bench.hold(RECORDS[:5])
    bench.kafka.logs[FACTS] = another_log(9)
    bench.is_away = True
    async with bench.at_work():
        await until(lambda: bench.waits == 1)
        bench.is_away = False
        await until(lambda: bool(bench.deaths))
    assert "made anew" in bench.deaths[0][1]


END: Final = RECORDS[9].offset + 1
"""Behind the tenth fact."""


async def test_an_owner_that_is_finished_while_clickhouse_is_away_leaves_the_place_to_the_next(bench: Bench) -> None:
    bench.is_away, bench.kafka.logs[FACTS], bench.kafka.group = True, RECORDS[:3], {FACTS: 0, LETTERS: 0}
    former, later = bench.seats(), bench.seats()
    former.hold([0])
    await until(lambda: bench.waits == 2)  # now it pauses for a second
    former.hold([])
    bench.is_away, bench.kafka.logs[FACTS] = False, RECORDS[:10]
    later.hold([0])
    await until(lambda: bench.kafka.group.get(FACTS) == END)
    await asyncio.sleep(1.5)
    assert (bench.kafka.commits, bench.kafka.group[FACTS]) == ([{FACTS: END}], END)
    await asyncio.gather(former.close(), later.close())
    assert (bench.kafka.group[FACTS], bench.deaths) == (END, [])


async def test_an_owner_ends_at_once_while_clickhouse_is_away(bench: Bench) -> None:
    bench.is_away, bench.kafka.logs[FACTS], bench.kafka.group = True, RECORDS[:3], {FACTS: 0, LETTERS: 0}
    async with bench.at_work():
        await until(lambda: bench.waits == 3)  # now it pauses for two seconds
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 1.5
    assert (bench.blocks, bench.kafka.commits, bench.deaths, bench.asked) == ([], [], [], [])


async def test_an_insert_that_ends_late_does_not_set_the_place_back(bench: Bench) -> None:
    bench.kafka.logs[FACTS] = RECORDS[:3]
    bench.slow = lasts = asyncio.Event()
    former, later = bench.seats(), bench.seats()
    former.hold([0])
    await until(lambda: bench.inserting == 1)
    former.hold([])
    bench.slow, bench.kafka.logs[FACTS] = None, RECORDS[:10]
    later.hold([0])
    await until(lambda: bench.kafka.group.get(FACTS) == END)
    lasts.set()
    await asyncio.gather(former.close(), later.close())
    assert (bench.kafka.group[FACTS], bench.deaths) == (END, [])


@pytest.mark.parametrize("place", [None, 0, 5], ids=["forgotten", "at the start", "set back"])
async def test_an_idle_owner_puts_the_place_right(bench: Bench, place: int | None) -> None:
    bench.kafka.logs[FACTS] = RECORDS[:10]
    async with bench.at_work(look_s=0.05):
        await until(lambda: bench.kafka.group.get(FACTS) == END)
        bench.kafka.group = {} if place is None else {FACTS: place}
        await until(lambda: bench.kafka.group.get(FACTS) == END)
    assert (bench.offsets, bench.deaths) == ([record.offset for record in RECORDS[:10]], [])


async def test_an_owner_that_never_wrote_keeps_the_place_it_found(bench: Bench) -> None:
    bench.kafka.logs[FACTS] = RECORDS[:10]
    bench.kafka.group[FACTS] = END
    async with bench.at_work(look_s=0.05) as seats:
        await until(lambda: seats.owners[0].is_open)
        bench.kafka.group = {}
        await until(lambda: bench.kafka.group.get(FACTS) == END)
    assert bench.blocks == []


async def test_a_place_that_is_further_on_stays(bench: Bench) -> None:
    # An owner that was frozen, and does not know yet that another has the seat, must not set it back.
    bench.kafka.logs[FACTS] = RECORDS[:10]
    async with bench.at_work(look_s=0.02):
        await until(lambda: bench.kafka.group.get(FACTS) == END)
        bench.kafka.group[FACTS] = END + 7
        await asyncio.sleep(0.3)
    assert bench.kafka.group[FACTS] == END + 7


async def test_a_place_that_went_with_its_topic_is_not_committed_to_the_next_one(bench: Bench) -> None:
    bench.kafka.logs[FACTS] = RECORDS[:5]
    async with bench.at_work(look_s=0.05):
        await until(lambda: FACTS in bench.kafka.group)
        bench.kafka.logs[FACTS], bench.kafka.group = another_log(5), {}
        await until(lambda: bool(bench.deaths))
    assert "made anew" in bench.deaths[0][1]
    assert bench.kafka.group == {}


async def test_a_kafka_that_does_not_tell_the_place_is_asked_again(bench: Bench) -> None:
    bench.kafka.logs[FACTS] = RECORDS[:10]
    async with bench.at_work(look_s=0.02):
        await until(lambda: bench.kafka.group.get(FACTS) == END)
        bench.kafka.is_away, bench.kafka.group = True, {}
        await asyncio.sleep(0.2)
        assert (bench.deaths, bench.kafka.group) == ([], {})
        bench.kafka.is_away = False
        await until(lambda: bench.kafka.group.get(FACTS) == END)


async def test_the_lag_is_told_while_clickhouse_is_away(bench: Bench) -> None:
    bench.kafka.logs = {FACTS: RECORDS[:3], LETTERS: letters(BEGIN)}
    bench.kafka.group = {FACTS: 0, LETTERS: 0}
    bench.is_away = True
    async with bench.at_work():
        await until(lambda: bench.waits == 1)
        bench.kafka.logs[FACTS] = RECORDS[:10]
        await until(lambda: bench.waits == 2)
        # To the ends, markers included, from what waits here and is not written.
        await until(lambda: len(bench.lags) == 2)
        assert bench.lags == [6 + 6, 20 + 6]
        bench.is_away = False
        await until(lambda: bench.lags[-1] == 0)


async def test_a_kafka_that_does_not_tell_its_ends_does_not_end_the_wait(bench: Bench) -> None:
    bench.kafka.logs[FACTS], bench.kafka.group = RECORDS[:3], {FACTS: 0, LETTERS: 0}
    bench.is_away = True
    async with bench.at_work():
        await until(lambda: bench.waits == 1)
        bench.kafka.is_away = True
        await until(lambda: bench.waits == 3)
        bench.is_away = bench.kafka.is_away = False
        await until(lambda: bool(bench.blocks))
    assert bench.deaths == []
