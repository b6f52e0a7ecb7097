"""A dry run as a person reads it."""

from datetime import UTC, datetime
from typing import Any, Final

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agents.feeding.dry_run import DryRun

WIDEST: Final = 60
ROWS_MOST: Final = 20
SHOWN: Final = ("time", "area", "grid", "category", "urgency", "kind", "action", "unit", "flags", "text", "note")
"""Of a command: what a person checks first. `--json` has all of it."""


def show(made: DryRun, console: Console) -> None:
    """The figures, what was refused and where, and the first commands."""
    dead = sum(len(lines) for lines in made.dead.values())
    console.print(
        f"{made.records:,} records would become {_told(made)}, and {dead:,} dead letters. Nothing was sent.",
        highlight=False,
    )
    if made.ids_again:
        console.print(
            f"{made.ids_again:,} reports have the id of an earlier one: repeats or amendments", highlight=False
        )
    for reason, lines in sorted(made.dead.items()):
        console.print(f"dead letter, {reason}: {len(lines):,}", style="red", highlight=False)
        for number, hint in lines[:ROWS_MOST]:
            console.print(f"  line {number:,}: {escape(hint)}", highlight=False)
    for name, counts in made.counts().items():
        if counts:
            console.print(_counted(name, counts.most_common()))
    if made.first:
        console.print("the first commands", style="bold")
    for number, command in made.first:
        _command(console, number, command)


def _told(made: DryRun) -> str:
    words = {"report": "reports", "closed": "closings", "feedback": "feedback"}
    return ", ".join(f"{number:,} {words[part]}" for part, number in made.commands.items()) or "no command"


def _counted(name: str, counts: list[tuple[str, int]]) -> Table:
    table = Table("", "records", title=name, title_justify="left", title_style="bold", box=None, show_header=False)
    table.columns[1].justify = "right"
    for word, number in counts[:ROWS_MOST]:
        table.add_row(escape(word), f"{number:,}")
    if len(counts) > ROWS_MOST:
        table.add_row(f"and {len(counts) - ROWS_MOST:,} more", f"{sum(number for _, number in counts[ROWS_MOST:]):,}")
    return table


def _command(console: Console, number: int, command: dict[str, Any]) -> None:
    named = command.get("source_id") or command.get("ticket") or ""
    said = [f"{name}: {_cell(name, command[name])}" for name in SHOWN if command.get(name)]
    console.print(f" line {number:,}, {escape(named)}", highlight=False)
    console.print(f"   {', '.join(said)}", highlight=False, soft_wrap=True)


def _cell(name: str, value: object) -> str:
    if name == "time" and isinstance(value, int):
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    text = " ".join(text.split())
    return escape(text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…")
