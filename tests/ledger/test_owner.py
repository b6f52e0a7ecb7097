"""The ledger's owners on a real broker, with an insert that can be told to fail."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from agents.ledger.deps import LedgerDeps, NoMetrics
from agents.ledger.seats import LedgerSeats
from agents.local.broker import LocalBroker
from streams.ledger.errors import LedgerAway, LedgerRefused
from streams.ledger.newest import Newest
from streams.ledger.rows import Block, block_of, event_row
from streams.ownership.clients import committed_offsets
from streams.ownership.cluster import Cluster
from streams.ownership.settings import OwnerSettings
from streams.ownership.watchdog import Patience, Watchdog
from tests.facts import Made, origin
from tests.ledger.histories import dead_letter, newest_of, small_history

pytestmark = pytest.mark.connected

OFFSET: Final = 2


@dataclass
class Ledger:
    """Stands for ClickHouse: takes blocks, or raises what it was given first."""

    errors: list[Exception] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)

    async def insert(self, block: Block) -> None:
        """Keep a block."""
        if self.errors:
            raise self.errors.pop(0)
        self.blocks.append(block)

    async def newest(self, topic: str, partition: int) -> Newest | None:
        """Of what it keeps."""
        mine = [block for block in self.blocks if (block.topic, block.partition) == (topic, partition)]
        return newest_of(max(mine, key=lambda block: block.last)) if mine else None

    def offsets(self, topic: str, partition: int = 0) -> list[object]:
        """What it holds of a partition, in the order it came."""
        mine = [block for block in self.blocks if (block.topic, block.partition) == (topic, partition)]
        return [offset for block in mine for offset in block.columns[OFFSET]]


@dataclass
class Counted(NoMetrics):
    """Counts what is told."""

    waits: int = 0
    written: int = 0
    held: set[int] = field(default_factory=set)

    def waited(self) -> None:
        """Once more."""
        self.waits += 1

    def rows(self, n: int) -> None:
        """So many more."""
        self.written += n

    def opened(self, partition: int) -> None:
        """A seat was opened."""
        self.held.add(partition)

    def closed(self, partition: int) -> None:
        """A seat was closed."""
        self.held.discard(partition)


@dataclass
class Stage:
    """A ledger stage over topics of its own."""

    bootstrap: str
    prefix: str
    ledger: Ledger = field(default_factory=Ledger)
    metrics: Counted = field(default_factory=Counted)
    deaths: list[tuple[int, str]] = field(default_factory=list)

    def seats(self, away_s: float = 60.0, look_s: float = 60.0) -> LedgerSeats:
        """The seats of one process; its end is noted."""
        deps = LedgerDeps(
            cluster=Cluster(self.bootstrap),
            prefix=self.prefix,
            insert=self.ledger.insert,
            newest=self.ledger.newest,
            metrics=self.metrics,
            wait_s=0.1,
            away_s=away_s,
            look_s=look_s,
        )
        return LedgerSeats(deps, die=lambda code, message: self.deaths.append((code, message)))

    async def send(self, name: str, records: Sequence[Made]) -> None:
        """Append records in one transaction: a marker follows."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, transactional_id=uuid.uuid4().hex)
        async with producer, producer.transaction():
            for made in records:
                await producer.send(
                    self.prefix + name, value=made.value, partition=made.partition, headers=list(made.headers)
                )

    def block(self, records: Sequence[Made], first: int = 0) -> Block:
        """Those from number `first` on, as they stand on `tickets` once all are sent in one transaction."""
        sent = [replace(made, topic=self.prefix + "tickets", offset=n) for n, made in enumerate(records)]
        return block_of(sent[first:], event_row)

    async def commit(self, name: str, offset: int) -> None:
        """Make this the group's offset of partition 0, as another owner may."""
        one = TopicPartition(self.prefix + name, 0)
        async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap, group_id=self.prefix + "ledger") as consumer:
            consumer.assign([one])
            await consumer.commit({one: offset})

    async def committed(self, name: str) -> int | None:
        """The group's offset of partition 0."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            one = TopicPartition(self.prefix + name, 0)
            found = (await committed_offsets(admin, self.prefix + "ledger", [one], within_s=10))[one]
        finally:
            await admin.close()
        return found.offset if found else None

    async def make_anew(self, name: str) -> None:
        """Delete a topic and make it again."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        topic = self.prefix + name

        async def is_gone() -> bool:
            return topic not in await admin.list_topics()

        try:
            await admin.delete_topics([topic])
            await until(is_gone)
            await admin.create_topics([NewTopic(topic, 2, 1)])
        finally:
            await admin.close()


@pytest.fixture
async def stage(broker: LocalBroker) -> Stage:
    return await made(broker)


async def made(broker: LocalBroker) -> Stage:
    """A stage on topics that are new."""
    prefix = f"l{uuid.uuid4().hex[:8]}."
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(prefix + name, 2, 1) for name in ("tickets", "dead-letter")])
    await admin.close()
    return Stage(broker.bootstrap, prefix)


