"""`lianqin evaluate`: how well the rules do, measured against labels."""

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from agents.cli.options import AsJson, settings
from agents.cli.writing import write_page
from agents.evaluating import terminal
from agents.evaluating.document import document
from agents.evaluating.evaluate import Asked
from agents.evaluating.evaluate import evaluate as measured
from agents.feeding.progress import Bar

evaluate = typer.Typer(name="evaluate", help="How well the rules do, measured against labels.", no_args_is_help=True)


@evaluate.callback()
def _group() -> None:
    """How well the rules do, measured against labels."""


@evaluate.command()
def dedup(  # noqa: PLR0913, PLR0917 - one for each argument and option
    source: Annotated[str, typer.Argument(help="Name of the source, or the path of a mapping (.yaml).")],
    file: Annotated[Path, typer.Argument(help="The reports with their closings and labels, plain or .gz.")],
    label: Annotated[str, typer.Option(help="The column that names the report this one is a duplicate of.")],
    marked: Annotated[
        str | None, typer.Option(help="The column that says 1, true or yes of a duplicate, whatever of.")
    ] = None,
    sweep: Annotated[bool, typer.Option("--sweep", help="Also try other radii and windows (D3).")] = False,
    category: Annotated[
        list[str] | None, typer.Option(help="Try them for this category only; may be repeated.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with plots to this file.")] = None,
    district: Annotated[str | None, typer.Option(help="Whose rules. [default: the one that is set]")] = None,
    as_json: AsJson = False,
) -> None:
    """Which reports the desk joins by itself (D1, D2) or proposes to a human (D3), and how much of it is right.

    Runs the file through the real intake and desk, in memory, by its own time: no broker, nothing is kept. The labels
    are columns that the mapping ignores. What they tie together, in however many steps, is one matter.

    Exit codes: 0 done, 2 refused.

    Example: `lianqin evaluate dedup boston311 boston311.csv.gz --label duplicate_of --marked is_duplicate --sweep`
    """
    chosen = district or settings(None).district
    asked = Asked(
        source=source, file=file, parent=label, mark=marked, district=chosen, categories=tuple(category or ())
    )
    with Bar() as bar:
        figures, tried = measured(asked, sweep=sweep, bar=bar)
    if as_json:
        typer.echo(orjson.dumps(document(figures, tried), option=orjson.OPT_INDENT_2).decode())
    else:
        terminal.show(figures, tried, Console())
    if html is not None:
        # Drawing takes a second to import: only who wants the page waits for it.
        from agents.evaluating.page import page  # noqa: PLC0415

        write_page(html, page(figures, tried))
        typer.echo(f"wrote {html}", err=True)
