"""The figures of all entrants, and what follows from them: the better runs, ratios to lianqin, the document. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from tests.bench.paced import Delay
from tests.bench.small import Measured

OURS: Final = "lianqin"
PER_SECOND: Final = 100
"""The delay at this rate is the one that is compared."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run for throughput."""

    setup: str
    measured: Measured

    @property
    def per_second(self) -> float:
        """Records done a second."""
        return self.measured.rate.per_second


@dataclass(frozen=True, slots=True)
class Paced:
    """One run for delay."""

    setup: str
    delays: Mapping[int, Delay]
    """By records a second."""


@dataclass(slots=True)
class Figures:
    """Of one entrant."""

    name: str
    title: str
    runs: list[Run] = field(default_factory=list)
    paced: list[Paced] = field(default_factory=list)

    @property
    def best(self) -> Run:
        """The run that other work on the machine disturbed least, of the better setup."""
        return max(self.runs, key=lambda run: run.per_second)

    @property
    def delays(self) -> dict[int, Delay]:
        """By records a second, at each rate those of the better setup."""
        rates = self.paced[0].delays
        return {at: min((one.delays[at] for one in self.paced), key=lambda found: found.p50_ms) for at in rates}

    @property
    def delay(self) -> Delay:
        """At the rate that is compared."""
        return self.delays[PER_SECOND]

    @property
    def cpu(self) -> tuple[float, float]:
        """CPU seconds a million records of the best run: the program's, the broker's."""
        used = self.best.measured.rate.cpu_seconds_per_million
        return sum(cost for name, cost in used.items() if name != "broker"), used.get("broker", 0.0)


def ratio(figure: float, ours: float) -> float:
    """How many times ours a figure is; infinite beside a 0."""
    return figure / ours if ours else float("inf")


def document(all_figures: Sequence[Figures], about: Mapping[str, object]) -> dict[str, object]:
    """As it stands in peers.json."""
    return {
        "throughput": {one.name: _throughput(one) for one in all_figures},
        "delay": {one.name: {"p50_ms": one.delay.p50_ms, "p99_ms": one.delay.p99_ms} for one in all_figures},
        **about,
        "delay_per_second": PER_SECOND,
        "delays": {one.name: {str(at): asdict(found) for at, found in one.delays.items()} for one in all_figures},
        "broker_cpu_seconds_per_million": {one.name: round(one.cpu[1], 2) for one in all_figures},
        "setup": {one.name: one.best.setup for one in all_figures},
        "paced": {one.name: [asdict(run) for run in one.paced] for one in all_figures},
        "runs": {one.name: [{"setup": run.setup, **asdict(run.measured)} for run in one.runs] for one in all_figures},
    }


def _throughput(one: Figures) -> dict[str, float]:
    return {
        "per_second": round(one.best.per_second, 1),
        "cpu_seconds_per_million": round(one.cpu[0], 2),
        "peak_mb": round(one.best.measured.peak_mb, 1),
    }
