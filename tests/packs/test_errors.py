"""What is wrong with a pack is named by file, line and field, all of it at once; what is doubtful is a warning."""

import re
from pathlib import Path

import pytest

from agents.packs import PackError, examine, load_mapping, load_pack, load_policy
from schemas.codes import Clock

PUKOU = "districts/pukou"


def spoil(root: Path, file: str, old: str, new: str) -> tuple[Path, set[str]]:
    """Replace the first `old` of a file; the file, and its lines in which `new` stands, as a problem names them."""
    path = root / PUKOU / file
    text = path.read_text(encoding="utf-8")
    begin = text.index(old)
    changed = text[:begin] + new + text[begin + len(old) :]
    path.write_text(changed, encoding="utf-8")
    first = changed.count("\n", 0, begin) + 1
    return path, {f"{path}:{first + number}: " for number in range(new.count("\n") + 1)}


def named(lines: set[str], error: pytest.ExceptionInfo[PackError], told: str) -> bool:
    """Whether one of the problems says so of one of the lines; `#` is any number of a row."""
    return any(says(line + told, one) for one in str(error.value).splitlines() for line in lines)


def says(told: str, problem: str) -> bool:
    """Whether a problem begins so."""
    return re.match(re.escape(told).replace(r"\#", r"\d+"), problem) is not None


ONE_FILE = [
    ("district.yaml", "wait: 7 d", "wait: 7 wd", "wait: a duration is a whole number and a unit: "),
    (
        "district.yaml",
        "within: 300 m",
        "within: 300",
        "duplicates.link.within: a distance is a whole number and a unit",
    ),
    ("district.yaml", "text: 20", "text: 30", "duplicates.weights: the weights together are 100"),
    ("district.yaml", "score: 2", "score: 6", "reopen.score: "),
    ("district.yaml", "running: take", "runing: take", "runing: Extra inputs"),
    ("district.yaml", "running: take", "running: maybe", "running: "),
    ("categories.yaml", "urgency: critical", "urgency: high", "categories.crime-violent.urgency: "),
    ("categories.yaml", "\n  theft:", "\n  Theft:", "categories.Theft"),
    ("categories.yaml", "\n  fraud:", "\n  fraud: {title: 诈骗}\n  fraud:", "categories.fraud: stands twice"),
    ("units.yaml", "level: district", "level: county", "units.duty-desk.level: "),
    ("routes.yaml", '"22:00-06:00"', '"22:00-22:00"', "routes.#.hours: times of day are written"),
    ("routes.yaml", "units: medical-centre", "unit: medical-centre", "routes.#.units: Field required"),
    ("limits.yaml", "signed: 30 s", "signed: 30 sec", "rows.#.stages.signed: a limit is a whole number and a unit: "),
    (
        "limits.yaml",
        "signed: 30 s",
        "rated: 30 s",
        "rows.#.stages: rated has no limit of its own: take one of accepted",
    ),
    ("limits.yaml", ", overall: 3 wd, stages: {handled: 1 wd}", "", "rows.#: names no limit"),
    ("limits.yaml", "percent: 80", "percent: 0", "ladder.0.percent: "),
    ("calendar.yaml", "Asia/Shanghai", "Asia/Pukou", "zone: 'Asia/Pukou' is no time zone"),
    ("calendar.yaml", '"08:30-12:00", ', '"14:30-12:00", ', "periods: the periods of a day follow one another"),
    ("calendar.yaml", '"08:30-12:00", ', '"8:30-12:00", ', "periods.0: times of day are written"),
    (
        "calendar.yaml",
        "2026-01-01..2026-01-03",
        "2026-01-01..2026-01-33",
        "years.2026.free.0: '2026-01-01..2026-01-33' is no day",
    ),
    ("calendar.yaml", "2026-01-01..2026-01-03", "2026-01-03..2026-01-01", "years.2026.free.0: "),
    ("diversions.yaml", "from: police", "form: police", "lists.0.form: Extra inputs"),
    ("grids.yaml", '"320111001901"', '"32011100190"', "areas.320111001.32011100190"),
    ("points.yaml", "points: 2", "points: many", "actions.reported.points: "),
    ("surges/flood.yaml", "units_on", "unitson", "unitson: Extra inputs"),
]


