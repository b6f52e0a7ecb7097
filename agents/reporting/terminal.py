"""The report on the terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Column, Table
from rich.text import Text

from agents.reporting import words
from agents.reporting.loop import Line, lines
from schemas.codes import Stage
from streams.ledger.queries import Figures, Part

MOST_ROWS: Final = 12


def show(figures: Figures, console: Console) -> None:
    """Print the report."""
    if figures.log_time is None and not figures.dead_letters:
        console.print("Nothing in the ledger yet: `lianqin feed` brings reports.")
        return
    console.print(_head(figures))
    console.print(_counts("stage", "tickets", _in_order(figures.by_stage)))
    console.print(_counts("fate", "reports", figures.fates))
    for title, counts in (("dead letter", figures.dead_letters), ("flag", figures.flags)):
        if counts:
            console.print(_counts(title, "records", counts))
    if loop := list(lines(figures.loop)):
        console.print(_loop(loop))
    console.print(_parts("area", figures.by_area))
    console.print(_parts("category", figures.by_category))


def _head(figures: Figures) -> Panel:
    total = figures.total
    table = Table.grid(padding=(0, 3))
    table.add_row("reports", words.count(figures.reports), "tickets", words.count(total.tickets))
    table.add_row("closed", words.count(total.closed), "open", words.count(total.open))
    table.add_row("on time", words.rate(total.on_time_rate), "overdue now", words.count(total.overdue_now))
    table.add_row("median to close", words.span(total.p50_ms), "90 % within", words.span(total.p90_ms))
    note = Text("on time = closed on time ÷ (closed + overdue and open)", style="dim")
    until = f"log time {figures.log_time:%Y-%m-%d %H:%M} UTC" if figures.log_time else "no event yet"
    return Panel(Group(table, note), title="closed loop 闭环", subtitle=until, expand=False)


def _loop(loop: Sequence[Line]) -> Table:
    table = Table("loop 闭环", Column("figures", overflow="fold"), box=None, header_style="bold", pad_edge=False)
    for name, text in loop:
        table.add_row(name, escape(text))
    return table


def _in_order(by_stage: Mapping[str, int]) -> dict[str, int]:
    return {stage.value: by_stage[stage.value] for stage in Stage if stage.value in by_stage}


def _counts(what: str, unit: str, counts: Mapping[str, int]) -> Table:
    table = Table(what, Column(unit, justify="right"), box=None, header_style="bold", pad_edge=False)
    for name, n in counts.items():
        table.add_row(escape(name), words.count(n))
    return table


def _parts(what: str, parts: Mapping[str, Part]) -> Table:
    columns = (what, "tickets", "closed", "open", "on time", "median", "overdue")
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, part in list(parts.items())[:MOST_ROWS]:
        table.add_row(escape(name), *_cells(part))
    if len(parts) > MOST_ROWS:
        table.add_row(f"… and {len(parts) - MOST_ROWS} more (--json has all)")
    return table


def _cells(part: Part) -> Iterable[str]:
    yield words.count(part.tickets)
    yield words.count(part.closed)
    yield words.count(part.open)
    yield words.rate(part.on_time_rate)
    yield words.span(part.p50_ms)
    yield words.count(part.overdue_now)
