"""`lianqin snapshot`: the desk's state in a file, so that a replay can begin in the middle."""

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from agents.cli.options import AsJson, DataDir, settings
from agents.cli.replay import From, LogFile, Processes, source_of, span_of
from agents.feeding.progress import Bar
from agents.logs import logs_at
from agents.reach import place_of
from agents.replaying.replay import Job, cut_at
from agents.replaying.snapshot import cuts_at, snapshot_in, write
from agents.replaying.spreading import processes


def snapshot(  # noqa: PLR0913, PLR0917 - a command's options
    file: Annotated[Path, typer.Argument(help="Where to.")],
    data_dir: DataDir = None,
    log: LogFile = None,
    until: Annotated[str | None, typer.Option(help="Up to this time; all partitions.")] = None,
    begin: From = None,
    workers: Processes = None,
    as_json: AsJson = False,
) -> None:
    """Write the desk's state and how far into its log it goes, each partition by itself, sealed with a checksum.

    Without more it is the state that a centre committed last. With --log or --until the log is folded up to that time:
    `lianqin replay --from FILE` then begins there.

    Exit codes: 0 done, 2 refused.

    Example: `lianqin snapshot today.state`, or `lianqin snapshot march.state --until 2026-03-01`
    """
    if log is None and until is None:
        with place_of(settings(data_dir)) as place, logs_at(place) as logs:
            said = write(file, logs.prefix, cuts_at(logs))
    else:
        with Bar() as bar, source_of(data_dir, log, ()) as source:
            earlier = None if begin is None else snapshot_in(begin)
            job = Job(source=source, snapshot=earlier, span=span_of(None, until, None))
            said = write(file, source.prefix, cut_at(job, workers or processes(), bar))
    if as_json:
        typer.echo(orjson.dumps({"file": str(file), "partitions": said}, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(file, said)


def _show(file: Path, said: Any) -> None:
    table = Table("partition", "after offset", "state records", box=None)
    for column in table.columns:
        column.justify = "right"
    for one in said:
        table.add_row(str(one["partition"]), f"{one['offset']:,}", f"{one['records']:,}")
    Console().print(table)
    typer.echo(f"wrote {file}")
