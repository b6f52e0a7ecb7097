"""`lianqin up`: everything on this machine, in the foreground, until it is told to stop."""

import asyncio
import signal
from typing import Annotated

import typer

from agents import journal
from agents.centre import Centre
from agents.cli.options import DataDir, settings
from agents.local.folder import DataFolder
from schemas.codes import Clock


def up(
    data_dir: DataDir = None,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Workers for intake and desk; the ledger has its own.")
    ] = 2,
    clock: Annotated[
        Clock | None, typer.Option(help="wall: live. log: past data, by its own time. [default: wall]")
    ] = None,
    district: Annotated[
        str | None, typer.Option(help="District pack: a name, or a folder (with a slash). [default: pukou]")
    ] = None,
) -> None:
    """Start everything: broker (unless LIANQIN_KAFKA__BOOTSTRAP names one), topics, policy, workers, ledger.

    Stays in the foreground and prints a line with `ready` when reports can be fed. Ctrl-C or SIGTERM stops all
    that it started; it can be started again on the same folder.

    Example: `lianqin up --clock log --data-dir /tmp/lq`
    """
    journal.begin()
    chosen = settings(data_dir, clock=clock, district=district)
    folder = DataFolder(chosen.data_dir)
    with folder.lock():
        asyncio.run(_run(Centre(chosen, folder, workers=workers)))


async def _run(centre: Centre) -> None:
    task = asyncio.ensure_future(_serve(centre))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        typer.echo("lianqin stopped")


async def _serve(centre: Centre) -> None:
    async with centre:
        await centre.ready()
        typer.echo(f"rules: {centre.policy}")
        typer.echo(f"lianqin ready: broker {centre.cluster.bootstrap}, data in {centre.folder.root} (Ctrl-C stops it)")
        await centre.watch()
