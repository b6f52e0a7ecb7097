"""The contracts' golden examples: what once stood on a topic is read for ever, and written back the same."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from pydantic import TypeAdapter

import schemas
from schemas.codec import ValidationError, encode
from schemas.commands import COMMAND, Command
from schemas.dead_letter import dead_letter_of
from schemas.envelope import envelope_of
from schemas.events import EVENT, CommandSettled, Event, Moved, ReportSettled, TicketEvent
from schemas.intake import intake_headers
from schemas.state import LOG_TIME, POLICY, TICKET, WAITING, Ticket

FOLDER = Path(schemas.__file__).parent / "examples"


def packed(ticket: Ticket) -> Ticket:
    """The ticket as it is read back from the changelog, where it is packed."""
    return TICKET.unpack(ticket.id, TICKET.pack(ticket))


STATE: dict[str, Callable[[bytes], object]] = {
    "ticket": lambda raw: packed(TypeAdapter(Ticket).validate_json(raw)),
    "waiting": WAITING.decode,
    "time": LOG_TIME.decode,
    "policy": POLICY.decode,
}


def values(kind: str) -> list[Path]:
    return sorted(path for path in (FOLDER / kind / "v1").glob("*.json") if ".headers." not in path.name)


def headers(kind: str) -> list[Path]:
    return sorted((FOLDER / kind / "v1").glob("*.headers.json"))


def raw(path: Path) -> bytes:
    return path.read_bytes().removesuffix(b"\n")


def kind_of(path: Path) -> str:
    """What a file is an example of; behind it stands what the example shows."""
    return path.name.partition(".")[0]


def pairs(path: Path) -> list[tuple[str, bytes]]:
    return [(name, value.encode()) for name, value in json.loads(path.read_bytes())]


@pytest.mark.parametrize("path", values("commands"), ids=lambda path: path.stem)
def test_a_command_is_read_and_written_back(path: Path) -> None:
    assert encode(COMMAND.decode(raw(path))) == raw(path)


@pytest.mark.parametrize("path", values("events"), ids=lambda path: path.stem)
def test_an_event_is_read_and_written_back_with_its_headers(path: Path) -> None:
    event = EVENT.decode(raw(path))
    beside = pairs(path.with_suffix(".headers.json"))
    envelope = envelope_of(beside)
    assert encode(event) == raw(path)
    assert envelope.headers() == beside
    assert envelope.type == event.type


@pytest.mark.parametrize("path", values("state"), ids=lambda path: path.stem)
def test_a_state_record_is_read_and_written_back(path: Path) -> None:
    assert encode(STATE[kind_of(path)](raw(path))) == raw(path)


@pytest.mark.parametrize("path", headers("dead-letter"), ids=lambda path: path.stem)
def test_the_headers_of_a_dead_letter_are_read_and_written_back(path: Path) -> None:
    assert dead_letter_of(pairs(path)).to_kafka() == pairs(path)


@pytest.mark.parametrize("path", headers("intake"), ids=lambda path: path.stem)
def test_the_headers_of_an_intake_record_are_read_and_written_back(path: Path) -> None:
    assert intake_headers(pairs(path)).to_kafka() == pairs(path)


def test_each_type_has_an_example() -> None:
    assert {type(COMMAND.decode(raw(path))) for path in values("commands")} == set(get_args(Command))
    events = {type(EVENT.decode(raw(path))) for path in values("events")}
    assert events == set(get_args(Event)) == {*get_args(TicketEvent), *get_args(Moved), ReportSettled, CommandSettled}
    assert {kind_of(path) for path in values("state")} == set(STATE)
    assert headers("dead-letter")
    assert headers("intake")


@pytest.mark.parametrize("path", [*values("commands"), *values("events")], ids=lambda path: path.stem)
def test_a_field_that_the_contract_does_not_name_is_refused(path: Path) -> None:
    contract = COMMAND if path.parent.parent.name == "commands" else EVENT
    with pytest.raises(ValidationError, match="surprise"):
        contract.decode(raw(path).replace(b"{", b'{"surprise":1,', 1))


def test_numbers_that_could_not_be_written_back_are_refused() -> None:
    with pytest.raises(ValidationError):
        COMMAND.decode(b'{"type":"tick","time":%d}' % 10**20)
