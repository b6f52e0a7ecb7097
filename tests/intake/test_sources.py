"""From bytes to exactly one command, or to a reason why not."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import encode
from schemas.codes import Action, Flag, Reject, Urgency
from schemas.commands import COMMAND, Feedback, Origin, Report
from schemas.intake import IntakeHeaders
from streams.intake.rejected import Rejected
from tests.intake.kit import BOSTON_LINE, ORIGIN, SAN_MATEO_LINE, police, read, reason, report, sources

ALARM = {
    "id": "A1",
    "at": 1_700_000_000_000,
    "caller": {"phone": "13812345678", "name": "王小明", "account": None},
    "what": "王小明 says there is fire, call 13812345678",
    "where": {"lat": 32.05, "lon": 118.6},
    "plate": "苏A·12345",
    "kind": "火警",
    "level": "特急",
    "room": "3-201",
}
KNOWN = sources(police())


def boston(**changed: str) -> bytes:
    """Boston's line with some fields changed, by column."""
    columns = KNOWN.by_name["boston311"].mapping.columns
    fields = dict(zip(columns, BOSTON_LINE.decode().split(","), strict=True)) | changed
    return ",".join(fields.values()).encode()


def alarm(**changed: object) -> bytes:
    return orjson.dumps({**ALARM, **changed})


def test_a_boston_row_is_a_report() -> None:
    assert report(BOSTON_LINE, time=1_223_306_757_000) == Report(
        source="boston311",
        source_id="101000001849",
        content=report(BOSTON_LINE).content,
        time=1_223_306_757_000,
        occurred_at=1_223_306_757_000,
        area="872a30641ffffff",
        grid="892a30641d7ffff",
        lat=42.32137,
        lon=-71.10861,
        category="abandoned-vehicle",
        text="Abandoned Vehicle",
        origin=ORIGIN,
    )


def test_a_boston_row_is_a_closing_too() -> None:
    made = read(BOSTON_LINE, part="closed", time=1_224_597_870_000)
    assert made == Feedback(
        source="boston311",
        source_id="101000001849",
        action=Action.CLOSED,
        time=1_224_597_870_000,
        occurred_at=1_224_597_870_000,
        area="872a30641ffffff",
        origin=ORIGIN,
    )


def test_a_san_mateo_row_is_a_report_of_its_station() -> None:
    made = report(SAN_MATEO_LINE, "sanmateo", time=1_650_955_180_000)
    assert made.area == "south-san-francisco-on-control-3"
    assert made.category == "traffic-accident"
    assert made.occurred_at == 1_650_951_879_000  # 22:44:39 in California, seven hours behind
    assert made.details == {"units": "CM31X5 ?TAC35 >Q62 >E61"}
    assert made.flags == ()


def test_a_san_mateo_row_without_coordinates_or_report_time_is_whole() -> None:
    line = b"2022-04-26T06:39:40Z,MF2203085,,Medical aid,Menlo Park Fire on Control-1,,,>E3"
    made = report(line, "sanmateo")
    assert (made.area, made.lat, made.flags) == ("menlo-park-fire-on-control-1", None, ())
    assert made.occurred_at == made.time == 1_650_955_180_000


def test_a_closing_before_its_report_is_clamped_and_flagged() -> None:
    line = boston(closed_datetime="2008-10-06T11:00:00-04:00")
    made = read(line, part="closed")
    assert isinstance(made, Feedback)
    assert made.occurred_at == report(line).occurred_at
    assert made.flags == (Flag.TIME_CLAMPED,)


@pytest.mark.parametrize(
    "line",
    [
        boston(lat="", long=""),
        boston(lat="34.24438"),
        boston(service_name="Meteorite"),
        boston(lat="", service_name=""),
    ],
)
def test_report_and_closing_always_meet_in_one_area(line: bytes) -> None:
    closing = read(line, part="closed")
    assert isinstance(closing, Feedback)
    assert closing.area == report(line).area


@pytest.mark.parametrize(
    ("line", "flags"),
    [
        (boston(lat="", long=""), (Flag.NO_PLACE,)),
        (boston(long=""), (Flag.NO_PLACE,)),
        (boston(lat="34.24438"), (Flag.OUTSIDE,)),
        (boston(lat="1e300"), (Flag.OUTSIDE,)),
        (boston(service_name="Meteorite"), (Flag.UNKNOWN_CATEGORY,)),
        (boston(service_name=""), (Flag.UNKNOWN_CATEGORY,)),
        (boston(lat="0", service_name="?"), (Flag.OUTSIDE, Flag.UNKNOWN_CATEGORY)),
        (boston(lat=" ", long="\u3000"), (Flag.NO_PLACE,)),
    ],
)
def test_what_is_doubtful_is_a_flagged_report(line: bytes, flags: tuple[Flag, ...]) -> None:
    made = report(line)
    # What it is has no say in where it lies: else an alarm would move to another area when its type is known.
    located = flags == (Flag.UNKNOWN_CATEGORY,)
    assert (made.area, made.flags) == ("872a30641ffffff" if located else "elsewhere", flags)
    assert made.category == ("other" if Flag.UNKNOWN_CATEGORY in flags else "abandoned-vehicle")


