"""What would come of a file, told without a centre."""

from pathlib import Path

import orjson
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

import deploy
from agents.cli.feed import feed
from agents.feeding.dry_run import DryRun
from agents.feeding.errors import FeedRefused
from agents.feeding.showing import show
from agents.feeding.trying import installed, try_file
from agents.packs import SHIPPED, folder_of
from tests.intake.kit import BOSTON_LINE

SAMPLE = Path(deploy.__file__).parent / "samples/boston311.csv.gz"
HEADER = b"service_request_id,service_name,requested_datetime,closed_datetime,status,lat,long,is_duplicate,duplicate_of"


def command() -> typer.Typer:
    app = typer.Typer()
    app.command()(feed)
    return app


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two good rows of one id, one out of place, two that are none."""
    path = tmp_path / "boston.csv"
    far = BOSTON_LINE.replace(b"101000001849", b"2").replace(b"42.32137", b"34.0")
    path.write_bytes(b"\n".join([HEADER, BOSTON_LINE, b"", b"broken", BOSTON_LINE, far, far.replace(b"34.0", b"x")]))
    return path


def test_everything_that_would_come_out_is_counted(file: Path) -> None:
    made = try_file("pukou", "boston311", file, show=1).made
    assert made.records == 5
    assert dict(made.commands) == {"report": 3, "closed": 3}
    assert {reason: [line for line, _ in lines] for reason, lines in made.dead.items()} == {
        "broken": [4],
        "wrong-type": [7],
    }
    assert dict(made.flags) == {"outside": 1}
    assert dict(made.areas) == {"872a30641ffffff": 2, "elsewhere": 1}
    assert dict(made.categories) == {"abandoned-vehicle": 3}
    assert made.ids_again == 1
    [(line, first)] = made.first
    assert (line, first["source_id"], first["origin"]["topic"]) == (2, "101000001849", "intake.history")


def test_feedback_is_counted_by_its_action(tmp_path: Path) -> None:
    path = tmp_path / "done.json"
    said = [{"ticket": "320111004.a", "action": word, "at": "2025-06-02T08:00:00Z"} for word in ("签收", "签收", "?")]
    path.write_bytes(b"\n".join(map(orjson.dumps, said)))
    made = try_file("pukou", "handlers", path, show=0).made
    assert (dict(made.commands), dict(made.actions)) == ({"feedback": 2}, {"signed": 2})
    assert made.dead == {"wrong-type": [(3, "action is none of the actions that the mapping names")]}
    assert made.first == []


def test_the_command_needs_no_centre(file: Path, tmp_path: Path) -> None:
    nothing = ["--data-dir", str(tmp_path / "nothing")]
    ran = CliRunner().invoke(command(), ["boston311", str(file), "--dry-run", "--json", *nothing])
    assert ran.exit_code == 0, ran.output
    told = orjson.loads(ran.stdout)
    assert told["commands"] == {"report": 3, "closed": 3}
    assert told["dead_letters"]["broken"] == {
        "count": 1,
        "first": [{"line": 4, "hint": "the line has 1 fields, the mapping 9 columns"}],
    }
    assert not (tmp_path / "nothing").exists()
    shown = CliRunner().invoke(command(), ["boston311", str(file), "--dry-run", "--first", "1", *nothing])
    assert "5 records would become 3 reports, 3 closings, and 2 dead letters. Nothing was" in shown.stdout
    assert "line 7: lat is not a number" in shown.stdout
    assert shown.stdout.count("abandoned-vehicle") == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["only-one"],
        ["boston311", "file", "more"],
        ["boston311", "file", "--mapping", "x.yaml"],
        ["boston311", "file", "--json"],
    ],
)
def test_what_does_not_fit_together_is_told(arguments: list[str]) -> None:
    ran = CliRunner().invoke(command(), arguments)
    assert ran.exit_code == 2


def test_a_mapping_file_that_workers_do_not_read_is_not_fed(tmp_path: Path) -> None:
    assert installed(SHIPPED / "sources/boston311.yaml", "pukou") == "boston311"
    assert installed(folder_of("pukou") / "sources/gridapp.yaml", "pukou") == "gridapp"
    with pytest.raises(FeedRefused, match=r"copy it there, start the workers anew, and feed by its name"):
        installed(tmp_path / "mine.yaml", "pukou")


def test_what_is_shown_is_no_markup() -> None:
    made = DryRun(
        records=1, dead={"broken": [(1, "[red]x")]}, first=[(1, {"source_id": "[b]", "text": "[电话]\n[/b]"})]
    )
    made.areas["[x]"] = 1
    console = Console(record=True, width=100, force_terminal=False)
    show(made, console)
    text = console.export_text()
    assert "line 1: [red]x" in text
    assert "text: [电话] [/b]" in text
    assert "[x]" in text


def test_a_sample_of_a_city_goes_through_whole() -> None:
    made = try_file("pukou", "boston311", SAMPLE, show=0).made
    assert made.records == made.commands["report"] == 22_000
    assert made.dead == {}
