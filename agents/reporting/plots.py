"""The curves of the report's page, as SVG."""

import io
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from streams.ledger.series import Point, Series

INK: Final = "#1d2733"
SOFT: Final = "#7b8794"
GRID: Final = "#e4e8ed"
REPORTS: Final = "#2563a8"
CLOSINGS: Final = "#2f9e6e"
OVERDUE: Final = "#c8452d"

_STYLE: Final[Any] = {
    "svg.fonttype": "none",  # letters stay letters: small, and in the page's own type
    "svg.hashsalt": "lianqin",  # the same figures give the same page
    "text.parse_math": False,  # a $ in a unit's name is a $
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.grid.axis": "y",
    "grid.color": GRID,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
}
Size = tuple[float, float]
WIDE: Final[Size] = (10.6, 2.9)
NARROW: Final[Size] = (4.1, 2.9)


def flow(series: Series, size: Size) -> str:
    """Reports and closings in each step."""

    def draw(axes: Axes) -> None:
        starts = _days(series.points)
        axes.fill_between(starts, [point.reports for point in series.points], color=REPORTS, alpha=0.16, lw=0)
        axes.plot(starts, [point.reports for point in series.points], color=REPORTS, lw=1.6, label="reports")
        axes.plot(starts, [point.closed for point in series.points], color=CLOSINGS, lw=1.6, label="tickets closed")
        _over_time(axes, series.points)
        axes.legend(loc="upper left", ncols=2, bbox_to_anchor=(0, 1.14), borderaxespad=0)

    return svg(draw, size)


def overdue(series: Series, size: Size) -> str:
    """Tickets overdue and open at the end of each step."""

    def draw(axes: Axes) -> None:
        starts = _days(series.points)
        late = [point.overdue for point in series.points]
        axes.fill_between(starts, late, step="post", color=OVERDUE, alpha=0.16, lw=0)
        axes.step(starts, late, where="post", color=OVERDUE, lw=1.6)
        _over_time(axes, series.points)

    return svg(draw, size)


def closing(series: Series, size: Size) -> str:
    """How many tickets took how long to close."""

    def draw(axes: Axes) -> None:
        names = [name for name, _ in series.closing]
        axes.bar(names, [n for _, n in series.closing], color=CLOSINGS, width=0.72)
        axes.tick_params(axis="x", labelrotation=0 if size[0] > 6 else 60)
        _counted(axes)

    return svg(draw, size)


def _days(points: Sequence[Point]) -> list[float]:
    return [point.start.replace(tzinfo=UTC).timestamp() / 86_400 for point in points]


def _over_time(axes: Axes, points: Sequence[Point]) -> None:
    # matplotlib's dates are typed in part.
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    if len(points) > 1:
        first, *_, last = _days(points)
        axes.set_xlim(first, last)
    _counted(axes)


def _counted(axes: Axes) -> None:
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def svg(draw: Callable[[Axes], None], size: Size) -> str:
    """A drawing in the page's style, as SVG."""
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # Letters are set by the browser: it does not matter which of them matplotlib's own font lacks.
        warnings.simplefilter("ignore")
        figure = Figure(figsize=size, layout="constrained")
        draw(figure.add_subplot())
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    return text[text.index("<svg") :]
