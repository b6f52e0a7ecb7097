"""The model of Kafka is held to what the broker does: one suite, once over each, through the clients of an owner."""
# ruff: noqa: D102 - a test's name is its sentence

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import MessageSizeTooLargeError, OffsetOutOfRangeError, OutOfOrderSequenceNumber
from aiokafka.structs import OffsetAndMetadata

from agents.local.broker import LocalBroker
from streams.ownership import clients
from streams.ownership.clients import Committed
from streams.ownership.settings import OwnerSettings
from streams.ownership.transaction import is_fence
from tests.ownership.kafka import Kafka
from tests.ownership.running import until
from tests.protocol.broker import BROKER, Broker
from tests.protocol.clients import installed
from tests.protocol.log import Data
from tests.protocol.network import HERE, Link, Weather
from tests.protocol.trace import Trace

LIMIT_BYTES = 2_000
LARGE = b"".join(b"%d" % (7919**number % 10**9) for number in range(1_000))
"""Above the limit, also compressed."""


class Side(Protocol):
    """What the suite does to a cluster beside what clients do."""

    @property
    def settings(self) -> OwnerSettings:
        """For the clients."""
        ...

    def place(self, name: str) -> TopicPartition:
        """The one partition of a topic."""
        ...

    async def append(self, name: str, values: Sequence[bytes]) -> None:
        """Append records outside of transactions."""
        ...

    async def cut(self, name: str, before: int) -> None:
        """Let the log start there."""
        ...


@dataclass(frozen=True, slots=True)
class RealSide:
    """The broker."""

    kafka: Kafka

    @property
    def settings(self) -> OwnerSettings:
        """For the clients."""
        return OwnerSettings(bootstrap=self.kafka.bootstrap)

    def place(self, name: str) -> TopicPartition:
        """Under a prefix of the test's own."""
        return TopicPartition(self.kafka.topic(name), 0)

    async def append(self, name: str, values: Sequence[bytes]) -> None:
        """Append."""
        await self.kafka.feed(values, topic=name)

    async def cut(self, name: str, before: int) -> None:
        """Cut."""
        await self.kafka.cut(name, before)


@dataclass(frozen=True, slots=True)
class ModelSide:
    """The model."""

    broker: Broker
    settings: OwnerSettings = field(default_factory=lambda: OwnerSettings(bootstrap="model"))

    def place(self, name: str) -> TopicPartition:
        """Nobody else is here."""
        return TopicPartition(name, 0)

    async def append(self, name: str, values: Sequence[bytes]) -> None:
        """Append."""
        self.broker.append(self.place(name), [Data(b"k", value) for value in values])

    async def cut(self, name: str, before: int) -> None:
        """Cut."""
        self.broker.log(self.place(name)).cut(before)


@asynccontextmanager
async def _started(client: Any) -> AsyncIterator[Any]:
    try:
        await clients.start(client)
        yield client
    finally:
        await clients.stop(client)


def _producer(side: Side, name: str = "p") -> Any:
    return _started(clients.make_producer(side.settings, f"{side.place(name).topic}-id"))


async def _send(producer: Any, place: TopicPartition, *values: bytes) -> "asyncio.Future[object]":
    batch = producer.create_batch()
    for value in values:
        batch.append(timestamp=1, key=b"k", value=value, headers=[])
    batch.close()
    future: asyncio.Future[object] = await producer.send_batch(batch, place.topic, partition=place.partition)
    return future


async def _transact(producer: Any, place: TopicPartition, *values: bytes, commit: bool = True) -> None:
    await producer.begin_transaction()
    await (await _send(producer, place, *values))
    await (producer.commit_transaction() if commit else producer.abort_transaction())


async def _ends(side: Side, place: TopicPartition) -> tuple[int, int, int]:
    """Start, last stable offset, end."""
    committed = clients.make_consumer(side.settings)
    uncommitted = clients.make_consumer(side.settings, isolation="read_uncommitted")
    async with _started(committed), _started(uncommitted):
        start = (await committed.beginning_offsets([place]))[place]
        stable = (await committed.end_offsets([place]))[place]
        return start, stable, (await uncommitted.end_offsets([place]))[place]


async def _until_ends(side: Side, place: TopicPartition, ends: tuple[int, int, int]) -> None:
    """Markers come a moment after the commit."""

    async def there() -> bool:
        return await _ends(side, place) == ends

    await until(there)


