"""`lianqin report`: the closed loop in figures."""

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from agents.cli.options import AsJson, DataDir, settings
from agents.cli.writing import write_page
from agents.reach import ledger_at, place_of
from agents.reporting import terminal
from agents.reporting.document import document
from streams.ledger import queries
from streams.ledger.series import series


def report(
    data_dir: DataDir = None,
    as_json: AsJson = False,
    html: Annotated[
        Path | None, typer.Option(help="Write a page with plots to this file; it needs nothing from outside.")
    ] = None,
) -> None:
    """Reports and what became of them, tickets by stage, area and category, how much was closed on time.

    Works while the centre runs and when it does not. "Now" is log time.

    Example: `lianqin report --html report.html`, or `lianqin report --json | jq .on_time_rate`
    """
    with place_of(settings(data_dir)) as place, ledger_at(place) as client:
        figures = queries.figures(client)
        curves = series(client) if html is not None else None
    if as_json:
        typer.echo(orjson.dumps(document(figures), option=orjson.OPT_INDENT_2).decode())
    else:
        terminal.show(figures, Console())
    if html is not None and curves is not None:
        # Drawing takes a second to import: only who wants the page waits for it.
        from agents.reporting.page import page  # noqa: PLC0415

        write_page(html, page(figures, curves))
        typer.echo(f"wrote {html}", err=True)
