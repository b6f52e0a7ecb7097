"""Feeding a real broker: order, resuming, refusing."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import OffsetAndMetadata

from agents.feeding import sending
from agents.feeding.errors import FeedRefused
from agents.feeding.feed import Fed, Target, feed, prepare
from agents.feeding.ports import Progress, Quiet
from agents.feeding.reading import read_file
from agents.feeding.sending import Range
from agents.feeding.tail import read_tail
from agents.local.broker import LocalBroker
from agents.packs import load_sources
from schemas.codes import Clock
from schemas.commands import Origin
from schemas.intake import ROW, IntakeHeaders, intake_headers
from schemas.mapping import SourceMapping
from streams.ownership.cluster import Cluster
from streams.ownership.place import Place, to_metadata
from tests.feeding.test_plan import boston

pytestmark = pytest.mark.connected

SOURCES = load_sources("pukou")
HEADER = ",".join(SOURCES["boston311"].columns).encode()


class Kafka:
    """A broker with intake topics of the test's own."""

    def __init__(self, bootstrap: str, name: str) -> None:
        self.bootstrap = bootstrap
        self.prefix = f"{name[:40]}."

    def target(self, clock: Clock = Clock.LOG, group: str | None = None) -> Target:
        """Where to feed."""
        return Target(cluster=Cluster(self.bootstrap), prefix=self.prefix, clock=clock, group=group)

    async def make(self, **partitions: int) -> None:
        """Make intake topics."""
        for name, number in partitions.items():
            await self.make_topic(f"intake.{name}", number)

    async def make_topic(self, name: str, partitions: int) -> None:
        """Make a topic that is stamped by the broker."""
        stamped = {"message.timestamp.type": "LogAppendTime"}
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic(self.prefix + name, partitions, 1, topic_configs=stamped)])
        await admin.close()

    async def records(self, name: str, partition: int = 0) -> Sequence[Any]:
        """All that stands on a partition."""
        place = TopicPartition(f"{self.prefix}intake.{name}", partition)
        found: list[Any] = []
        async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False) as consumer:
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            end = (await consumer.end_offsets([place]))[place]
            while await consumer.position(place) < end:
                found.extend((await consumer.getmany(place, timeout_ms=500)).get(place, []))
        return found


@pytest.fixture
async def kafka(broker: LocalBroker, request: pytest.FixtureRequest) -> Kafka:
    made = Kafka(broker.bootstrap, request.node.name.replace("[", "-").replace("]", ""))
    await made.make(history=1, citizen=2, police=2, urgent=2)
    return made


def rows(first: int = 0, number: int = 40) -> list[bytes]:
    """Boston rows, one a second, each closed half a minute later."""
    return [boston(f"r{at}", at, min(at + 30, 59)) for at in range(first, first + number)]


def write(folder: Path, lines: Sequence[bytes], name: str = "boston.csv") -> Path:
    file = folder / name
    file.write_bytes(b"\n".join([HEADER, *lines]) + b"\n")
    return file


async def fed(file: Path, target: Target, source: str = "boston311", progress: Progress | None = None) -> Fed:
    told = progress or Quiet()
    return await feed(prepare(source, file, SOURCES, target, told), None, told)


class Interrupt(Quiet):
    """Stops a feed once the broker has some of it."""

    def reach(self, done: int) -> None:
        """Enough."""
        if done:
            raise asyncio.CancelledError


async def test_history_is_in_order_and_ends_with_a_marker(kafka: Kafka, tmp_path: Path) -> None:
    lines = [*rows(), b"\xff broken"]
    done = await fed(write(tmp_path, lines), kafka.target())
    records = await kafka.records("history")
    heads = [intake_headers(record.headers) for record in records]
    assert (done.reports, done.closings, done.sent) == (41, 40, 81)
    assert done.ranges == [Range(f"{kafka.prefix}intake.history", 0, 0, 80)]
    assert sorted(record.value for record in records[:-1]) == sorted([*lines, *rows()])
    times = [head.time for head in heads]
    assert times == sorted(time for time in times if time is not None)
    assert [head.row for head in heads] == list(range(82))
    assert (heads[-1].marker, records[-1].value) == ("end", b"")
    assert {head.source for head in heads} == {"boston311"}


