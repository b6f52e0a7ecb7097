"""The figures of both as drawings, as SVG."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from agents.reporting.plots import CLOSINGS, REPORTS, Size, svg
from agents.whatif.figures import Pair
from agents.whatif.rows import stages
from schemas.codes import Step

_OURS, _THEIRS = "the log's rules", "the others"
_WIDTH: Final = 0.38


def on_time(pair: Pair, size: Size) -> str:
    """How much was kept, overall and by stage."""
    names = stages(pair)
    shares = [[one.on_time_rate or 0, *(one.rate(name) or 0 for name in names)] for one in (pair.ours, pair.theirs)]

    def draw(axes: Axes) -> None:
        _bars(axes, ["overall", *names], shares, size)
        axes.set_ylim(0, 1)
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))

    return svg(draw, size)


def steps(pair: Pair, size: Size) -> str:
    """How often limits reached each step of the ladder."""
    names = [step.value for step in Step]

    def draw(axes: Axes) -> None:
        _bars(axes, names, [[one.steps[name] for name in names] for one in (pair.ours, pair.theirs)], size)
        _whole(axes)

    return svg(draw, size)


def units(pair: Pair, size: Size) -> str:
    """Tickets by unit: those whose load differs most."""
    ours, theirs = pair.ours.units, pair.theirs.units
    names = sorted({**ours, **theirs}, key=lambda name: (-abs(theirs[name] - ours[name]), -ours[name], name))[:8]

    def draw(axes: Axes) -> None:
        _bars(axes, names, [[load[name] for name in names] for load in (ours, theirs)], size)
        axes.tick_params(axis="x", labelrotation=20 if size[0] > 6 else 60)
        _whole(axes)

    return svg(draw, size)


def over_time(pair: Pair, size: Size) -> str:
    """Limits that passed, day by day."""

    def draw(axes: Axes) -> None:
        for one, colour, name in ((pair.ours, REPORTS, _OURS), (pair.theirs, CLOSINGS, _THEIRS)):
            days: Mapping[int, int] = one.days.get(Step.PASSED.value, {})
            if days:
                span = range(min(days), max(days) + 1)
                axes.plot(list(span), [days.get(day, 0) for day in span], color=colour, lw=1.6, label=name)
        # matplotlib's dates are typed in part.
        locator = AutoDateLocator(minticks=2, maxticks=8)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        _whole(axes)
        _legend(axes)

    return svg(draw, size)


PLOTS: Final[Sequence[tuple[str, Callable[[Pair, Size], str]]]] = (
    ("On time, overall and by stage 按时", on_time),
    ("Steps of the ladder 预警督办", steps),
    ("Limits passed a day 超时", over_time),
    ("Tickets by unit: where the load differs most 承办单位", units),
)


def _bars(axes: Axes, names: Sequence[str], both: Sequence[Sequence[float]], size: Size) -> None:
    places = range(len(names))
    for shift, values, colour, name in zip(
        (-_WIDTH / 2, _WIDTH / 2), both, (REPORTS, CLOSINGS), (_OURS, _THEIRS), strict=True
    ):
        axes.bar([place + shift for place in places], values, width=_WIDTH, color=colour, label=name)
    axes.set_xticks(list(places), names)
    axes.tick_params(axis="x", labelrotation=0 if size[0] > 6 else 60)
    _legend(axes)


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper left", ncols=2, bbox_to_anchor=(0, 1.16), borderaxespad=0)


def _whole(axes: Axes) -> None:
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
