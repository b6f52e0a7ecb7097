"""一体受理: 110, patrols, citizens and 12345 come in their own shapes and leave as one."""

import json
from pathlib import Path

import pytest

from tests.chaos.centre import lianqin
from tests.mission.room import Came, Room
from tests.mission.sources import JIANGPU, JIANGPU_GRID

pytestmark = [pytest.mark.connected, pytest.mark.timeout(180)]


def opened(room: Room, came: Came) -> dict[str, object]:
    """What was said when the ticket was opened."""
    ((_, fact),) = room.wait_for(came.ticket, "ticket.opened")
    return fact


def test_four_sources_leave_as_one_shape(room: Room) -> None:
    crash = room.alarm(BJLX="300100", BJNR="两车相撞, 无人受伤")
    lamp = room.patrol(category_code="0602", description="路灯不亮", component_id="灯杆-0017")
    vendor = room.citizen(type="vendor", content="路口摆摊")
    water = room.work_order(工单类型="求助", 紧急程度="紧急", 诉求分类="供水", 起因="水压太低", 经过="三天了")

    facts = [opened(room, came) for came in (crash, lamp, vendor, water)]
    assert len({tuple(fact) for fact in facts}) == 1, "the same fields, whoever sent it"
    assert [fact["source"] for fact in facts] == ["police110", "gridapp", "citizenapp", "hotline12345"]
    assert [fact["category"] for fact in facts] == ["traffic-accident", "street-lamp", "street-vendor", "water-supply"]
    assert [fact["side"] for fact in facts] == ["police", "service", "service", "service"]
    assert [fact["urgency"] for fact in facts] == ["urgent", "routine", "routine", "urgent"]
    assert (facts[1]["grid"], facts[1]["object"]) == (JIANGPU_GRID, "灯杆-0017")
    assert (facts[3]["kind"], facts[3]["text"]) == ("求助", "水压太低 三天了")
    assert {came.became.area for came in (crash, lamp, vendor, water)} == {JIANGPU}


def test_who_reports_is_known_by_a_key_and_read_masked(room: Room) -> None:
    came = room.alarm(BJLX="501000", BJRXM="欧阳建国", BJDH="13812345678", BJNR="欧阳建国(13812345678)与邻居争吵")
    said = json.dumps(room.facts(came.ticket), ensure_ascii=False)
    assert "欧阳建国" not in said
    assert "13812345678" not in said
    assert "与邻居争吵" in said


def test_an_address_is_enough_and_without_one_nothing_is_lost(room: Room) -> None:
    nowhere = {"lat": None, "lon": None}
    by_address = room.citizen(type="garbage", address="南京工业大学东门", location=nowhere)
    lost = room.citizen(type="garbage", address="一个谁也不知道的地方", location=nowhere)
    assert (by_address.became.area, by_address.became.flags) == (JIANGPU, ("by-address",))
    assert (lost.fate, lost.became.area, lost.became.flags) == ("ticketed", "elsewhere", ("no-place",))
    assert opened(room, lost)["unit"], "somebody owns it all the same"


def test_what_an_officer_has_put_right_on_the_spot_waits_for_its_check_alone(room: Room) -> None:
    came = room.patrol(category_code="0201", description="小广告已清除", self_handled=True)
    ((_, handled),) = room.wait_for(came.ticket, "ticket.handled")
    assert handled["self_handled"] is True
    assert room.unit_says(came.ticket, "核查通过").fate == "applied"
    assert room.unit_says(came.ticket, "结案").fate == "applied"


def test_the_units_answer_in_words_of_their_own(room: Room) -> None:
    came = room.patrol(category_code="0602")
    assert room.unit_says(came.ticket, "签收").fate == "applied"
    strange = room.unit_says(came.ticket, "已阅")
    assert strange.became.dead == "wrong-type", "a word that nobody agreed on moves nothing"


def test_a_source_that_nobody_here_has_seen_is_one_file(tmp_path: Path) -> None:
    rows = tmp_path / "lamps.csv"
    rows.write_text(
        "Nr;When;What;Where\n7;03.03.2025 08:15;dark lamp;江浦街道文德路18号\n8;yesterday;dark lamp;-\n", "utf-8"
    )
    mapping = tmp_path / "lampwatch.yaml"
    mapping.write_text(
        """
name: lampwatch
title: A neighbourhood's list of dark lamps
licence: With the neighbourhood's consent.
topic: citizen
format: csv
delimiter: ";"
columns: [Nr, When, What, Where]
report:
  id: Nr
  time: {column: When, format: "%d.%m.%Y %H:%M", zone: Asia/Shanghai}
  area: {rule: address, column: Where}
  category: {column: What, known: {dark lamp: street-lamp}}
  details: {address: Where}
""",
        "utf-8",
    )
    tried = lianqin("feed", "--mapping", str(mapping), str(rows), "--dry-run")
    assert tried.returncode == 0, tried.stderr
    assert "street-lamp" in tried.stdout
    assert "line 3" in tried.stdout, "the line that cannot be read is named"
