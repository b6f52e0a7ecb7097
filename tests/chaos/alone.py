"""Workers of one stage each, beside those of `up`: so that each stage can be struck alone. Their clocks jump."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.chaos.centre import STOPPED_WITHIN_S

STAGES: Final = ("intake", "desk", "views")
"""Of which several processes may run beside one another; the embedded ClickHouse belongs to one ledger."""
PAUSE_S: Final = 0.2
REFUSED: Final = 2


class Alone:
    """A worker for each stage, named by it, started again whenever it ends. A context: leaving it stops them."""

    def __init__(self, folder: Path, env: Mapping[str, str], stages: Sequence[str] = STAGES) -> None:
        self._folder = folder
        self._env = {**os.environ, **env}
        self._leaving = threading.Event()
        self._living: dict[str, subprocess.Popen[bytes]] = {}
        # The kernel ties a child to the thread that started it: one thread for each, as long as it is wanted.
        self._keepers = [threading.Thread(target=self._keep, args=(stage,), name=f"keep-{stage}") for stage in stages]
        self.refused: list[str] = []
        """Those that ended with the code that asks for a person; none of what is done here calls for one."""

    def __enter__(self) -> Self:
        for keeper in self._keepers:
            keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        for process in list(self._living.values()):
            process.terminate()
        for keeper in self._keepers:
            keeper.join(2 * STOPPED_WITHIN_S)

    def pid(self, name: str) -> int | None:
        """The worker's process, `None` between two lives."""
        process = self._living.get(name)
        return process.pid if process is not None and process.poll() is None else None

    @property
    def pids(self) -> dict[str, int]:
        """All that live, by name."""
        return {name: pid for name in list(self._living) if (pid := self.pid(name)) is not None}

    def _keep(self, stage: str) -> None:
        while not self._leaving.is_set():
            code = self._life(stage)
            if code == REFUSED and not self._leaving.is_set():
                self.refused.append(stage)
            self._leaving.wait(PAUSE_S)

    def _life(self, stage: str) -> int:
        command = [
            sys.executable,
            "-m",
            "tests.chaos.wrong_clock",
            "worker",
            "--data-dir",
            str(self._folder),
            "--stages",
            stage,
            "--name",
            stage,
        ]
        with (self._folder / "logs" / f"{stage}.log").open("ab") as log:
            process = self._living[stage] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._env,
            )
        if self._leaving.is_set():
            process.terminate()
        try:
            while True:
                try:
                    return process.wait(STOPPED_WITHIN_S)
                except subprocess.TimeoutExpired:
                    if self._leaving.is_set():
                        process.kill()
        finally:
            process.kill()
            process.wait()
