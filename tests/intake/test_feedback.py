"""What a handlers' platform sends, as feedback of the desk."""

from typing import Any

import orjson
import pytest
import yaml

from schemas.codec import encode
from schemas.codes import Action, Flag, Reject, Side
from schemas.commands import COMMAND, Feedback, Origin, Report
from schemas.intake import IntakeHeaders
from schemas.mapping import SourceMapping
from streams.intake.rejected import Rejected
from streams.intake.sources import Sources
from tests.intake.kit import KEY, police, read, reason

PLATFORM_YAML = """
name: platform
title: A handlers' platform
licence: the district's own
topic: feedback
format: json
columns: [ticket, sys, nr, street, did, who, to, other, hours, stage, stars, files, remark, person, at]
private: [person]
feedback:
  time: {column: at, zone: Asia/Shanghai}
  ticket: ticket
  report: {source: sys, id: nr, known: {"110": alarms}}
  area: {rule: column, column: street, table: {泰山街道: "320111001"}}
  action: {column: did, known: {签收: signed, 延时: extension-requested, 评价: rated, 办结: handled}}
  by: who
  unit: to
  other: other
  seconds: {column: hours, unit: h}
  condition: stage
  score: {column: stars, known: {满意: 4}}
  evidence: {column: files, separator: "|"}
  note: [remark]
"""
PLATFORM = SourceMapping.model_validate(yaml.safe_load(PLATFORM_YAML))
KNOWN = Sources([police(), PLATFORM], key=KEY, catch_all="elsewhere")
SIGNED = {"ticket": "320111001.ab12", "did": "签收", "who": "泰山城管中队", "at": "2025-06-02 08:00:00"}


def record(**changed: Any) -> bytes:
    return orjson.dumps({**SIGNED, **changed})


def feedback(**changed: Any) -> Feedback:
    made = read(record(**changed), "platform", known=KNOWN, topic="feedback")
    assert isinstance(made, Feedback), made
    assert COMMAND.decode(encode(made)) == made
    return made


def rejected(**changed: Any) -> Rejected:
    made = read(record(**changed), "platform", known=KNOWN, topic="feedback")
    assert isinstance(made, Rejected), made
    return made


def test_a_ticket_says_its_area() -> None:
    made = feedback()
    assert (made.source, made.source_id, made.ticket, made.area) == ("platform", "", "320111001.ab12", "320111001")
    assert (made.action, made.by, made.time, made.occurred_at) == (
        Action.SIGNED,
        "泰山城管中队",
        1_748_822_400_000,
        1_748_822_400_000,
    )
    assert feedback(ticket="872a30641ffffff.ab12-2").area == "872a30641ffffff"


def test_a_report_is_named_by_its_source_its_id_and_its_area() -> None:
    made = feedback(ticket=None, sys="110", nr="JQ1", street="泰山街道")
    assert (made.source, made.source_id, made.ticket, made.area) == ("alarms", "JQ1", None, "320111001")


def test_the_ticket_goes_before_the_report() -> None:
    assert feedback(sys="110", nr="JQ1", street="泰山街道").source_id == ""


def test_what_goes_with_an_action_is_read() -> None:
    made = feedback(did="延时", hours=8, stage="fenced", other="320111001.cd34", to="区水务集团")
    assert (made.seconds, made.condition, made.other, made.unit) == (8 * 3600, "fenced", "320111001.cd34", "区水务集团")
    assert [feedback(did="评价", stars=stars).score for stars in (2, "2", "满意", None, 9)] == [2, 2, 4, None, 9]


def test_evidence_stays_whole_and_a_note_is_masked() -> None:
    links = "https://h.example/20250602081430.jpg | 打13912345678|| http://h.example/赵铁柱.jpg"
    made = feedback(files=links, remark="赵铁柱 13912345678 已处理", person="赵铁柱")
    assert made.evidence == ("https://h.example/20250602081430.jpg", "打[电话]", "http://h.example/赵**.jpg")
    assert made.note == "赵** [电话] 已处理"


@pytest.mark.parametrize(
    ("named", "passed_on"),
    [
        ("值班员诸葛13812340986", "值班员诸葛[电话]"),
        ("司马 138－1234－0986", "司马 [电话]"),
        ("x" * 195 + "13812340986", "x" * 195 + "[电话]"),  # the number first, then what is too long
        ("320111199003070987", "[证件号]"),
        ("泰山城管中队", "泰山城管中队"),
        ("320111001901001网格员", "320111001901001网格员"),
        ("320111001.cd34", "320111001.cd34"),
    ],
)
def test_a_name_is_passed_on_without_a_persons_number(named: str, passed_on: str) -> None:
    made = feedback(who=named, to=named, other=named, stage=named)
    assert [made.by, made.unit, made.other, made.condition] == [passed_on[:200]] * 4


@pytest.mark.parametrize("ticket", ["320111001.0190a13812345678", "872a30641ffffff.13812345678abcde-2"])
def test_a_tickets_id_that_looks_like_a_number_is_still_that_ticket(ticket: str) -> None:
    assert feedback(other=ticket).other == ticket
    assert feedback(to=ticket).unit != ticket


