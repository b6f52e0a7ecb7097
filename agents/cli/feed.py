"""`lianqin feed`: a file of reports into the log, and on until all of it is settled; or what would come of it."""

import asyncio
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer
from rich.console import Console

from agents.access import admitted, running
from agents.cli.options import AsJson, DataDir, settings
from agents.feeding.feed import Fed, Feed, Target, prepare
from agents.feeding.feed import feed as feed_file
from agents.feeding.progress import Bar
from agents.feeding.showing import show
from agents.feeding.trying import installed, try_file
from agents.held import HeldFeedback
from agents.local.folder import DataFolder, stands
from agents.packs import load_sources
from agents.printable import printable
from agents.reach import Place, ledger_at, place_of
from agents.settings import Settings
from agents.settled import SettledThere
from schemas.codes import Clock

INTERRUPTED: Final = 130
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show what would come out; send nothing, need no centre.")
]
MappingOption = Annotated[Path | None, typer.Option(help="A mapping file, to be tried; instead of SOURCE.")]
First = Annotated[int, typer.Option(min=0, help="With --dry-run: so many of the commands are shown.")]


def feed(  # noqa: PLR0913, PLR0917 - a command's options
    names: Annotated[list[str], typer.Argument(metavar="[SOURCE] FILE", help="The source's name, and its file.")],
    data_dir: DataDir = None,
    wait: Annotated[
        bool, typer.Option(help="Return when all is in ClickHouse or held at the desk, not when the broker has it.")
    ] = True,
    speed: Annotated[float | None, typer.Option(min=0.001, help="So many times as fast as it happened.")] = None,
    mapping: MappingOption = None,
    dry_run: DryRunOption = False,
    first: First = 10,
    as_json: AsJson = False,
) -> None:
    """Feed a file of CSV or of JSON objects, one a line. An interrupted feed goes on where it stopped.

    Exit codes: 0 done, 2 refused (nothing was sent), 70 somebody was away meanwhile, 130 interrupted.

    Example: `lianqin feed boston311 boston311.csv.gz --data-dir /tmp/lq`, or, without a centre,
    `lianqin feed --mapping mine.yaml mine.csv --dry-run`
    """
    chosen, file = _chosen(names, mapping)
    if dry_run:
        _try(settings(data_dir), chosen, file, first, as_json=as_json)
    elif as_json:
        msg = "belongs to --dry-run"
        raise typer.BadParameter(msg, param_hint="--json")
    else:
        _send(settings(data_dir), chosen, file, wait=wait, speed=speed)


def _chosen(names: list[str], mapping: Path | None) -> tuple[str | Path, Path]:
    """What the file is read by, a source's name or a mapping's path, and the file."""
    if len(names) != (2 if mapping is None else 1):
        msg = "give SOURCE and FILE, or --mapping and FILE"
        raise typer.BadParameter(msg, param_hint="[SOURCE] FILE")
    return (names[0], Path(names[1])) if mapping is None else (mapping, Path(names[0]))


def _try(chosen: Settings, source: str | Path, file: Path, first: int, *, as_json: bool) -> None:
    run = DataFolder(chosen.data_dir).read_run() if stands(chosen.data_dir) else None
    tried = try_file(run.district if run else chosen.district, source, file, first)
    for doubt in tried.doubts:
        typer.echo(printable(doubt), err=True)
    if as_json:
        typer.echo(orjson.dumps(tried.made.document(), option=orjson.OPT_INDENT_2).decode())
    else:
        show(tried.made, Console())


def _send(chosen: Settings, source: str | Path, file: Path, *, wait: bool, speed: float | None) -> None:
    run = running(chosen)
    name = installed(source, run.district) if isinstance(source, Path) else source
    target = Target(
        cluster=admitted(chosen, run.bootstrap), prefix=run.prefix, clock=Clock(run.clock), group=f"{run.prefix}intake"
    )
    with Bar() as bar, place_of(chosen) as place:
        prepared = prepare(name, file, load_sources(run.district), target, bar)
        try:
            fed = asyncio.run(_feed(prepared, target, place if wait else None, bar, speed))
        except KeyboardInterrupt:
            bar.say("interrupted: the same command goes on where this one stopped")
            raise typer.Exit(INTERRUPTED) from None
    typer.echo(_summary(fed, waited=wait))


async def _feed(prepared: Feed, target: Target, place: Place | None, bar: Bar, speed: float | None) -> Fed:
    if place is None:
        return await feed_file(prepared, None, bar, speed)
    with ledger_at(place) as client:
        return await feed_file(prepared, SettledThere(client, HeldFeedback(target.cluster, target.prefix)), bar, speed)


def _summary(fed: Fed, *, waited: bool) -> str:
    where = "settled in ClickHouse" if waited else "with the broker"
    if fed.held:
        where += f", but for {fed.held:,} records held until their reports come"
    what = f"{fed.feedback:,} feedback" if fed.feedback else f"{fed.reports:,} reports and {fed.closings:,} closings"
    return f"{what} are {where} ({fed.sent:,} sent by this run)"
