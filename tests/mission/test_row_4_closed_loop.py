"""处置反馈: signed, contacted, handled, checked, called back, closed, rated; each step answered to whoever reported."""

import pytest

from tests.chaos.verify import millis
from tests.mission.room import Room

pytestmark = [pytest.mark.connected, pytest.mark.timeout(180)]

HOUR = 3_600_000


def test_a_lamp_from_report_to_rating(room: Room) -> None:
    lamp = room.citizen(type="street_lamp", content="路灯不亮")
    for hours, step, said in [
        (1, "签收", {}),
        (2, "先行联系", {}),
        (20, "处置完成", {"evidence": "https://photos.example/1.jpg", "note": "已更换灯泡"}),
        (3, "核查通过", {}),
        (1, "回访", {}),
        (0, "结案", {}),
        (5, "评价", {"score": "5"}),
    ]:
        room.pass_time(hours=hours)
        assert room.unit_says(lamp.ticket, step, **said).fate == "applied", step
    words = [word for word in room.types(lamp.ticket) if word.startswith("ticket.")]
    assert words == [f"ticket.{w}" for w in (
        "opened", "dispatched", "signed", "contacted", "handled", "verified", "called-back", "closed", "rated",
    )]  # fmt: skip
    ((_, handled),) = room.wait_for(lamp.ticket, "ticket.handled")
    assert handled["evidence"] == ["https://photos.example/1.jpg"]
    assert 20 * HOUR <= handled["spent"] < 21 * HOUR

    told = room.on("replies", lamp.ticket, lambda replies: any(one["what"] == "rated" for one in replies))
    answers = [one["what"] for one in told if one["source_id"] == told[0]["source_id"]]
    for expected in ("registered", "dispatched", "signed", "contacted", "handled", "verified", "closed", "rated"):
        assert expected in answers
    assert {one["source"] for one in told} >= {"citizenapp"}


def test_a_result_that_does_not_hold_goes_back_on_its_old_clock(room: Room) -> None:
    lamp = room.patrol(category_code="0602")
    room.unit_says(lamp.ticket, "签收")
    room.unit_says(lamp.ticket, "先行联系")
    ((_, contacted),) = room.wait_for(lamp.ticket, "ticket.contacted")
    due = next(d["due_at"] for d in contacted["deadlines"] if d["limit"] == "handled")
    room.unit_says(lamp.ticket, "处置完成")
    room.pass_time(hours=1)
    assert room.unit_says(lamp.ticket, "核查不通过", note="仍不亮").fate == "applied"
    ((_, reworked),) = room.wait_for(lamp.ticket, "ticket.reworked")
    assert next(d["due_at"] for d in reworked["deadlines"] if d["limit"] == "handled") == due


def test_whoever_is_not_satisfied_has_it_opened_again(room: Room) -> None:
    noise = room.citizen(type="noise")
    for step in ("签收", "处置完成", "核查通过", "结案"):
        room.unit_says(noise.ticket, step)
    assert room.unit_says(noise.ticket, "评价", score="1").fate == "applied"
    room.wait_for(noise.ticket, "ticket.reopened")
    assert room.unit_says(noise.ticket, "签收").fate == "applied", "the same unit has it again"


def test_an_officer_without_network_reports_late_and_in_the_wrong_order(room: Room) -> None:
    tree = room.patrol(category_code="0404")
    began = room.now
    room.pass_time(hours=6)
    done = room.unit_says(tree.ticket, "处置完成", at=began + 3 * HOUR)
    late = room.unit_says(tree.ticket, "签收", at=began + HOUR)
    assert (done.fate, late.fate) == ("applied", "applied")
    ((_, handled),) = room.wait_for(tree.ticket, "ticket.handled")
    ((when, recorded),) = room.wait_for(tree.ticket, "stage.recorded")
    assert "signed" in handled["inferred"], "a later stage implies the earlier"
    assert recorded["occurred_at"] == began + HOUR - (began + HOUR) % 1000
    assert millis(when["ce_time"]) >= began + 6 * HOUR, "told later than done: both are kept"


def test_what_is_asked_for_is_decided_and_a_refusal_never_stopped_the_clock(room: Room) -> None:
    dig = room.patrol(category_code="0304")
    room.unit_says(dig.ticket, "签收")
    ((_, signed),) = room.wait_for(dig.ticket, "ticket.signed")
    due = next(d["due_at"] for d in signed["deadlines"] if d["limit"] == "overall")
    assert room.unit_says(dig.ticket, "申请挂账", note="等雨季过去").fate == "applied"
    room.pass_time(hours=4)
    assert room.unit_says(dig.ticket, "申请延时", seconds="3600").fate == "refused", "one request at a time"
    assert room.unit_says(dig.ticket, "驳回挂账").fate == "applied"
    assert room.unit_says(dig.ticket, "申请延时", seconds="3600").fate == "applied"
    ((_, extended),) = room.wait_for(dig.ticket, "ticket.extended")
    assert extended["automatic"] is True, "the first extension is granted at once"
    assert extended["granted"] == HOUR
    assert next(d["due_at"] for d in extended["deadlines"] if d["limit"] == "overall") >= due + HOUR


def test_several_units_work_on_one_ticket_and_the_lead_answers_for_it(room: Room) -> None:
    tree = room.patrol(category_code="0404")
    room.unit_says(tree.ticket, "签收")
    assert room.unit_says(tree.ticket, "加派", to_unit="fire-brigade").fate == "applied"
    assert room.unit_says(tree.ticket, "到场", unit="消防救援大队").fate == "applied"
    assert room.unit_says(tree.ticket, "处置完成", unit="消防救援大队").fate == "refused"
    assert room.unit_says(tree.ticket, "处置完成", unit="江浦街道城管中队").fate == "applied"
