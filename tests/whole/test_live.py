"""Live data: bad input is told apart and stops nothing, deadlines fire by themselves, one clock is kept to."""

import json
import time
from pathlib import Path

import pytest

from tests.chaos.centre import Up
from tests.chaos.policy import shorten
from tests.chaos.verify import millis
from tests.whole.boston import Boston
from tests.whole.live import REHEARSAL, Live, line

pytestmark = [pytest.mark.connected, pytest.mark.timeout(180)]

UNREADABLE = [
    pytest.param(b"one,two,three", REHEARSAL, "broken", id="a broken line"),
    pytest.param(line(lat="north"), REHEARSAL, "wrong-type", id="a wrong type"),
    pytest.param(line(id=""), REHEARSAL, "missing-field", id="a missing field"),
    pytest.param(line(text="?").replace(b"?", b"\xff"), REHEARSAL, "not-utf8", id="invalid UTF-8"),
    pytest.param(line(), REHEARSAL | {"lianqin-version": b"9"}, "unknown-version", id="an unknown version"),
    pytest.param(line(), {}, "unknown-source", id="no source"),
]


@pytest.mark.parametrize(("value", "headers", "reason"), UNREADABLE)
def test_what_cannot_be_read_is_one_dead_letter_and_the_next_goes_on(
    live: Live, value: bytes, headers: dict[str, bytes], reason: str
) -> None:
    bad, good = live.send("intake.citizen", value, headers), live.send("intake.citizen", line())
    became, following = live.settled(bad, good)
    assert (became.dead, became.letter, became.fate) == (reason, value, "")
    assert (following.fate, following.dead) == ("ticketed", "")


@pytest.mark.parametrize("topic", ["intake.police", "intake.urgent"])
def test_an_unreadable_emergency_opens_a_bare_ticket_as_well(live: Live, topic: str) -> None:
    (became,) = live.settled(live.send(topic, b"somebody calls for help"), bare=True)
    assert became.dead in {"broken", "unknown-source"}
    assert (became.fate, became.flags, became.area) == ("ticketed", ("unreadable",), "elsewhere")
    (opened, *_) = live.facts(became.ticket)
    assert opened[1]["urgency"] == "critical"


@pytest.mark.parametrize(
    ("chosen", "flag"),
    [
        pytest.param({"lat": "", "lon": ""}, "no-place", id="no coordinates"),
        pytest.param({"lat": "99.0"}, "outside", id="outside"),
        pytest.param({"category": "flying-saucer"}, "unknown-category", id="unknown category"),
    ],
)
def test_what_cannot_be_placed_or_named_is_a_flagged_ticket_of_somebody(
    live: Live, chosen: dict[str, str], flag: str
) -> None:
    (became,) = live.settled(live.send("intake.citizen", line(**chosen)))
    assert (became.fate, became.flags, became.dead) == ("ticketed", (flag,), "")
    assert (became.area == "elsewhere") is (flag != "unknown-category")
    (opened, *_) = live.facts(became.ticket)
    # A unit of each street would be none.
    assert opened[1]["unit"] == "区合成服务中心值班席"


def test_a_record_too_large_is_refused_at_the_door_and_the_next_goes_on(live: Live) -> None:
    with pytest.raises(ConnectionError, match="size too large"):
        live.send("intake.citizen", line(text="长" * 400_000))
    (became,) = live.settled(live.send("intake.citizen", line()))
    assert became.fate == "ticketed"


def test_feed_refuses_a_line_too_large_and_sends_nothing(now: Up, tmp_path: Path) -> None:
    file = tmp_path / "large.csv"
    header = b"id,time,category,lat,lon,reporter_name,reporter_phone,object,text,closed_at,label,label_of"
    file.write_bytes(b"\n".join([header, line(), line(text="x" * 1_100_000)]))
    refused = now.ask("feed", "rehearsal", str(file))
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "line 3" in refused.stderr
    assert "nothing was sent" in refused.stderr


def test_past_data_is_refused_under_the_wall_clock(now: Up, boston: Boston) -> None:
    refused = now.ask("feed", "boston311", str(boston.file(3).path))
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "start `lianqin up --clock log` with another --data-dir" in refused.stderr


def test_a_source_that_is_not_known_is_refused(now: Up, boston: Boston) -> None:
    refused = now.ask("feed", "atlantis", str(boston.file(3).path))
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "no source is called 'atlantis': take one of boston311, citizenapp, " in refused.stderr


def test_a_live_file_is_fed_and_its_closings_count(now: Up, tmp_path: Path) -> None:
    before = json.loads(now.ask("report", "--json").stdout)
    file = tmp_path / "live.csv"
    header = b"id,time,category,lat,lon,reporter_name,reporter_phone,object,text,closed_at,label,label_of"
    rows = [line(), line(closed_at="2026-03-02T09:00:00"), line(closed_at="2026-03-02T10:00:00")]
    file.write_bytes(b"\n".join([header, *rows]))
    fed = now.ask("feed", "rehearsal", str(file))
    assert fed.returncode == 0, fed.stderr
    after = json.loads(now.ask("report", "--json").stdout)
    assert after["reports"] - before["reports"] == 3
    assert after["closed"] - before["closed"] == 2


def test_deadlines_fire_by_themselves_once_and_on_time(live: Live) -> None:
    # Nothing else comes in: the ticks alone carry time on.
    shorten(live.bootstrap, live.prefix, critical={"overall": 3, "signed": 2})
    (became,) = live.settled(live.send("intake.citizen", line(category="fire")))
    until = time.monotonic() + 40
    while len(steps(live, became.ticket)) < 10:
        assert time.monotonic() < until
        live.read()
        time.sleep(0.1)
    time.sleep(1)
    live.read()
    # The ladder: 80, 100, 150, 200 and 300 % of 2 and of 3 seconds.
    assert steps(live, became.ticket) == [
        (1600, "warned", "signed"),
        (2000, "passed", "signed"),
        (2400, "warned", "overall"),
        (3000, "passed", "overall"),
        (3000, "yellow", "signed"),
        (4000, "red", "signed"),
        (4500, "yellow", "overall"),
        (6000, "red", "overall"),
        (6000, "escalated", "signed"),
        (9000, "escalated", "overall"),
    ]


def steps(live: Live, ticket: str) -> list[tuple[int, str, str]]:
    """How many milliseconds after the opening each step of which limit fired."""
    (opened, _), *facts = live.facts(ticket)
    ran = [(headers, data) for headers, data in facts if "limit" in headers["ce_type"]]
    return [
        (millis(headers["ce_time"]) - millis(opened["ce_time"]), data.get("card") or step_of(headers), data["limit"])
        for headers, data in ran
    ]


def step_of(headers: dict[str, str]) -> str:
    """`lianqin.limit.warned.v1` → `warned`."""
    return headers["ce_type"].split(".")[2]


def test_the_account_of_all_that_is_whole(now: Up) -> None:
    answer = now.ask("audit", "--json")
    assert json.loads(answer.stdout)["ok"] is True
    assert answer.returncode == 0
