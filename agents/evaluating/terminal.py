"""An evaluation on the terminal."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Column, Table
from rich.text import Text

from agents.evaluating.figures import Figures, Found, Sweep, Times, Tried
from agents.reporting import words

MOST_ROWS: Final = 12
HOUR_S: Final = 3600


def show(figures: Figures, sweep: Sweep | None, console: Console) -> None:
    """Print it."""
    console.print(_head(figures))
    console.print(_rules(figures))
    console.print(_people(figures))
    if figures.missed:
        console.print(_missed(figures))
    console.print(_categories(figures))
    if sweep is not None:
        console.print(_sweep(sweep))


def _head(figures: Figures) -> Panel:
    read = figures.read
    table = Table.grid(padding=(0, 3))
    table.add_row("reports", words.count(read.reports), "unusable records", words.count(read.unusable))
    table.add_row("marked as duplicates", words.count(read.marked), "naming a parent", words.count(read.named))
    table.add_row("duplicates to be found", words.count(read.wanted), "in clusters", words.count(read.clusters))
    note = Text(
        "a duplicate: tied by the labels, in however many steps, to an earlier report of the file\n"
        "precision is a lower bound: what nobody labelled counts as wrong",
        style="dim",
    )
    span = f"{_day(read.first)} to {_day(read.last)}"
    return Panel(Group(table, note), title=f"duplicates 去重并案: {read.source}", subtitle=span, expand=False)


def _day(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d}"


def _rules(figures: Figures) -> Table:
    table = _table("rule", "found", "right", "precision", "recall", "F1")
    table.add_row("by itself (D1, D2): reports", *_found(figures.automatic))
    table.add_row("candidates (D3): pairs", *_found(figures.candidates))
    table.add_row("both", *_found(figures.together))
    return table


def _people(figures: Figures) -> Table:
    table = _table("for humans", "", "", "")
    asked = figures.asked
    marked = f"{words.rate(asked.precision)} marked"
    table.add_row("reports with a candidate", words.count(asked.reports), marked, "")
    table.add_row("candidates a day", f"{figures.per_day:.1f}", "busiest", words.count(figures.busiest_day))
    table.add_row("time to decide, median", *_times(figures.to_decide))
    table.add_row("of the right ones", *_times(figures.to_decide_right))
    return table


def _times(times: Times) -> Iterable[str]:
    return words.span(times.p50_ms), f"90 %: {words.span(times.p90_ms)}", f"{words.count(times.open)} never ended"


def _missed(figures: Figures) -> Table:
    table = _table("duplicates not found, why", "reports")
    for why, count in figures.missed.items():
        table.add_row(escape(why), words.count(count))
    return table


def _categories(figures: Figures) -> Table:
    table = _table("category", "reports", "duplicates", "pairs", "right", "precision", "recall", "marked")
    shown = list(figures.by_category.items())[:MOST_ROWS]
    for name, one in shown:
        found = one.candidates
        table.add_row(
            escape(name),
            words.count(one.reports),
            words.count(found.wanted),
            words.count(found.found),
            words.count(found.right),
            words.rate(found.precision),
            words.rate(found.recall),
            words.rate(one.asked.precision),
        )
    if len(figures.by_category) > MOST_ROWS:
        table.add_row(f"… and {len(figures.by_category) - MOST_ROWS} more (--json has all)")
    return table


def _sweep(sweep: Sweep) -> Table:
    table = _table("radius", "window", "pairs", "a day", "right", "precision", "recall", "F1", "marked")
    last: int | None = None
    for tried in sweep:
        if last is not None and tried.metres != last:
            table.add_section()
        last = tried.metres
        table.add_row(*_tried(tried))
    return table


def _tried(tried: Tried) -> Iterable[str]:
    found, asked = tried.candidates, tried.asked
    yield f"{tried.metres} m"
    yield window(tried.seconds)
    yield words.count(found.found)
    yield f"{tried.per_day:.1f}"
    yield words.count(found.right)
    yield from _shares(found)
    yield words.rate(asked.precision)


def window(seconds: int) -> str:
    """A window as people say it."""
    hours = seconds // HOUR_S
    return f"{hours} h" if hours <= 72 else f"{hours // 24} d"


def _found(found: Found) -> Iterable[str]:
    return words.count(found.found), words.count(found.right), *_shares(found)


def _shares(found: Found) -> Iterable[str]:
    return words.rate(found.precision), words.rate(found.recall), words.rate(found.f1)


def _table(first: str, *others: str) -> Table:
    columns = (Column(name, justify="right") for name in others)
    return Table(Column(first, overflow="fold"), *columns, box=None, header_style="bold", pad_edge=False)
