"""What a mapping must not say, told by its field; and what its optional parts read."""

from typing import Any

import orjson
import pytest
import yaml

from schemas.codes import Side
from schemas.mapping import SourceMapping
from schemas.mapping_checks import problems, problems_together
from streams.intake.sources import Sources
from tests.intake.kit import KEY, POLICE_YAML, police, report
from tests.intake.test_feedback import PLATFORM, PLATFORM_YAML


def changed(yaml_text: str, path: str, value: object) -> SourceMapping:
    """The mapping with one field changed."""
    document = yaml.safe_load(yaml_text)
    *parents, last = path.split(".")
    at = document
    for name in parents:
        at = at[name]
    at[last] = value
    return SourceMapping.model_validate(document)


def told(mapping: SourceMapping) -> list[tuple[str, str]]:
    return [(".".join(map(str, path)), text) for path, text in problems(mapping)]


def test_the_mappings_of_the_tests_are_whole() -> None:
    assert told(police()) == told(PLATFORM) == []


@pytest.mark.parametrize(
    ("path", "value", "field", "text"),
    [
        ("report.text", ["caller.name"], "report.text.0", "'caller.name' is personal data and would be passed on"),
        ("report.text", ["what", "caller.phone"], "report.text.1", "is personal data"),
        ("report.details", {"who": "caller.account"}, "report.details.who", "is personal data"),
        ("report.links", ["plate"], "report.links.plate", "is personal data"),
        ("report.id", "caller.phone", "report.id", "is personal data"),
        ("report.grid", "caller.phone", "report.grid", "is personal data"),
        ("report.related", "caller.phone", "report.related", "is personal data"),
        ("report.area", {"rule": "column", "column": "caller.name"}, "report.area.0.column", "is personal data"),
        ("report.object", {"column": "caller.name", "personal": False}, "report.object.column", "is personal data"),
        ("private", ["room"], "report.details.room", "is personal data"),
        ("report.details", {"reporter": "room"}, "report.details.reporter", "is the name of the masked name"),
        ("report.links", {"room": "level"}, "report.links.room", "stands in `details` too"),
        ("report.drill", {"column": "drill", "values": ["1"]}, "report.drill.column", "is not one of the columns"),
        ("report.category.column", ["kind", "sort"], "report.category.column.1", "is not one of the columns"),
        ("report.area", [{"rule": "prefix", "column": "x", "length": 9}], "report.area.0.column", "is not one of"),
        ("private", ["x"], "private.0", "is not one of the columns"),
        ("ignored", ["room"], "ignored.0", "is ignored and used"),
        ("report.place", [], "report.area.0", "an area by h3 needs report.place"),
        ("delimiter", ";", "format", "JSON has no delimiter"),
        ("encoding", "gb18030", "format", "JSON has no delimiter and is UTF-8"),
        ("report", None, "report", "a mapping has a part `report` or `feedback`"),
    ],
)
def test_what_a_report_must_not_say(path: str, value: object, field: str, text: str) -> None:
    found = told(changed(POLICE_YAML, path, value))
    assert [at for at, _ in found] == [field]
    assert text in found[0][1]


@pytest.mark.parametrize(
    ("path", "value", "field", "text"),
    [
        ("feedback.area", [], "feedback.area", "belongs to `feedback.report`"),
        ("feedback.report", None, "feedback.area", "belongs to `feedback.report`"),
        ("feedback.note", ["person"], "feedback.note.0", "is personal data"),
        ("feedback.by", "person", "feedback.by", "is personal data"),
        ("feedback.action.column", "deed", "feedback.action.column", "is not one of the columns"),
        ("feedback.area", {"rule": "nearest"}, "feedback.area.0", "an area by nearest needs feedback.place"),
        ("closings", "last-sighting", "closings", "only what is reported here can be closed here"),
    ],
)
def test_what_feedback_must_not_say(path: str, value: object, field: str, text: str) -> None:
    found = told(changed(PLATFORM_YAML, path, value))
    assert (field, True) in [(at, text in said) for at, said in found]


def test_feedback_must_be_about_something() -> None:
    document = yaml.safe_load(PLATFORM_YAML)
    document["feedback"] |= {"ticket": None, "report": None, "area": []}
    found = told(SourceMapping.model_validate(document))
    assert found == [("feedback", "names neither the ticket nor the report that it is about")]


def together(*mappings: SourceMapping) -> list[tuple[str, str]]:
    found = problems_together({one.name: one for one in mappings})
    return [(f"{name}: {'.'.join(map(str, path))}", text) for name, path, text in found]


def test_feedback_names_sources_that_there_are() -> None:
    assert together(police(), PLATFORM) == []
    [(field, text)] = together(PLATFORM)
    assert field == "platform: feedback.report.known.110"
    assert "'alarms' is no source of reports" in text


