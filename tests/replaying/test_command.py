"""`lianqin replay`, `snapshot`, `explain` on an exported log, without a broker: what a user sees, the exit code."""

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agents.cli.main import program
from agents.errors import UserError
from agents.logs import PLAIN
from agents.replaying.archive import Stored
from agents.replaying.broker import BrokerLog
from agents.replaying.source import log_in
from schemas.codes import Action
from tests.desk.logs import HOUR, MINUTE, POLICY, Log, feedback, report
from tests.replaying.test_same import PARTITION, PREFIX, exported, facts


def run(*arguments: str) -> Result:
    return CliRunner().invoke(program(), list(arguments), catch_exceptions=False)


@pytest.fixture
def log() -> Log:
    log = Log(policy=POLICY)
    log.add(report("r1", text="路灯不亮"), 0)
    log.add(feedback(Action.SIGNED), MINUTE)
    log.add(report("r2"), 9 * HOUR)
    return log


def file_of(folder: Path, log: Log, *, spoiled: bool = False) -> str:
    """The log in a file; of a spoiled one the last fact is gone and the first says another text."""
    records = [Stored(PREFIX + "desk", PARTITION, e.offset, e.appended_at, None, e.raw, ()) for e in log.entries]
    events = facts(records, 500)
    if spoiled:
        opened = next(one for one in events if "路灯".encode() in (one.value or b""))
        changed = opened._replace(value=(opened.value or b"").replace("路灯".encode(), "井盖".encode()))
        events = [changed if one is opened else one for one in events[:-1]]
    exported(folder / "some.log", records, events)
    return str(folder / "some.log")


def test_the_same_log_is_told_to_be_the_same(log: Log, tmp_path: Path) -> None:
    result = run("replay", "--log", file_of(tmp_path, log))
    assert result.exit_code == 0
    assert f"the same: 4 records, {len(log.facts)} events equal" in result.output


def test_a_difference_is_named_without_the_words_of_people(log: Log, tmp_path: Path) -> None:
    result = run("replay", "--log", file_of(tmp_path, log, spoiled=True), "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["ok"], found["events"]["changed"], found["events"]["missing"]) == (False, 1, 1)
    changed, missing = found["partitions"][0]["differences"]
    assert (changed["type"], changed["fields"]) == ("lianqin.ticket.opened.v1", ["text differs"])
    assert (missing["what"], missing["type"]) == ("missing", "lianqin.report.settled.v1")


def test_what_if_tells_both_and_one_ticket_side_by_side(log: Log, tmp_path: Path) -> None:
    ticket = log.ticket_of("r1")
    page = tmp_path / "page.html"
    result = run(
        "replay", "--log", file_of(tmp_path, log), "--policy", "pukou", "--ticket", ticket, "--html", str(page)
    )
    assert result.exit_code == 1
    for word in ("tickets that count", "on time 按时结案率", "differs under policy pukou", ticket):
        assert word in result.output
    assert ticket in page.read_text()


def test_a_story_is_told_from_a_file_and_a_snapshot_is_written_of_it(log: Log, tmp_path: Path) -> None:
    file, ticket = file_of(tmp_path, log), log.ticket_of("r1")
    result = run("explain", ticket, "--log", file)
    assert result.exit_code == 0
    assert "row 3 of the limits table (urgency routine) says 3600 s; policy p1" in result.output
    said = json.loads(
        run("snapshot", str(tmp_path / "x.state"), "--log", file, "--until", "2023-11-15", "--json").stdout
    )
    (partition,) = said["partitions"]
    assert (partition["partition"], partition["offset"]) == (PARTITION, 2)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--ticket", "a"), "belongs to --policy"),
        (("--html", "a.html"), "belongs to --policy"),
        (("--since", "12"), "say of which partition"),
        (("--until", "soon"), "is no time"),
        (("--partition", "9"), "there is no partition 9"),
        (("--export", "b.log"), "contradict each other"),
        (("--export", "b.log", "--policy", "pukou"), "leave out --policy"),
        (("--policy", "nowhere"), "no district is called"),
        (("--from", "none.state"), "cannot be read"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    log: Log, tmp_path: Path, arguments: tuple[str, ...], why: str
) -> None:
    with pytest.raises(UserError, match=why) as refused:
        run("replay", "--log", file_of(tmp_path, log), *arguments)
    assert "\n" not in str(refused.value)


def test_a_snapshot_that_goes_beyond_the_end_is_no_beginning(log: Log, tmp_path: Path) -> None:
    file, late = file_of(tmp_path, log), str(tmp_path / "late.state")
    run("snapshot", late, "--log", file)
    for command in (("snapshot", str(tmp_path / "early.state")), ("replay",), ("replay", "--policy", "pukou")):
        with pytest.raises(UserError, match="the snapshot goes beyond --until: desk partition 3 up to offset 3"):
            run(*command, "--log", file, "--from", late, "--until", "2023-11-15")
    assert not (tmp_path / "early.state").exists()
    with pytest.raises(UserError, match="goes beyond --until"):
        run("replay", "--log", file, "--from", late, "--partition", str(PARTITION), "--until", "3")
    assert run("replay", "--log", file, "--from", late, "--until", "2023-11-16").exit_code == 0


def test_a_snapshot_is_cut_by_time_alone(log: Log, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--until '3' is no time"):
        run("snapshot", str(tmp_path / "x.state"), "--log", file_of(tmp_path, log), "--until", "3")


def test_an_export_is_told_to_programs_too(log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bounds = log_in(Path(file_of(tmp_path, log))).bounds
    empty = {PARTITION: replace(bounds[PARTITION], desk_end=0, tickets_end=0)}
    there = nullcontext(BrokerLog("127.0.0.1:9", PLAIN, PREFIX, empty))
    monkeypatch.setattr("agents.cli.replay.source_of", lambda *_: there)
    file = tmp_path / "day.log"
    told = json.loads(run("replay", "--export", str(file), "--json").stdout)
    assert told == {"file": str(file), "records": {"desk": 0, "tickets": 0}}
    assert log_in(file).bounds == empty
