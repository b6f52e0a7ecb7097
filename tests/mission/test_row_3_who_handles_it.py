"""分流交办: class, place, urgency and time of day find the unit; what is not ours goes over, and may come back."""

from typing import Any

import pytest

from tests.mission.room import Came, Room

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]


def holder(room: Room, came: Came) -> dict[str, Any]:
    """The newest dispatch of a ticket."""
    return room.wait_for(came.ticket, "ticket.dispatched")[-1][1]


def test_the_table_finds_unit_and_level_by_class_and_street(room: Room) -> None:
    lamp = holder(room, room.patrol(category_code="0602"))
    garbage = holder(room, room.patrol(category_code="0102"))
    theft = holder(room, room.alarm(BJLX="100500"))
    order = holder(room, room.patrol(category_code="0799"))
    assert (lamp["unit"], lamp["level"]) == ("江浦街道城管中队", "street")
    assert (garbage["unit"], garbage["level"]) == ("江浦街道社区网格工作站", "community")
    assert (theft["unit"], theft["level"], theft["copies"]) == ("江浦街道派出所", "street", ["刑警大队"])
    assert order["level"] == "grid"


def test_at_night_whoever_is_on_duty_has_it(room: Room) -> None:
    by_day = holder(room, room.citizen(type="vendor"))
    room.pass_time(hours=14)
    by_night = holder(room, room.citizen(type="vendor"))
    assert by_day["unit"] == "江浦街道城管中队"
    assert (by_night["unit"], by_night["assisting"]) == ("江浦街道大联勤分平台", ["江浦街道派出所"])


def test_110_hands_a_leak_to_the_water_company_and_gets_it_back_with_its_reason_and_its_clock(room: Room) -> None:
    leak = room.alarm(BJLX="601301", BJNR="水管爆裂")
    ((_, over),) = room.wait_for(leak.ticket, "ticket.diverted")
    assert (over["from_side"], over["to_side"], over["list"]) == ("police", "service", "police-to-service example-1")
    assert holder(room, leak)["unit"] == "供水公司抢修队"
    room.pass_time(minutes=25)
    assert room.unit_says(leak.ticket, "分流退回", note="属消防管网").fate == "applied"
    back = room.wait_for(leak.ticket, "ticket.diverted", times=2)[-1][1]
    assert (back["returned"], back["note"]) == (True, "属消防管网")
    assert 25 * 60_000 <= back["elapsed"] < 26 * 60_000
    assert holder(room, leak)["unit"] == "江浦街道派出所", "back to whoever took the call"


def test_12345_hands_a_crime_to_the_police(room: Room) -> None:
    tip = room.work_order(工单类型="举报", 诉求分类="违法线索", 起因="有人聚赌")
    room.wait_for(tip.ticket, "ticket.diverted")
    assert holder(room, tip)["unit"] == "江浦街道派出所"


def test_what_is_unclear_is_the_polices_first_and_the_other_side_is_told(room: Room) -> None:
    dog = room.alarm(BJLX="201100", BJNR="大型犬未拴绳")
    dispatched = holder(room, dog)
    assert dispatched["unit"] == "江浦街道派出所"
    assert dispatched["copies"], "the joint-service desk is told"


def test_police_and_gas_company_go_together_each_with_a_ticket_of_one_matter(room: Room) -> None:
    smell = room.alarm(BJLX="400400", BJNR="楼道里有煤气味")
    ((lead, linked),) = room.wait_for(smell.ticket, "ticket.linked")
    other = str(linked["other"])
    ((second, dispatched),) = room.wait_for(other, "ticket.dispatched")
    assert holder(room, smell)["unit"] == "消防救援大队"
    assert dispatched["unit"] == "燃气公司抢修队"
    assert (linked["why"], lead["ce_correlationid"]) == ("joint", second["ce_correlationid"])
    assert room.unit_says(other, "签收", unit="燃气公司抢修队").fate == "applied"
    assert room.types(smell.ticket).count("ticket.signed") == 0, "each has a life of its own"


def test_what_nobody_owns_is_the_districts_and_rings(room: Room) -> None:
    strange = room.citizen(type="飞碟", content="天上有光")
    ((_, alarm),) = room.wait_for(strange.ticket, "alarm.raised")
    assert alarm["alarm"] == "no-owner"
    assert holder(room, strange)["unit"] == "区合成服务中心值班席"


def test_a_unit_that_it_is_not_for_gives_it_back_and_the_limit_runs_on(room: Room) -> None:
    lamp = room.patrol(category_code="0602")
    ((_, opened),) = room.wait_for(lamp.ticket, "ticket.opened")
    due = next(d["due_at"] for d in opened["deadlines"] if d["limit"] == "overall")
    room.unit_says(lamp.ticket, "签收")
    assert room.unit_says(lamp.ticket, "申请退单", note="属供电").fate == "applied"
    assert room.unit_says(lamp.ticket, "同意退单", to_unit="power-company").fate == "applied"
    dispatched = holder(room, lamp)
    assert (dispatched["unit"], dispatched["before"]) == ("供电公司抢修班", "江浦街道城管中队")
    assert next(d["due_at"] for d in dispatched["deadlines"] if d["limit"] == "overall") == due
    assert room.unit_says(lamp.ticket, "处置完成", unit="江浦街道城管中队").fate == "refused", (
        "it is not theirs any more"
    )


def test_a_surge_switches_its_teams_on_and_off_while_the_centre_runs(room: Room) -> None:
    before = holder(room, room.patrol(category_code="0403"))
    on = room.centre.ask("policy", "publish", "--surge", "flood")
    assert on.returncode == 0, on.stderr
    meanwhile = holder(room, room.patrol(category_code="0403"))
    off = room.centre.ask("policy", "publish", "--off")
    assert off.returncode == 0, off.stderr
    after = holder(room, room.patrol(category_code="0403"))
    assert (before["unit"], after["unit"]) == ("区水务局", "区水务局")
    assert meanwhile["unit"] == "江浦街道防汛抢险队"
