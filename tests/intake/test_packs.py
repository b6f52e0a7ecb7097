"""Packs and mappings as files: what ships is whole, and what is wrong is named by file, line and field."""

import shutil
from pathlib import Path

import pytest

from agents.packs import SHIPPED, PackError, load_pack, load_policy, load_sources
from schemas.codes import Clock, Level, Stage, Urgency
from schemas.mapping import problems
from streams.intake.places import slug
from tests.intake.kit import police


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the shipped packs."""
    shutil.copytree(SHIPPED / "sources", tmp_path / "sources")
    shutil.copytree(SHIPPED / "districts", tmp_path / "districts")
    return tmp_path


def test_the_shipped_district_is_a_policy() -> None:
    policy = load_policy("pukou", Clock.LOG)
    assert policy.limits[Urgency.CRITICAL].stages[Stage.HANDLED] == 2 * 3600
    assert policy.closing_sources == ("boston311", "rehearsal", "sanmateo")
    assert policy.catch_all.level is Level.DISTRICT
    assert policy.version == load_policy("pukou", Clock.LOG).version != load_policy("pukou", Clock.WALL).version


def test_every_category_a_source_gives_is_the_districts() -> None:
    known = load_pack("pukou").categories.categories
    for mapping in load_sources("pukou").values():
        assert set(mapping.report.category.known.values()) <= set(known)
    assert "other" in known


def test_stage_limits_fit_into_the_overall_limit() -> None:
    for limits in load_policy("pukou", Clock.WALL).limits.values():
        to_verified = [Stage.ACCEPTED, Stage.DISPATCHED, Stage.SIGNED, Stage.HANDLED]
        assert sum(limits.stages[stage] for stage in to_verified) <= limits.overall_s + 1


def test_a_districts_own_mapping_goes_before_the_shared_one(root: Path) -> None:
    own = root / "districts/pukou/sources"
    own.mkdir()
    text = (root / "sources/boston311.yaml").read_text(encoding="utf-8")
    (own / "boston311.yaml").write_text(text.replace("topic: citizen", "topic: hotline"), encoding="utf-8")
    assert load_sources("pukou", root)["boston311"].topic == "hotline"


def test_an_unknown_district_is_told_with_those_known() -> None:
    with pytest.raises(PackError, match=r"'atlantis'.*pukou"):
        load_pack("atlantis")


BOSTON = "sources/boston311.yaml"
LIMITS = "districts/pukou/limits.yaml"


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (BOSTON, "  id: service_request_id", "  id: nr", "report.id: 'nr' is not one of the columns"),
        (BOSTON, "format: csv", "format: xml", "format: "),
        (BOSTON, "past: true", "passed: true", "passed: Extra inputs"),
        (BOSTON, "resolution: 7", "resolution: 70", "report.area.h3.resolution: "),
        (BOSTON, "closings: row", "closings: last-sighting", "closings: `row` and"),
        (BOSTON, "[status, ", "[lat, ", "ignored.0: 'lat' is ignored and used"),
        (BOSTON, "past: true", "past: true\npast: false", "past: stands twice"),
        (BOSTON, "name: boston311", "name: boston", "name: must be the file's own name, 'boston311'"),
        (LIMITS, "  handled: 2 h", "  handled: 2 hours", "urgencies.critical.stages.handled: "),
        (LIMITS, "  handled: 2 h", "  handeld: 2 h", "urgencies.critical.stages.handeld."),
        ("districts/pukou/routes.yaml", "{category: fire,", "{category: fyre,", "routes.1.category: 'fyre' is not in"),
    ],
)
def test_what_is_wrong_is_named_by_file_line_and_field(root: Path, file: str, old: str, new: str, told: str) -> None:
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    changed = text.replace(old, new, 1)
    line = changed.count("\n", 0, changed.index(new) + len(new)) + 1
    path.write_text(changed, encoding="utf-8")
    with pytest.raises(PackError) as raised:
        load_policy("pukou", Clock.LOG, root)
    assert str(raised.value).startswith(f"{path}:{line}: {told}")


def test_a_field_that_is_missing_is_named(root: Path) -> None:
    path = root / "districts/pukou/district.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("wait: 7 d", ""), encoding="utf-8")
    with pytest.raises(PackError, match=r"district\.yaml:1: wait: Field required"):
        load_pack("pukou", root)


@pytest.mark.parametrize("content", [b"\xff", b"", b"- a list", b"a: \x07", b"a: [b"])
def test_a_file_that_is_no_mapping_is_named(root: Path, content: bytes) -> None:
    (root / "sources/strange.yaml").write_bytes(content)
    with pytest.raises(PackError, match=r"strange\.yaml"):
        load_sources("pukou", root)


def test_a_missing_file_is_named(root: Path) -> None:
    (root / "districts/pukou/limits.yaml").unlink()
    with pytest.raises(PackError, match=r"limits\.yaml: cannot be read"):
        load_pack("pukou", root)


def test_what_does_not_fit_together_is_a_problem_of_its_field() -> None:
    whole = police()
    assert list(problems(whole)) == []
    report = whole.report.model_copy(update={"place": None})
    assert [path for path, _ in problems(whole.model_copy(update={"report": report}))] == [("report", "area")]
    twice = whole.model_copy(update={"columns": (*whole.columns, "id")})
    assert [path for path, _ in problems(twice)] == [("columns",)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("San Bruno Fire, on  Control-3 ", "san-bruno-fire-on-control-3"), ("泰山街道", ""), ("-", "")],
)
def test_an_area_is_a_slug(text: str, expected: str) -> None:
    assert slug(text) == expected
    assert len(slug("ab " * 100)) <= 64