def test_a_column_of_nothing_but_spaces_is_empty_and_spaces_around_a_time_are_no_part_of_it() -> None:
    """Systems of fixed widths fill up; a call must not be lost by a column that need not be filled at all."""
    call = "HL1,{time},张三,13812345678,投诉,一般,{when},文德路,路灯不亮,,路灯故障,江浦街道"
    made = report(call.format(time=" 2026-03-02 08:00:00 ", when=" ").encode(), "hotline12345", topic="hotline")
    assert made.occurred_at == made.time == 1_772_409_600_000
    padded = report(boston(requested_datetime="2008-10-06T11:25:57-04:00  ", lat=" 42.32137 "))
    assert (padded.time, padded.lat) == (1_223_306_757_000, 42.32137)
    unfilled = boston(requested_datetime=" ")
    assert reason(unfilled) is Reject.MISSING_FIELD


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"", Reject.BROKEN),
        (b"no comma at all", Reject.BROKEN),
        (BOSTON_LINE + b",one,more", Reject.BROKEN),
        (b'"' + BOSTON_LINE, Reject.BROKEN),
        (BOSTON_LINE[:60] + b"\xff\xfe" + BOSTON_LINE[60:], Reject.NOT_UTF8),
        (boston(service_request_id=""), Reject.MISSING_FIELD),
        (boston(service_request_id="  "), Reject.MISSING_FIELD),
        (boston(service_request_id="a\0b"), Reject.WRONG_TYPE),
        (boston(service_request_id="9" * 201), Reject.WRONG_TYPE),
        (boston(requested_datetime=""), Reject.MISSING_FIELD),
        (boston(requested_datetime="yesterday"), Reject.WRONG_TYPE),
        (boston(requested_datetime="2008-10-06T11:25:57"), Reject.WRONG_TYPE),
        (boston(requested_datetime="2008-13-06T11:25:57-04:00"), Reject.WRONG_TYPE),
        (boston(requested_datetime="9999-12-31T23:59:59-04:00"), Reject.WRONG_TYPE),
        (boston(requested_datetime="0001-01-01T00:00:00+14:00"), Reject.WRONG_TYPE),
        (boston(lat="north"), Reject.WRONG_TYPE),
        (boston(lat="nan"), Reject.WRONG_TYPE),
        (boston(long="-inf"), Reject.WRONG_TYPE),
        (boston(lat="4_2.3"), Reject.WRONG_TYPE),
        (boston(lat="1" * 5000), Reject.WRONG_TYPE),
    ],
)
def test_what_cannot_be_used_is_rejected_with_its_reason(line: bytes, expected: Reject) -> None:
    assert reason(line) is expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"source": "nobody"}, Reject.UNKNOWN_SOURCE),
        ({"source": ""}, Reject.UNKNOWN_SOURCE),
        ({"version": "99"}, Reject.UNKNOWN_VERSION),
        ({"part": "sneeze"}, Reject.UNKNOWN_VERSION),
        ({"topic": "citizen"}, Reject.UNKNOWN_SOURCE),
    ],
)
def test_what_the_headers_say_is_held_against_the_mapping(headers: dict[str, str], expected: Reject) -> None:
    assert reason(BOSTON_LINE, **headers) is expected


def test_a_source_writes_to_its_own_topic_and_to_the_urgent_one() -> None:
    assert reason(alarm(), "alarms", known=KNOWN, topic="citizen") is Reject.UNKNOWN_SOURCE
    for topic in ("police", "urgent", "history"):
        assert report(alarm(), "alarms", known=KNOWN, topic=topic).source == "alarms"


def test_a_closing_without_its_time_is_rejected() -> None:
    assert reason(boston(closed_datetime=""), part="closed") is Reject.MISSING_FIELD
    assert reason(boston(closed_datetime="soon"), part="closed") is Reject.WRONG_TYPE
    assert report(boston(closed_datetime="soon")).source == "boston311"


