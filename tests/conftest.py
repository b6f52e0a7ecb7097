"""What all tests share: the outside is blocked, one real broker on request, and no process is left."""

import os
import signal
import socket
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler.loadscope import LoadScopeScheduling

from agents.local.broker import LocalBroker

# How long an example takes says something of the machine, and nothing of the code.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

TOGETHER = ("mission", "security")
"""Packages whose modules share a centre or a broker: one process runs them, where several run the tests."""

_MARK = "LIANQIN_TEST_RUN"
_LEFT: list[str] = []
"""Processes that the tests left."""


class Blocked:
    """Stands in for a call that leaves the process; remembers it even when its error is swallowed."""

    def __init__(self, reason: str) -> None:
        self._reason = reason
        self._calls: list[object] = []

    def __call__(self, *arguments: object) -> NoReturn:
        """Refuse, and keep what was asked for."""
        self._calls.append(arguments)
        raise AssertionError(self._reason)

    def fail_if_called(self) -> None:
        """Fail the test that tried."""
        if self._calls:
            pytest.fail(f"{self._reason}: {self._calls}")


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep a test off the network unless it is marked `connected`; C clients go round this."""
    if request.node.get_closest_marker("connected") is not None:
        yield
        return
    blocked = Blocked("network used without @pytest.mark.connected")
    monkeypatch.setattr(socket.socket, "connect", blocked)
    monkeypatch.setattr(socket.socket, "connect_ex", blocked)
    yield
    blocked.fail_if_called()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """One running broker for the whole run: tests make topics of their own names and leave it running."""
    with LocalBroker(tmp_path_factory.mktemp("broker") / "kafka") as running:
        yield running


def pytest_configure(config: pytest.Config) -> None:
    """Mark this run's environment, which every process that it starts inherits."""
    os.environ[_MARK] = uuid.uuid4().hex


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Keeps a module's tests in one process, and those of some packages."""

    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.partition("::")[0])
        return str(file.parent if file.parent.name in TOGETHER else file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile | None:
    """With `--dist loadfile`."""
    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Where several processes run the tests: hear from each what it was left with."""
    _LEFT.extend(getattr(node, "workeroutput", {}).get(_MARK, ()))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that leaves a process behind, and end that process."""
    if not session.config.getoption("numprocesses", None):
        _LEFT.extend(_end(pid) for pid in left_behind())
    if _LEFT:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output[_MARK] = _LEFT
    else:
        sys.stderr.write("".join(f"\nleft behind by the tests: {process}\n" for process in _LEFT))


def _end(pid: int) -> str:
    """Kill a process; its id and command."""
    command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return f"{pid} {command[:200]}"


def left_behind() -> list[int]:
    """Living processes that carry this run's mark, but for this one and those that it runs under."""
    mark = f"{_MARK}={os.environ[_MARK]}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            # A zombie's environment reads as empty: it holds nothing any more.
            if int(folder.name) != os.getpid() and mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found
