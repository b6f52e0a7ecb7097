"""Past data: fed, interrupted, fed on after a restart; the figures are the files' own."""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agents.packs import load_sources
from tests.chaos.centre import PROGRAM, Up, lianqin
from tests.whole.boston import Boston, BostonFile

pytestmark = [pytest.mark.connected, pytest.mark.timeout(180)]

BROKEN = (
    b"X1,Other,2011-01-03T09:00:00+00:00,,open,42.31,-71.08,0",  # a field too few
    b"X2,Other,2011-01-03T09:00:00+00:00,,open,north,-71.08,0,",  # no number
    b",Other,2011-01-03T09:00:00+00:00,,open,42.31,-71.08,0,",  # no id
    b"X4,\xff,2011-01-03T09:00:00+00:00,,open,42.31,-71.08,0,",  # not UTF-8
)
PLACELESS = (
    b"P1,Other,2011-01-03T09:00:00+00:00,,open,,,0,",  # no coordinates
    b"P2,Other,2011-01-03T09:00:00+00:00,,open,40.71,-74.00,0,",  # another city
    b"P3,Flying Saucer,2011-01-03T09:00:00+00:00,,open,42.31,-71.08,0,",  # a category of its own
)


def feed(up: Up, file: BostonFile, *more: str) -> subprocess.CompletedProcess[str]:
    return up.ask("feed", "boston311", str(file.path), *more)


def report(up: Up) -> dict[str, Any]:
    answer = up.ask("report", "--json")
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def assert_counted(up: Up, files: list[BostonFile]) -> dict[str, Any]:
    """The report tells the files' own numbers."""
    figures = report(up)
    assert figures["reports"] == sum(file.reports for file in files)
    assert figures["closed"] == sum(file.closings for file in files)
    assert figures["dead_letters"] == sum(file.broken for file in files)
    assert figures["tickets"] == figures["fates"]["ticketed"]
    return figures


def assert_whole(up: Up, files: list[BostonFile]) -> None:
    """So does the audit."""
    answer = up.ask("audit", "--json")
    account = json.loads(answer.stdout)
    assert answer.returncode == 0
    assert account["ok"] is True
    assert (account["missing"], account["twice"]) == ([], [])
    (counted,) = (counts for name, counts in account["sources"].items() if name == "boston311")
    assert counted["received"] == sum(file.reports + file.closings + file.broken for file in files)
    assert counted["settled"] == counted["received"] - counted["dead_letters"]


def test_an_unseen_file_is_told_by_its_own_numbers(history: Up, boston: Boston) -> None:
    file = boston.file(400, broken=BROKEN, placeless=PLACELESS)
    fed = feed(history, file)
    assert fed.returncode == 0, fed.stderr
    assert_whole(history, [file])
    figures = assert_counted(history, [file])
    # Urgent ones (every 4th, from the 2nd) that stay open (every 3rd) have 52 h; the log ends 54 h 45 min after row 0.
    assert figures["overdue_now"] == len(range(6, 166, 12))
    assert figures["hours_to_close"]["p50"] == pytest.approx(48 + 7 / 60, abs=0.01)
    assert figures["by_area"]["elsewhere"]["tickets"] == len(PLACELESS) - 1  # what it is has no say in where it lies
    assert figures["flags"] == {"no-place": 1, "outside": 1, "unknown-category": 1}


def test_what_was_fed_is_not_fed_again(history: Up, boston: Boston) -> None:
    again = feed(history, boston.written[-1])
    assert again.returncode == 0
    assert "are in the log already" in again.stderr
    assert "(0 sent by this run)" in again.stdout


def test_an_interrupted_feed_goes_on_where_it_stopped(history: Up, boston: Boston) -> None:
    file = boston.file(900)
    command = [str(PROGRAM), "feed", "boston311", str(file.path), "--speed", "9000", "--data-dir", str(history.folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as first:
        assert first.stderr is not None
        while "sent: " not in first.stderr.readline():
            pass
        first.send_signal(signal.SIGINT)
        said = first.stderr.read()
    assert first.returncode == 130
    assert "the same command goes on where this one stopped" in said
    on = feed(history, file)
    assert on.returncode == 0
    assert "records are in the log: going on after them" in on.stderr
    assert_counted(history, boston.written)


def test_a_restart_on_the_same_folder_goes_on(history: Up, boston: Boston) -> None:
    feed(history, boston.file(50), "--no-wait")
    history.stop()
    other = lianqin("up", "--clock", "wall", "--data-dir", str(history.folder))
    assert (other.returncode, other.stderr.count("\n")) == (2, 1)
    assert "this log runs on the log clock" in other.stderr
    history.start()
    history.wait_ready()
    feed(history, boston.file(70))
    assert_counted(history, boston.written)
    assert_whole(history, boston.written)


def test_a_file_older_than_the_log_is_refused(history: Up, boston: Boston) -> None:
    late, boston.day = boston.day, boston.day.replace(year=2009)
    refused = feed(history, boston.file(5))
    boston.day = late
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "history goes in the order of its time" in refused.stderr


def test_feedback_for_a_report_that_never_comes_ends_its_feed(history: Up, tmp_path: Path) -> None:
    # Log time stands still behind the file, so nothing ends its wait.
    file = tmp_path / "handlers.csv"
    row: dict[str, str | None] = dict.fromkeys(load_sources("pukou")["handlers"].columns)
    row |= {"source": "police110", "source_id": "nobody", "area": "320111005", "at": "2031-01-01T09:00:00+08:00"}
    lines = [row | {"action": "签收"}, row | {"action": "到场"}, row | {"action": "no such action"}]
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    for sent in (3, 0):
        fed = history.ask("feed", "handlers", str(file))
        assert fed.returncode == 0, fed.stderr
        assert "2 of these records wait for their reports: " in fed.stderr
        assert "still running?" not in fed.stderr
        assert f"but for 2 records held until their reports come ({sent} sent by this run)" in fed.stdout