async def until(true: Callable[[], bool] | Callable[[], Awaitable[bool]], within_s: float = 60.0) -> None:
    async with asyncio.timeout(within_s):
        while True:
            found = true()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.05)


async def test_facts_and_dead_letters_arrive_and_the_place_is_committed(stage: Stage) -> None:
    records = small_history().records
    await stage.send("tickets", records)
    await stage.send("dead-letter", [dead_letter(0, origin(9))])
    seats = stage.seats()
    seats.hold([0])
    await until(lambda: stage.metrics.written == len(records) + 1)
    await seats.close()
    assert stage.ledger.offsets(stage.prefix + "tickets") == list(range(len(records)))
    assert stage.ledger.offsets(stage.prefix + "dead-letter") == [0]
    assert (await stage.committed("tickets"), await stage.committed("dead-letter")) == (len(records), 1)
    assert (stage.deaths, stage.metrics.held) == ([], set())


async def test_the_next_owner_reads_on_where_the_last_one_stopped(stage: Stage) -> None:
    records = small_history().records
    await stage.send("tickets", records[:5])
    for sent in (5, 10):
        seats = stage.seats()
        seats.hold([0])
        await until(lambda at=sent: stage.metrics.written == at)
        await seats.close()
        if sent == 5:
            await stage.send("tickets", records[5:10])
    # offsets 0 to 4, a marker, 6 to 10
    assert stage.ledger.offsets(stage.prefix + "tickets") == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]


async def test_rows_that_stand_further_on_do_not_move_the_start(stage: Stage) -> None:
    # A copy of the table that was put back, a former writer's late block: the group's place alone says what is done.
    log = small_history()
    later = stage.block(log.records, first=6)
    stage.ledger.blocks.append(later)
    await stage.send("tickets", log.records)
    seats = stage.seats()
    seats.hold([0])
    try:
        await until(lambda: stage.metrics.written == len(log.records), within_s=10)
    finally:
        await seats.close()
    written = stage.ledger.offsets(stage.prefix + "tickets")[later.rows :]
    assert written == list(range(len(log.records)))


async def test_an_aborted_transaction_leaves_nothing(stage: Stage) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stage.bootstrap, transactional_id=uuid.uuid4().hex)
    async with producer:
        await producer.begin_transaction()
        await producer.send_and_wait(stage.prefix + "tickets", value=b"x", partition=0)
        await producer.abort_transaction()
    await stage.send("tickets", small_history().records[:1])
    seats = stage.seats()
    seats.hold([0])
    await until(lambda: stage.metrics.written == 1)
    await seats.close()
    assert stage.ledger.offsets(stage.prefix + "tickets") == [2]


async def test_clickhouse_away_is_waited_for_and_nothing_is_committed_meanwhile(stage: Stage) -> None:
    await stage.send("tickets", small_history().records[:3])
    stage.ledger.errors = [LedgerAway("away"), LedgerAway("away")]
    seats = stage.seats()
    seats.hold([0])
    try:
        await until(lambda: stage.metrics.waits == 1)
        assert await stage.committed("tickets") is None
        await until(lambda: stage.metrics.written == 3)
    finally:
        await seats.close()
    assert (stage.metrics.waits, stage.deaths, await stage.committed("tickets")) == (2, [], 3)


async def test_an_owner_without_its_seat_does_not_set_the_place_back(stage: Stage) -> None:
    records = small_history().records
    await stage.send("tickets", records[:3])
    stage.ledger.errors = [LedgerAway("away")] * 2
    former, later = stage.seats(), stage.seats()
    former.hold([0])
    try:
        await until(lambda: stage.metrics.waits == 2)  # now it pauses for a second
        former.hold([])
        await stage.send("tickets", records[3:10])
        later.hold([0])
        await until(lambda: stage.metrics.written >= 10)
        await asyncio.sleep(1.5)
        assert await stage.committed("tickets") == 11  # 0 to 2, a marker, 4 to 10
    finally:
        await asyncio.gather(former.close(), later.close())
    assert (stage.metrics.written, stage.deaths) == (10, [])


async def test_an_idle_owner_puts_a_place_right_that_was_set_back(stage: Stage) -> None:
    await stage.send("tickets", small_history().records[:5])
    seats = stage.seats(look_s=0.2)
    seats.hold([0])

    async def is_right() -> bool:
        return await stage.committed("tickets") == 5

    try:
        await until(is_right)
        await stage.commit("tickets", 2)
        await until(is_right, within_s=20)
    finally:
        await seats.close()
    assert (stage.metrics.written, stage.deaths) == (5, [])


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (LedgerAway("ClickHouse does not answer"), 70, "does not answer"),
        (LedgerRefused("ClickHouse refuses"), 2, "refuses"),
        (RuntimeError("a bug"), 70, "RuntimeError: a bug"),
    ],
)
async def test_what_does_not_pass_ends_the_process(stage: Stage, error: Exception, code: int, line: str) -> None:
    await stage.send("tickets", small_history().records[:1])
    stage.ledger.errors = [error] * 3
    seats = stage.seats(away_s=0)
    seats.hold([0])
    await until(lambda: bool(stage.deaths))
    await seats.close()
    assert stage.deaths[0][0] == code
    assert line in stage.deaths[0][1]
    assert await stage.committed("tickets") is None


