"""Records that were made to do harm: each becomes a command that says what it shows, or a dead letter."""

from typing import Any

import orjson
import pytest

from agents.intake import KEPT_BYTES, TAKEN_MAX_BYTES, Intake, IntakeDeps
from schemas.codec import encode
from schemas.codes import Clock, Flag, Reject, Urgency
from schemas.commands import COMMAND, Command, Report
from schemas.dead_letter import dead_letter_of
from schemas.intake import ARRIVED, IntakeHeaders
from streams.intake.privacy import clean, mask
from tests.fuzz.chain import SOURCES, Chain
from tests.intake.kit import Row
from tests.mission import sources as shapes

NOW = 1_760_000_000_000


def citizen(**chosen: object) -> bytes:
    """A citizen's report with something chosen."""
    return shapes.citizen(NOW, "C1", **chosen)


def taken(value: bytes, topic: str = "citizen", source: str = "citizenapp", **headers: Any) -> list[Command | Reject]:
    """All that a record becomes."""
    row = Row(
        topic=f"lianqin.intake.{topic}",
        timestamp=NOW,
        value=value,
        headers=IntakeHeaders(source=source, **headers).to_kafka(),
    )
    answer = Intake(IntakeDeps(sources=SOURCES, prefix="lianqin.", partitions=1)).answer([row], "")
    return [
        COMMAND.decode(send.value or b"") if send.topic == "lianqin.desk" else dead_letter_of(send.headers).reason
        for send in answer.sends
    ]


def report(value: bytes, **more: Any) -> Report:
    """The report that a record becomes."""
    [made] = taken(value, **more)
    assert isinstance(made, Report), made
    return made


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(b'{"id":' * 5_000, Reject.BROKEN, id="deep and never closed"),
        pytest.param(b"[" * 5_000 + b"]" * 5_000, Reject.BROKEN, id="deep lists"),
        pytest.param(citizen().replace(b'"C1"', b"[" * 900 + b"]" * 900), Reject.WRONG_TYPE, id="deep where an id is"),
        pytest.param(citizen().replace(str(NOW).encode(), b"NaN"), Reject.BROKEN, id="NaN"),
        pytest.param(citizen().replace(str(NOW).encode(), b"-Infinity"), Reject.BROKEN, id="infinity"),
        pytest.param(citizen().replace(str(NOW).encode(), b"9" * 4_999), Reject.BROKEN, id="a number of 5,000 digits"),
        pytest.param(citizen(created_at=2**64 - 1), Reject.WRONG_TYPE, id="a time of 64 bits"),
        pytest.param(citizen(created_at=1.76e12), Reject.WRONG_TYPE, id="a time as a float"),
        pytest.param(citizen(created_at=-2_208_988_800_000), Reject.WRONG_TYPE, id="the year 1900"),
        pytest.param(citizen(created_at=253_402_300_799_999), Reject.WRONG_TYPE, id="the year 9999"),
        pytest.param(citizen(id="a\0b"), Reject.WRONG_TYPE, id="a NUL in an id"),
        pytest.param(citizen(id="C1\u202e"), Reject.WRONG_TYPE, id="a turned id"),
        pytest.param(citizen(id="x" * 201), Reject.WRONG_TYPE, id="an id too long"),
        pytest.param(citizen().replace(b"C1", b"\\ud83d"), Reject.BROKEN, id="half a surrogate pair"),
        pytest.param(citizen().replace(b"C1", b"\xed\xa0\xbd"), Reject.NOT_UTF8, id="a surrogate as bytes"),
        pytest.param(citizen().replace(b"C1", b"\xc0\x80"), Reject.NOT_UTF8, id="an overlong NUL"),
        pytest.param(b"\xff\xfe" + citizen().decode().encode("utf-16-le"), Reject.NOT_UTF8, id="UTF-16"),
        pytest.param(b"\xef\xbb\xbf" + citizen(), Reject.BROKEN, id="a byte order mark"),
        pytest.param(citizen(location={"lat": "1e309", "lon": "1"}), Reject.WRONG_TYPE, id="beyond any float"),
    ],
)
def test_what_cannot_be_used_is_one_dead_letter(value: bytes, reason: Reject) -> None:
    assert taken(value) == [reason]


