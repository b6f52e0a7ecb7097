"""`lianqin policy check` and `diff`, without a broker: what a user sees, and the exit code."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agents.cli.main import program
from agents.errors import UserError
from agents.packs import load_policy
from schemas.codes import Clock

PUKOU = "districts/pukou"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(program(), ["policy", *arguments], catch_exceptions=False)


def spoil(root: Path, file: str, old: str, new: str) -> Path:
    path = root / PUKOU / file
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    return path


def test_a_whole_pack_is_summed_up() -> None:
    result = run("check")
    assert result.exit_code == 0
    for word in (
        "浦口区合成服务中心",
        load_policy("pukou", Clock.WALL).version,
        "467",
        "[epidemic, flood]",
        "case-solved",
    ):
        assert word in result.output


def test_the_summary_is_for_programs_too() -> None:
    found = json.loads(run("check", "--surge", "flood", "--json").stdout)
    assert (found["ok"], found["errors"], found["warnings"]) == (True, [], [])
    assert (found["surge"], found["areas"], found["grids"]) == ("flood", 15, 467)
    assert found["version"] == load_policy("pukou", Clock.WALL, surge="flood").version
    assert found["units"]["active"] == found["units"]["all"] - 2


def test_a_pack_in_a_folder_of_its_own_is_checked(root: Path) -> None:
    assert run("check", "--district", str(root / PUKOU)).exit_code == 0
    path = spoil(root, "limits.yaml", "signed: 30 s", "signed: 30 sec")
    result = run("check", "--district", f"{root / PUKOU}")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"{path}:")
    assert "rows.1.stages.signed: a limit is a whole number and a unit" in result.stderr


def test_what_is_wrong_is_for_programs_too(root: Path) -> None:
    spoil(root, "units.yaml", "{area}派出所", "{street}派出所")
    spoil(root, "district.yaml", "unit: duty-desk", "unit: nobody")
    result = run("check", "--district", str(root / PUKOU), "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["ok"], len(found["errors"])) == (1, False, 2)


def test_a_warning_does_not_stop_it(root: Path) -> None:
    spoil(root, "units.yaml", "name: 区教育局,", "name: 区教育局, active: false,")
    result = run("check", "--district", str(root / PUKOU))
    assert result.exit_code == 0
    assert "warning: " in result.output
    assert "is not active, and no surge switches it on" in result.output


def test_an_unknown_surge_is_told() -> None:
    result = run("check", "--surge", "storm")
    assert result.exit_code == 1
    assert "there are epidemic, flood" in result.stderr


def test_a_mapping_is_checked_against_the_district(root: Path) -> None:
    own = root / "sources/boston311.yaml"
    assert run("check", "--mapping", str(own)).exit_code == 0
    own.write_text(own.read_text(encoding="utf-8").replace("Other: general", "Other: misc"), encoding="utf-8")
    result = run("check", "--mapping", str(own))
    assert result.exit_code == 1
    assert "report.category.known.Other: 'misc' is not in the categories of district pukou" in result.stderr


def test_two_sets_of_rules_are_compared() -> None:
    same = run("diff", "pukou", "pukou")
    assert (same.exit_code, same.stdout.startswith("0 differences")) == (0, True)
    result = run("diff", "pukou", "pukou+flood")
    assert result.exit_code == 1
    assert "categories.waterlogging.urgency: urgent → critical\n" in result.stdout
    assert "units.flood-team.active: false → true\n" in result.stdout
    assert "routes.5: + {category: waterlogging, units: [flood-team, grid-strike-team]," in result.stdout


def test_a_folder_is_compared_for_programs(root: Path) -> None:
    spoil(root, "district.yaml", "score: 2", "score: 1")
    result = run("diff", "pukou", str(root / PUKOU), "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["differences"]) == (1, [{"field": "reopen_score", "before": 2, "after": 1}])


@pytest.mark.parametrize("command", [["diff"], ["diff", "live", "pukou"], ["publish"]])
def test_without_a_centre_there_is_nothing_live(command: list[str], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing runs on"):
        run(*command, "--data-dir", str(tmp_path / "data"))


def test_a_name_of_a_pack_does_not_move_the_cursor_and_stays_in_its_line(root: Path) -> None:
    harmful = '"\\x1b[2J\\u202eover\\nthere"'
    spoil(root, "district.yaml", "title: 浦口区合成服务中心", f"title: {harmful}")
    spoil(root, "units.yaml", "name: 区合成服务中心值班席", f"name: {harmful}")
    checked, differing = run("check", "--district", str(root / PUKOU)), run("diff", "pukou", f"{root / PUKOU}")
    assert (checked.exit_code, differing.exit_code) == (0, 1)
    for one in (checked, differing):
        assert not {"\x1b", "\u202e"} & set(one.stdout)
    (line,) = [line for line in differing.stdout.splitlines() if "over" in line]
    assert line.startswith("units.duty-desk.name: 区合成服务中心值班席 → ")
    assert line.endswith('there"')
