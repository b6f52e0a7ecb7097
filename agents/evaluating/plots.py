"""The curves of an evaluation, as SVG."""

from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from agents.evaluating.figures import Sweep, Tried
from agents.evaluating.terminal import window
from agents.reporting.plots import CLOSINGS, OVERDUE, REPORTS, SOFT, Size, svg

_COLOURS = (REPORTS, CLOSINGS, OVERDUE, SOFT)


def right(sweep: Sweep, size: Size) -> str:
    """How much is found against how much of what is found is right, one line a radius."""

    def draw(axes: Axes) -> None:
        _lines(axes, sweep, [(one.candidates.recall or 0) for one in sweep], [_precision(one) for one in sweep])
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_ylabel("right, of the candidates")

    return svg(draw, size)


def asked(sweep: Sweep, size: Size) -> str:
    """How much is found against how often humans are asked, one line a radius."""

    def draw(axes: Axes) -> None:
        _lines(axes, sweep, [(one.candidates.recall or 0) for one in sweep], [one.per_day for one in sweep])
        axes.set_ylabel("candidates a day")

    return svg(draw, size)


def _precision(tried: Tried) -> float:
    return tried.candidates.precision or 0


def _lines(axes: Axes, sweep: Sweep, across: list[float], up: list[float]) -> None:
    points = list(zip(sweep, across, up, strict=True))
    for colour, (metres, ours) in zip(_COLOURS, groupby(points, key=lambda point: point[0].metres), strict=False):
        line = list(ours)
        axes.plot([x for _, x, _ in line], [y for _, _, y in line], color=colour, marker="o", ms=3, label=f"{metres} m")
    for tried, x, y in line:  # the windows, once: on the widest radius
        axes.annotate(window(tried.seconds), (x, y), xytext=(0, 5), textcoords="offset points", ha="center", fontsize=8)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlabel("found, of the known duplicates")
    axes.legend(loc="upper left", ncols=4, bbox_to_anchor=(0, 1.16), borderaxespad=0)
