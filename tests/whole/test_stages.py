"""Stages in processes of their own, started by hand on a broker of somebody's own: how a district scales out."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from agents.local import children
from agents.local.broker import LocalBroker
from agents.local.probe import free_port
from tests.chaos.centre import PROGRAM, Up, lianqin
from tests.whole.live import Live, line

pytestmark = [pytest.mark.connected, pytest.mark.timeout(120)]

PREFIX = "scaled."


@pytest.fixture(scope="module")
def env(broker: LocalBroker, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What all processes are told; `up` has run once and published the policy."""
    told = {
        "LIANQIN_KAFKA__BOOTSTRAP": broker.bootstrap,
        "LIANQIN_KAFKA__PREFIX": PREFIX,
        "LIANQIN_KAFKA__PARTITIONS": "4",
        "LIANQIN_PRIVACY_KEY": "the same on all machines",
    }
    with Up(tmp_path_factory.mktemp("once") / "data", "--workers", "1", env=told) as up:
        assert up.bootstrap == broker.bootstrap
        assert "broker" not in {file.stem for file in (up.folder / "logs").iterdir()}, "no broker of its own"
    return {**os.environ, **told}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("machine")


@pytest.fixture(scope="module")
def workers(env: dict[str, str], machine: Path) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """One process a stage, the desk's twice, none of them started by `up`."""
    with ExitStack() as stack:
        started = {}
        for name in ("intake", "desk", "desk-too", "views", "ledger"):
            stages = name.removesuffix("-too")
            command = [str(PROGRAM), "worker", "--stages", stages, "--name", name, "--data-dir", str(machine)]
            own = {**env, "LIANQIN_METRICS__PORT": str(free_port())}
            started[name] = children.spawn(command, log=machine / f"{name}.log", env=own)
            stack.callback(children.stop, started[name], within_s=20)
        yield started


def test_separate_stages_do_the_whole_job(workers: dict[str, subprocess.Popen[bytes]], env: dict[str, str]) -> None:
    live = Live(env["LIANQIN_KAFKA__BOOTSTRAP"], PREFIX)
    places = [live.send("intake.citizen", line(lat=f"{32 + number / 100:.5f}")) for number in range(40)]
    assert {became.fate for became in live.settled(*places)} == {"ticketed"}
    os.kill(workers["desk"].pid, signal.SIGKILL)
    more = [live.send("intake.urgent", line(lat=f"{32 + number / 100:.5f}")) for number in range(40)]
    assert {became.fate for became in live.settled(*more)} == {"ticketed"}
    live.close()


def test_workers_end_on_sigterm_and_the_account_is_whole(
    workers: dict[str, subprocess.Popen[bytes]], env: dict[str, str], machine: Path
) -> None:
    time.sleep(3)  # what the ledger has not written yet
    codes = {name: children.stop(worker, within_s=20) for name, worker in workers.items() if worker.poll() is None}
    assert codes == {"intake": 0, "desk-too": 0, "views": 0, "ledger": 0}
    answer = lianqin("audit", "--json", "--data-dir", str(machine), env=env)
    assert json.loads(answer.stdout)["ok"] is True, answer.stdout
    found = lianqin("report", "--json", "--data-dir", str(machine), env=env)
    assert json.loads(found.stdout)["reports"] == 80
