"""Scaling out, in figures: `python -m tests.bench.scale`; also `make bench-scale`.

- Workers: 1, 2, 4, 8 over 32 partitions on this machine. Wall time says nothing where they share two cores; reports a
  CPU second say what more workers cost.
- Joining and dying: the longest wait of a record, on partitions that stay and on those that move, when a third worker
  joins; how long until those of a worker killed with -9 speak again, with and without static membership.
- Partitions: 4, 8, 32, 128: CPU a report under full load, and of a centre with nothing to do; bytes on the logs each.
- What the desk holds: areas, open tickets, closed ones (`tests.bench.growth`).

Writes build/bench/scale.json and scale.png.
"""

import json
import logging
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from agents.local.broker import LocalBroker
from schemas.topics import ASSIGNMENTS, CITIZEN, DESK, DESK_STATE, TICKETS
from tests.bench import growth, joining, machine, path, reports, scale_shown
from tests.bench.cpu import seconds
from tests.bench.logs import Row
from tests.bench.path import Setup
from tests.bench.rate import Rate
from tests.bench.stand import Stand

ROOT: Final = Path(__file__).resolve().parents[2]
WORKERS: Final = (1, 2, 4, 8)
PARTITIONS: Final = (4, 8, 32, 128)
OVER: Final = 32
REPORTS: Final = 40_000
_IDLE_S: Final = 10.0
_WARM_S: Final = 15.0
_ON_DISK: Final = (CITIZEN, DESK, DESK_STATE, TICKETS, ASSIGNMENTS)


def _rate(rate: Rate) -> dict[str, Any]:
    """A rate, and what of its CPU seconds is the workers' alone."""
    broker = rate.cpu_seconds_per_million["broker"]
    whole = sum(rate.cpu_seconds_per_million.values())
    return asdict(rate) | {"worker_us_per_report": round(whole - broker, 1), "broker_us_per_report": round(broker, 1)}


def by_workers(stand: Stand, rows: list[Row]) -> dict[str, Any]:
    """Full load on a growing number of workers."""
    found = {}
    for count in WORKERS:
        setup = Setup(prefix=f"w{count}.", partitions=OVER, workers=count)
        found[str(count)] = _under_load(stand, rows, setup)
    return found


def _under_load(stand: Stand, rows: list[Row], setup: Setup) -> dict[str, Any]:
    """The rate of one setup; where it does not come to its end, why: the others are worth having without it."""
    try:
        path.prepare(stand, setup)
        return _rate(path.throughput(stand, rows, lambda _: None, setup))
    except (TimeoutError, RuntimeError) as error:
        return {"failed": f"{type(error).__name__}: {error}"}


def by_partitions(stand: Stand, rows: list[Row]) -> dict[str, Any]:
    """Full load, and nothing to do, on a growing number of partitions; two workers."""
    found = {}
    for count in PARTITIONS:
        setup = Setup(prefix=f"p{count}.", partitions=count)
        found[str(count)] = _under_load(stand, rows, setup)
        if "failed" not in found[str(count)]:
            found[str(count)] |= {
                "idle_cores": idle(stand, setup),
                "bytes_per_report": {name: on_disk(stand, setup.prefix + name, len(rows)) for name in _ON_DISK},
            }
    return found


def idle(stand: Stand, setup: Setup) -> dict[str, float]:
    """Cores that a centre takes with nothing to do, by process."""
    with path.workers(stand, setup) as pids:
        time.sleep(_WARM_S)
        before = {name: seconds(pid) for name, pid in pids.items()}
        time.sleep(_IDLE_S)
        return {name: round((seconds(pid) - before[name]) / _IDLE_S, 3) for name, pid in pids.items()}


def on_disk(stand: Stand, topic: str, count: int) -> float:
    """Bytes of a topic's log, as the broker keeps it, a report."""
    segments = stand.folder.rglob(f"{topic}-*/*.log")
    return round(sum(segment.stat().st_size for segment in segments) / count, 1)


def main(
    scale: Annotated[float, typer.Option(help="So many times the usual number of reports.")] = 1.0,
    into: Annotated[Path, typer.Option(help="Where scale.json and scale.png go.")] = ROOT / "build" / "bench",
    only: Annotated[str, typer.Option(help="Only these parts, with commas: workers,partitions,joining,growth.")] = "",
) -> None:
    """Measure, print, write."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    console = Console(width=None if sys.stdout.isatty() else 120)
    chosen = [part.strip() for part in only.split(",") if part.strip()] or list(PARTS)
    unknown = sorted(set(chosen) - set(PARTS))
    if unknown:
        msg = f"no part is called {', '.join(unknown)}: take of {', '.join(PARTS)}"
        raise typer.BadParameter(msg)
    document: dict[str, Any] = {
        "machine": {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            **machine.described(ROOT / "build/kafka/libs"),
        }
    }
    rows = list(reports.rows(int(REPORTS * scale)))
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("scale", total=len(chosen))
        for part in chosen:
            progress.update(task, description=part)
            document[part] = measured(part, rows)
            progress.advance(task)
    into.mkdir(parents=True, exist_ok=True)
    (into / "scale.json").write_text(json.dumps(document, indent=2) + "\n")
    scale_shown.show(console, document)
    scale_shown.plot(into / "scale.png", document)
    console.print(f"written: {into / 'scale.json'}, {into / 'scale.png'}")


def measured(part: str, rows: list[Row]) -> Any:
    """One part, on a broker of its own where it needs one."""
    if part == "growth":
        return growth.all_of_it()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lianqin-scale-")))
        stand = Stand(stack.enter_context(LocalBroker(folder / "kafka")), folder)
        if part == "workers":
            return by_workers(stand, rows)
        if part == "partitions":
            return by_partitions(stand, rows)
        return [
            joining.measured(stand, rows, OVER, "plain"),
            joining.measured(stand, rows, OVER, "static", static=True),
        ]


PARTS: Final = ("workers", "partitions", "joining", "growth")


if __name__ == "__main__":
    typer.run(main)
