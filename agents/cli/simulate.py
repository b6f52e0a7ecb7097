"""`lianqin simulate`: a believable month of the district, made up, through the centre, and compared with the truth."""

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer
from rich.console import Console
from rich.table import Table

from agents.access import admitted, running
from agents.cli.options import AsJson, DataDir, settings
from agents.cli.writing import writing
from agents.errors import UserError
from agents.feeding.progress import Bar
from agents.held import HeldFeedback
from agents.local.folder import RunFile
from agents.packs import load_sources
from agents.reach import Place, ledger_at, place_of
from agents.settled import SettledThere
from agents.simulating import files
from agents.simulating.place import world_at
from agents.simulating.run import run, settled
from agents.simulating.stream import Simulation, Span
from agents.simulating.truth import Checked, check
from schemas.codes import Clock, Fate
from streams.ownership.cluster import Cluster

CERTAIN = tuple(fate.value for fate in Fate)
EARLIEST: Final = date(1971, 1, 1)
LATEST: Final = date(2098, 12, 31)
"""Intake takes times of 1970 to 2099; what begins on the last day goes on for weeks."""


def simulate(  # noqa: PLR0913, PLR0917 - each is an option of the command
    data_dir: DataDir = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days.")] = 1,
    times: Annotated[float, typer.Option(min=0.01, max=1000, help="So many times as much as there really is.")] = 1.0,
    begin: Annotated[str, typer.Option(help="The first day.")] = "2025-06-02",
    seed: Annotated[int, typer.Option(help="Another seed, another month; the same one, the same again.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Write files here, a source each, and send nothing.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make up a month of the district: four sources, duplicates, handlers who are late, return, ask for more time.

    With a centre on the log clock: everything is sent in the order of its time and, once it is settled, what the desk
    made of it is compared with what was planted: each repeat, urge and merge, each claim that must be refused.

    Exit codes: 0 as planted, 1 something differs, 2 refused (nothing was sent), 70 somebody was away meanwhile.

    Example: `lianqin simulate --days 30 --times 10 --data-dir /tmp/lq`, or `lianqin simulate --out /tmp/day`
    """
    chosen = settings(data_dir)
    span = Span(begin=_first_day(begin, days), days=days, times=times, seed=seed)
    if out is not None:
        world = world_at(chosen.district)
        sources = load_sources(chosen.district)
        with writing(out, "--out"):
            counts = files.write(out, Simulation(world, span).records(), sources)
        _tell_written(counts, out, as_json=as_json)
        return
    centre = running(chosen)
    if Clock(centre.clock) is Clock.WALL:
        msg = "a simulation goes by its own time: start `lianqin up --clock log` with another --data-dir"
        raise UserError(msg)
    cluster = admitted(chosen, centre.bootstrap)
    with Bar() as bar, place_of(chosen) as place:
        checked = asyncio.run(_through(centre, cluster, place, span, bar))
    _tell(checked, as_json=as_json)
    if not checked.ok:
        raise typer.Exit(1)


def _first_day(text: str, days: int) -> date:
    try:
        first = date.fromisoformat(text)
    except ValueError:
        msg = f"--begin {text!r} is no day: write it as 2025-06-02"
        raise UserError(msg) from None
    if not EARLIEST <= first <= LATEST - timedelta(days=days - 1):
        msg = f"--begin {text} with --days {days} is out of bounds: all days must be from {EARLIEST} to {LATEST}"
        raise UserError(msg)
    return first


async def _through(centre: RunFile, cluster: Cluster, place: Place, span: Span, bar: Bar) -> Checked:
    world = world_at(centre.district)
    ran = await run(world, span, cluster=cluster, prefix=centre.prefix, progress=bar)
    with ledger_at(place) as client:
        await settled(ran, SettledThere(client, HeldFeedback(cluster, centre.prefix)), bar)
        bar.say("comparing with the truth")
        records = Simulation(world, span).records()
        return await asyncio.to_thread(check, client, ran.place.topic, ran.place.first, records)


def _tell_written(counts: Mapping[str, int], out: Path, *, as_json: bool) -> None:
    if as_json:
        document = {"folder": str(out), "records": dict(sorted(counts.items()))}
        typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        typer.echo(", ".join(f"{source} {count:,}" for source, count in sorted(counts.items())) + f" in {out}")


def _tell(checked: Checked, *, as_json: bool) -> None:
    if as_json:
        document = {
            "ok": checked.ok,
            "planted": dict(checked.planted),
            "as_planted": dict(checked.found),
            "wrong": checked.wrong_n,
            "first_wrong": checked.wrong,
            "near": {"planted": checked.near, "proposed": checked.near_found, "all_proposed": checked.proposed},
        }
        typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
        return
    console = Console()
    table = Table("", "planted", "as planted", box=None)
    for name, planted in sorted(checked.planted.items(), key=lambda one: (one[0] not in CERTAIN, one[0])):
        table.add_row(name, f"{planted:,}", f"{checked.found[name]:,}")
    table.add_row("near (a human decides)", f"{checked.near:,}", f"{checked.near_found:,}")
    console.print(table)
    console.print(f"{checked.proposed:,} candidates were proposed in all")
    for line in checked.wrong:
        console.print(line, highlight=False, markup=False)
    verdict = "[bold green]as planted[/]" if checked.ok else f"[bold red]{checked.wrong_n:,} differ[/]"
    console.print(f"{verdict}: {sum(checked.planted.values()):,} records")
