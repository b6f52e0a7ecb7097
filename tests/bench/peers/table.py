"""The peers' figures as a table on the terminal, each with its ratio to lianqin's."""

from collections.abc import Callable, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.bench.peers.figures import OURS, PER_SECOND, Figures, ratio

_Figure = Callable[[Figures], float]


def _columns(rates: Sequence[int]) -> dict[str, _Figure]:
    columns: dict[str, _Figure] = {
        "a second": lambda one: one.best.per_second,
        "CPU s a million": lambda one: one.cpu[0],
        "broker's": lambda one: one.cpu[1],
        "peak MB": lambda one: one.best.measured.peak_mb,
    }
    for at in rates:
        columns |= {f"p50 ms at {at:,}/s": _p50(at), f"p99 ms at {at:,}/s": _p99(at)}
    return columns


def _p50(at: int) -> _Figure:
    return lambda one: one.delays[at].p50_ms


def _p99(at: int) -> _Figure:
    return lambda one: one.delays[at].p99_ms


_DIGITS: Final = 10.0
"""Below it a figure has one digit behind the point."""


def show(console: Console, all_figures: Sequence[Figures]) -> None:
    """Print all of it; in brackets, how many times lianqin's."""
    ours = next(one for one in all_figures if one.name == OURS)
    columns = _columns(sorted(ours.delays))
    table = Table(title="the small job beside its peers (× lianqin)", title_justify="left")
    table.add_column("")
    for heading in columns:
        table.add_column(heading, justify="right")
    for one in all_figures:
        table.add_row(f"{one.title}\n[dim]{one.best.setup}", *(_cell(figure, one, ours) for figure in columns.values()))
    console.print(table)
    console.print(f"Delays from append to readable, read_committed; peers.json compares those at {PER_SECOND}/s.")


def _cell(figure: _Figure, one: Figures, ours: Figures) -> str:
    value = figure(one)
    text = f"{value:.1f}" if value < _DIGITS else f"{value:,.0f}"
    return text if one is ours else f"{text}\n[dim]{ratio(value, figure(ours)):.2f} ×"
