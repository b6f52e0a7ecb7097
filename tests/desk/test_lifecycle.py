"""The table of stages, over its full product: as data, and through the desk."""

from dataclasses import replace
from itertools import product

import pytest

from schemas.codec import encode
from schemas.codes import Refusal, Stage
from schemas.events import CommandSettled
from schemas.state import TICKET, ticket_key
from streams.desk.lifecycle import ORDER, TABLE, Rule, following, implied, legal
from tests.desk.logs import Log, feedback, folded, report

PAIRS = list(product(Stage, Stage))


def test_the_table_has_a_rule_for_every_pair() -> None:
    assert set(TABLE) == set(product(Stage, Stage))


@pytest.mark.parametrize(("stage", "claimed"), PAIRS)
def test_nothing_goes_back_and_closing_needs_a_verified_result(stage: Stage, claimed: Stage) -> None:
    here, there = ORDER.index(stage), ORDER.index(claimed)
    if there <= here:
        expected = Rule.NO
    elif claimed is Stage.RATED:
        expected = Rule.YES if stage is Stage.CLOSED else Rule.NO
    elif claimed is Stage.CLOSED:
        expected = Rule.YES if stage is Stage.VERIFIED else Rule.CLOSER
    else:
        expected = Rule.YES
    assert TABLE[stage, claimed] is expected
    assert legal(stage, claimed, closes=True) is (expected is not Rule.NO)
    assert legal(stage, claimed, closes=False) is (expected is Rule.YES)


def test_what_is_implied_lies_between() -> None:
    assert implied(Stage.DISPATCHED, Stage.CLOSED) == (Stage.SIGNED, Stage.HANDLED, Stage.VERIFIED)
    assert implied(Stage.OPENED, Stage.ACCEPTED) == ()
    assert [following(stage) for stage in ORDER] == [*ORDER[1:], None]


@pytest.mark.parametrize("source", ["city", "grid"])
@pytest.mark.parametrize(("stage", "claimed"), PAIRS)
def test_the_desk_keeps_the_table(stage: Stage, claimed: Stage, source: str) -> None:
    log = Log()
    log.add(report(), 0)
    ticket = log.memory.tickets[log.ticket_of()]
    closed_at = log.memory.time if stage in (Stage.CLOSED, Stage.RATED) else None
    log.state[ticket_key(ticket.id)] = encode(replace(ticket, stage=stage, closed_at=closed_at))
    log.memory = folded(log.state)

    log.add(feedback(claimed, ticket=ticket.id, source=source, score=5), 1000)

    settled = log.facts[-1].event
    after = TICKET.decode(log.state[ticket_key(ticket.id)])
    assert isinstance(settled, CommandSettled)
    if legal(stage, claimed, closes=source == "city"):
        assert (settled.reason, after.stage, after.stage_at) == (None, claimed, log.memory.time)
        assert getattr(log.facts[-2].event, "inferred", None) == implied(stage, claimed)
    else:
        assert (settled.reason, after.stage, after.stage_at) == (Refusal.NOT_LEGAL_NOW, stage, ticket.stage_at)