@pytest.mark.parametrize(
    ("spot", "flags"),
    [
        ({"lat": 1e308, "lon": -1e308}, (Flag.OUTSIDE, Flag.BY_ADDRESS)),
        ({"lat": -0.0, "lon": -0.0}, (Flag.BY_ADDRESS,)),
        ({"lat": "4.9e-324", "lon": "0"}, (Flag.OUTSIDE, Flag.BY_ADDRESS)),
        ({"lat": 10**18, "lon": 10**18}, (Flag.OUTSIDE, Flag.BY_ADDRESS)),
    ],
)
def test_a_place_that_is_none_is_no_place_and_the_address_locates(
    spot: dict[str, object], flags: tuple[Flag, ...]
) -> None:
    made = report(citizen(location=spot, type="flooding"))
    assert made.area == "320111004"
    assert set(flags) <= set(made.flags)
    assert made.lat is None or abs(made.lat) <= 90


def test_of_names_that_stand_twice_the_last_one_counts_whoever_reads() -> None:
    twice = b'{"content": "first", ' + citizen(content="last")[1:]
    assert report(twice).text == "last"
    assert report(twice).content == report(citizen(content="last")).content


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("photo\u202egnp.exe", "photognp.exe"),
        ("\u2066left\u2069 \u200fright\u200e", "left right"),
        ("a\u200bb\u2060c\ufeffd\u00ade", "abcde"),
        ("hidden\U000e0041\U000e0042", "hidden"),
        ("\x1b[31mred\x1b[0m\x07", "[31mred [0m"),
        ("two\u2028lines\u2029", "two lines"),
        ("a\0b\x85c", "a b c"),
        ("\ud7ff\ufffe\uffff end", "\ud7ff  end"),
        ("138\u200b1234\u200b5678", "[电话]"),
        ("1\u200d3\u200d8\u200d1\u200d2\u200d3\u200d4\u200d5\u200d6\u200d7\u200d8", "[电话]"),
        ("１３８\u2062１２３４５６７８", "[电话]"),
        ("👩\u200d🚒 ok", "👩\u200d🚒 ok"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("line\nline\tend", "line\nline\tend"),
    ],
)
def test_a_text_says_what_it_shows(text: str, shown: str) -> None:
    assert mask(text) == shown
    assert clean(clean(text)) == clean(text)
    assert report(citizen(content=f"x{text}x")).text == mask(f"x{text}x")


@pytest.mark.parametrize(
    "text", ["=cmd|' /C calc'!A0", "<script>alert(1)</script>", "'; DROP TABLE events; --", "{{7*7}}"]
)
def test_what_is_only_dangerous_elsewhere_stays_as_it_was_said(text: str) -> None:
    assert report(citizen(content=text)).text == text


def test_a_source_cannot_name_another_by_its_headers() -> None:
    assert taken(citizen(), source="citizenapp\r\nlianqin-source: police110") == [Reject.UNKNOWN_SOURCE]
    assert taken(citizen(), topic="police") == [Reject.UNKNOWN_SOURCE, *taken(citizen(), topic="police")[1:]]
    two = [*IntakeHeaders(source="police110").to_kafka(), *IntakeHeaders(source="citizenapp").to_kafka()]
    row = Row(topic="lianqin.intake.citizen", timestamp=NOW, value=citizen(), headers=two)
    [send] = Intake(IntakeDeps(sources=SOURCES, prefix="lianqin.", partitions=1)).answer([row], "").sends
    assert orjson.loads(send.value or b"")["source"] == "citizenapp"


@pytest.mark.parametrize("topic", ["citizen", "police"])
def test_a_record_that_was_packed_to_nothing_leaves_its_beginning(topic: str) -> None:
    value = b"x" * (TAKEN_MAX_BYTES + 1)
    row = Row(topic=f"lianqin.intake.{topic}", timestamp=NOW, value=value, offset=3)
    answer = Intake(IntakeDeps(sources=SOURCES, prefix="lianqin.", partitions=1)).answer([row], "")
    letter, *bare = answer.sends
    about = dead_letter_of(letter.headers)
    assert (about.reason, about.origin.offset, letter.value) == (Reject.TOO_LARGE, 3, value[:KEPT_BYTES])
    assert "2,000,001 bytes" in about.hint
    assert len(bare) == (topic == "police")
    for send in bare:
        command = COMMAND.decode(send.value or b"")
        assert isinstance(command, Report)
        assert (command.urgency, command.origin) == (Urgency.CRITICAL, about.origin)


def test_a_time_of_arrival_that_is_no_time_stops_nothing() -> None:
    made = encode(report(citizen()))
    for arrived in (b"9" * 5_000, b"-1", "²".encode(), b""):
        Chain(Clock.WALL).on_desk([Row(value=made, headers=[(ARRIVED, arrived)])], at=NOW)
