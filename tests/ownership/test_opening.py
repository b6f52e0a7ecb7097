"""Every refusal to open: first the rule as a table, then each of them made to happen on a broker."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from streams.ownership import changelog
from streams.ownership.opening import Found, OpenRefused, Reason, check
from streams.ownership.place import START, Place
from streams.ownership.transaction import Fenced
from tests.ownership.counting import counting_stage
from tests.ownership.kafka import Kafka
from tests.ownership.running import at_work, check_whole, count_all, deps, said, settings, until
from tests.ownership.worker import relay, relay_stage

VALUES = [b"v%d" % number for number in range(10)]
AT_9 = Place(offset=9, checksum="c", next=10)


def _found(**changed: Any) -> Found:
    given = {"name": "t-0", "place": AT_9, "committed": 10, "start": 0, "end": 10, "checksum": "c", **changed}
    return Found(**given)


@pytest.mark.parametrize(
    "fine",
    [
        _found(),
        _found(committed=None),
        _found(end=11),
        _found(start=9),
        _found(start=10, checksum=None),
        _found(start=12, end=12, place=Place(offset=9, checksum="c", next=12), committed=12, checksum=None),
        _found(place=START, committed=None, checksum=None),
        _found(place=START, committed=0, checksum=None),
        _found(place=Place(offset=9, checksum="", next=10), checksum="d"),
    ],
)
def test_it_opens_where_nothing_is_missing(fine: Found) -> None:
    check(fine)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (_found(committed=9), Reason.OFFSET),
        (_found(committed=11), Reason.OFFSET),
        (_found(start=11, end=20), Reason.RANGE),
        (_found(end=9), Reason.RANGE),
        (_found(checksum="d"), Reason.ANOTHER_LOG),
        (_found(checksum=None), Reason.ANOTHER_LOG),
        (_found(place=START, committed=None, start=1), Reason.RANGE),
        (_found(place=START, committed=10), Reason.OFFSET),
    ],
)
def test_it_does_not_open_where_something_is(wrong: Found, reason: Reason) -> None:
    with pytest.raises(OpenRefused) as refused:
        check(wrong)
    assert refused.value.reason is reason


Happened = Callable[[Kafka], Awaitable[None]]
"""What is done to the topics."""


async def _counted(kafka: Kafka) -> None:
    await kafka.make()
    await kafka.feed(VALUES)
    await count_all(kafka, len(VALUES))


async def _opening(kafka: Kafka) -> None:
    async with at_work(counting_stage(kafka.prefix), deps(kafka)):
        pass


async def _retention_went_past_it(kafka: Kafka) -> None:
    await kafka.feed(VALUES)
    await kafka.cut("in", 15)


async def _input_made_anew(kafka: Kafka) -> None:
    await kafka.delete("in")
    await kafka.make()
    await kafka.feed([b"w%d" % number for number in range(30)])


async def _input_made_anew_and_short(kafka: Kafka) -> None:
    await kafka.delete("in")
    await kafka.make()
    await kafka.feed(VALUES[:3])


async def _group_reset(kafka: Kafka) -> None:
    await kafka.set_committed("count", 4)


async def _state_lost(kafka: Kafka) -> None:
    await kafka.delete("state")
    await kafka.make()


async def _place_lost(kafka: Kafka) -> None:
    await kafka.delete("state")
    await kafka.make()
    await kafka.feed([b"3"], topic="state")


@pytest.mark.connected
@pytest.mark.parametrize(
    ("happened", "reason"),
    [
        (_retention_went_past_it, Reason.RANGE),
        (_input_made_anew, Reason.ANOTHER_LOG),
        (_input_made_anew_and_short, Reason.RANGE),
        (_group_reset, Reason.OFFSET),
        (_state_lost, Reason.OFFSET),
        (_place_lost, Reason.DAMAGED),
    ],
)
async def test_what_would_lose_records_is_refused(kafka: Kafka, happened: Happened, reason: Reason) -> None:
    await _counted(kafka)
    await happened(kafka)
    with pytest.raises(OpenRefused) as refused:
        await _opening(kafka)
    assert refused.value.reason is reason
    assert "\n" not in str(refused.value)


@pytest.mark.connected
async def test_state_behind_an_open_transaction_is_waited_for_and_then_refused(kafka: Kafka) -> None:
    await _counted(kafka)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=f"{kafka.prefix}older") as older:
        await older.begin_transaction()
        await older.send_and_wait(kafka.topic("state"), b"1", key=b"k0", partition=0)
        with pytest.raises(OpenRefused) as refused:
            await _opening(kafka)
        await older.abort_transaction()
    assert refused.value.reason is Reason.HIDDEN
    await _opening(kafka)


@pytest.mark.connected
async def test_an_owner_that_is_replaced_while_it_opens_is_fenced_and_not_refused(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its successor commits between its two looks, at the offsets and at the state, is no damage."""
    await _counted(kafka)
    wait = changelog.until_nothing_hidden

    async def replaced(*arguments: Any, **named: Any) -> int:
        monkeypatch.setattr(changelog, "until_nothing_hidden", wait)
        await kafka.feed(VALUES)
        await count_all(kafka, 2 * len(VALUES))
        return await wait(*arguments, **named)

    monkeypatch.setattr(changelog, "until_nothing_hidden", replaced)
    with pytest.raises(Fenced):
        await _opening(kafka)
    await _opening(kafka)


