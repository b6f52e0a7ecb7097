"""Start and end child processes that never outlive this one."""

import queue
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import cache
from pathlib import Path

_LAST_BYTES = 8192


def spawn(argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start `argv` with both outputs appended to `log`; the kernel kills it when this process ends.

    May be called from any thread. Raises OSError when the program or the log cannot be opened.
    """
    command = [*_tied_to_parent(), *argv]
    return _Spawner.get().call(lambda: _popen(command, log, env))


def stop(child: subprocess.Popen[bytes], *, within_s: float) -> int:
    """SIGTERM, and SIGKILL to that very pid when it has not gone after `within_s`. Blocks."""
    if child.poll() is None:
        child.terminate()
    try:
        return child.wait(within_s)
    except subprocess.TimeoutExpired:
        return kill(child)


def kill(child: subprocess.Popen[bytes]) -> int:
    """SIGKILL to that very pid. Blocks until it is gone; a frozen child goes too."""
    if child.poll() is None:
        child.send_signal(signal.SIGKILL)
    return child.wait()


def last_line(log: Path, *, where: Callable[[str], bool] = bool) -> str:
    """The last line of a log that is not blank and satisfies `where`, or an empty text."""
    return next((line.strip() for line in reversed(last_lines(log)) if line.strip() and where(line)), "")


def last_lines(log: Path) -> list[str]:
    """The end of a log; the first of them may be cut. None where it cannot be read."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _LAST_BYTES))
            return file.read().decode(errors="replace").splitlines()
    except OSError:
        return []


@cache
def _tied_to_parent() -> tuple[str, ...]:
    # setpriv execs the program, so the pid stays the same. A preexec_fn would do it without a
    # helper, but runs Python between fork and exec: not safe beside librdkafka's or chDB's threads.
    # Where there is no setpriv (outside Linux), children live on if we are killed with -9.
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()


def _popen(command: Sequence[str], log: Path, env: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own command lines, never a shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            # Ctrl-C in a terminal is for the parent, which then stops its children in order.
            start_new_session=True,
        )


class _Spawner:
    """One thread that lives as long as the process and starts all children.

    The kernel ties a child's life to the *thread* that started it; an executor's thread that ends
    would take a healthy broker with it.
    """

    _instance: "_Spawner | None" = None
    _guard = threading.Lock()

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[tuple[Callable[[], subprocess.Popen[bytes]], Future[subprocess.Popen[bytes]]]] = (
            queue.SimpleQueue()
        )
        threading.Thread(target=self._run, name="spawner", daemon=True).start()

    @classmethod
    def get(cls) -> "_Spawner":
        with cls._guard:
            if cls._instance is None:
                cls._instance = cls()
            return cls._instance

    def call(self, job: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        answer: Future[subprocess.Popen[bytes]] = Future()
        self._jobs.put((job, answer))
        return answer.result()

    def _run(self) -> None:
        while True:
            job, answer = self._jobs.get()
            try:
                answer.set_result(job())
            except Exception as error:  # noqa: BLE001 - handed to the caller, who asked for it
                answer.set_exception(error)
