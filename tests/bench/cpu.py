"""CPU seconds (user and system) of processes over time, from /proc: beside wall time they tell work from waiting."""

import os
import time
from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.watching import Watching

_EVERY_S: Final = 0.1
_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")


def seconds(pid: int) -> float:
    """What a process has used so far; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) * _TICK_S


class CpuWatch(Watching):
    """Looks at named processes ten times a second, from a thread, until it is left."""

    every_s = _EVERY_S

    def __init__(self, pids: Mapping[str, int]) -> None:
        super().__init__()
        self._pids = dict(pids)
        self._times: list[float] = []
        self._used: dict[str, list[float]] = {name: [] for name in pids}

    def used(self, begin_s: float, end_s: float) -> dict[str, float]:
        """CPU seconds of each process between two moments of the wall clock."""
        first, last = (min(bisect_left(self._times, at), len(self._times) - 1) for at in (begin_s, end_s))
        return {name: used[last] - used[first] for name, used in self._used.items()}

    def look(self) -> None:
        """Note what each has used by now."""
        self._times.append(time.time())
        for name, pid in self._pids.items():
            self._used[name].append(seconds(pid))