def test_a_json_alarm_is_a_report_with_level_and_object() -> None:
    made = report(alarm(), "alarms", known=KNOWN, topic="police", version="2")
    assert (made.category, made.urgency, made.time) == ("fire", Urgency.CRITICAL, 1_700_000_000_000)
    assert made.details == {"room": "3-201", "reporter": "王**"}
    assert made.object is not None
    assert len(made.object) == 32


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"[]", Reject.BROKEN),
        (b"{", Reject.BROKEN),
        (b'{"id": NaN}', Reject.BROKEN),
        (b'{"id": "\\ud800"}', Reject.BROKEN),
        (b'\xff{"id": 1}', Reject.NOT_UTF8),
        (alarm(id=None), Reject.MISSING_FIELD),
        (alarm(id=["A1"]), Reject.WRONG_TYPE),
        (alarm(at="now"), Reject.WRONG_TYPE),
        (b'{"id":"A","at":' + b"9" * 400 + b"}", Reject.BROKEN),
        (b'{"id":"A","at":' + b"9" * 30 + b"}", Reject.WRONG_TYPE),
        (alarm(where={"lat": "x", "lon": 1}), Reject.WRONG_TYPE),
        (alarm(where={"lat": True, "lon": 1}), Reject.WRONG_TYPE),
    ],
)
def test_a_json_record_that_cannot_be_used_is_rejected(value: bytes, expected: Reject) -> None:
    assert reason(value, "alarms", known=KNOWN, topic="police") is expected


def test_json_of_any_depth_is_read_or_rejected() -> None:
    assert reason(b'{"id":' * 100_000, "alarms", known=KNOWN, topic="police") is Reject.BROKEN
    assert report(alarm(where=5), "alarms", known=KNOWN, topic="police").flags == (Flag.NO_PLACE,)


def test_labels_are_never_input() -> None:
    other = boston(status="open", is_duplicate="1", duplicate_of="101000009999", closed_datetime="")
    assert report(other) == report(BOSTON_LINE)


def test_a_later_sighting_has_another_content() -> None:
    later = SAN_MATEO_LINE.replace(b"06:39:40Z", b"06:56:32Z", 1)
    assert report(later, "sanmateo").content != report(SAN_MATEO_LINE, "sanmateo").content


def test_a_bare_report_points_at_the_unreadable_record() -> None:
    origin = Origin(topic="lianqin.intake.police", partition=3, offset=99)
    bare = KNOWN.bare(IntakeHeaders(source="alarms"), b"\xff", at=5, topic="police", origin=origin)
    assert (bare.source, bare.source_id, bare.area) == ("alarms", "unreadable-police-3-99", "elsewhere")
    assert (bare.category, bare.urgency, bare.flags) == ("other", Urgency.CRITICAL, (Flag.UNREADABLE,))
    stranger = KNOWN.bare(IntakeHeaders(source="\0 whoever"), None, at=5, topic="police", origin=origin)
    assert stranger.source == "police"


def test_unreadable_records_at_the_same_offset_of_two_topics_are_two_emergencies() -> None:
    headers = IntakeHeaders(source="alarms")
    bare = [
        KNOWN.bare(
            headers, b"?", at=5, topic=topic, origin=Origin(topic=f"lianqin.intake.{topic}", partition=0, offset=0)
        )
        for topic in ("police", "urgent")
    ]
    assert len({one.source_id for one in bare}) == 2


FIELD = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["", "nan", "1e400", "-0", "42.3", "2008-10-06T11:25:57-04:00", "2008-W01", "\0", '"', '""', "²"]),
)


def holds(made: Report | Feedback | Rejected) -> None:
    """A command can be written and read again; a rejection tells no value."""
    if isinstance(made, Rejected):
        assert isinstance(made.reason, Reject)
    else:
        assert COMMAND.decode(encode(made)) == made


@settings(max_examples=300)
@given(
    value=st.binary(max_size=200),
    source=st.sampled_from([*KNOWN.by_name, "?"]),
    part=st.sampled_from(["report", "closed"]),
)
def test_no_bytes_raise(value: bytes, source: str, part: str) -> None:
    for topic in ("history", "police", "urgent"):
        holds(read(value, source, known=KNOWN, topic=topic, part=part))


@settings(max_examples=300)
@given(
    data=st.data(),
    source=st.sampled_from(["boston311", "sanmateo", "rehearsal"]),
    part=st.sampled_from(["report", "closed"]),
)
def test_no_fields_raise(data: st.DataObject, source: str, part: str) -> None:
    columns = len(KNOWN.by_name[source].mapping.columns)
    fields = data.draw(st.lists(FIELD, min_size=columns, max_size=columns))
    holds(read(",".join(fields).encode(), source, known=KNOWN, part=part))
    KNOWN.by_name[source].glimpse(",".join(fields).encode())


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["lat", "lon", "phone", "x"]), inner),
    max_leaves=8,
)


@settings(max_examples=300)
@given(document=st.dictionaries(st.sampled_from(sorted(ALARM)), VALUE))
def test_no_document_raises(document: dict[str, object]) -> None:
    holds(read(orjson.dumps({**ALARM, **document}), "alarms", known=KNOWN, topic="police"))