async def _read(
    side: Side, place: TopicPartition, end: int, *, at: int = 0, isolation: clients.Isolation = "read_committed"
) -> list[bytes]:
    """What such a reader gets, two records at a time, until it stands at `end`; and it stays there."""
    consumer = clients.make_consumer(side.settings, wait_ms=20, isolation=isolation)
    async with _started(consumer), asyncio.timeout(10):
        consumer.assign([place])
        consumer.seek(place, at)
        values: list[bytes] = []
        while await consumer.position(place) < end:
            got = await consumer.getmany(timeout_ms=100, max_records=2)
            values += [record.value for record in got.get(place, ())]
        assert await consumer.getmany(timeout_ms=60) == {}
        assert await consumer.position(place) == end
        return values


async def _told(side: Side, group: str, place: TopicPartition) -> Committed | None:
    admin = clients.make_admin(side.settings)
    async with _started(admin):
        return (await clients.committed_offsets(admin, group, [place], within_s=5))[place]


async def _fences(doing: Awaitable[object]) -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011 - which one it is, is the question
        await doing
    assert is_fence(raised.value)


class KafkaSuite:
    """What owners rely on."""

    async def test_a_transaction_takes_an_offset_more_than_its_records(self, side: Side) -> None:
        place = side.place("in")
        async with _producer(side) as producer:
            await _transact(producer, place, b"a", b"b")
            await _transact(producer, place, b"c")
        await _until_ends(side, place, (0, 5, 5))
        assert await _read(side, place, 5) == [b"a", b"b", b"c"]

    async def test_a_committed_reader_stops_before_an_open_transaction(self, side: Side) -> None:
        place = side.place("in")
        await side.append("in", [b"before"])
        async with _producer(side) as producer:
            await producer.begin_transaction()
            await (await _send(producer, place, b"open"))
            await side.append("in", [b"after"])
            assert await _ends(side, place) == (0, 1, 3)
            assert await _read(side, place, 1) == [b"before"]
            assert await _read(side, place, 3, isolation="read_uncommitted") == [b"before", b"open", b"after"]
            await producer.commit_transaction()
        await _until_ends(side, place, (0, 4, 4))
        assert await _read(side, place, 4) == [b"before", b"open", b"after"]

    async def test_what_was_aborted_is_passed_by(self, side: Side) -> None:
        place = side.place("in")
        async with _producer(side) as producer:
            await _transact(producer, place, b"a")
            await _transact(producer, place, b"no", b"no", commit=False)
            await _transact(producer, place, b"b")
            await _transact(producer, place, b"no", commit=False)
        await _until_ends(side, place, (0, 9, 9))
        assert await _read(side, place, 9) == [b"a", b"b"]
        assert await _read(side, place, 9, isolation="read_uncommitted") == [b"a", b"no", b"no", b"b", b"no"]

    async def test_offsets_are_committed_with_the_transaction_or_not_at_all(self, side: Side) -> None:
        place = side.place("in")
        group = f"{place.topic}-group"
        async with _producer(side) as producer:
            for number, commit in enumerate((False, True, False)):
                await producer.begin_transaction()
                marks = {place: OffsetAndMetadata(number, f"m{number}")}
                await producer.send_offsets_to_transaction(marks, group)
                await (producer.commit_transaction() if commit else producer.abort_transaction())
            # The last of them is over for certain once the next one begins.
            await _transact(producer, place, b"x")
        assert await _told(side, group, place) == Committed(1, "m1")
        assert await _told(side, f"{group}-other", place) is None

    async def test_offsets_of_an_open_transaction_are_not_told(self, side: Side) -> None:
        place = side.place("in")
        group = f"{place.topic}-group"
        async with _producer(side) as producer:
            await producer.begin_transaction()
            await producer.send_offsets_to_transaction({place: OffsetAndMetadata(7, "")}, group)
            assert await _told(side, group, place) is None
            await producer.commit_transaction()

        async def told() -> bool:
            return await _told(side, group, place) == Committed(7, "")

        await until(told, within_s=5)

    async def test_a_start_aborts_and_fences_the_former_producer(self, side: Side) -> None:
        place = side.place("in")
        async with _producer(side) as former:
            await former.begin_transaction()
            await (await _send(former, place, b"lost"))
            async with _producer(side) as later:
                # No marker is outstanding once the start is over.
                assert await _ends(side, place) == (0, 2, 2)
                await _transact(later, place, b"kept")
                await _fences(former.commit_transaction())
        await _until_ends(side, place, (0, 4, 4))
        assert await _read(side, place, 4) == [b"kept"]

    async def test_a_former_producer_cannot_write_late(self, side: Side) -> None:
        place = side.place("in")
        async with _producer(side) as former:
            await former.begin_transaction()
            await (await _send(former, place, b"lost"))
            async with _producer(side):
                await _fences(await _send(former, place, b"late"))
        assert await _ends(side, place) == (0, 2, 2)

    async def test_an_idle_former_producer_learns_it_with_its_next_transaction(self, side: Side) -> None:
        place = side.place("in")
        async with _producer(side) as former:
            await _transact(former, place, b"a")
            async with _producer(side):
                await former.begin_transaction()
                await _fences(await _send(former, place, b"late"))

    async def test_a_former_producer_cannot_commit_offsets(self, side: Side) -> None:
        place = side.place("in")
        group = f"{place.topic}-group"
        async with _producer(side) as former:
            await former.begin_transaction()
            await former.send_offsets_to_transaction({place: OffsetAndMetadata(3, "")}, group)
            async with _producer(side):
                await _fences(former.commit_transaction())
                assert await _told(side, group, place) is None

    async def test_a_transaction_that_takes_too_long_is_aborted_and_its_producer_fenced(self, side: Side) -> None:
        place = side.place("in")
        hasty = replace(side.settings, transaction_timeout_ms=3000)
        async with _started(clients.make_producer(hasty, f"{place.topic}-id")) as producer:
            await producer.begin_transaction()
            await (await _send(producer, place, b"lost"))
            # The broker looks for such transactions every second.
            await _until_ends(side, place, (0, 2, 2))
            await _fences(producer.commit_transaction())
        assert await _read(side, place, 2) == []

    async def test_what_is_begun_ahead_holds_nobody_up_and_carries_what_comes(self, side: Side) -> None:
        place, group = side.place("in"), f"{side.place('in').topic}-group"
        async with _producer(side) as producer:
            for number in range(4):
                await producer.begin_transaction()
                sent = await _send(producer, place, b"%d" % number)
                marks = {place: OffsetAndMetadata(number, "")}
                await asyncio.gather(sent, producer.send_offsets_to_transaction(marks, group))
                await producer.commit_transaction()
                producer.begin_ahead(group, 5.0)
            await side.append("in", [b"beside"])
            await _until_ends(side, place, (0, 9, 9))
            await _transact(producer, place, b"4")
            await _until_ends(side, place, (0, 11, 11))
        assert await _read(side, place, 11) == [b"0", b"1", b"2", b"3", b"beside", b"4"]
        assert await _told(side, group, place) == Committed(3, "")

    async def test_what_is_begun_ahead_in_vain_is_ended(self, side: Side) -> None:
        place = side.place("in")
        async with _producer(side) as producer:
            await _transact(producer, place, b"a")
            await _transact(producer, place, b"b")
            producer.begin_ahead(f"{place.topic}-group", 0.1)
            # Its marker takes an offset.
            await _until_ends(side, place, (0, 5, 5))
            await _transact(producer, place, b"c")
            await _until_ends(side, place, (0, 7, 7))
        assert await _read(side, place, 7) == [b"a", b"b", b"c"]

    async def test_what_is_begun_ahead_does_not_outlive_a_later_start(self, side: Side) -> None:
        place = side.place("in")
        async with _producer(side) as former:
            for value in (b"a", b"b"):
                await _transact(former, place, value)
            former.begin_ahead(f"{place.topic}-group", 5.0)
            await asyncio.sleep(0.1)
            async with _producer(side) as later:
                # It had begun: the start has ended it, by a marker.
                assert await _ends(side, place) == (0, 5, 5)
                await _transact(later, place, b"c")
                await _fences(_transact(former, place, b"late"))
        await _until_ends(side, place, (0, 7, 7))
        assert await _read(side, place, 7) == [b"a", b"b", b"c"]

    async def test_a_commit_succeeds_although_a_send_has_failed(self, side: Side) -> None:
        small, place = side.place("small"), side.place("in")
        async with _producer(side) as producer:
            await producer.begin_transaction()
            with pytest.raises(MessageSizeTooLargeError):
                await (await _send(producer, small, LARGE))
            await (await _send(producer, place, b"alone"))
            await producer.commit_transaction()
        await _until_ends(side, place, (0, 2, 2))
        assert await _read(side, place, 2) == [b"alone"]
        assert await _read(side, small, 1) == []

    async def test_a_producer_cannot_go_on_in_a_partition_where_a_send_has_failed(self, side: Side) -> None:
        small = side.place("small")
        async with _producer(side) as producer:
            await producer.begin_transaction()
            await (await _send(producer, small, b"first"))
            with pytest.raises(MessageSizeTooLargeError):
                await (await _send(producer, small, LARGE))
            with pytest.raises(OutOfOrderSequenceNumber):
                await (await _send(producer, small, b"small enough"))
            await producer.abort_transaction()
            await producer.begin_transaction()
            with pytest.raises(OutOfOrderSequenceNumber):
                await (await _send(producer, small, b"small enough"))

    async def test_offsets_and_sends_to_several_partitions_travel_together(self, side: Side) -> None:
        place, small, group = side.place("in"), side.place("small"), f"{side.place('in').topic}-group"
        async with _producer(side) as producer:
            await _transact(producer, small, b"s")
            for number in range(5):
                await producer.begin_transaction()
                sends = [await _send(producer, place, b"%d" % number)]
                marks = producer.send_offsets_to_transaction({place: OffsetAndMetadata(number, "")}, group)
                going = asyncio.ensure_future(marks)
                # By then the first partition is being added: it must not take the second with it.
                await asyncio.sleep(0)
                sends += [await _send(producer, one, b"%d" % number) for one in (small, place)]
                await asyncio.gather(going, *sends)
                await producer.commit_transaction()
            # The last of them is over for certain once the next one begins.
            await _transact(producer, small, b"e")
        await _until_ends(side, small, (0, 14, 14))
        assert await _read(side, small, 14) == [b"s", b"0", b"1", b"2", b"3", b"4", b"e"]
        assert await _read(side, place, 15) == [b"%d" % number for number in range(5) for _ in range(2)]
        assert await _told(side, group, place) == Committed(4, "")

    async def test_outside_the_log_a_reader_is_told_so(self, side: Side) -> None:
        place = side.place("in")
        await side.append("in", [b"%d" % number for number in range(5)])
        await side.cut("in", 3)
        assert await _ends(side, place) == (3, 5, 5)
        for at in (2, 6):
            with pytest.raises(OffsetOutOfRangeError):
                await _read(side, place, 9, at=at)
        assert await _read(side, place, 5, at=3) == [b"3", b"4"]

    async def test_a_log_may_be_cut_to_its_end(self, side: Side) -> None:
        place = side.place("in")
        async with _producer(side) as producer:
            await _transact(producer, place, b"a")
        await _until_ends(side, place, (0, 2, 2))
        await side.cut("in", 2)
        assert await _ends(side, place) == (2, 2, 2)
        assert await _read(side, place, 2, at=2) == []
        await side.append("in", [b"b"])
        assert await _read(side, place, 3, at=2) == [b"b"]

    async def test_a_reader_that_took_all_stands_before_the_marker_until_it_asks_again(self, side: Side) -> None:
        place = side.place("in")
        async with _producer(side) as producer:
            await _transact(producer, place, b"a", b"b")
        await _until_ends(side, place, (0, 3, 3))
        consumer = clients.make_consumer(side.settings, wait_ms=20)
        async with _started(consumer):
            consumer.assign([place])
            consumer.seek(place, 0)
            assert len((await consumer.getmany(timeout_ms=5000, max_records=2))[place]) == 2
            assert await consumer.position(place) == 2
            assert await consumer.getmany(timeout_ms=60, max_records=2) == {}
            assert await consumer.position(place) == 3


class TestModel(KafkaSuite):
    """Over the model, on an ordinary loop."""

    @pytest.fixture
    async def side(self) -> AsyncIterator[Side]:
        """A cluster of its own."""
        broker = Broker(random.Random(1))
        broker.make("in", 1)
        broker.make("small", 1)
        broker.log(TopicPartition("small", 0)).limit_bytes = LIMIT_BYTES
        BROKER.set(broker)
        HERE.set(Link("test", Weather(), random.Random(2), Trace(kept=False)))
        with installed():
            yield ModelSide(broker)


@pytest.mark.connected
class TestBroker(KafkaSuite):
    """Over Apache Kafka."""

    @pytest.fixture
    async def side(self, broker: LocalBroker) -> Side:
        """The shared broker, under a prefix of its own."""
        kafka = Kafka(broker.bootstrap)
        await kafka.make(small={"max.message.bytes": str(LIMIT_BYTES)})
        return RealSide(kafka)