@pytest.mark.parametrize(("file", "old", "new", "told"), ONE_FILE)
def test_a_field_that_is_wrong_by_itself(root: Path, file: str, old: str, new: str, told: str) -> None:
    _, lines = spoil(root, file, old, new)
    with pytest.raises(PackError) as raised:
        load_pack("pukou", root)
    assert named(lines, raised, told), raised.value


TOGETHER = [
    ("district.yaml", "unit: duty-desk", "unit: duty-disk", "catch_all.unit: 'duty-disk' is not in units.yaml"),
    (
        "district.yaml",
        "unit: duty-desk",
        "unit: flood-team",
        "catch_all.unit: 'flood-team' is not active: what no route",
    ),
    ("district.yaml", "[joint-service-desk]", "[nobody]", "copy_unclear: 'nobody' is not in units.yaml"),
    ("district.yaml", "[police-station, police-command]", "[nobody]", "copy_danger: 'nobody' is not in units.yaml"),
    ("district.yaml", "first: 1 wd", "first: 9 wd", "extension.first: is longer than `most`"),
    (
        "grids.yaml",
        '"320111001901": ["001"',
        '"320111001901": ["002"',
        "areas.320111001.320111001901: grid 002 stands twice",
    ),
    ("grids.yaml", '"320111001901"', '"320111002911"', "areas.320111001.320111002911: is no community of 320111001"),
    (
        "grids.yaml",
        '"320111450": #',
        '"320111451": #',
        "areas.320111451: '320111451' is not in the areas of district.yaml",
    ),
    (
        "units.yaml",
        "{area}派出所",
        "{street}派出所",
        "units.police-station.name: {street} is neither {area} nor {grid}",
    ),
    ("units.yaml", "区水务局", "区城市管理局", "units.water-bureau.name: '区城市管理局' is another unit's name too"),
    (
        "categories.yaml",
        "side: police, near: facility",
        "side: police, near: far",
        "categories.traffic-signal.near: 'far' is not in `near`",
    ),
    (
        "categories.yaml",
        "name: repaired",
        "name: handled",
        "categories.pipe-burst.conditions.1.name: 'handled' is the name of a limit",
    ),
    (
        "categories.yaml",
        "name: repaired",
        "name: overall",
        "categories.pipe-burst.conditions.1.name: 'overall' is the name of a limit",
    ),
    (
        "categories.yaml",
        "name: repaired",
        "name: fenced",
        "categories.pipe-burst.conditions.1.name: 'fenced' stands twice",
    ),
    (
        "routes.yaml",
        "category: medical,",
        "category: medicine,",
        "routes.#.category: 'medicine' is not in categories.yaml",
    ),
    (
        "routes.yaml",
        "units: medical-centre",
        "units: [medical-centre, er]",
        "routes.#.units: 'er' is not in units.yaml",
    ),
    (
        "routes.yaml",
        "category: medical,",
        'category: medical, area: "320111999",',
        "routes.#.area: '320111999' is not in the areas",
    ),
    ("routes.yaml", "category: medical,", 'category: medical, grid: "1",', "routes.#.grid: '1' is not in grids.yaml"),
    ("routes.yaml", "source: gridapp", "source: gridap", "routes.#.source: 'gridap' is not in sources/"),
    (
        "routes.yaml",
        "joint: gas-company, assist",
        "joint: fire-brigade, assist",
        "routes.#.joint: 'fire-brigade' is the unit that it goes to",
    ),
    (
        "routes.yaml",
        "- {category: heat-supply,",
        "- {category: gas-supply,",
        "routes.#: for 'gas-supply' can never fit: row # takes all of that",
    ),
    (
        "routes.yaml",
        "- {category: fire-hazard,",
        "- {category: [drugs, theft],",
        "routes.#: for 'theft' can never fit: row ",
    ),
    (
        "diversions.yaml",
        "[theft, fraud]",
        "[theft, frauds]",
        "lists.1.classes.1.categories: 'frauds' is not in categories.yaml",
    ),
    (
        "diversions.yaml",
        "[theft, fraud]",
        "[theft, dispute]",
        "lists.1.classes.1.categories: 'dispute' is never diverted to police: its side is unclear",
    ),
    (
        "diversions.yaml",
        "vice, drugs]",
        "vice, theft]",
        "lists.1.classes.2.categories: 'theft' stands twice in this list",
    ),
    (
        "diversions.yaml",
        "name: service-to-police",
        "name: police-to-service",
        "lists.1.name: 'police-to-service' stands twice",
    ),
    (
        "limits.yaml",
        "- {category: manhole-cover,",
        "- {category: manhole,",
        "rows.#.category: 'manhole' is not in categories.yaml",
    ),
    (
        "limits.yaml",
        "- {category: dirty-road, urgency: routine, stages: {handled: 5 wh}}",
        "- {category: exposed-garbage, urgency: routine, stages: {handled: 2 wd}}",
        "rows.#: for 'exposed-garbage' can never decide: rows before it name all",
    ),
    ("limits.yaml", "percent: 150", "percent: 90", "ladder.2.percent: 90 does not come after 100"),
    ("limits.yaml", "step: red", "step: warned", "ladder.3.step: warned does not come after yellow"),
    ("limits.yaml", "percent: 100", "percent: 101", "ladder.1.percent: `passed` is the step at 100"),
    (
        "limits.yaml",
        "recipients: unit}",
        "recipients: units}",
        "ladder.0.recipients: 'units' is not in units.yaml, nor 'unit'",
    ),
    (
        "calendar.yaml",
        "2026-01-01..2026-01-03",
        "2025-12-31..2026-01-03",
        "years.2026.free.0: 2025-12-31 is not a day of 2026",
    ),
    (
        "calendar.yaml",
        "worked: [2026-01-04",
        "worked: [2026-01-03",
        "years.2026.worked.0: 2026-01-03 is named as free already",
    ),
    (
        "calendar.yaml",
        "worked: [2026-01-04",
        "worked: [2026-02-14",
        "years.2026.worked.1: 2026-02-14 is named as worked already",
    ),
    ("surges/flood.yaml", "[flood-command, ", "[flood-commander, ", "units_on: 'flood-commander' is not in units.yaml"),
    (
        "surges/flood.yaml",
        "road-collapse: critical",
        "road-colapse: critical",
        "urgency.road-colapse: 'road-colapse' is not in",
    ),
    (
        "surges/flood.yaml",
        "- {category: waterlogging, units",
        "- {category: waterlog, units",
        "routes.#.category: 'waterlog' is not in",
    ),
    (
        "surges/flood.yaml",
        "- {category: drain-blocked, stages",
        "- {category: drain, stages",
        "limits.1.category: 'drain' is not in",
    ),
    ("sources/police110.yaml", "theft", "thefts", "report.category.known."),
]


