"""One batch is one transaction: what fails in it fails whole, and is done again whole."""

import pytest

from streams.ownership.batch import Answer, Batch, Send
from streams.ownership.transaction import Fenced, RecordTooLarge
from tests.ownership.counting import Counts, asking, counter, counting_stage
from tests.ownership.kafka import Kafka
from tests.ownership.running import at_work, check_whole, count_all, deps, said, settings, until

pytestmark = pytest.mark.connected

VALUES = [b"v%d" % number for number in range(20)]


async def test_a_record_too_large_for_its_topic_commits_nothing_and_loses_nothing(kafka: Kafka) -> None:
    await kafka.make(out={"max.message.bytes": "20000"})
    await kafka.feed(VALUES)
    await count_all(kafka, len(VALUES))
    await kafka.feed(VALUES)
    count = counter(kafka.topic("out"))

    def grow(batch: Batch[Counts]) -> Answer:
        answer = count(batch)
        # Random, as the broker looks at it compressed.
        large = b"0 " + b"".join(b"%d" % (7919**number % 10**9) for number in range(10_000))
        return Answer(sends=[*answer.sends, Send(kafka.topic("out"), 0, b"large", large)], state=answer.state)

    with pytest.raises(RecordTooLarge, match=r"out-0 is too large: the topic's max\.message\.bytes"):
        async with at_work(counting_stage(kafka.prefix), deps(kafka, ask=asking(grow))) as owner:
            await until(lambda: owner.busy_since is not None)
    assert await kafka.committed("count") == len(VALUES)
    check_whole(await kafka.read(), VALUES)
    await count_all(kafka, 2 * len(VALUES))
    check_whole(await kafka.read(), VALUES * 2)


async def test_a_record_above_our_own_limit_is_refused_by_name(kafka: Kafka) -> None:
    await kafka.make()
    await kafka.feed([b"x" * 2000])
    given = deps(kafka, settings=settings(kafka, record_bytes=1000))
    with pytest.raises(RecordTooLarge, match="the limit here is 1000 bytes"):
        async with at_work(counting_stage(kafka.prefix), given) as owner:
            await until(lambda: owner.busy_since is not None)
    assert await kafka.read() == []


async def test_many_and_large_records_keep_their_order(kafka: Kafka) -> None:
    await kafka.make()
    values = [b"%d %s" % (number, b"y" * 900) for number in range(500)]
    await kafka.feed(values, keys=1)
    await count_all(kafka, len(values), settings=settings(kafka, send_bytes=10_000))
    assert [int((one.value or b"").split()[1]) for one in await kafka.read()] == list(range(500))


async def test_the_second_owner_of_a_partition_fences_the_first(kafka: Kafka) -> None:
    await kafka.make()
    with pytest.raises(Fenced):
        await _take_over(kafka)
    check_whole(await kafka.read(), VALUES * 2)


async def _take_over(kafka: Kafka) -> None:
    stage = counting_stage(kafka.prefix)
    async with at_work(stage, deps(kafka)) as first:
        await kafka.feed(VALUES)
        await said(kafka, len(VALUES))
        async with at_work(stage, deps(kafka)):
            await kafka.feed(VALUES)
            await said(kafka, 2 * len(VALUES))
            # Both read the batch; whether it came to the first one before or after, it can't commit it.
            await until(lambda: first.busy_since is not None)
