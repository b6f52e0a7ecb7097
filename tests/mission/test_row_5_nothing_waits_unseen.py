"""看得见, 管得着, 办得快: every open matter is there to be seen, and nothing waits unseen."""

import json
from typing import Any

import pytest

from tests.mission.room import Room

pytestmark = [pytest.mark.connected, pytest.mark.timeout(180)]


def current(room: Room, ticket: str, stage: str) -> dict[str, Any]:
    """The newest view of a ticket, once it is there."""
    return room.on("tickets.current", ticket, lambda views: bool(views) and views[-1]["stage"] == stage)[-1]


def test_the_board_shows_where_each_ticket_stands(room: Room) -> None:
    lamp = room.patrol(category_code="0602")
    view = current(room, lamp.ticket, "dispatched")
    assert (view["status"], view["standing"], view["unit"]) == ("open", "running", "江浦街道城管中队")
    for step in ("签收", "处置完成", "核查通过", "结案"):
        room.unit_says(lamp.ticket, step)
    assert current(room, lamp.ticket, "closed")["status"] == "closed"


def test_each_unit_sees_what_is_its_own(room: Room) -> None:
    theft = room.alarm(BJLX="100500")
    told = room.on("assignments", theft.ticket, lambda rows: len(rows) >= 2)
    assert {(row["unit"], row["role"]) for row in told} >= {("江浦街道派出所", "lead"), ("刑警大队", "copy")}


def test_what_nobody_signs_for_is_not_forgotten(room: Room) -> None:
    call = room.alarm(BJLX="100500")
    room.pass_time(minutes=2)
    room.wait_for(call.ticket, "limit.passed")
    told = room.on("reminders", call.ticket, lambda rows: any(row["what"] == "passed" for row in rows))
    passed = next(row for row in told if row["what"] == "passed")
    assert "江浦街道派出所" in json.dumps(passed, ensure_ascii=False)


def test_an_operator_can_urge(room: Room) -> None:
    lamp = room.patrol(category_code="0602")
    assert room.unit_says(lamp.ticket, "催办", note="领导过问").fate == "applied"
    room.on("reminders", lamp.ticket, lambda rows: any(row["what"] == "reminded" for row in rows))


def test_the_figures_the_board_and_the_account_agree(room: Room) -> None:
    answer = room.centre.ask("audit", "--json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert json.loads(answer.stdout)["ok"] is True