@pytest.mark.parametrize(("file", "old", "new", "told"), TOGETHER)
def test_fields_that_do_not_fit_to_others(root: Path, file: str, old: str, new: str, told: str) -> None:
    _, lines = spoil(root, file, old, new)
    with pytest.raises(PackError) as raised:
        load_policy("pukou", Clock.WALL, root)
    assert named(lines, raised, told), raised.value


def test_an_urgency_without_an_overall_limit_is_refused(root: Path) -> None:
    path, _ = spoil(root, "limits.yaml", "\n    overall: 52 h", "")
    with pytest.raises(PackError, match=r"no row for whatever is urgent names an `overall` limit") as raised:
        load_policy("pukou", Clock.WALL, root)
    line = path.read_text(encoding="utf-8").split("\n").index("rows:") + 1
    assert str(raised.value).startswith(f"{path}:{line}: rows: ")


def test_all_that_is_wrong_is_told_at_once(root: Path) -> None:
    spoil(root, "district.yaml", "wait: 7 d", "wait: soon")
    spoil(root, "limits.yaml", "signed: 30 s", "signed: at once")
    spoil(root, "units.yaml", "level: district", "level: county")
    with pytest.raises(PackError) as raised:
        load_policy("pukou", Clock.WALL, root)
    told = [Path(line.partition(":")[0]).name for line in str(raised.value).splitlines()]
    assert told == ["district.yaml", "units.yaml", "limits.yaml"]


