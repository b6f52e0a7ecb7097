"""The test of the tests: each old bug of the ledger, put back, turns the test red that owns its promise."""

import pytest

from agents.ledger import owner
from agents.ledger.owner import LedgerOwner
from agents.local.broker import LocalBroker
from tests.ledger import old_bugs, test_owner

pytestmark = pytest.mark.connected


async def test_a_start_behind_the_newest_row_is_noticed(broker: LocalBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = await test_owner.made(broker)

    def newest(topic: str, partition: int) -> int:
        offsets = [offset for offset in stage.ledger.offsets(topic, partition) if isinstance(offset, int)]
        return max(offsets, default=-1)

    monkeypatch.setattr(owner, "start_of", old_bugs.start_behind(newest))
    with pytest.raises(TimeoutError):
        await test_owner.test_rows_that_stand_further_on_do_not_move_the_start(stage)


async def test_a_commit_before_the_insert_is_noticed(broker: LocalBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = await test_owner.made(broker)
    monkeypatch.setattr(LedgerOwner, "_flush", old_bugs.commit_before_the_insert)
    with pytest.raises(AssertionError):
        await test_owner.test_clickhouse_away_is_waited_for_and_nothing_is_committed_meanwhile(stage)