@pytest.mark.connected
async def test_without_state_and_offset_only_a_log_from_its_start_is_opened(kafka: Kafka) -> None:
    await kafka.make()
    await kafka.feed(VALUES)
    await kafka.cut("in", 4)
    with pytest.raises(OpenRefused) as refused:
        await _opening(kafka)
    assert refused.value.reason is Reason.RANGE


@pytest.mark.connected
async def test_an_owner_with_state_needs_no_offset_and_commits_it_at_once(kafka: Kafka) -> None:
    await _counted(kafka)
    await kafka.forget("count")
    assert await kafka.committed("count") == -1
    await _opening(kafka)
    assert await kafka.committed("count") == len(VALUES)


@pytest.mark.connected
async def test_a_place_between_markers_and_aborted_records_is_found_again(kafka: Kafka) -> None:
    """The record before the committed offset is a marker's neighbour; what follows it is a gap."""
    await kafka.make()
    await kafka.transact(VALUES[:5])
    await kafka.transact([b"never"], commit=False)
    await count_all(kafka, 5)
    assert await kafka.committed("count") == 5
    await kafka.transact(VALUES[5:])
    await count_all(kafka, len(VALUES))
    check_whole(await kafka.read(), VALUES)


@pytest.mark.connected
async def test_a_stage_without_state_refuses_another_log_too(kafka: Kafka) -> None:
    await kafka.make(relayed={})
    await kafka.feed(VALUES, topic="out")
    given = deps(kafka, ask=_relaying(kafka))
    async with at_work(relay_stage(kafka.prefix), given):
        await said(kafka, len(VALUES), "relayed")
    metadata = await kafka.metadata("relay", "out")
    await kafka.delete("out")
    await kafka.make()
    await kafka.feed([b"w%d" % number for number in range(30)], topic="out")
    # Deleting a topic takes the group's offsets along; a restored or mirrored cluster still has them.
    await kafka.set_committed("relay", len(VALUES), "out", metadata)
    with pytest.raises(OpenRefused) as refused:
        async with at_work(relay_stage(kafka.prefix), given):
            pass
    assert refused.value.reason is Reason.ANOTHER_LOG


@pytest.mark.connected
async def test_an_idle_owner_moves_its_place_past_markers_before_retention_takes_them(kafka: Kafka) -> None:
    await kafka.make()
    await kafka.transact(VALUES)
    changed = deps(kafka, settings=settings(kafka, offset_every_s=0.1))
    async with at_work(counting_stage(kafka.prefix), changed):
        await said(kafka, len(VALUES))

        async def past_the_marker() -> bool:
            return await kafka.committed("count") == len(VALUES) + 1

        await until(past_the_marker)
    await kafka.cut("in", len(VALUES) + 1)
    await kafka.feed(VALUES)
    await count_all(kafka, 2 * len(VALUES))


@pytest.mark.connected
async def test_an_idle_owner_goes_past_what_was_aborted_at_once(kafka: Kafka) -> None:
    """It counts as lag: whoever waits for an owner that has nothing to do would wait for ever."""
    await kafka.make()
    await kafka.transact(VALUES)
    await kafka.transact([b"never"] * 60, commit=False)
    async with at_work(counting_stage(kafka.prefix), deps(kafka)):
        await said(kafka, len(VALUES))

        async def past_the_aborted() -> bool:
            return await kafka.committed("count") == len(VALUES) + 1 + 60 + 1

        await until(past_the_aborted)
    await kafka.feed(VALUES)
    await count_all(kafka, 2 * len(VALUES))


def _relaying(kafka: Kafka) -> Any:
    decide = relay(kafka.topic("relayed"))

    async def ask(batch: Any) -> None:
        batch.settle(decide)

    return ask
