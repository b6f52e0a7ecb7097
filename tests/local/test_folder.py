"""The data folder: made, checked, locked; its run file."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from agents.local.errors import FolderError
from agents.local.folder import DataFolder, LedgerAccess, RunFile

LEDGER = LedgerAccess(url="http://127.0.0.1:8123", user="lianqin", password="abc")  # noqa: S106 - opens nothing


def run_file(up_pid: int) -> RunFile:
    return RunFile(
        bootstrap="127.0.0.1:9092",
        prefix="lianqin.",
        district="boston",
        clock="log",
        up_pid=up_pid,
        metrics={"worker-1": "http://127.0.0.1:9101/metrics"},
        ledger=LEDGER,
    )


def test_folder_and_its_parts_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "deep" / "data")
    for part in (folder.kafka, folder.chdb, folder.faust, folder.logs, folder.keys, folder.report):
        assert stat.S_IMODE(part.stat().st_mode) == 0o700
    assert list(DataFolder(folder.root).root.glob("tmp*")) == []


def test_folder_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    # Root may write anywhere, but not below a file.
    (tmp_path / "file").touch()
    with pytest.raises(FolderError, match=r"cannot be written \(Not a directory\).* --data-dir") as refusal:
        DataFolder(tmp_path / "file" / "data")
    assert "\n" not in str(refusal.value)


def test_second_holder_is_refused_with_the_first_ones_pid(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path), DataFolder(tmp_path)
    with (
        first.lock(),
        pytest.raises(FolderError, match=rf"in use by process {os.getpid()}: .*--data-dir"),
        second.lock(),
    ):
        pass
    with second.lock():
        pass


def test_lock_ends_with_its_process(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys; from agents.local.folder import DataFolder\n"
        "with DataFolder(pathlib.Path(sys.argv[1])).lock(): os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", program, tmp_path], check=False).returncode == 9
    with DataFolder(tmp_path).lock():
        pass


def test_run_file_is_read_back_and_private(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    assert folder.read_run() is None
    folder.write_run(run_file(os.getpid()))
    assert folder.read_run() == run_file(os.getpid())
    assert stat.S_IMODE((tmp_path / "run.json").stat().st_mode) == 0o600
    assert list(tmp_path.glob(".run-*")) == []
    folder.remove_run()
    assert folder.read_run() is None


def test_run_file_of_a_dead_process_is_stale(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    folder.write_run(run_file(ended.pid))
    ended.wait()
    assert folder.read_run() is None


def test_run_file_of_an_earlier_process_with_this_pid_is_stale(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.write_run(run_file(os.getpid()))
    file = tmp_path / "run.json"
    written = json.loads(file.read_text())
    file.write_text(json.dumps({**written, "began_ticks": written["began_ticks"] - 1}))
    assert folder.read_run() is None


def test_run_file_of_another_version_says_what_to_do(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    (tmp_path / "run.json").write_text('{"run": {}}')
    with pytest.raises(FolderError, match="delete it and start `lianqin up` again"):
        folder.read_run()
