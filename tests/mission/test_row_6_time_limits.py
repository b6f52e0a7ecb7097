"""限时办理: by class, urgency and stage, on the wall's clock or the working calendar's; up the ladder, step by step."""

from typing import Any

import pytest

from tests.mission.room import Room
from tests.mission.sources import clock

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]


def due(fact: dict[str, Any], limit: str) -> str:
    """When a limit in a fact is due, by the clock on the wall."""
    return next(clock(one["due_at"]).strftime("%Y-%m-%d %H:%M") for one in fact["deadlines"] if one["limit"] == limit)


def test_an_alarm_climbs_the_ladder(room: Room) -> None:
    call = room.alarm(BJLX="100500")
    for _ in range(10):
        room.pass_time(minutes=1)
    room.wait_for(call.ticket, "limit.escalated")
    words = [word for word in room.types(call.ticket) if word.startswith("limit.")]
    assert words[:5] == ["limit.warned", "limit.passed", "limit.carded", "limit.carded", "limit.escalated"]
    cards = [fact["card"] for _, fact in room.wait_for(call.ticket, "limit.carded")][:2]
    assert cards == ["yellow", "red"]
    opened = room.wait_for(call.ticket, "ticket.opened")[0][0]["ce_time"]
    passed = room.wait_for(call.ticket, "limit.passed")[0][0]["ce_time"]
    assert passed[:17] == opened[:17] or passed > opened
    ((_, escalated),) = room.wait_for(call.ticket, "limit.escalated")
    assert escalated["level"] == "district", "the level above a street's"


def test_a_working_day_is_a_working_day_over_the_national_day(room: Room) -> None:
    #  Tuesday 30 September, 16:30 | 1 to 8 October free | Thursday 9 October
    room.at("2025-09-30 16:30")
    order = room.work_order(工单类型="投诉", 诉求分类="占道经营")
    ((_, dispatched),) = room.wait_for(order.ticket, "ticket.dispatched")
    assert due(dispatched, "signed") == "2025-10-09 16:30"
    room.at("2025-10-05 12:00")
    assert not any(word.startswith("limit.") for word in room.types(order.ticket)), "nobody works on the fifth"
    room.at("2025-10-09 16:31")
    room.wait_for(order.ticket, "limit.passed")


def test_a_burst_pipe_is_fenced_then_mended_then_the_road_is_restored(room: Room) -> None:
    pipe = room.patrol(category_code="0402", description="水管爆裂")
    ((_, opened),) = room.wait_for(pipe.ticket, "ticket.opened")
    began = room.now
    assert due(opened, "fenced") == clock(began + 3 * 3_600_000).strftime("%Y-%m-%d %H:%M")
    room.unit_says(pipe.ticket, "签收")
    room.pass_time(hours=2)
    met = room.unit_says(pipe.ticket, "条件完成", condition="fenced")
    assert met.fate == "applied"
    fenced = room.now
    ((_, fact),) = room.wait_for(pipe.ticket, "condition.met")
    assert (fact["kept"], due(fact, "repaired")) == (True, clock(fenced + 8 * 3_600_000).strftime("%Y-%m-%d %H:%M"))
    room.pass_time(hours=9)
    room.wait_until(lambda: "repaired" in {one["limit"] for _, one in room.of(pipe.ticket, "limit.passed")})
    assert room.unit_says(pipe.ticket, "条件完成", condition="repaired").fate == "applied"
    last = room.wait_for(pipe.ticket, "condition.met", times=2)[-1][1]
    assert last["kept"] is False
    assert "restored" in {one["limit"] for one in last["deadlines"]}


def test_a_suspended_ticket_rests_and_its_limit_moves_by_the_pause(room: Room) -> None:
    dig = room.patrol(category_code="0304")
    room.unit_says(dig.ticket, "签收")
    ((_, signed),) = room.wait_for(dig.ticket, "ticket.signed")
    before = due(signed, "overall")
    room.unit_says(dig.ticket, "申请挂账")
    room.unit_says(dig.ticket, "同意挂账")
    room.pass_time(days=7)
    assert not any(word.startswith("limit.") for word in room.types(dig.ticket))
    assert room.unit_says(dig.ticket, "挂账恢复").fate == "applied"
    ((_, resumed),) = room.wait_for(dig.ticket, "ticket.resumed")
    assert due(resumed, "overall")[:10] > before[:10]
    assert resumed["paused"] >= 7 * 24 * 3_600_000


def test_not_signing_and_giving_back_are_no_way_out(room: Room) -> None:
    lamp = room.patrol(category_code="0602")
    ((_, opened),) = room.wait_for(lamp.ticket, "ticket.opened")
    overall = due(opened, "overall")
    room.unit_says(lamp.ticket, "签收")
    room.unit_says(lamp.ticket, "申请退单")
    room.unit_says(lamp.ticket, "同意退单", to_unit="power-company")
    dispatched = room.wait_for(lamp.ticket, "ticket.dispatched")[-1][1]
    assert due(dispatched, "overall") == overall
    assert "signed" in {one["limit"] for one in dispatched["deadlines"]}, "the next unit's clock runs before it signs"


def test_a_year_that_is_not_announced_is_taken_provisionally_and_rings(room: Room) -> None:
    room.at("2026-12-31 15:00")
    lamp = room.patrol(category_code="0602")
    alarms = [fact for _, fact in room.wait_for(lamp.ticket, "alarm.raised")]
    assert [alarm["alarm"] for alarm in alarms] == ["provisional"]
    ((_, opened),) = room.wait_for(lamp.ticket, "ticket.opened")
    assert any(one["provisional"] for one in opened["deadlines"])