async def test_an_interrupted_feed_goes_on_after_its_last_row(
    kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "BATCH_BYTES", 1_000)
    monkeypatch.setattr(sending, "IN_FLIGHT", 1)
    file = write(tmp_path, rows())
    with pytest.raises(asyncio.CancelledError):
        await fed(file, kafka.target(), progress=Interrupt())
    before = len(await kafka.records("history"))
    assert 0 < before < 80
    again = await fed(file, kafka.target())
    heads = [intake_headers(record.headers) for record in await kafka.records("history")]
    assert [head.row for head in heads] == list(range(81))
    assert again.sent == 80 - before
    assert again.ranges == [Range(f"{kafka.prefix}intake.history", 0, 0, 79)]


async def test_a_feed_that_lacks_only_its_marker_gets_it(
    kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, rows())
    with monkeypatch.context() as patched:
        patched.setattr(sending._HistoryRun, "mark_end", _cut)  # noqa: SLF001 - the one point to cut at
        with pytest.raises(asyncio.CancelledError):
            await fed(file, kafka.target())
    assert len(await kafka.records("history")) == 80
    again = await fed(file, kafka.target())
    assert (again.sent, len(await kafka.records("history"))) == (0, 81)
    assert again.ranges[0].last == 79


async def _cut(_: object) -> int:
    raise asyncio.CancelledError


async def test_a_whole_feed_is_not_sent_again(kafka: Kafka, tmp_path: Path) -> None:
    file = write(tmp_path, rows())
    first = await fed(file, kafka.target())
    second = await fed(file, kafka.target())
    assert (second.sent, second.ranges) == (0, first.ranges)
    assert len(await kafka.records("history")) == 81


async def test_a_second_file_goes_behind_the_first(kafka: Kafka, tmp_path: Path) -> None:
    await fed(write(tmp_path, rows(0, 5)), kafka.target())
    later = write(tmp_path, [boston("z", 59)], "later.csv")
    done = await fed(later, kafka.target())
    assert done.ranges == [Range(f"{kafka.prefix}intake.history", 0, 11, 11)]


async def test_an_older_file_is_refused_and_nothing_is_sent(kafka: Kafka, tmp_path: Path) -> None:
    await fed(write(tmp_path, rows(20, 5)), kafka.target())
    with pytest.raises(FeedRefused, match=r"begins on 2015-01-01 00:00 UTC, the log is at .* nothing was sent"):
        await fed(write(tmp_path, rows(0, 5), "older.csv"), kafka.target())
    assert len(await kafka.records("history")) == 11


async def test_log_time_survives_an_emptied_log(kafka: Kafka) -> None:
    place = TopicPartition(f"{kafka.prefix}intake.history", 0)
    group = f"{kafka.prefix}group"
    async with AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, group_id=group, enable_auto_commit=False
    ) as consumer:
        consumer.assign([place])
        await consumer.commit({place: OffsetAndMetadata(0, to_metadata(Place(-1, "", 0), '{"time": 7}'))})
    assert (await read_tail(Cluster(kafka.bootstrap), place.topic, group)).time == 7
    assert (await read_tail(Cluster(kafka.bootstrap), place.topic)).time is None


REHEARSAL = ",".join(SOURCES["rehearsal"].columns)


async def test_live_records_go_to_their_sources_topic(kafka: Kafka, tmp_path: Path) -> None:
    done = await fed(live_file(tmp_path, 30), kafka.target(Clock.WALL), "rehearsal")
    assert sum(len(one) for one in done.ranges) == 30
    assert {one.topic for one in done.ranges} == {f"{kafka.prefix}intake.citizen"}
    first, second = await kafka.records("citizen", 0), await kafka.records("citizen", 1)
    assert {record.key for record in (*first, *second)} == {f"r{at}".encode() for at in range(30)}
    assert [record.offset for record in first] == list(range(done.ranges[0].last + 1))
    assert intake_headers(first[0].headers).time is None


async def test_urgent_live_records_go_to_the_urgent_topic(kafka: Kafka, tmp_path: Path) -> None:
    urgent = SOURCES["rehearsal"].model_dump(mode="json")
    urgent["report"]["urgency"] = {"column": "category", "known": {"fire": "critical"}}
    known = {"rehearsal": SourceMapping.model_validate(urgent)}
    file = tmp_path / "live.csv"
    file.write_text(f"{REHEARSAL}\na,2026-01-01T10:00,fire,,,,,,,,,\nb,2026-01-01T10:00,noise,,,,,,,,,\n")
    prepared = prepare("rehearsal", file, known, kafka.target(Clock.WALL), Quiet())
    done = await feed(prepared, None, Quiet())
    assert [one.topic.rpartition(".")[2] for one in done.ranges] == ["citizen", "urgent"]


