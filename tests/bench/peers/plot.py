"""The peers' figures as bars: throughput, CPU, memory, delay."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agents.reporting.plots import GRID, INK, REPORTS, SOFT
from tests.bench.paced import Delay
from tests.bench.peers.figures import OURS, Figures

_STYLE: Final[Any] = {
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": SOFT,
    "xtick.bottom": False,
    "xtick.labelbottom": False,
    "ytick.left": False,
}
_WIDTH: Final = 10.6
_ROW: Final = 2.05
"""Inches."""
_DPI: Final = 150


def draw(all_figures: Sequence[Figures], file: Path) -> None:
    """Write a PNG with one small plot a figure, lianqin on top of each."""
    panels: dict[str, Callable[[Figures], float]] = {
        "records a second": lambda one: one.best.per_second,
        "CPU seconds a million, without the broker": lambda one: one.cpu[0],
        "peak memory, MB": lambda one: one.best.measured.peak_mb,
        "broker's CPU seconds a million": lambda one: one.cpu[1],
    }
    for at in sorted(all_figures[0].delays):
        panels |= {
            f"delay at {at:,}/s, median, ms": _delay(at, lambda delay: delay.p50_ms),
            f"delay at {at:,}/s, 99th percentile, ms": _delay(at, lambda delay: delay.p99_ms),
        }
    with rc_context(_STYLE):
        rows = len(panels) // 2
        figure = Figure(figsize=(_WIDTH, _ROW * rows), layout="constrained")
        axes = figure.subplots(rows, 2, sharey=True)
        for one, (title, value) in zip(axes.flat, panels.items(), strict=True):
            _bars(one, title, all_figures, [value(each) for each in all_figures])
        figure.savefig(file, dpi=_DPI)


def _delay(per_second: int, part: Callable[[Delay], float]) -> Callable[[Figures], float]:
    return lambda one: part(one.delays[per_second])


def _bars(axes: Axes, title: str, all_figures: Sequence[Figures], values: Sequence[float]) -> None:
    colours = [REPORTS if one.name == OURS else SOFT for one in all_figures]
    bars = axes.barh([one.title for one in all_figures], values, color=colours, height=0.6)
    axes.bar_label(bars, [f"{value:,.1f}" if value < 100 else f"{value:,.0f}" for value in values], padding=4)
    axes.set_title(title)
    axes.margins(x=0.15)
    if not axes.yaxis_inverted():
        axes.invert_yaxis()
