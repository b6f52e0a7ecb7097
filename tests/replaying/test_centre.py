"""A simulated day through a running centre, and then: replayed, asked what if, begun in the middle, explained."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.packs import SHIPPED
from tests.chaos.centre import Up, lianqin

pytestmark = [pytest.mark.connected, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A centre after a simulated day, and after a surge was switched on."""
    with Up(tmp_path_factory.mktemp("replay") / "data", "--clock", "log", "--workers", "1") as running:
        assert told(running.ask("simulate", "--json"))["ok"] is True
        published = running.ask("policy", "publish", "--surge", "flood")
        assert published.returncode == 0, published.stderr
        yield running


def told(answer: subprocess.CompletedProcess[str], code: int = 0) -> dict[str, Any]:
    """What a command says as JSON."""
    assert answer.returncode == code, answer.stdout + answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


@pytest.fixture(scope="module")
def log(up: Up, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same log in a file."""
    file = str(tmp_path_factory.mktemp("exported") / "day.log")
    assert up.ask("replay", "--export", file).returncode == 0
    return file


def test_while_the_centre_runs_its_log_replays_to_the_same_bytes(up: Up, tmp_path: Path) -> None:
    replayed = told(up.ask("replay", "--json"))
    events = replayed["events"]
    assert (replayed["ok"], events["different"], events["gone"], events["pending"]) == (True, 0, 0, 0)
    assert events["equal"] == events["replayed"] > 10_000
    assert replayed["records"] > 6_000
    state = str(tmp_path / "day.state")
    assert up.ask("snapshot", state).returncode == 0
    assert told(up.ask("replay", "--from", state, "--json"))["records"] == 0, "all is in the snapshot"


def test_from_a_snapshot_in_the_middle_the_rest_is_the_same(log: str, tmp_path: Path) -> None:
    noon = str(tmp_path / "noon.state")
    assert lianqin("snapshot", noon, "--log", log, "--until", "2025-06-02T12:00+08:00").returncode == 0
    rest = told(lianqin("replay", "--log", log, "--from", noon, "--json"))
    assert rest["events"]["different"] == 0
    assert rest["events"]["equal"] > 1_000
    assert rest["records"] < 6_000
    spoil(Path(noon))
    refused = lianqin("replay", "--log", log, "--from", noon)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "is damaged" in refused.stderr


def test_under_another_limit_it_would_have_been_different_and_why(up: Up, log: str, tmp_path: Path) -> None:
    ours = shutil.copytree(SHIPPED / "districts" / "pukou", tmp_path / "ours")
    limits = ours / "limits.yaml"
    limits.write_text(limits.read_text().replace("overall: 10 wd", "overall: 1 wd"))
    page = tmp_path / "what-if.html"
    other = told(lianqin("replay", "--log", log, "--policy", f"{ours}/", "--html", str(page), "--json"), code=1)
    figures = other["all_tickets"]
    assert figures["other"]["on_time_rate"] < figures["log"]["on_time_rate"]
    assert figures["other"]["fates"] == figures["log"]["fates"], "limits alone make no other tickets"
    assert all(one["log"] == one["other"] for one in other["feedback"]["outcomes"])
    assert "<svg" in page.read_text()
    late = next(one["ticket"] for one in other["named"] if "on time yes → no" in one["how"])
    story = told(up.ask("explain", late, "--json"))
    assert story == told(lianqin("explain", late, "--log", log, "--json"))
    opened = story["events"][0]
    why = next(one["why"] for one in opened["limits"] if one["limit"] == "overall")
    assert (opened["type"], why["written"], why["is_so"]) == ("lianqin.ticket.opened.v1", "10 wd", True)
    assert {day["kind"] for day in why["days"]} >= {"weekday", "weekend"}
    assert up.ask("explain", "320111001.0000000000000000").returncode == 2


def spoil(file: Path) -> None:
    """One bit of it is another one."""
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 1
    file.write_bytes(whole)
