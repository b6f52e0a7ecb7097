"""A rate from the times at which things came out, and what it cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.cpu import CpuWatch

_WARM: Final = 0.10
"""Share of the outputs that is left out at the beginning: processes warm up, owners open one after the other."""
_TAIL: Final = 0.05
"""And at the end, where some partitions are done before others."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` in steady state; `whole_per_second` from the first output to the last."""

    count: int
    seconds: float
    per_second: float
    whole_per_second: float
    cpu_seconds_per_million: dict[str, float]
    """By process, in steady state."""
    per_cpu_second: float
    """Of all processes together: what a core does, whoever else was busy on the machine."""


def rate_of(times_ms: Sequence[int], watch: CpuWatch, outputs_of_one: float = 1.0) -> Rate:
    """The rate of inputs from the times of the outputs, where one input has so many of them."""
    times = sorted(times_ms)
    first, last = int(len(times) * _WARM), int(len(times) * (1 - _TAIL)) - 1
    begin_s, end_s = times[first] / 1000, times[last] / 1000
    count = (last - first) / outputs_of_one
    used = watch.used(begin_s, end_s)
    return Rate(
        count=round(len(times) / outputs_of_one),
        seconds=round((times[-1] - times[0]) / 1000, 2),
        per_second=count / (end_s - begin_s),
        whole_per_second=len(times) / outputs_of_one / max(0.001, (times[-1] - times[0]) / 1000),
        cpu_seconds_per_million={name: cpu / count * 1e6 for name, cpu in used.items()},
        per_cpu_second=count / max(0.01, sum(used.values())),
    )
