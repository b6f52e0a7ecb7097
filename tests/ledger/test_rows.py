"""From a record to a row, by example."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, get_args

import orjson
import pytest

from schemas.codes import Fate, Flag, Level, Reject, Side, Stage, Step
from schemas.events import (
    AlarmRaised,
    CommandSettled,
    ConditionMet,
    Event,
    LimitCarded,
    LimitEscalated,
    LimitPassed,
    LimitsChanged,
    LimitWarned,
    MatchProposed,
    ReportSettled,
    RequestMade,
    RequestRefused,
    StageRecorded,
    TicketAbsorbed,
    TicketAdopted,
    TicketClosed,
    TicketDispatched,
    TicketDiverted,
    TicketEvent,
    TicketExtended,
    TicketHandled,
    TicketLinked,
    TicketOpened,
    TicketReleased,
    TicketRestored,
    TicketResumed,
    TicketSuspended,
    TicketVoided,
)
from streams.ledger.rows import COLUMNS, Record, Row, block_of, dead_letter_row, event_row
from tests.facts import BEGIN, DAY, HOUR, Made, deadline, fact, origin
from tests.ledger.histories import Partition, dead_letter


def named(row: Row) -> dict[str, Any]:
    return dict(zip([column.name for column in COLUMNS], row, strict=True))


def rows_of(log: Partition) -> list[dict[str, Any]]:
    return [named(event_row(record)) for record in log.records]


def test_an_opened_ticket_fills_its_columns() -> None:
    log = Partition(number=3)
    log.open("k1", origin(7))
    opened, settled = rows_of(log)
    expected = {
        "_topic": "t.tickets", "_partition": 3, "_offset": 0, "type": "lianqin.ticket.opened.v1", "time": BEGIN,
        "area": "a1", "ticket": "k1", "sequence": 1, "source": "src", "source_id": "k1", "stage": "opened",
        "unit": "u1", "level": "street", "category": "pothole", "urgency": "routine", "lat": 42.1, "lon": -71.2,
        "overall_due": BEGIN + DAY, "policy": "p1", "grid": "", "origin_topic": "", "origin_offset": -1,
    }  # fmt: skip
    assert {name: opened[name] for name in expected} == expected
    assert (settled["fate"], settled["sequence"], settled["stage"]) == ("ticketed", 2, "")
    assert (settled["origin_topic"], settled["origin_partition"], settled["origin_offset"]) == (
        "t.intake.history", 0, 7,
    )  # fmt: skip


def test_what_moves_a_ticket_carries_time_spent_and_inferred_stages() -> None:
    log = Partition()
    log.close("k1", origin(1), at=BEGIN + 2 * HOUR)
    closed, settled = rows_of(log)
    assert (closed["stage"], closed["inferred"], closed["on_time"]) == ("closed", ["accepted", "handled"], True)
    assert (closed["spent"], closed["took"], closed["allowed"], closed["overall_due"]) == (
        2 * HOUR, 2 * HOUR, None, None,
    )  # fmt: skip
    assert (settled["outcome"], settled["command"], settled["reason"]) == ("applied", "closed", "")


def row_of(event: Event, *, drill: bool = False) -> dict[str, Any]:
    log = Partition(drills={"k1"} if drill else set())
    log.say(event, at=BEGIN, ticket="k1")
    (row,) = rows_of(log)
    return row


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (fact(TicketOpened, side=Side.POLICE, kind="求助", recurrence_of="k0"),
         {"side": "police", "kind": "求助", "recurrence_of": "k0", "stage": "opened", "standing": "running"}),
        (fact(TicketDispatched, before="u0", kept=True, limit=HOUR, by="desk"),
         {"before": "u0", "kept": True, "allowed": HOUR, "by": "desk", "stage": "dispatched", "standing": ""}),
        (fact(TicketHandled, self_handled=True), {"self_handled": True, "stage": "handled"}),
        (fact(TicketClosed), {"standing": "running", "with_master": ""}),
        (fact(TicketClosed, with_master="k9"), {"standing": "", "with_master": "k9"}),
        (fact(StageRecorded, stage=Stage.ARRIVED), {"stage": "", "recorded": "arrived"}),
        (fact(TicketVoided), {"standing": "voided", "stage": ""}),
        (fact(TicketSuspended, deadlines=(deadline(),)), {"standing": "suspended", "overall_due": BEGIN + DAY}),
        (fact(TicketResumed), {"standing": "running", "spent": HOUR}),
        (fact(TicketExtended, automatic=True), {"granted": HOUR, "automatic": True, "standing": ""}),
        (fact(TicketAbsorbed), {"standing": "merged", "other": "k9"}),
        (fact(TicketRestored), {"standing": "running", "other": "k9"}),
        (fact(TicketAdopted), {"other": "k8", "standing": ""}),
        (fact(TicketReleased, source_id="s2"), {"other": "k8", "source_id": "s2"}),
        (fact(RequestMade), {"request": "return"}),
        (fact(RequestRefused), {"request": "return", "spent": HOUR}),
        (fact(TicketDiverted, returned=True), {
            "side": "service", "from_side": "police", "to_side": "service", "returned": True, "spent": HOUR,
            "diversion_list": "list 1",
        }),
        (fact(ConditionMet, kept=False, limit=HOUR), {"condition": "fenced", "kept": False, "allowed": HOUR}),
        (fact(MatchProposed, score=77), {
            "other": "k9", "match_score": 77, "score": None, "distance_m": 12, "likeness": 40,
        }),
        (fact(TicketLinked), {"other": "k9", "why": "near", "distance_m": 12}),
        (fact(LimitWarned, recipients=("u1", "u2")), {"step": "warned", "recipients": ["u1", "u2"]}),
        (fact(LimitPassed), {"step": "passed", "limit_name": "overall", "allowed": DAY}),
        (fact(LimitCarded, card=Step.RED), {"step": "red"}),
        (fact(LimitEscalated, level=Level.DISTRICT), {"step": "escalated", "level": "district"}),
        (fact(LimitsChanged, policy="p2"), {"policy": "p2", "standing": ""}),
        (fact(AlarmRaised), {"alarm": "no-owner"}),
    ],
    ids=lambda given: type(given).__name__,
)  # fmt: skip
def test_what_is_asked_of_an_event_has_a_column(event: Event, expected: dict[str, object]) -> None:
    row = row_of(event)
    assert {name: row[name] for name in expected} == expected
    assert row["drill"] == 0


def test_a_drill_is_marked() -> None:
    assert row_of(fact(TicketOpened), drill=True)["drill"] == 1


def test_every_kind_of_event_is_a_row() -> None:
    for kind in (*get_args(TicketEvent), ReportSettled, CommandSettled):
        event = fact(kind)
        assert row_of(event)["type"] == event.type


def test_a_limit_that_ran_out_names_itself_and_what_was_allowed() -> None:
    log = Partition()
    log.pass_limit("k1", at=BEGIN + DAY)
    (passed,) = rows_of(log)
    assert (passed["limit_name"], passed["allowed"], passed["unit"], passed["time"]) == (
        "overall", DAY, "u1", BEGIN + DAY,
    )  # fmt: skip


def test_flags_and_score_are_kept() -> None:
    log = Partition()
    log.settle(Fate.MERGED, origin(1), at=BEGIN, ticket="k1", flags=(Flag.OUTSIDE, Flag.NO_PLACE))
    log.rate("k1", origin(2), at=BEGIN)
    merged, rated, _ = rows_of(log)
    assert merged["flags"] == ["outside", "no-place"]
    assert (rated["score"], rated["stage"]) == (4, "rated")


def test_a_dead_letter_leaves_its_raw_bytes_behind() -> None:
    row = named(dead_letter_row(dead_letter(5, origin(9, partition=2), Reject.NOT_UTF8)))
    assert (row["type"], row["reason"], row["source"], row["data"]) == ("dead-letter", "not-utf8", "src", "")
    assert (row["origin_topic"], row["origin_partition"], row["origin_offset"]) == ("t.intake.history", 2, 9)
    assert b"raw" not in repr(row).encode()


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b"{}", []),
        (b"[1]", None),
        (b"\xff", None),
        (None, None),
        (b'{"limit": "overall"}', None),
        (b'{"origin": {"topic": "x"}}', None),
        (b'{"origin": 3}', None),
        (b'{"deadlines": [3]}', None),
    ],
)
def test_an_unreadable_record_is_a_row_not_an_error(
    value: bytes | None, headers: list[tuple[str, bytes]] | None
) -> None:
    log = Partition()
    log.open("k1", origin(0))
    good = log.records[0]
    given = good.headers if headers is None else headers
    bad = Made(topic="t", partition=1, offset=2, timestamp=BEGIN, value=value, headers=given)
    row = named(event_row(bad))
    assert (row["type"], row["_topic"], row["_offset"], row["time"]) == ("unreadable", "t", 2, BEGIN)


def test_a_dead_letter_without_its_headers_is_a_row_too() -> None:
    bad = Made(topic="d", partition=0, offset=1, timestamp=BEGIN, value=b"raw", headers=[])
    assert named(dead_letter_row(bad))["type"] == "unreadable"


NULL: bytes = None  # type: ignore[assignment]  # Kafka's headers may be null, whatever the client's types say


def with_header(record: Made, name: str, value: bytes) -> Made:
    """The same record with one header said otherwise."""
    return replace(record, headers=[(one, value if one == name else said) for one, said in record.headers])


def with_field(record: Made, name: str, value: object) -> Made:
    """The same record with one more field in its data."""
    return replace(record, value=orjson.dumps({**orjson.loads(record.value or b""), name: value}))


def a_fact() -> Made:
    """An event that can be read."""
    log = Partition()
    log.rate("k1", origin(1), at=BEGIN)
    return log.records[0]


HARMFUL: Final[dict[str, tuple[Callable[[Record], Row], Made]]] = {
    **{
        f"{name} {value}": (event_row, with_field(a_fact(), name, value))
        for name, value in (
            ("score", 300), ("score", -1), ("score", "x"), ("score", 4.5), ("unit", 5), ("unit", ["u1"]), ("flags", 5),
            ("flags", "no-place"), ("flags", [5]), ("recipients", [None]), ("took", 2**63), ("lat", "north"),
            ("occurred_at", "yesterday"), ("occurred_at", [1]), ("on_time", {}), ("distance_m", 2**31),
            ("origin", [1]), ("origin", {"topic": 1, "partition": 0, "offset": 0}),
            ("origin", {"topic": "t", "partition": 2**31, "offset": 0}),
        )
    },
    "no id": (event_row, with_header(a_fact(), "ce_id", NULL)),
    "sequence -1": (event_row, with_header(a_fact(), "ce_sequence", b"-1")),
    "sequence 2^32": (event_row, with_header(a_fact(), "ce_sequence", b"4294967296")),
    "time": (event_row, with_header(a_fact(), "ce_time", b"0001-01-01T00:00:00")),
    **{
        f"letter {name} {value!r}": (dead_letter_row, with_header(dead_letter(0, origin(1)), f"lianqin-{name}", value))
        for name, value in (
            ("hint", NULL), ("reason", NULL), ("origin-offset", NULL), ("origin-offset", b"9223372036854775808"),
            ("origin-partition", b"-2147483649"), ("time", b"9" * 30), ("time", b"9" * 5000), ("hint", b"\xff"),
        )
    },
}  # fmt: skip
"""Records whose values no column holds, each with how it is read."""


@pytest.mark.parametrize("name", HARMFUL)
def test_what_no_column_holds_is_a_row_not_an_error(name: str) -> None:
    row_of, harmful = HARMFUL[name]
    block = block_of([harmful], row_of)
    row = named(tuple(column[0] for column in block.columns))
    assert (row["type"], row["_topic"], row["_offset"], row["time"]) == ("unreadable", harmful.topic, 0, BEGIN)


def test_what_fits_stays_beside_what_does_not() -> None:
    good, (_, bad) = a_fact(), HARMFUL["score 300"]
    block = block_of([good, replace(bad, offset=2), replace(good, offset=4)], event_row)
    assert list(block.columns[3]) == ["lianqin.ticket.rated.v1", "unreadable", "lianqin.ticket.rated.v1"]
    assert list(block.columns[2]) == [0, 2, 4]


def test_a_block_is_named_by_its_records() -> None:
    log = Partition(number=2)
    log.open("k1", origin(0))
    block = block_of(log.records, event_row)
    assert (block.rows, block.first, block.last, len(block.columns)) == (2, 0, 2, len(COLUMNS))
    assert block.token == f"events:t.tickets:2:0-2:2:{block.digest}"
    again = block_of([replace(record) for record in log.records], event_row)
    assert again.token == block.token


def test_a_block_of_another_log_has_another_name() -> None:
    log = Partition()
    log.open("k1", origin(0))
    letter = dead_letter(0, origin(0))
    names = {
        block_of(log.records, event_row).token,
        # appended a millisecond later
        block_of([log.records[0], replace(log.records[1], timestamp=BEGIN + 1)], event_row).token,
        block_of([with_header(log.records[0], "ce_id", b"another"), log.records[1]], event_row).token,
        block_of([with_field(log.records[0], "unit", "u2"), log.records[1]], event_row).token,
        # a marker stands elsewhere
        block_of([log.records[0], replace(log.records[0], offset=1), log.records[1]], event_row).token,
    }
    assert len(names) == 5
    assert (
        block_of([letter], dead_letter_row).token
        != block_of([replace(letter, timestamp=BEGIN + 1)], dead_letter_row).token
    )
