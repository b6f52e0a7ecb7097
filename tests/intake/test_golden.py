"""Each shipped live source, record for record: what it sends, and the command that comes of it.

`golden/<source>/*.json` holds the record, its headers where they matter, the command, and what must not stand in it.
"""

from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.packs import load_sources
from agents.places import load_intake
from schemas.codec import encode
from schemas.codes import Action
from schemas.commands import COMMAND, Feedback, Origin, Report
from schemas.intake import IntakeHeaders
from tests.intake.kit import KEY

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.glob("*/*.json"))
KNOWN = load_intake("pukou", KEY)


def made(file: Path, document: dict[str, Any]) -> Report | Feedback:
    record, source = document["record"], file.parent.name
    value = record.encode() if isinstance(record, str) else orjson.dumps(record)
    topic = KNOWN.by_name[source].mapping.topic
    origin = Origin(topic=f"lianqin.intake.{topic}", partition=0, offset=7)
    command = KNOWN.read(IntakeHeaders(source=source, **document.get("headers", {})), value, topic=topic, origin=origin)
    assert isinstance(command, Report | Feedback), command
    return command


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_record_becomes_its_command(file: Path) -> None:
    document = orjson.loads(file.read_bytes())
    wire = encode(made(file, document))
    assert orjson.loads(wire) == document["command"], document["about"]
    assert encode(COMMAND.decode(wire)) == wire
    for planted in document.get("never", ()):
        assert planted not in wire.decode()


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_what_must_not_stand_in_a_command_stands_in_the_record(file: Path) -> None:
    document = orjson.loads(file.read_bytes())
    raw = orjson.dumps(document["record"]).decode()
    assert all(planted in raw for planted in document.get("never", ())), document["about"]


def test_every_live_source_has_golden_records() -> None:
    live = {name for name, mapping in load_sources("pukou").items() if not mapping.past} - {"rehearsal"}
    assert {file.parent.name for file in FILES} == live


def test_handlers_can_say_every_action() -> None:
    rule = load_sources("pukou")["handlers"].feedback
    assert rule is not None
    assert set(rule.action.known.values()) == set(Action)
