"""The comparison itself: the log on one side, ClickHouse on the other."""

import time
from collections.abc import Sequence

import numpy as np

from schemas.codes import Fate
from streams.ledger.access import Client
from streams.ledger.account import (
    MOST_NAMED,
    Account,
    Offsets,
    Received,
    SourceAccount,
    Standing,
    check_events,
    standing,
    with_rows,
)
from streams.ledger.rows import block_of, event_row
from streams.ledger.store import insert
from tests.facts import BEGIN, Made, origin
from tests.ledger.histories import HISTORY, dead_block, dead_letter, small_history


def offsets(*numbers: int) -> Offsets:
    return np.array(numbers, np.int64)


NONE = offsets()


def received(numbers: Sequence[int], end: int, names: Sequence[str] = ("src",)) -> Received:
    codes = np.arange(len(numbers), dtype=np.int32) % len(names)
    return Received(topic=HISTORY, partition=0, first=0, end=end, offsets=offsets(*numbers), sources=codes, names=names)


def stands(settled: Sequence[int], dead: Sequence[int] = ()) -> Standing:
    flags = np.array([True] * len(settled) + [False] * len(dead), np.bool_)
    return Standing(offsets(*settled, *dead), flags)


def compared(log: Received, found: Standing, waiting: Offsets = NONE) -> Account:
    account = Account()
    account.add(log, found, waiting)
    return account


def test_a_whole_account_with_gaps_in_the_log() -> None:
    account = compared(received([0, 1, 4, 6], 8), stands([6, 0, 1], dead=[4]))
    assert account.ok
    assert account.sources == {"src": SourceAccount(received=4, settled=3, dead_letters=1)}


def test_a_missing_record_is_named() -> None:
    account = compared(received([0, 1, 4], 8, ["a", "b"]), stands([0, 4]))
    assert not account.ok
    assert [(one.offset, one.source) for one in account.missing] == [(1, "b")]
    assert account.sources["b"] == SourceAccount(received=1, missing=1)


def test_a_record_that_stands_twice_is_named() -> None:
    account = compared(received([0, 1], 2), stands([0, 1, 1]))
    assert not account.ok
    assert [one.offset for one in account.twice] == [1]
    assert account.sources["src"].settled == 2


def test_a_settlement_counts_before_its_dead_letters() -> None:
    account = compared(received([0, 1], 2), stands([0], dead=[0, 0, 1]))
    assert account.ok
    assert account.sources == {"src": SourceAccount(received=2, settled=1, dead_letters=1)}


def test_two_dead_letters_of_one_record_are_one_too_many() -> None:
    assert [one.offset for one in compared(received([0], 1), stands([], dead=[0, 0])).twice] == [0]


def test_what_stands_without_a_record_is_named() -> None:
    account = compared(received([0, 2], 4), stands([0, 1, 2]))
    assert not account.ok
    assert [one.offset for one in account.unfounded] == [1]
    assert account.sources == {"src": SourceAccount(received=2, settled=2)}


def test_feedback_that_waits_for_its_report_is_not_missing() -> None:
    account = compared(received([0, 1, 2], 3), stands([0]), offsets(0, 2))
    assert [one.offset for one in account.missing] == [1]
    assert account.sources == {"src": SourceAccount(received=3, settled=1, missing=1, waiting=1)}


def test_all_are_counted_and_some_are_named() -> None:
    account = compared(received(range(250), 250), stands([]))
    assert (account.missing_n, len(account.missing)) == (250, MOST_NAMED)


def test_an_empty_stretch() -> None:
    assert compared(received([], 0), stands([])).ok


def test_a_million_are_compared_in_seconds() -> None:
    n = 1_000_000
    log = received(range(n), n, ["a", "b", "c"])
    found = Standing(np.random.default_rng(1).permutation(n).astype(np.int64), np.ones(n, np.bool_))
    began = time.process_time()
    assert compared(log, found).ok
    assert time.process_time() - began < 5


def test_clickhouse_gives_a_stretch(client: Client) -> None:
    insert(client, small_history().block())
    insert(client, dead_block(dead_letter(0, origin(12)), dead_letter(1, origin(99))))
    found = standing(client, received([], 50))
    assert sorted(zip(found.offsets.tolist(), found.settled.tolist(), strict=True)) == [
        *((n, True) for n in range(10)),
        (12, False),
    ]
    nowhere = Received(topic="x", partition=0, first=0, end=9, offsets=NONE, sources=NONE.astype(np.int32), names=())
    assert standing(client, nowhere).offsets.size == 0


def test_a_doubled_settlement_is_shown_with_its_rows(client: Client) -> None:
    log = small_history()
    log.settle(Fate.REPEAT, origin(4), at=BEGIN, ticket="k1")
    insert(client, log.block())
    whole = received(range(10), 10)
    account = compared(whole, standing(client, whole))
    (twice,) = with_rows(client, account.twice)
    assert twice.offset == 4
    assert [(row["topic"], row["what"]) for row in twice.rows] == [("t.tickets", "repeat")] * 2
    assert len({row["offset"] for row in twice.rows}) == 2


def test_gaps_in_a_tickets_numbers_strangers_and_unreadable_rows_are_found(client: Client) -> None:
    log = small_history()
    lost = [record for record in log.records if record.offset != 2]
    insert(client, block_of(lost, event_row))
    bad = Made(topic="t.tickets", partition=5, offset=0, timestamp=BEGIN, value=b"x", headers=[])
    insert(client, block_of([bad], event_row))
    insert(client, dead_block(dead_letter(0, origin(0, topic="other"))))
    account = Account()
    check_events(client, account, [HISTORY])
    assert (account.broken, account.unreadable) == (["k1"], 1)
    assert [one.topic for one in account.unfounded] == ["other"]
    assert not account.ok


def test_strangers_are_all_counted_and_the_first_are_named(client: Client) -> None:
    many = MOST_NAMED + 20
    insert(client, dead_block(*(dead_letter(number, origin(number, topic="other")) for number in range(many))))
    account = Account()
    check_events(client, account, [HISTORY])
    assert (account.unfounded_n, len(account.unfounded)) == (many, MOST_NAMED)
    assert (account.unfounded[0].topic, account.unfounded[0].offset) == ("other", 0)
