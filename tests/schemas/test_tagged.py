"""What is read fast is what pydantic reads, and what pydantic refuses is refused."""

from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import ValidationError, encode
from schemas.commands import COMMAND, Origin, Report, Tick
from schemas.events import EVENT
from schemas.tagged import Tagged
from tests.fuzz import mutate

EXAMPLES: Final = Path(__file__).parents[2] / "schemas/examples"
BOTH: Final = [
    (reader, file.read_bytes())
    for reader, folder in ((COMMAND, "commands"), (EVENT, "events"))
    for file in sorted((EXAMPLES / folder).glob("v1/*.json"))
    if not file.name.endswith(".headers.json")
]
REPORT: Final = Report(
    source="app",
    source_id="1",
    content="c",
    time=1,
    occurred_at=2,
    area="a",
    category="b",
    origin=Origin(topic="t", partition=0, offset=1),
)


def read(reader: Tagged[Any], raw: bytes) -> str:
    """What is read, to the last type, or that nothing is."""
    try:
        return repr(reader.decode(raw))
    except ValidationError:
        return "nothing"


def by_pydantic(reader: Tagged[Any], raw: bytes) -> str:
    """The same by pydantic alone."""
    try:
        return repr(reader.read(raw))
    except ValidationError:
        return "nothing"


@pytest.mark.parametrize(("reader", "raw"), BOTH)
def test_an_example_is_read_as_pydantic_reads_it(reader: Tagged[Any], raw: bytes) -> None:
    assert read(reader, raw) == by_pydantic(reader, raw) != "nothing"


@given(st.sampled_from(BOTH), st.integers(0, 2**32))
def test_a_bad_one_is_read_as_pydantic_reads_it(example: tuple[Tagged[Any], bytes], seed: int) -> None:
    reader, raw = example
    random = Random(seed)
    bad = mutate.broken(random, raw, b"{}") if random.random() < 0.3 else mutate.document(random, raw)
    assert read(reader, bad) == by_pydantic(reader, bad)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"time":1', b'"time":-1'),
        (b'"time":1', b'"time":253402300800000'),
        (b'"time":1', b'"time":1.0'),
        (b'"time":1', b'"time":1.5'),
        (b'"time":1', b'"time":"1"'),
        (b'"time":1', b'"time":1,"time":2'),
        (b'"time":1', b'"time":1,"more":2'),
        (b'"occurred_at":2', b'"occurred_at":9223372036854775807'),
        (b'"occurred_at":2', b'"occurred_at":9223372036854775808'),
        (b'"occurred_at":2', b'"occurred_at":-9223372036854775809'),
        (b'"lat":null', b'"lat":32'),
        (b'"lat":null', b'"lat":1e400'),
        (b'"lat":null', b'"lat":NaN'),
        (b'"lat":null', b'"lat":1e-400'),
        (b'"lat":null', b'"lat":' + b"9" * 400),
        (b'"lat":null', b'"lat":9007199254740993'),
        (b'"text":""', b'"text":"\\ud800"'),
        (b'"text":""', b'"text":"\xff"'),
        (b'"text":""', b'"text":"\xed\xa0\x80"'),
        (b'"text":""', b'"text":"\x01"'),
        (b'"text":""', b'"text":"\\u0000"'),
        (b'"details":{}', b'"details":{"a":"1","a":"2"}'),
        (b'"details":{}', b'"details":{"a":1}'),
        (b'"drill":false', b'"drill":1'),
        (b'"type":"report"', b'"type":"report","type":"tick"'),
        (b'"type":"report",', b""),
        (b'{"type"', b' \n{"type"'),
        (b'{"type"', b'\xef\xbb\xbf{"type"'),
        (b'"offset":1}', b'"offset":1}}'),
        (b'"origin":{', b'"origin":{"type":"Origin",'),
    ],
)
def test_at_the_edges_too(old: bytes, new: bytes) -> None:
    raw = encode(REPORT)
    assert old in raw
    bad = raw.replace(old, new)
    assert read(COMMAND, bad) == by_pydantic(COMMAND, bad)


def test_what_is_written_as_it_should_be_needs_no_pydantic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(COMMAND, "read", None)
    assert COMMAND.decode(encode(REPORT)) == REPORT
    assert COMMAND.decode(encode(Tick())) == Tick()
