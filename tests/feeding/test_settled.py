"""Asking whether all is settled, while the ledger comes and goes."""

from typing import NoReturn

import pytest

from agents import settled
from agents.errors import Away
from agents.held import HeldFeedback
from agents.settled import SettledThere
from streams.ledger import queries
from streams.ledger.errors import LedgerAway
from streams.ownership.cluster import Cluster

THERE = SettledThere(None, HeldFeedback(Cluster("127.0.0.1:1"), "x."))  # type: ignore[arg-type]  # not asked here


async def test_a_ledger_that_stays_away_is_an_outage_and_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_: object) -> NoReturn:
        msg = "ClickHouse does not answer: start it"
        raise LedgerAway(msg)

    monkeypatch.setattr(queries, "settled", ask)
    monkeypatch.setattr(settled, "AWAY_S", -1.0)
    with pytest.raises(Away, match="start it; all was sent, and the same command waits on"):
        await THERE.settled("t", 0, 0, 9)
