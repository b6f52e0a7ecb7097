"""A layout that nobody has seen, mapped with what docs/mapping.md says and nothing else."""

import re
from pathlib import Path

import pytest
import yaml

import deploy
from agents.feeding.trying import Tried, try_file
from agents.packs import PackError
from schemas import mapping
from schemas.codes import Action, Reject

PAGE = (Path(deploy.__file__).parents[1] / "docs/mapping.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The page's first block of that language."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The page's example as files."""
    (tmp_path / "villeneuve.yaml").write_text(block("yaml"), encoding="utf-8")
    (tmp_path / "villeneuve.csv").write_text(block("csv"), encoding="utf-8")
    return tmp_path


def tried(folder: Path, name: str) -> Tried:
    return try_file("pukou", folder / f"{name}.yaml", folder / f"{name}.csv", show=10)


def test_the_pages_example_gives_what_the_page_says(folder: Path) -> None:
    found = tried(folder, "villeneuve")
    made = found.made
    assert found.doubts == []
    assert dict(made.commands) == {"report": 3, "closed": 1}
    assert {reason: [line for line, _ in lines] for reason, lines in made.dead.items()} == {
        "wrong-type": [6],
        "broken": [7],
    }
    first, second, third, closing = [command for _, command in made.first]
    assert [line for line, _ in made.first] == [2, 4, 5, 2]
    assert (first["source_id"], first["time"], first["area"]) == ("VN/25-0001", 1_748_844_840_000, "320111001")
    assert (first["category"], first["urgency"], first["lat"], first["lon"]) == (
        "construction-waste",
        "urgent",
        48.7301,
        2.4402,
    )
    assert first["text"] == "Tas de gravats; M. D** me dit\nde rappeler au [电话]"
    assert first["details"] == {
        "address": "12 rue du Puits",
        "photos": "https://ville.example/p/1.jpg",
        "reporter": "D**",
    }
    assert (second["area"], second["lat"], second["text"]) == ("320111004", None, "B** a vu le lampadaire éteint")
    assert (third["area"], third["category"], third["flags"]) == ("elsewhere", "other", ["outside", "unknown-category"])
    assert (closing["action"], closing["source_id"], closing["time"]) == ("closed", "VN/25-0001", 1_749_051_000_000)


def test_the_page_says_every_field_reason_and_action() -> None:
    parts = [one for one in vars(mapping).values() if isinstance(one, type) and issubclass(one, mapping.Part)]
    fields = {name for part in parts for name in part.model_fields}
    assert len(fields) > 50
    assert fields <= set(re.findall(r"[a-z_]+", PAGE))
    words = set(re.findall(r"`([a-z0-9-]+)`", PAGE))
    assert {action.value for action in Action} <= words
    told = {"desk-failed", "desk-unreadable"}  # the desk's own, no matter of a mapping's
    assert {reason.value for reason in Reject} - told <= words


STRANGE_YAML = """
name: liuhe-old
title: 旧系统导出的工单
licence: the district's own
topic: hotline
delimiter: "|"
encoding: gb18030
columns: [流水, 登记, 大类, 小类, 级别, 位置, 经度, 纬度, 描述, 报料人, 手机, 车牌, 演练否]
report:
  id: 流水
  time: {column: 登记, format: "%y年%m月%d日 %I:%M %p", zone: Asia/Shanghai}
  place: {lat: 纬度, lon: 经度}
  area: [{rule: address, column: 位置}, {rule: nearest}]
  category: {column: [小类, 大类], known: {乱停车: illegal-parking, 市容: exposed-garbage}}
  urgency: {column: 级别, known: {甲: urgent}}
  kind: {column: 大类, known: {投诉类: 投诉}}
  text: [描述]
  reporter: {phone: 手机, name: 报料人}
  object: {column: 车牌}
  drill: {column: 演练否, values: [是]}
  details: [位置]
"""
STRANGE_CSV = """流水|登记|大类|小类|级别|位置|经度|纬度|描述|报料人|手机|车牌|演练否
A/001|25年06月02日 03:05 PM|投诉类|乱停车|甲|江浦街道文德路|||"苏A12345|挡路"|周正|１３８０００１１１２２|苏A·12345|否
A/002|25年06月02日 12:30 AM|市容||乙||118.7110|32.1465|垃圾 13800011122|周正|13800011122||是
A/003|25年06月02日 12:30 AM|市容||乙||118.7110|北|坏坐标|周正|13800011122||否
"""


def test_another_strange_layout(tmp_path: Path) -> None:
    (tmp_path / "liuhe-old.yaml").write_text(STRANGE_YAML, encoding="utf-8")
    (tmp_path / "liuhe-old.csv").write_bytes(STRANGE_CSV.encode("gb18030"))
    made = tried(tmp_path, "liuhe-old").made
    assert {reason: [line for line, _ in lines] for reason, lines in made.dead.items()} == {"wrong-type": [4]}
    night, day = [command for _, command in made.first]
    assert (day["source_id"], day["time"], day["area"]) == ("A/001", 1_748_847_900_000, "320111004")
    assert (day["category"], day["kind"], day["urgency"], day["drill"]) == ("illegal-parking", "投诉", "urgent", False)
    assert day["text"] == "苏A12345|挡路"
    assert (night["area"], night["category"], night["kind"], night["drill"]) == (
        "320111001",
        "exposed-garbage",
        None,
        True,
    )
    assert night["reporter"] == day["reporter"]
    assert night["text"] == "垃圾 [电话]"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  id: 流水", "  id: 编号", "report.id: '编号' is not one of the columns"),
        ('delimiter: "|"', 'delimiter: "||"', "delimiter: "),
        ("text: [描述]", "text: [手机]", "report.text.0: '手机' is personal data and would be passed on"),
        ("rule: nearest", "rule: nearby", "report.area.1: "),
        ("urgency:", "urgent:", "report.urgent: Extra inputs"),
    ],
)
def test_a_mistake_is_told_by_file_line_and_field(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert STRANGE_YAML.count(old) == 1
    file = tmp_path / "liuhe-old.yaml"
    text = STRANGE_YAML.replace(old, new)
    file.write_text(text, encoding="utf-8")
    (tmp_path / "liuhe-old.csv").write_bytes(STRANGE_CSV.encode("gb18030"))
    with pytest.raises(PackError) as raised:
        tried(tmp_path, "liuhe-old")
    line = text.count("\n", 0, text.index(new)) + 1
    assert str(raised.value).startswith(f"{file}:{line}: {told}")


def test_a_category_that_the_district_does_not_have_is_a_doubt(tmp_path: Path) -> None:
    file = tmp_path / "liuhe-old.yaml"
    text = STRANGE_YAML.replace("乱停车: illegal-parking", "乱停车: parking-badly")
    file.write_text(text, encoding="utf-8")
    (tmp_path / "liuhe-old.csv").write_bytes(STRANGE_CSV.encode("gb18030"))
    [doubt] = tried(tmp_path, "liuhe-old").doubts
    line = text.count("\n", 0, text.index("parking-badly")) + 1
    assert doubt.startswith(f"{file}:{line}: report.category.known.乱停车: 'parking-badly' is not in the categories")
    assert yaml.safe_load(text)["name"] == "liuhe-old"
