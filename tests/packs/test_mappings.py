"""Mappings as files: what ships is whole, and what is wrong is named by file, line and field."""

from pathlib import Path

import pytest

from agents.packs import PackError, load_pack, load_policy, load_sources
from schemas.codes import Clock
from schemas.mapping_checks import problems
from streams.intake.places import slug
from tests.intake.kit import police


def test_every_category_a_source_gives_is_the_districts() -> None:
    known = load_pack("pukou").categories.categories
    for mapping in load_sources("pukou").values():
        if mapping.report is not None:
            assert set(mapping.report.category.known.values()) <= set(known)
    assert "other" in known


def test_a_districts_own_mapping_goes_before_the_shared_one(root: Path) -> None:
    text = (root / "sources/boston311.yaml").read_text(encoding="utf-8")
    own = root / "districts/pukou/sources/boston311.yaml"
    own.write_text(text.replace("topic: citizen", "topic: hotline"), encoding="utf-8")
    assert load_sources("pukou", root)["boston311"].topic == "hotline"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  id: service_request_id", "  id: nr", "report.id: 'nr' is not one of the columns"),
        ("format: csv", "format: xml", "format: "),
        ("past: true", "passed: true", "passed: Extra inputs"),
        ("resolution: 7", "resolution: 70", "report.area.0.h3.resolution: "),
        ("closings: row", "closings: last-sighting", "closings: `row` and"),
        ("[status, ", "[lat, ", "ignored.0: 'lat' is ignored and used"),
        ("past: true", "past: true\npast: false", "past: stands twice"),
        ("name: boston311", "name: boston", "name: must be the file's own name, 'boston311'"),
    ],
)
def test_what_is_wrong_is_named_by_file_line_and_field(root: Path, old: str, new: str, told: str) -> None:
    path = root / "sources/boston311.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    changed = text.replace(old, new, 1)
    line = changed.count("\n", 0, changed.index(new) + len(new)) + 1
    path.write_text(changed, encoding="utf-8")
    with pytest.raises(PackError) as raised:
        load_policy("pukou", Clock.LOG, root)
    assert str(raised.value).startswith(f"{path}:{line}: {told}")


def test_what_does_not_fit_together_is_a_problem_of_its_field() -> None:
    whole = police()
    assert list(problems(whole)) == []
    assert whole.report is not None
    report = whole.report.model_copy(update={"place": ()})
    assert [path for path, _ in problems(whole.model_copy(update={"report": report}))] == [("report", "area", 0)]
    twice = whole.model_copy(update={"columns": (*whole.columns, "id")})
    assert [path for path, _ in problems(twice)] == [("columns",)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("San Bruno Fire, on  Control-3 ", "san-bruno-fire-on-control-3"), ("泰山街道", ""), ("-", "")],
)
def test_an_area_is_a_slug(text: str, expected: str) -> None:
    assert slug(text) == expected
    assert len(slug("ab " * 100)) <= 64
