"""打破数据壁垒: police and grid data about the same thing are one matter."""

import pytest

from tests.mission.room import Room
from tests.mission.sources import SEAT

pytestmark = [pytest.mark.connected, pytest.mark.timeout(180)]

CLOSE_BY = (SEAT[0] + 0.0009, SEAT[1])
"""A hundred metres away."""
NEXT_DOOR = {"lat": SEAT[0] + 0.0002, "lon": SEAT[1]}
"""Some twenty metres away."""


def test_two_alarms_of_one_crash_are_linked_and_stay_two(room: Room) -> None:
    first = room.alarm(BJLX="300100", BJNR="两车相撞")
    room.pass_time(minutes=3)
    second = room.alarm(BJLX="500600", BJNR="有人受伤", ZDDWYZB=str(CLOSE_BY[0]), ZDDWXZB=str(CLOSE_BY[1]))
    ((about, linked),) = room.wait_for(second.ticket, "ticket.linked")
    assert (linked["other"], linked["why"]) == (first.ticket, "near")
    assert 80 <= linked["distance_m"] <= 120
    assert second.ticket != first.ticket, "two units, two tickets"
    ((earlier, _),) = room.wait_for(first.ticket, "ticket.linked")
    assert about["ce_correlationid"] == earlier["ce_correlationid"], "one matter"


def test_an_alarm_that_names_an_earlier_one_is_linked_to_it(room: Room) -> None:
    first = room.alarm(number="JJ-100", BJLX="501000")
    room.pass_time(hours=5)
    second = room.alarm(BJLX="501000", GLJJDBH="JJ-100")
    ((_, linked),) = room.wait_for(second.ticket, "ticket.linked")
    assert (linked["other"], linked["why"]) == (first.ticket, "related")


def test_whoever_calls_again_about_the_same_thing_urges(room: Room) -> None:
    first = room.work_order(诉求分类="噪声扰民", 联系电话="13800000001")
    room.pass_time(hours=2)
    again = room.citizen(type="noise", phone="13800000001", content="还在响")
    assert (again.fate, again.ticket) == ("urged", first.ticket)


def test_two_patrols_at_one_lamp_make_one_ticket(room: Room) -> None:
    first = room.patrol(category_code="0602", component_id="灯杆-0100")
    second = room.patrol(category_code="0602", component_id="灯杆-0100", officer_id="wg-9", officer_name="周敏")
    assert (second.fate, second.ticket) == ("merged", first.ticket)


def test_a_likely_double_is_shown_to_a_human_who_decides_and_both_reporters_are_answered(room: Room) -> None:
    by_officer = room.patrol(category_code="0102", description="垃圾成堆, 文德路18号")
    room.pass_time(minutes=40)
    by_citizen = room.citizen(type="garbage", content="垃圾成堆, 文德路18号门口", location=NEXT_DOOR)
    ((_, proposed),) = room.wait_for(by_citizen.ticket, "match.proposed")
    assert proposed["other"] == by_officer.ticket
    assert 15 <= proposed["distance_m"] <= 30
    assert proposed["score"] >= 60
    assert by_citizen.fate == "ticketed", "nothing is merged by nearness"

    assert room.unit_says(by_citizen.ticket, "确认并案", other=by_officer.ticket).fate == "applied"
    assert "ticket.absorbed" in room.types(by_citizen.ticket)
    for step in ("签收", "处置完成", "核查通过", "结案"):
        assert room.unit_says(by_officer.ticket, step).fate == "applied"
    ((_, closed),) = room.wait_for(by_citizen.ticket, "ticket.closed")
    assert closed["with_master"] == by_officer.ticket
    room.on("replies", by_citizen.ticket, lambda told: any(one["what"] == "closed" for one in told))
    room.on("replies", by_officer.ticket, lambda told: any(one["what"] == "closed" for one in told))


def test_a_double_that_was_none_is_not_asked_about_again_and_a_wrong_merge_is_undone(room: Room) -> None:
    first = room.patrol(category_code="0104", description="路面油污")
    second = room.patrol(category_code="0104", description="路面油污", location=NEXT_DOOR)
    room.wait_for(second.ticket, "match.proposed")
    assert room.unit_says(second.ticket, "否决并案", other=first.ticket).fate == "applied"
    assert room.unit_says(second.ticket, "否决并案", other=first.ticket).fate == "refused"

    third = room.patrol(category_code="0104", description="路面油污", location=NEXT_DOOR)
    assert room.unit_says(third.ticket, "确认并案", other=first.ticket).fate == "applied"
    assert room.unit_says(third.ticket, "签收").fate == "refused", "its master is worked on"
    assert room.unit_says(third.ticket, "拆分").fate == "applied"
    assert room.unit_says(third.ticket, "签收").fate == "applied"


def test_what_comes_back_after_it_was_closed_is_a_new_ticket_that_knows_the_old_one(room: Room) -> None:
    first = room.patrol(category_code="0110", component_id="转角-3")
    for step in ("签收", "处置完成", "核查通过", "结案"):
        room.unit_says(first.ticket, step)
    room.pass_time(days=2)
    again = room.patrol(category_code="0110", component_id="转角-3")
    assert again.fate == "ticketed"
    ((_, opened),) = room.wait_for(again.ticket, "ticket.opened")
    assert opened["recurrence_of"] == first.ticket
