"""The views' golden examples: what once stood on a topic is read for ever, and written back the same."""

import json
from pathlib import Path
from typing import Any

import pytest

import schemas
from schemas.codec import Contract, ValidationError, encode
from schemas.envelope import envelope_of
from schemas.views import ASSIGNMENT, CANDIDATE, CURRENT, REMINDED, REPLY, VIEW_TYPE

FOLDER = Path(schemas.__file__).parent / "examples" / "views" / "v1"
CONTRACTS: dict[str, Contract[Any]] = {
    "ticket": CURRENT,
    "assignment": ASSIGNMENT,
    "reminder": REMINDED,
    "candidate": CANDIDATE,
    "reply": REPLY,
}


def raw(name: str) -> bytes:
    return (FOLDER / f"{name}.json").read_bytes().removesuffix(b"\n")


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_view_is_read_and_written_back_with_its_headers(name: str) -> None:
    view = CONTRACTS[name].decode(raw(name))
    beside = [(header, value.encode()) for header, value in json.loads((FOLDER / f"{name}.headers.json").read_bytes())]
    envelope = envelope_of(beside)
    assert encode(view) == raw(name)
    assert envelope.headers() == beside
    assert envelope.type == (VIEW_TYPE if name == "ticket" else view.type)
    assert envelope.subject == view.ticket


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_field_that_the_contract_does_not_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="surprise"):
        CONTRACTS[name].decode(raw(name).replace(b"{", b'{"surprise":1,', 1))


def test_each_topic_has_an_example() -> None:
    assert {path.stem for path in FOLDER.glob("*.json") if ".headers" not in path.name} == set(CONTRACTS)
