"""The test of the tests: each old bug, put back, turns the test red that owns its promise."""

import pytest

from streams.ownership import opener
from streams.ownership.faults import Point
from streams.ownership.opening import Reason
from streams.ownership.owner import Owner
from streams.ownership.transaction import Transactions
from tests.ownership import old_bugs, test_opening, test_owner, test_transaction
from tests.ownership.kafka import Kafka

pytestmark = pytest.mark.connected

RED = (AssertionError, pytest.fail.Exception)


async def test_sends_that_are_not_awaited_are_noticed(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Transactions, "_send", old_bugs.sends_not_awaited)
    with pytest.raises(RED, match="DID NOT RAISE"):
        await test_transaction.test_a_record_too_large_for_its_topic_commits_nothing_and_loses_nothing(kafka)
    # And what it is about: the batch is gone from the log, and the group is past it.
    assert await kafka.committed("count") == 2 * len(test_transaction.VALUES)
    assert len(await kafka.read()) < 2 * len(test_transaction.VALUES)


async def test_memory_that_changes_before_the_commit_is_noticed(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Owner, "_commit", old_bugs.memory_before_the_commit)
    with pytest.raises(RED):
        await test_owner.test_memory_takes_nothing_that_was_not_committed(kafka, Point.AFTER_SENDS)


@pytest.mark.parametrize(
    ("happened", "reason"),
    [
        (test_opening._input_made_anew, Reason.ANOTHER_LOG),  # noqa: SLF001 - the cases of that test
        (test_opening._group_reset, Reason.OFFSET),  # noqa: SLF001
    ],
)
async def test_an_open_without_checks_is_noticed(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch, happened: test_opening.Happened, reason: Reason
) -> None:
    monkeypatch.setattr(opener, "check", old_bugs.no_check_at_open)
    with pytest.raises(RED, match="DID NOT RAISE"):
        await test_opening.test_what_would_lose_records_is_refused(kafka, happened, reason)
