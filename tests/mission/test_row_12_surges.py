"""疫情, 防汛: urgent work is never behind a flood of routine work; drills are marked and stay out of the figures."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.chaos.centre import Up
from tests.chaos.kafka import Place
from tests.mission import sources
from tests.whole.live import Live

pytestmark = [pytest.mark.connected, pytest.mark.timeout(300)]

FLOOD = 8_000
"""Before each alarm so many more, all at one corner, where it costs the desk most; `make bench` has fifty thousand."""
ALARMS = 3


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A centre under the wall clock."""
    with Up(tmp_path_factory.mktemp("surge") / "data", "--workers", "1") as up:
        yield up


@pytest.fixture
def live(now: Up) -> Iterator[Live]:
    """A source and a subscriber."""
    made = Live(now.bootstrap, now.run["prefix"])
    yield made
    made.close()


def alarm(live: Live, number: str, drill: bool = False, topic: str = "intake.urgent", **chosen: str) -> Place:
    """A call to 110."""
    headers = {"lianqin-source": b"police110"} | ({"lianqin-drill": b"true"} if drill else {})
    at = int(time.time() * 1000)
    return live.send(topic, sources.alarm(at, number, **{"BJLX": "500600", **chosen}), headers)


def test_a_drill_is_worked_on_like_any_other_and_counts_nowhere(now: Up, live: Live) -> None:
    before = json.loads(now.ask("report", "--json").stdout)
    number = f"drill-{time.time_ns()}"
    (real,) = live.settled(alarm(live, f"real-{number}", BJDH="13800001111", topic="intake.police"))
    (played,) = live.settled(alarm(live, number, drill=True, BJDH="13800001111", topic="intake.police"))
    assert played.ticket != real.ticket, "a drill meets drills only"
    facts = live.facts(played.ticket)
    assert {headers.get("ce_lianqindrill") for headers, _ in facts} == {"true"}
    assert any(headers["ce_type"] == "lianqin.ticket.dispatched.v1" for headers, _ in facts)
    assert "ce_lianqindrill" not in live.facts(real.ticket)[0][0]
    assert now.ask("audit").returncode == 0
    after = json.loads(now.ask("report", "--json").stdout)
    assert after["tickets"] - before["tickets"] == 1, "the real one alone"


def test_an_emergency_is_dispatched_while_a_flood_of_routine_reports_waits(live: Live) -> None:
    passed = 0
    for number in range(3 * ALARMS):
        at = int(time.time() * 1000)
        flood = [sources.citizen(at, f"flood-{number}-{one}", type="flooding", phone="") for one in range(FLOOD)]
        live.send_all("intake.citizen", flood, {"lianqin-source": b"citizenapp"})
        (became,) = live.settled(alarm(live, f"sos-{number}", ZDDWXZB="", ZDDWYZB=""))
        assert became.fate == "ticketed"
        assert "lianqin.ticket.dispatched.v1" in {headers["ce_type"] for headers, _ in live.facts(became.ticket)}
        done = sum(one.fate != "" for place, one in live.became.items() if place[0].endswith("intake.citizen"))
        # Where this process had to wait and the flood was over before the alarm, it proves nothing: once more.
        passed += done < FLOOD * (number + 1)
        if passed == ALARMS:
            return
    pytest.fail(f"only {passed} alarms of {3 * ALARMS} came before the flood was over")
