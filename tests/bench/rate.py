"""A rate from the times at which things came out, and what it cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.cpu import CpuWatch

_WARM: Final = 0.30
"""Share of the outputs that is left out at the beginning: processes warm up, code is compiled, owners open."""
_TAIL: Final = 0.05
"""And at the end, where some partitions are done before others."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Of inputs, by the times of what came of them. CPU seconds are those of the same while."""

    count: int
    seconds: float
    per_second: float
    cpu_seconds_per_million: dict[str, float]
    """By process."""
    per_cpu_second: float
    """Of all processes together: what a core does, whoever else was busy on the machine."""


def steady(times_ms: Sequence[int], watch: CpuWatch, inputs: int) -> Rate:
    """The rate of a single stage once it runs: all inputs had so many outputs, at these times."""
    times = sorted(times_ms)
    first, last = int(len(times) * _WARM), int(len(times) * (1 - _TAIL)) - 1
    return between(times[first], times[last], watch, round((last - first) / len(times) * inputs))


def between(begin_ms: int, end_ms: int, watch: CpuWatch, inputs: int) -> Rate:
    """So many inputs were done between two moments."""
    seconds = max(0.001, (end_ms - begin_ms) / 1000)
    used = watch.used(begin_ms / 1000, end_ms / 1000)
    return Rate(
        count=inputs,
        seconds=round(seconds, 2),
        per_second=inputs / seconds,
        cpu_seconds_per_million={name: cpu / inputs * 1e6 for name, cpu in used.items()},
        per_cpu_second=inputs / max(0.01, sum(used.values())),
    )