def test_nobody_else_says_a_closing_that_is_final() -> None:
    [(field, text)] = together(police(closing_authoritative=True), PLATFORM)
    assert field == "platform: feedback.report.known.110"
    assert "only itself may say it" in text


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("report.area", []),
        ("report.area", {"rule": "guess"}),
        ("delimiter", '"'),
        ("delimiter", ";;"),
        ("encoding", "latin-1"),
        ("report.drill", {"column": "room", "values": []}),
        ("report.self_handled", {"column": "room"}),
        ("topic", "feedbacks"),
    ],
)
def test_a_field_that_is_wrong_by_itself_is_refused(path: str, value: object) -> None:
    with pytest.raises(ValueError, match=path.rpartition(".")[2]):
        changed(POLICE_YAML, path, value)


ALARM = {"id": "A1", "at": 1, "where": {"lat": 32.05, "lon": 118.6}, "kind": "纠纷", "level": "一般", "room": "r1"}


def made(mapping: SourceMapping, **given: Any) -> Any:
    known = Sources([mapping], key=KEY, catch_all="elsewhere")
    return report(orjson.dumps({**ALARM, **given}), "alarms", known=known, topic=mapping.topic)


def test_the_side_is_the_topics_or_what_the_mapping_says() -> None:
    assert made(police()).side is Side.POLICE
    assert made(police(topic="grid")).side is Side.SERVICE
    assert made(police(side="service")).side is Side.SERVICE


def test_columns_of_the_category_are_tried_in_order() -> None:
    several = changed(
        POLICE_YAML, "report.category", {"column": ["room", "kind"], "known": {"r9": "fire", "纠纷": "dispute"}}
    )
    assert [made(several, room=room).category for room in ("r9", "r1", "")] == ["fire", "dispute", "dispute"]


def test_kind_related_and_self_handled_are_read() -> None:
    mapping = changed(POLICE_YAML, "report.kind", {"column": "room", "known": {"r1": "投诉"}})
    assert [made(mapping, room=room).kind for room in ("r1", "r2")] == ["投诉", None]
    related = changed(POLICE_YAML, "report.related", "level")
    assert [made(related, level=level).related for level in ("A0", " ", "9" * 300)] == ["A0", None, "9" * 200]
    marked = changed(POLICE_YAML, "report.self_handled", {"column": "level", "values": ["true", "是"]})
    assert [made(marked, level=level).self_handled for level in (True, "是", "否", None)] == [True, True, False, False]


def test_details_keep_their_names_or_take_others() -> None:
    assert made(changed(POLICE_YAML, "report.details", ["room"])).details == {"room": "r1"}
    assert made(changed(POLICE_YAML, "report.details", {"number": "room"})).details == {"number": "r1"}


def test_links_stay_whole_but_for_persons() -> None:
    mapping = changed(POLICE_YAML, "report.links", {"photos": "level"})
    level = "https://p.example/1748822400000.jpg;https://p.example/王小明.jpg;call 13812345678"
    assert made(mapping, level=level, caller={"name": "王小明"}).details["photos"] == (
        "https://p.example/1748822400000.jpg;https://p.example/王**.jpg;call [电话]"
    )


def test_what_is_private_is_taken_out_of_texts_and_is_no_key() -> None:
    document = yaml.safe_load(POLICE_YAML)
    del document["report"]["reporter"]
    document |= {"private": ["caller.phone", "caller.name", "caller.account"]}
    one = made(
        SourceMapping.model_validate(document),
        caller={"phone": "138 1234 5678", "name": "欧阳小明", "account": "wx77"},
        what="欧阳小明 (wx77) 138-1234/5678, 1-3-8-1-2-3-4-5-6-7-8",
    )
    assert one.reporter is None
    assert one.text == "欧** (w**) [电话], [电话]"
    assert one.details == {"room": "r1"}


def test_what_does_not_matter_leaves_the_content_as_it_is() -> None:
    assert made(police()).content == made(police(), unheard_of=1).content != made(police(), room="r2").content


@pytest.mark.parametrize(
    ("rule", "at", "time"),
    [
        ({"format": "epoch-s"}, 1_748_822_400, 1_748_822_400_000),
        ({"format": "epoch-ms"}, "1748822400001", 1_748_822_400_001),
        ({"format": "%d.%m.%y %H:%M", "zone": "Europe/Berlin"}, "02.06.25 02:00", 1_748_822_400_000),
        ({"format": "%Y%m%d%H%M%S%z"}, "20250602080000+0800", 1_748_822_400_000),
        ({"zone": "Asia/Shanghai"}, "2025-06-02 08:00:00.5", 1_748_822_400_500),
        ({"zone": "Asia/Shanghai"}, "2025-06-02T00:00:00Z", 1_748_822_400_000),
    ],
)
def test_times_are_read_as_they_are_written(rule: dict[str, str], at: object, time: int) -> None:
    assert made(changed(POLICE_YAML, "report.time", {"column": "at", **rule}), at=at).time == time
