"""What a user can put right is one clear line and an exit code, never a traceback; and nothing is left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from agents.local.broker import LocalBroker
from tests.chaos.centre import Up, lianqin
from tests.conftest import left_behind

pytestmark = [pytest.mark.connected, pytest.mark.timeout(120)]

NOBODY: Final = "127.0.0.1:9"


def refused(*arguments: str, env: Mapping[str, str] | None = None, code: int = 2) -> str:
    """The one line of a command that refuses."""
    answer = lianqin(*arguments, env={**os.environ, **(env or {})}, timeout_s=100)
    assert answer.returncode == code, answer
    (line,) = answer.stderr.splitlines()
    assert line.startswith("lianqin: ")
    assert "Traceback" not in answer.stdout
    return line


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


# A worker's is no refusal: a supervisor goes on starting it until the broker is there.
@pytest.mark.parametrize(("command", "code"), [(("up",), 2), (("worker",), 70), (("topics", "--create"), 2)])
def test_no_broker(command: tuple[str, ...], code: int, tmp_path: Path) -> None:
    env = {"LIANQIN_KAFKA__BOOTSTRAP": NOBODY, "LIANQIN_PRIVACY_KEY": "k" * 32}
    line = refused(*command, "--data-dir", str(tmp_path), env=env, code=code)
    assert "no broker answers" in line
    assert "LIANQIN_KAFKA__BOOTSTRAP" in line


@pytest.mark.parametrize("command", [("feed", "rehearsal", "/dev/null"), ("topics", "--create")])
def test_nothing_runs_on_the_folder(command: tuple[str, ...], tmp_path: Path) -> None:
    assert f"start `lianqin up --data-dir {tmp_path}` first" in refused(*command, "--data-dir", str(tmp_path))


@pytest.mark.parametrize("command", ["report", "audit"])
def test_nothing_was_ever_written(command: str, tmp_path: Path) -> None:
    assert f"start `lianqin up --data-dir {tmp_path}`" in refused(command, "--data-dir", str(tmp_path))


@pytest.mark.parametrize("command", [("up",), ("feed", "rehearsal", "/dev/null"), ("report",), ("audit",)])
def test_a_folder_that_cannot_be_written(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    line = refused(*command, "--data-dir", str(tmp_path / "file" / "data"))
    assert "cannot be written" in line
    assert "--data-dir" in line


@pytest.mark.parametrize(
    ("dsn", "told"),
    [
        pytest.param("clickhouse.example:8123", "is not of the form http(s)://", id="no DSN"),
        pytest.param(f"http://{NOBODY}/lianqin", "does not answer", id="nobody there"),
    ],
)
@pytest.mark.parametrize("command", [("up",), ("report",)])
def test_a_wrong_dsn(command: tuple[str, ...], dsn: str, told: str, tmp_path: Path) -> None:
    line = refused(*command, "--data-dir", str(tmp_path), env={"LIANQIN_LEDGER__DSN": dsn})
    assert told in line
    assert "LIANQIN_LEDGER__DSN" in line


def test_a_worker_whose_metrics_port_is_taken(broker: LocalBroker, taken: int, tmp_path: Path) -> None:
    env = {
        "LIANQIN_KAFKA__BOOTSTRAP": broker.bootstrap,
        "LIANQIN_KAFKA__PREFIX": "port-taken.",
        "LIANQIN_METRICS__PORT": str(taken),
        "LIANQIN_PRIVACY_KEY": "k" * 32,
    }
    assert lianqin("topics", "--create", env={**os.environ, **env}).returncode == 0
    line = refused("worker", "--data-dir", str(tmp_path), env=env)
    assert str(taken) in line
    assert "LIANQIN_METRICS__PORT" in line


def test_a_worker_without_key_or_topics(broker: LocalBroker, tmp_path: Path) -> None:
    env = {"LIANQIN_KAFKA__BOOTSTRAP": broker.bootstrap, "LIANQIN_KAFKA__PREFIX": "nowhere."}
    line = refused("worker", "--data-dir", str(tmp_path), env=env)
    assert "no privacy key" in line
    assert "LIANQIN_PRIVACY_KEY" in line
    line = refused("worker", "--data-dir", str(tmp_path), env={**env, "LIANQIN_PRIVACY_KEY": "k" * 32})
    assert "has no topic nowhere.desk" in line
    assert "lianqin topics --create" in line


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(("up", "--district", "atlantis"), "take one of pukou", id="district"),
        pytest.param(("worker", "--stages", "kitchen"), "no stage is called 'kitchen'", id="stage"),
    ],
)
def test_a_name_that_is_not_known(arguments: tuple[str, ...], told: str, tmp_path: Path) -> None:
    assert told in refused(*arguments, "--data-dir", str(tmp_path))


def test_up_has_the_folder_to_itself_and_ctrl_c_leaves_no_process_and_no_port(tmp_path: Path) -> None:
    before = set(left_behind())
    with Up(tmp_path / "data", "--workers", "1") as up:
        assert f"in use by process {up.process.pid}" in refused("up", "--data-dir", str(up.folder))
        run = up.run
        ports = [run["bootstrap"], run["ledger"]["url"], *run["metrics"].values()]
        assert len(set(left_behind()) - before) >= 4
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(40) == 0
    assert "Traceback" not in up.said()
    assert set(left_behind()) <= before
    for port in (int(address.removeprefix("http://").split("/")[0].rpartition(":")[2]) for address in ports):
        with socket.socket() as knock:
            assert knock.connect_ex(("127.0.0.1", port)) != 0


def test_a_demonstration_that_is_stopped_leaves_nothing_running(tmp_path: Path) -> None:
    before = set(left_behind())
    command = [sys.executable, "-m", "agents.local.demo", "--data-dir", str(tmp_path / "demo")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as demo:
        assert demo.stdout is not None
        while "Feeding" not in demo.stdout.readline():
            assert demo.poll() is None
        time.sleep(1)
        demo.send_signal(signal.SIGTERM)
        said = demo.stdout.read()
    assert demo.returncode == 130
    assert said.rstrip().endswith("stopped")
    assert "Traceback" not in said
    assert set(left_behind()) <= before


def test_the_demonstration_spares_a_folder_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    command = [sys.executable, "-m", "agents.local.demo", "--data-dir", str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "choose another with --data-dir" in answer.stdout
    assert (tmp_path / "thesis.txt").exists()
