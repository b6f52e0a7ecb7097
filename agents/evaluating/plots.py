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
        _lines(axes, sweep, [_precision(one) for one in sweep], above=-11)
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_ylabel("right, of the candidates")

    return svg(draw, size)


def asked(sweep: Sweep, size: Size) -> str:
    """How much is found against how often humans are asked, one line a radius."""

    def draw(axes: Axes) -> None:
        _lines(axes, sweep, [one.per_day for one in sweep], above=5)
        axes.set_ylabel("candidates a day")

    return svg(draw, size)


def _precision(tried: Tried) -> float:
    return tried.candidates.precision or 0


def _lines(axes: Axes, sweep: Sweep, up: list[float], above: int) -> None:
    """`above`: how far from its point a window's name stands, where the widest radius has no other line."""
    points = [(tried, tried.candidates.recall or 0.0, y) for tried, y in zip(sweep, up, strict=True)]
    for colour, (metres, ours) in zip(_COLOURS, groupby(points, key=lambda point: point[0].metres), strict=False):
        line = list(ours)
        axes.plot([x for _, x, _ in line], [y for _, _, y in line], color=colour, marker="o", ms=3, label=f"{metres} m")
    for tried, x, y in line:  # the windows, once: on the widest radius
        name, where = window(tried.seconds), (0, above)
        axes.annotate(name, (x, y), xytext=where, textcoords="offset points", ha="center", fontsize=8)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlabel("found, of the known duplicates")
    axes.legend(loc="upper left", ncols=4, bbox_to_anchor=(0, 1.16), borderaxespad=0)
