"""Look after child processes: start them, start them again when they end, stop them in order."""

import asyncio
import logging
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from agents.local import children
from agents.local.errors import ChildGaveUp

_log = logging.getLogger(__name__)
_LOOK_EVERY_S: Final = 0.05
REFUSED: Final = 2
"""The exit code of a process that will not run as it is configured; another start would not help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """A process to be kept running. `env` is added to our own environment."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """How long to wait before a child that ended is started again, and when to stop trying."""

    first_pause_s: float = 0.2
    longest_pause_s: float = 5.0
    settled_after_s: float = 10.0
    refusals: int = 3
    stop_within_s: float = 15.0

    def pause_s(self, short_lives: int) -> float:
        """The pause after so many lives in a row that ended before they settled; it doubles each time."""
        # Beyond some doublings it is the longest anyway; after a thousand of them it would be no float any more.
        return min(self.longest_pause_s, self.first_pause_s * 2.0 ** min(max(0, short_lives - 1), 64))

    def gives_up(self, refusals_in_a_row: int) -> bool:
        """True when a child has refused often enough to believe it."""
        return refusals_in_a_row >= self.refusals


@dataclass(slots=True)
class _Child:
    spec: ChildSpec
    log: Path
    process: subprocess.Popen[bytes]
    began_at: float
    restarts: int = 0
    short_lives: int = 0
    refusals: int = 0
    task: "asyncio.Task[None] | None" = None


class Supervisor:
    """Keeps named children running in one event loop; each child's words go to `logs/NAME.log`.

    Crash only: whatever a child's end was, it is started again after a short, growing pause, except
    one that refuses its configuration (exit code 2) several times in a row: then `watch` raises.
    As an async context manager it stops all children on the way out.
    """

    def __init__(self, logs: Path, policy: RestartPolicy | None = None) -> None:
        self._logs = logs
        self._policy = policy or RestartPolicy()
        self._children: dict[str, _Child] = {}
        self._gave_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop_all()

    def start(self, spec: ChildSpec) -> None:
        """Start a child and keep it running until it is stopped. A name is used once at a time."""
        if spec.name in self._children:
            msg = f"a process named {spec.name} is being looked after already"
            raise ValueError(msg)
        log = self._logs / f"{spec.name}.log"
        child = _Child(spec, log, _spawn(spec, log), time.monotonic())
        self._children[spec.name] = child
        child.task = asyncio.create_task(self._keep_running(child), name=f"keep {spec.name} running")

    def pid(self, name: str) -> int | None:
        """The child's process id now, or None between two lives."""
        process = self._children[name].process
        return process.pid if process.poll() is None else None

    def restarts(self, name: str) -> int:
        """How often the child was started again."""
        return self._children[name].restarts

    async def watch(self) -> None:
        """Never return; raise ChildGaveUp when a child refuses for good. Others go on until stopped."""
        await asyncio.shield(self._gave_up)

    async def stop(self, name: str) -> None:
        """SIGTERM, some seconds of patience, SIGKILL; then the name is free again."""
        child = self._children[name]
        if child.task is not None:
            child.task.cancel()
            await asyncio.gather(child.task, return_exceptions=True)
        await _end(child.process, within_s=self._policy.stop_within_s)
        del self._children[name]

    async def stop_all(self) -> None:
        """Stop every child, the one that was started last first."""
        for name in reversed(list(self._children)):
            await self.stop(name)
        # Nobody may be watching any more; that is no error worth a warning at exit.
        self._gave_up.cancel()

    async def _keep_running(self, child: _Child) -> None:
        try:
            await self._run_again_and_again(child)
        except Exception as error:  # noqa: BLE001 - given to who watches
            if not self._gave_up.done():
                self._gave_up.set_exception(error)

    async def _run_again_and_again(self, child: _Child) -> None:
        while True:
            self._take_note(child, await _ended(child.process))
            if self._policy.gives_up(child.refusals):
                said = children.last_line(child.log)
                raise ChildGaveUp(child.spec.name, last_line=said, log=str(child.log))
            await self._start_again(child)

    async def _start_again(self, child: _Child) -> None:
        while True:
            await asyncio.sleep(self._policy.pause_s(child.short_lives))
            try:
                child.process, child.began_at = _spawn(child.spec, child.log), time.monotonic()
            except OSError as error:
                # No memory, no process number, no room for a log: the others run, and this may pass.
                child.short_lives += 1
                _log.warning("%s could not be started again: %s", child.spec.name, error)
            else:
                child.restarts += 1
                return

    def _take_note(self, child: _Child, code: int) -> None:
        lived_s = time.monotonic() - child.began_at
        settled = lived_s >= self._policy.settled_after_s
        child.short_lives = 1 if settled else child.short_lives + 1
        child.refusals = child.refusals + 1 if code == REFUSED and not settled else 0
        _log.warning("%s ended after %.1f s with %s", child.spec.name, lived_s, _in_words(code))


def _spawn(spec: ChildSpec, log: Path) -> subprocess.Popen[bytes]:
    return children.spawn(spec.argv, log=log, env={**os.environ, **spec.env})


async def _ended(process: subprocess.Popen[bytes]) -> int:
    # Looking is cheaper than it seems (one waitpid), works on every event loop, and steals no
    # thread from the executor, which has few on two cores.
    while (code := process.poll()) is None:  # noqa: ASYNC110 - nobody would set an event
        await asyncio.sleep(_LOOK_EVERY_S)
    return code


async def _end(process: subprocess.Popen[bytes], *, within_s: float) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        await asyncio.wait_for(_ended(process), within_s)
    except TimeoutError:
        children.kill(process)


def _in_words(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
