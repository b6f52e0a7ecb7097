"""A surge comes and goes, and a pack changes, while the centre runs on a district in a folder of its own."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.packs import SHIPPED, load_policy
from schemas.codes import Clock
from tests.chaos.centre import Up
from tests.whole.live import Live

pytestmark = [pytest.mark.connected, pytest.mark.timeout(300)]

PLAIN, FLOOD = load_policy("pukou", Clock.WALL).version, load_policy("pukou", Clock.WALL, surge="flood").version


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped district, where it can be edited."""
    folder = tmp_path_factory.mktemp("districts") / "pukou"
    shutil.copytree(SHIPPED / "districts/pukou", folder)
    return folder


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory, district: Path) -> Iterator[Up]:
    """A centre of its own: its rules change."""
    with Up(tmp_path_factory.mktemp("surge") / "data", "--workers", "1", "--district", str(district)) as up:
        yield up


def flooded(centre: Up, number: int) -> dict[str, Any]:
    """What a new report of a flooded road opens."""
    report = {
        "id": f"F-{number}",
        "created_at": int(time.time() * 1000),
        "user_id": f"user-{number}",
        "phone": "",
        "nickname": "",
        "type": "flooding",
        "content": "路面积水",
        "address": "江浦街道",
        "location": {"lat": 32.05, "lon": 118.62},
    }
    live = Live(centre.bootstrap, centre.run["prefix"])
    headers = {"lianqin-source": b"citizenapp"}
    (became,) = live.settled(live.send("intake.citizen", json.dumps(report).encode(), headers))
    (_, opened), *_ = live.facts(became.ticket)
    live.close()
    return opened


def test_a_surge_is_switched_on_and_holds_from_there(centre: Up) -> None:
    before = flooded(centre, 1)
    assert (before["policy"], before["urgency"], before["unit"]) == (PLAIN, "urgent", "区水务局")
    published = centre.ask("policy", "publish", "--surge", "flood")
    assert (published.returncode, published.stderr) == (0, "")
    assert published.stdout == f"policy {FLOOD} of pukou with surge flood is in force on all 4 partitions\n"
    after = flooded(centre, 2)
    assert (after["policy"], after["urgency"], after["unit"]) == (FLOOD, "critical", "江浦街道防汛抢险队")


def test_what_runs_takes_the_new_rules(centre: Up) -> None:
    live = Live(centre.bootstrap, centre.run["prefix"])
    live.read()
    changed = [data["policy"] for headers, data in live.events if headers["ce_type"] == "lianqin.limits.changed.v1"]
    live.close()
    assert changed == [FLOOD]


def test_what_is_published_is_compared_with_the_pack(centre: Up) -> None:
    compared = centre.ask("policy", "diff", "live", "pukou")
    assert compared.returncode == 1
    assert "surge: - flood\n" in compared.stdout
    assert centre.ask("policy", "diff", "live", "pukou+flood").returncode == 0


def test_publishing_the_same_again_publishes_nothing(centre: Up) -> None:
    again = centre.ask("policy", "publish")
    assert (again.returncode, again.stdout.startswith("nothing to publish: ")) == (0, True)
    assert "with surge flood" in again.stdout


def test_a_surge_outlives_a_restart(centre: Up) -> None:
    centre.stop()
    centre.start()
    centre.wait_ready()
    assert f"rules: policy {FLOOD} of pukou with surge flood\n" in centre.said()
    assert flooded(centre, 3)["policy"] == FLOOD


def test_what_is_wrong_is_refused_whole(centre: Up, district: Path) -> None:
    refused = centre.ask("policy", "publish", "--surge", "storm")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "there are epidemic, flood" in refused.stderr
    both = centre.ask("policy", "publish", "--surge", "flood", "--off")
    assert (both.returncode, "contradict each other" in both.stderr) == (2, True)
    edit(district, "signed: 30 s", "signed: at once")
    refused = centre.ask("policy", "publish", "--off")
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"lianqin: {district}/limits.yaml:")
    assert "rows.1.stages.signed: a limit is a whole number and a unit" in refused.stderr
    edit(district, "signed: at once", "signed: 30 s")
    assert centre.ask("policy", "diff", "live", "pukou+flood").returncode == 0


def test_a_changed_pack_is_published_under_the_surge_that_is_on(centre: Up, district: Path) -> None:
    edit(district, "signed: 30 s", "signed: 45 s")
    compared = centre.ask("policy", "diff", "live", f"{district}+flood", "--json")
    # The rule is that of the police's side, whoever took the call: as it was, and as it is.
    rows = [one["before"] or one["after"] for one in json.loads(compared.stdout)["differences"]]
    assert [(row["side"], row["source"]) for row in rows] == [("police", None)] * 2
    published = centre.ask("policy", "publish")
    assert published.stdout.endswith("of pukou with surge flood is in force on all 4 partitions\n")
    edit(district, "signed: 45 s", "signed: 30 s")
    assert centre.ask("policy", "publish").stdout.startswith(f"policy {FLOOD} ")


def edit(district: Path, old: str, new: str) -> None:
    """Change the table of limits."""
    file = district / "limits.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_surge_is_switched_off(centre: Up) -> None:
    off = centre.ask("policy", "publish", "--off")
    assert off.stdout == f"policy {PLAIN} of pukou is in force on all 4 partitions\n"
    opened = flooded(centre, 4)
    assert (opened["policy"], opened["unit"]) == (PLAIN, "区水务局")
    centre.stop()
    centre.start()
    centre.wait_ready()
    assert f"rules: policy {PLAIN} of pukou\n" in centre.said()


def test_the_account_is_whole_all_the_same(centre: Up) -> None:
    assert json.loads(centre.ask("audit", "--json").stdout)["ok"] is True
