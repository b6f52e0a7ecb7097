"""The guards in conftest.py do guard: a run of their own that sins, and is told so."""

import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")

REACHES_OUT = """
import socket

def test_swallows_the_refusal():
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    except BaseException:
        pass
"""

LEAVES_A_PROCESS = """
import subprocess

def test_forgets():
    subprocess.Popen(["sleep", "60"], start_new_session=True)
"""


def run(folder: Path, tests: str, *more: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(CONFTEST.read_text())
    (folder / "test_it.py").write_text(tests)
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *more]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_network_is_refused_even_when_the_error_is_swallowed(tmp_path: Path) -> None:
    result = run(tmp_path, REACHES_OUT)
    assert result.returncode == 1
    assert "network used without @pytest.mark.connected" in result.stdout


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_process_that_is_left_fails_the_run_and_is_ended(tmp_path: Path, processes: tuple[str, ...]) -> None:
    result = run(tmp_path, LEAVES_A_PROCESS, *processes)
    assert result.returncode == 1
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("left behind by the tests: ")]
    pid, command = line.removeprefix("left behind by the tests: ").split(maxsplit=1)
    assert command.startswith("sleep 60")
    status = Path(f"/proc/{pid}/status")
    assert not status.exists() or "Z (zombie)" in status.read_text()
