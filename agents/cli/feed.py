"""`lianqin feed`: a file of reports into the log, and on until all of it is settled in ClickHouse."""

import asyncio
from pathlib import Path
from typing import Annotated, Final

import typer

from agents.access import running
from agents.cli.options import DataDir, settings
from agents.feeding.feed import Fed, Feed, Target, prepare
from agents.feeding.feed import feed as feed_file
from agents.feeding.progress import Bar
from agents.packs import load_sources
from agents.reach import Place, ledger_at, place_of
from agents.settled import SettledThere
from schemas.codes import Clock

INTERRUPTED: Final = 130


def feed(
    source: Annotated[str, typer.Argument(help="Name of the source, as in its mapping file.")],
    file: Annotated[Path, typer.Argument(help="CSV, plain or .gz, with the source's columns.")],
    data_dir: DataDir = None,
    wait: Annotated[bool, typer.Option(help="Return when all is in ClickHouse, not when the broker has it.")] = True,
    speed: Annotated[float | None, typer.Option(min=0.001, help="So many times as fast as it happened.")] = None,
) -> None:
    """Feed a file of reports. An interrupted feed of past data goes on where it stopped.

    Exit codes: 0 done, 2 refused (nothing was sent), 130 interrupted.

    Example: `lianqin feed boston311 boston311.csv.gz --data-dir /tmp/lq`
    """
    chosen = settings(data_dir)
    run = running(chosen)
    target = Target(bootstrap=run.bootstrap, prefix=run.prefix, clock=Clock(run.clock), group=f"{run.prefix}intake")
    with Bar() as bar, place_of(chosen) as place:
        prepared = prepare(source, file, load_sources(run.district), target, bar)
        try:
            fed = asyncio.run(_feed(prepared, place if wait else None, bar, speed))
        except KeyboardInterrupt:
            bar.say(_resume(target.clock))
            raise typer.Exit(INTERRUPTED) from None
    typer.echo(_summary(fed, waited=wait))


async def _feed(prepared: Feed, place: Place | None, bar: Bar, speed: float | None) -> Fed:
    if place is None:
        return await feed_file(prepared, None, bar, speed)
    with ledger_at(place) as client:
        return await feed_file(prepared, SettledThere(client), bar, speed)


def _resume(clock: Clock) -> str:
    if clock is Clock.LOG:
        return "interrupted: the same command goes on where this one stopped"
    return "interrupted: the same command sends the file again; what is in already is settled as a repeat"


def _summary(fed: Fed, *, waited: bool) -> str:
    where = "settled in ClickHouse" if waited else "with the broker"
    return f"{fed.reports:,} reports and {fed.closings:,} closings are {where} ({fed.sent:,} sent by this run)"