WARNINGS = [
    (
        "units.yaml",
        "区教育局, level: district",
        "区教育局, level: district, active: false",
        "units.education-bureau.active: is not active, and no surge",
    ),
    (
        "limits.yaml",
        "handled: 24 h",
        "handled: 60 h",
        "rows.#.stages.handled: handled may take 60 h, and the whole of what is urgent 52 h",
    ),
    (
        "limits.yaml",
        "[咨询, 建议]",
        "[咨询, 建言]",
        "rows.#.kind: '建言' is not in what any source says of its reports",
    ),
    ("calendar.yaml", "worked: [2026-01-04", "worked: [2026-01-05", "years.2026.worked.0: 2026-01-05 is worked anyway"),
    (
        "surges/flood.yaml",
        "[flood-command, ",
        "[duty-desk, flood-command, ",
        "units_on: 'duty-desk' is active without the surge",
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "told"), WARNINGS)
def test_what_is_doubtful_is_a_warning(root: Path, file: str, old: str, new: str, told: str) -> None:
    _, lines = spoil(root, file, old, new)
    (warning,) = examine("pukou", root).warnings
    assert any(says(line + told, warning) for line in lines)


def test_a_year_that_is_not_announced_is_left_out(root: Path) -> None:
    _, lines = spoil(root, "calendar.yaml", "years:\n", "years:\n  2027: {worked: [2027-01-02]}\n")
    with pytest.raises(PackError) as raised:
        load_policy("pukou", Clock.WALL, root)
    assert named(lines, raised, "years.2027: has no holidays: leave the year out until it is announced")
    spoil(root, "calendar.yaml", "  2027: {worked: [2027-01-02]}", "  2028: {free: [2028-01-01]}")
    (warning,) = examine("pukou", root).warnings
    assert warning.endswith("years: 2027 stands between announced years and is none")


def test_a_shared_mapping_that_gives_another_category_is_a_warning(root: Path) -> None:
    path = root / "sources/boston311.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("Other: general", "Other: misc"), encoding="utf-8")
    (warning,) = examine("pukou", root).warnings
    assert re.match(rf"{re.escape(str(path))}:\d+: report\.category\.known\.Other: 'misc' is not in", warning)


def test_a_surge_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(PackError, match=r"no surge 'storm': there are epidemic, flood; write surges/storm\.yaml"):
        load_policy("pukou", Clock.WALL, surge="storm")


def test_an_unknown_district_is_told_with_those_known(tmp_path: Path) -> None:
    for load in (load_pack, examine):
        with pytest.raises(PackError, match=r"^no district is called 'atlantis'.*pukou.*$") as raised:
            load("atlantis")
        assert len(str(raised.value).splitlines()) == 1
    with pytest.raises(PackError, match=f"write {tmp_path}/district.yaml"):
        load_pack(f"{tmp_path}/")


def test_a_missing_file_is_named(root: Path) -> None:
    (root / PUKOU / "limits.yaml").unlink()
    with pytest.raises(PackError, match=r"limits\.yaml: cannot be read"):
        load_pack("pukou", root)


@pytest.mark.parametrize(
    "content", [b"\xff", b"", b"- a list", b"a: \x07", b"a: [b", b"years: {2026: {free: [2026-13-01]}}"]
)
def test_a_file_that_is_no_mapping_is_named(root: Path, content: bytes) -> None:
    (root / PUKOU / "calendar.yaml").write_bytes(content)
    with pytest.raises(PackError, match=r"calendar\.yaml"):
        load_pack("pukou", root)


def test_a_name_that_cannot_stand_in_an_id_is_refused(root: Path) -> None:
    (root / PUKOU / "surges/flood.yaml").rename(root / PUKOU / "surges/Flood_2.yaml")
    with pytest.raises(PackError, match=r"Flood_2\.yaml: the file's name must be of small letters"):
        load_pack("pukou", root)


def test_a_mapping_is_called_as_its_file(root: Path) -> None:
    (root / "sources/boston311.yaml").rename(root / "sources/boston.yaml")
    with pytest.raises(PackError, match=r"boston\.yaml:1: name: must be the file's own name, 'boston'"):
        load_mapping(root / "sources/boston.yaml")