def live_file(folder: Path, number: int = 40) -> Path:
    lines = [f"r{at},2026-01-01T10:00:{at:02},noise,32.05,118.6,,,,loud,,," for at in range(number)]
    file = folder / "live.csv"
    file.write_text("\n".join([REHEARSAL, *lines]) + "\n")
    return file


async def rows_on(kafka: Kafka) -> list[list[int]]:
    """The rows that stand on each partition, in its order."""
    return [[int(dict(one.headers)[ROW]) for one in await kafka.records("citizen", at)] for at in (0, 1)]


async def test_an_interrupted_live_feed_goes_on_with_what_is_not_there(
    kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = live_file(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(sending, "LIVE_IN_FLIGHT", 15)
        with pytest.raises(asyncio.CancelledError):
            await fed(file, kafka.target(Clock.WALL), "rehearsal", Interrupt())
    before = sum(map(len, await rows_on(kafka)))
    assert before == 15
    again = await fed(file, kafka.target(Clock.WALL), "rehearsal")
    assert again.sent == 40 - before
    first, second = await rows_on(kafka)
    assert sorted([*first, *second]) == list(range(40))
    # What it waits for is all of the file, not what this run sent.
    assert [(one.first, one.last) for one in again.ranges] == [(0, len(first) - 1), (0, len(second) - 1)]


async def test_a_live_feed_fills_the_gaps_that_a_kill_left(kafka: Kafka, tmp_path: Path) -> None:
    # Several partitions were written to at once: one may have had a later row than the other.
    file = live_file(tmp_path)
    mark = read_file(file, SOURCES["rehearsal"]).fingerprint
    there = {0: (0, 1, 5), 1: (7, 20)}
    async with sending.producer(Cluster(kafka.bootstrap)) as sender:
        for partition, standing in there.items():
            for row in standing:
                for feed_of in ("another", mark):
                    headers = IntakeHeaders(source="rehearsal", feed=feed_of, row=row).to_kafka()
                    await sender.send_and_wait(
                        f"{kafka.prefix}intake.citizen", b"x", partition=partition, headers=headers
                    )
    done = await fed(file, kafka.target(Clock.WALL), "rehearsal")
    assert done.sent == 35
    sent = [*(await kafka.records("citizen", 0))[6:], *(await kafka.records("citizen", 1))[4:]]
    assert sorted(int(dict(record.headers)[ROW]) for record in sent) == sorted(set(range(40)) - {0, 1, 5, 7, 20})
    assert [one.first for one in done.ranges] == [1, 1]


async def test_a_whole_live_feed_is_not_sent_again(kafka: Kafka, tmp_path: Path) -> None:
    file = live_file(tmp_path)
    first = await fed(file, kafka.target(Clock.WALL), "rehearsal")
    second = await fed(file, kafka.target(Clock.WALL), "rehearsal")
    assert (second.sent, second.ranges) == (0, first.ranges)
    assert sum(map(len, await rows_on(kafka))) == 40


async def test_speed_holds_records_back(kafka: Kafka, tmp_path: Path) -> None:
    prepared = prepare("boston311", write(tmp_path, rows(0, 5)), SOURCES, kafka.target(), Quiet())
    begun = asyncio.get_running_loop().time()
    await feed(prepared, None, Quiet(), speed=60.0)
    assert asyncio.get_running_loop().time() - begun > 0.5  # 34 s of history
    stamps = [record.timestamp for record in await kafka.records("history")]
    assert stamps[-1] - stamps[0] > 400


class Everything:
    """A ledger that has all at once."""

    async def settled(self, topic: str, partition: int, first: int, last: int) -> int:
        """All."""
        return last - first + 1

    async def waiting(self) -> Sequence[Origin]:
        """Nothing."""
        return ()


async def test_with_a_ledger_it_waits(kafka: Kafka, tmp_path: Path) -> None:
    prepared = prepare("boston311", write(tmp_path, rows()), SOURCES, kafka.target(), Quiet())
    assert (await feed(prepared, Everything(), Quiet())).sent == 80
