"""The supervisor: children are started again, given up, stopped in order, and never outlive their parent."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.local import children
from agents.local.errors import ChildGaveUp
from agents.local.processes import ChildSpec, RestartPolicy, Supervisor

QUICK = RestartPolicy(first_pause_s=0.01, longest_pause_s=0.05, stop_within_s=1.0)
SLEEPS = "print('sleeping', flush=True); import time; time.sleep(60)"
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""
TELLS_ITS_END = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(os.write(1, b"%d\\n" % time.monotonic_ns()) and None))
os.write(1, b"up\\n")  # at once, with its end: a signal may come in the middle of a print
time.sleep(60)
"""


def python(name: str, program: str, **env: str) -> ChildSpec:
    return ChildSpec(name=name, argv=[sys.executable, "-c", program], env=env)


def last_number(logs: Path, name: str) -> int:
    return int(children.last_line(logs / f"{name}.log"))


def alive(pid: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not what():  # noqa: ASYNC110 - other processes set no events
            await asyncio.sleep(0.01)


async def test_killed_child_is_started_again(tmp_path: Path) -> None:
    async with Supervisor(tmp_path, QUICK) as supervisor:
        supervisor.start(python("worker", SLEEPS))
        first = supervisor.pid("worker")
        assert first
        os.kill(first, signal.SIGKILL)
        await until(lambda: supervisor.restarts("worker") == 1)
        second = supervisor.pid("worker")
        assert second
        assert second != first
    assert not alive(first)
    assert not alive(second)


async def test_child_that_ends_in_peace_is_started_again_too(tmp_path: Path) -> None:
    async with Supervisor(tmp_path, QUICK) as supervisor:
        supervisor.start(python("worker", "print('done')"))
        await until(lambda: supervisor.restarts("worker") >= 4)
    assert (tmp_path / "worker.log").read_text().count("done") >= 4


async def test_child_that_refuses_its_configuration_is_given_up_with_its_last_line(tmp_path: Path) -> None:
    async with Supervisor(tmp_path, QUICK) as supervisor:
        supervisor.start(python("broker", SLEEPS))
        supervisor.start(python("worker", "print('reading'); print('the clock is wrong'); raise SystemExit(2)"))
        with pytest.raises(ChildGaveUp, match="worker refuses to start: the clock is wrong") as refusal:
            await asyncio.wait_for(supervisor.watch(), 20)
        assert refusal.value.name == "worker"
        assert supervisor.restarts("worker") == 2
        assert supervisor.pid("worker") is None
        assert supervisor.pid("broker"), "the others go on until they are stopped"


async def test_child_that_no_process_can_be_made_for_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawn, tries = children.spawn, iter(["first", *[None] * 5])

    def short_of_memory(argv: list[str], *, log: Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
        if next(tries, "later") is None:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return spawn(argv, log=log, env=env)

    monkeypatch.setattr(children, "spawn", short_of_memory)
    async with Supervisor(tmp_path, QUICK) as supervisor:
        supervisor.start(python("worker", "raise SystemExit(2)"))
        # What ended once has refused once, however often it was tried in vain since.
        with pytest.raises(ChildGaveUp):
            await asyncio.wait_for(supervisor.watch(), 20)
        assert supervisor.restarts("worker") == 2


async def test_program_that_is_missing_is_reported_at_once(tmp_path: Path) -> None:
    async with Supervisor(tmp_path, QUICK) as supervisor:
        supervisor.start(ChildSpec(name="worker", argv=["/nowhere/program"]))
        await until(lambda: "No such file" in (tmp_path / "worker.log").read_text())


async def test_children_are_stopped_last_started_first(tmp_path: Path) -> None:
    async with Supervisor(tmp_path, QUICK) as supervisor:
        for name in ("broker", "worker", "ledger"):
            supervisor.start(python(name, TELLS_ITS_END))
        await until(lambda: [log.read_text() for log in tmp_path.glob("*.log")] == ["up\n"] * 3)
    assert sorted(("broker", "worker", "ledger"), key=lambda name: last_number(tmp_path, name)) == [
        "ledger",
        "worker",
        "broker",
    ]


async def test_deaf_child_is_killed_after_a_while(tmp_path: Path) -> None:
    async with Supervisor(tmp_path, QUICK) as supervisor:
        supervisor.start(python("worker", DEAF))
        await until(lambda: "deaf" in (tmp_path / "worker.log").read_text())
        pid = supervisor.pid("worker")
        assert pid
    assert not alive(pid)


async def test_frozen_child_is_killed_after_a_while(tmp_path: Path) -> None:
    async with Supervisor(tmp_path, QUICK) as supervisor:
        supervisor.start(python("worker", SLEEPS))
        pid = supervisor.pid("worker")
        assert pid
        os.kill(pid, signal.SIGSTOP)
    assert not alive(pid)


async def test_stopped_child_stays_stopped_and_its_name_is_free(tmp_path: Path) -> None:
    async with Supervisor(tmp_path, QUICK) as supervisor:
        supervisor.start(python("worker", SLEEPS))
        with pytest.raises(ValueError, match="named worker"):
            supervisor.start(python("worker", SLEEPS))
        await supervisor.stop("worker")
        supervisor.start(python("worker", SLEEPS))
        assert supervisor.pid("worker")


async def test_child_gets_its_environment_on_top_of_ours(tmp_path: Path) -> None:
    async with Supervisor(tmp_path, QUICK) as supervisor:
        supervisor.start(
            python("worker", f"import os; print(os.environ['SEAT'], 'PATH' in os.environ); {SLEEPS}", SEAT="7")
        )
        await until(lambda: "7 True" in (tmp_path / "worker.log").read_text())


def test_pause_grows_and_stays_short() -> None:
    policy = RestartPolicy()
    assert [policy.pause_s(lives) for lives in (1, 2, 3, 4, 5, 6, 20)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    # 1,030 lives and 5 s between them are an hour and a half of a disk that is full or a ClickHouse that is away.
    assert policy.pause_s(1_030) == 5.0


def test_children_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    program = (
        "import pathlib, sys, threading, time; from agents.local import children\n"
        f"job = lambda: print(children.spawn(['sleep', '60'], log=pathlib.Path({str(log)!r})).pid, flush=True)\n"
        "threading.Thread(target=job).start()\n"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        time.sleep(0.2)  # the thread that asked for the child has ended; the child has not
        assert alive(child)
        parent.kill()
    deadline = time.monotonic() + 10
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(child)


@pytest.mark.parametrize(("text", "last"), [("", ""), ("one\n", "one"), ("one\n two \n\n", "two")])
def test_last_line_of_a_log(tmp_path: Path, text: str, last: str) -> None:
    log = tmp_path / "log"
    log.write_text(text)
    assert children.last_line(log) == last


def test_last_line_of_no_log(tmp_path: Path) -> None:
    assert children.last_line(tmp_path / "none") == ""
