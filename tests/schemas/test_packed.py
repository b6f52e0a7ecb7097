"""Packed contracts: what is written is read back the same, whatever stands in it."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import TypeAdapter

import schemas
from schemas.codec import encode, replace
from schemas.codes import Flag, Level, RequestKind, Side, Stage, Step
from schemas.state import TICKET, Course, Match, Request, Ticket, Ties, course_of

JSON = TypeAdapter(Ticket)
EXAMPLES = sorted((Path(schemas.__file__).parent / "examples/state/v1").glob("ticket*.json"))


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.stem)
def ticket(request: pytest.FixtureRequest) -> Ticket:
    told: Ticket = JSON.validate_json(request.param.read_bytes())
    return told


def _full(ticket: Ticket) -> Ticket:
    """The ticket with something in every field that may be empty."""
    asked = Request(kind=RequestKind.EXTENSION, at=7, by="unit", seconds=60, note="more time")
    course = Course(
        request=asked,
        suspended_at=1,
        resume_at=2,
        assisting=("one", "two"),
        conditions=("a",),
        diverted_from=Side.POLICE,
        diverted_unit="unit",
        reopened_at=3,
        escalated=Level.DISTRICT,
        inferred=(Stage.SIGNED, Stage.ARRIVED),
        overall_said=(Step.WARNED, Step.PASSED),
    )
    ties = Ties(merged_into="m", children=("c",), links=("l",), matches=(Match(other="o", refused=True),))
    whole = {name: getattr(ticket, name) for name in [field.name for field in fields(Ticket)]} | {
        "closed_at": 5,
        "kind": "kind",
        "grid": "grid",
        "lat": 32.1,
        "lon": -118.6,
        "text": "文字",
        "flags": tuple(Flag),
        "course": course,
        "ties": ties,
    }
    return Ticket(**whole)


def test_a_ticket_is_read_back_as_it_was(ticket: Ticket) -> None:
    for one in (ticket, _full(ticket)):
        again = TICKET.unpack(one.id, TICKET.pack(one))
        assert again == one
        assert encode(again) == encode(one)  # the types of what stands in it, too


def test_a_row_has_what_the_ticket_has_and_is_none(ticket: Ticket) -> None:
    row: Any = TICKET.row(TICKET.pack(_full(ticket)))
    assert not isinstance(row, Ticket)
    assert row.id == ""  # its key says it
    assert all(getattr(row, name) == getattr(_full(ticket), name) for name in ("stage", "text", "lat", "flags"))
    assert [one.source_id for one in row.reports] == [one.source_id for one in ticket.reports]
    assert row.ties is not None
    assert row.ties.matches[0].other == "o"


def test_what_moves_in_a_ticket_is_written_over(ticket: Ticket) -> None:
    for one in (ticket, _full(ticket)):
        raw = TICKET.pack(one)
        head: Any = TICKET.head(raw)
        assert (head.area, head.drill) == (one.area, one.drill)
        assert not hasattr(head, "text")
        before = TICKET.front(head)
        assert TICKET.moved(raw, before, head) == raw
        head.sequence = 70_000
        for deadline in head.deadlines:
            deadline.next_at = None
        after = replace(
            one, sequence=70_000, deadlines=tuple(replace(deadline, next_at=None) for deadline in one.deadlines)
        )
        assert TICKET.moved(raw, before, head) == TICKET.pack(after)


def test_a_course_of_an_earlier_build_is_read(ticket: Ticket) -> None:
    full = _full(ticket)
    row = msgspec.msgpack.decode(TICKET.pack(full))
    course = next(column for column in row if isinstance(column, list) and "unit" in column)
    assert course.pop() == ["warned", "passed"]  # what it did not have
    earlier = replace(full, course=replace(course_of(full), overall_said=()))
    assert TICKET.unpack(full.id, msgspec.msgpack.encode(row)) == earlier


@pytest.mark.parametrize("raw", [b"", b"{}", b"\x90", b"\x91\x01", b"\xc1"])
def test_what_is_no_ticket_is_refused(raw: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        TICKET.row(raw)
    with pytest.raises(msgspec.DecodeError):
        TICKET.unpack("t", raw)