@pytest.mark.parametrize(
    ("changed", "expected", "hint"),
    [
        ({"ticket": None}, Reject.MISSING_FIELD, "what it is about: ticket, or sys and nr"),
        ({"ticket": "ab12"}, Reject.WRONG_TYPE, "ticket is not the id of a ticket"),
        ({"ticket": ".ab12"}, Reject.WRONG_TYPE, "ticket is not"),
        ({"ticket": "泰山.ab12"}, Reject.WRONG_TYPE, "ticket is not"),
        ({"ticket": "a." + "9" * 200}, Reject.WRONG_TYPE, "ticket is not"),
        ({"ticket": None, "sys": "12345", "nr": "1", "street": "泰山街道"}, Reject.WRONG_TYPE, "sys is none of"),
        ({"ticket": None, "sys": "110", "street": "泰山街道"}, Reject.MISSING_FIELD, "nr is empty"),
        ({"ticket": None, "sys": "110", "nr": "1", "street": "x"}, Reject.MISSING_FIELD, "the area of the report"),
        ({"did": "作废"}, Reject.WRONG_TYPE, "did is none of the actions"),
        ({"did": ""}, Reject.MISSING_FIELD, "did is empty"),
        ({"at": None}, Reject.MISSING_FIELD, "at is empty"),
        ({"hours": "soon"}, Reject.WRONG_TYPE, "hours is not a whole number"),
        ({"hours": -1}, Reject.WRONG_TYPE, "hours is not a whole number"),
        ({"hours": "9" * 10}, Reject.WRONG_TYPE, "hours is not a whole number"),
        ({"stars": 4.5}, Reject.WRONG_TYPE, "stars is not a whole number"),
    ],
)
def test_what_cannot_be_used_is_rejected_by_field(changed: dict[str, Any], expected: Reject, hint: str) -> None:
    made = rejected(**changed)
    assert made.reason is expected
    assert made.hint.startswith(hint)


def test_without_a_header_a_record_is_what_the_mapping_has() -> None:
    assert read(record(), "platform", known=KNOWN, topic="feedback") == feedback()
    assert read(record(), "platform", known=KNOWN, topic="feedback", part="feedback") == feedback()
    assert reason(record(), "platform", known=KNOWN, topic="feedback", part="report") is Reject.UNKNOWN_VERSION
    assert reason(b"{}", "alarms", known=KNOWN, topic="police", part="feedback") is Reject.UNKNOWN_VERSION


def test_a_platform_may_say_little() -> None:
    whole = yaml.safe_load(PLATFORM_YAML)
    few = {"time": whole["feedback"]["time"], "action": whole["feedback"]["action"]}

    def given(rule: dict[str, Any], value: bytes) -> Feedback | Report | Rejected:
        mapping = SourceMapping.model_validate({**whole, "feedback": few | rule})
        return read(value, "platform", known=Sources([mapping], key=KEY, catch_all="elsewhere"), topic="feedback")

    made = given({"ticket": "ticket"}, record(hours="soon", stars="?", files="x", remark="x"))
    assert isinstance(made, Feedback)
    assert (made.seconds, made.score, made.evidence, made.note) == (None, None, (), "")
    by_report = {name: whole["feedback"][name] for name in ("report", "area")}
    said = given(by_report, record(sys="110", nr="1", street="泰山街道"))
    assert isinstance(said, Feedback)
    assert said.ticket is None
    none = given({"ticket": "ticket"}, record(ticket=None))
    assert isinstance(none, Rejected)
    assert none.hint == "what it is about: ticket"


def test_a_mapping_may_have_both() -> None:
    both = SourceMapping.model_validate(
        {
            **yaml.safe_load(PLATFORM_YAML),
            "report": {
                "id": "nr",
                "time": {"column": "at", "zone": "Asia/Shanghai"},
                "area": {"rule": "column", "column": "street"},
                "category": {"column": "did", "known": {}},
            },
        }
    )
    known = Sources([both], key=KEY, catch_all="elsewhere")
    assert isinstance(read(record(nr="1"), "platform", known=known, topic="feedback"), Report)
    assert isinstance(read(record(nr="1"), "platform", known=known, topic="feedback", part="feedback"), Feedback)


def test_a_drill_is_said_by_the_header_or_by_a_column() -> None:
    report = police().report
    assert report is not None
    marked = police(report={**report.model_dump(), "drill": {"column": "room", "values": ["演练"]}})
    known = Sources([marked], key=KEY, catch_all="elsewhere")

    def drill(*, room: str = "", header: bool = False) -> bool:
        value = orjson.dumps({"id": "1", "at": 1, "room": room})
        made = read(value, "alarms", known=known, topic="police", drill=header)
        assert isinstance(made, Report)
        return made.drill

    assert [drill(), drill(room="演练"), drill(room="3-201"), drill(header=True)] == [False, True, False, True]


def test_an_unreadable_drill_is_a_drill_too_and_its_side_is_the_sources() -> None:
    origin = Origin(topic="lianqin.intake.urgent", partition=0, offset=1)
    bare = [
        KNOWN.bare(IntakeHeaders(source=source, drill=drill), b"?", at=1, topic="urgent", origin=origin)
        for source, drill in (("alarms", True), ("platform", False), ("nobody", False))
    ]
    assert [(one.drill, one.side) for one in bare] == [
        (True, Side.POLICE),
        (False, Side.SERVICE),
        (False, Side.POLICE),
    ]
    assert all(one.flags == (Flag.UNREADABLE,) for one in bare)