async def test_a_topic_made_anew_is_refused(stage: Stage) -> None:
    await stage.commit("tickets", 7)
    seats = stage.seats()
    seats.hold([0])
    await until(lambda: bool(stage.deaths))
    await seats.close()
    assert stage.deaths[0][0] == 2
    assert "made anew" in stage.deaths[0][1]


async def test_another_log_is_refused_where_nothing_is_committed(stage: Stage) -> None:
    # as many records as the ledger holds, of other tickets
    records = small_history().records
    stage.ledger.blocks.append(stage.block(records[:5]))
    await stage.send("tickets", records[5:12])
    seats = stage.seats()
    seats.hold([0])
    try:
        await until(lambda: bool(stage.deaths))
    finally:
        await seats.close()
    assert stage.deaths[0][0] == 2
    assert "has another record at offset 4" in stage.deaths[0][1]
    assert (len(stage.ledger.blocks), await stage.committed("tickets")) == (1, None)


async def test_kafka_forgets_the_place_with_the_topic_and_the_ledger_refuses_the_next_one(stage: Stage) -> None:
    records = small_history().records
    await stage.send("tickets", records[:5])
    seats = stage.seats()
    seats.hold([0])
    await until(lambda: stage.metrics.written == 5)
    await seats.close()
    assert await stage.committed("tickets") == 5
    await stage.make_anew("tickets")
    await stage.send("tickets", records[5:12])
    await until(lambda: _forgotten(stage))
    seats = stage.seats()
    seats.hold([0])
    try:
        await until(lambda: bool(stage.deaths))
    finally:
        await seats.close()
    assert stage.deaths[0][0] == 2
    assert "made anew" in stage.deaths[0][1]
    assert stage.metrics.written == 5


async def _forgotten(stage: Stage) -> bool:
    return await stage.committed("tickets") is None


async def test_seats_that_stay_are_not_touched(stage: Stage) -> None:
    seats = stage.seats()
    seats.hold([0, 1])
    await until(lambda: stage.metrics.held == {0, 1})
    stays = next(owner for owner in seats.owners if owner.partition == 1)
    seats.hold([1])
    await until(lambda: stage.metrics.held == {1})
    assert seats.held == {1}
    assert list(seats.owners) == [stays]
    await seats.close()
    assert stage.deaths == []


@asynccontextmanager
async def _watched(stage: Stage) -> AsyncIterator[LedgerSeats]:
    """Seat 0 under an impatient watchdog's eyes."""
    seats = stage.seats()

    async def as_held() -> frozenset[int]:
        return seats.held

    watchdog = Watchdog(
        seats,
        OwnerSettings(bootstrap=stage.bootstrap),
        as_held,
        patience=Patience(every_s=0.05, progress_s=0.6, busy_s=0.6),
        die=lambda code, message: stage.deaths.append((code, message)),
    )
    task = asyncio.create_task(watchdog.run())
    seats.hold([0])
    try:
        yield seats
    finally:
        task.cancel()
        await asyncio.wait([task])
        await seats.close()


async def test_an_insert_that_never_ends_is_seen(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    over = asyncio.Event()

    async def hang(_: Block) -> None:
        await over.wait()

    monkeypatch.setattr(stage.ledger, "insert", hang)
    await stage.send("tickets", small_history().records[:1])
    async with _watched(stage):
        await until(lambda: bool(stage.deaths))
        over.set()
    assert "ledger partition 0 has one batch in hand for more than 0.6 s" in stage.deaths[0][1]


async def test_an_owner_whose_client_reads_no_longer_is_seen(stage: Stage) -> None:
    async with _watched(stage) as seats:
        await until(lambda: seats.owners[0].is_open)
        consumer = seats.owners[0]._consumer  # noqa: SLF001 - a client that hangs has no other sign
        consumer.pause(*consumer.assignment())
        await stage.send("tickets", small_history().records[:3])
        await until(lambda: bool(stage.deaths))
    assert "and did not move for 0.6 s" in stage.deaths[0][1]


async def test_waiting_for_clickhouse_is_no_fault(stage: Stage) -> None:
    stage.ledger.errors = [LedgerAway("away")] * 3  # waits 0.5, 1 and 2 s
    await stage.send("tickets", small_history().records[:3])
    async with _watched(stage):
        await until(lambda: stage.metrics.waits == 2)
        await stage.send("tickets", small_history().records[3:6])
        await until(lambda: stage.metrics.written == 6)
    assert stage.deaths == []
