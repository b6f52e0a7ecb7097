"""`lianqin up` as a user runs it: a process of its own, found through its output, its run file and /proc."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

PROGRAM: Final = Path(sys.executable).parent / "lianqin"
READY_WITHIN_S: Final = 120.0
STOPPED_WITHIN_S: Final = 60.0


class NotReady(Exception):
    """`up` ended, or was not ready in time; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where ClickHouse answers."""

    host: str
    port: int
    user: str
    password: str


class Up:
    """One `lianqin up`. A context: leaving it stops it, and kills it where it does not go."""

    def __init__(self, folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.log = folder.with_name(f"{folder.name}.log")
        self._arguments = arguments
        self.env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it; `wait_ready` waits for its line."""
        command = [str(PROGRAM), "up", "--data-dir", str(self.folder), *self._arguments]
        # Tied to this process: `up` ends with it, and what `up` started ends with `up`.
        tied = ["setpriv", "--pdeathsig", "KILL", "--", *command]
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                tied, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=self.env
            )

    def wait_ready(self) -> None:
        """Return once it says that it is ready; `NotReady` where it ends before."""
        until = time.monotonic() + READY_WITHIN_S
        while "lianqin ready" not in self.said():
            if self.process.poll() is not None or time.monotonic() > until:
                raise NotReady(self.said())
            time.sleep(0.05)

    def stop(self) -> int:
        """SIGTERM, and SIGKILL where it does not go; its exit code."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def said(self) -> str:
        """What it wrote so far."""
        return self.log.read_text(errors="replace")

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """Its process."""
        assert self._process is not None, "not started"
        return self._process

    @property
    def run(self) -> dict[str, Any]:
        """Its run file."""
        found: dict[str, Any] = json.loads((self.folder / "run.json").read_text())["run"]
        return found

    @property
    def bootstrap(self) -> str:
        """The broker's address."""
        return str(self.run["bootstrap"])

    @property
    def ledger(self) -> Ledger:
        """Where ClickHouse answers."""
        if dsn := self.env.get("LIANQIN_LEDGER__DSN"):
            server = urlsplit(dsn)
            return Ledger(str(server.hostname), server.port or 0, str(server.username), str(server.password))
        found = self.run["ledger"]
        host, _, port = found["url"].removeprefix("http://").rpartition(":")
        return Ledger(host, int(port), found["user"], found["password"])

    def child(self, name: str) -> int | None:
        """The pid of the worker of that name, or of the `broker`; `None` between two lives."""
        return self.children.get(name)

    @property
    def children(self) -> dict[str, int]:
        """All that live now, by name."""
        return named_children(self.process.pid)

    def ask(self, *arguments: str, timeout_s: float = 300.0) -> subprocess.CompletedProcess[str]:
        """Run another command on the same folder."""
        return lianqin(*arguments, "--data-dir", str(self.folder), env=self.env, timeout_s=timeout_s)


def lianqin(
    *arguments: str, env: Mapping[str, str] | None = None, timeout_s: float = 300.0
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [str(PROGRAM), *arguments], env=env, capture_output=True, text=True, timeout=timeout_s, check=False
    )


def children_of(pid: int) -> dict[int, Sequence[str]]:
    """The living children of a process, and their command lines."""
    found: dict[int, Sequence[str]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found[int(folder.name)] = (folder / "cmdline").read_text().split("\0")
    return found


def named_children(up: int) -> dict[str, int]:
    """The children of an `up`: workers by the name they were given, and the broker."""
    return {name: pid for pid, command in children_of(up).items() if (name := _name(command)) is not None}


def _name(command: Sequence[str]) -> str | None:
    if "--name" in command:
        return command[command.index("--name") + 1]
    return "broker" if "kafka.Kafka" in command else None


def send_signal(pid: int, number: signal.Signals) -> bool:
    """Whether the process was there to get it."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
