"""All figures in one run, on one machine, one after the other: `python -m tests.bench.run`; also `make bench`.

- The small job (drop repeats, forward, changelog): lianqin exactly once, stock Faust at least once, a process each.
- Report to ticket, wall clock: records lie on `intake.citizen`, then two workers with intake and desk begin, without a
  ledger. From the first command on `desk` to the last settlement on `tickets`; each report must have exactly one.
- The delay of the same path at a small rate, and the pure cores alone.

What is printed is written to build/bench/ as well. Ratios hold from machine to machine, figures do not.
"""

import json
import logging
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from agents.local.broker import LocalBroker
from tests.bench import cores, delay, machine, path, reports, small, table
from tests.bench.bars import Bar, bars
from tests.bench.job import Job
from tests.bench.paced import Delay
from tests.bench.rate import Rate
from tests.bench.stand import Stand, Tell

ROOT: Final = Path(__file__).resolve().parents[2]
SMALL: Final = 600_000
FAUST: Final = 30_000
PATH: Final = 200_000
DELAY_S: Final = 25
FLOOD: Final = 50_000
"""Routine reports that wait when the alarms come."""
ALARMS: Final = 100


def _small(stand: Stand, bar: Bar, scale: float) -> tuple[Rate, Rate]:
    many, few = int(SMALL * scale), int(FAUST * scale)
    lianqin = _alone(stand, "bench.lianqin", small.LIANQIN, many, bar.of("small job, lianqin", many))
    return lianqin, _alone(stand, "bench.faust", small.FAUST, few, bar.of("small job, Faust", few))


def _alone(stand: Stand, name: str, program: small.Program, records: int, tell: Tell) -> Rate:
    job = Job(
        bootstrap=stand.bootstrap,
        name=name,
        folder=str(stand.folder / name),
        source=f"{name}.reports",
        target=f"{name}.forwarded",
        settings=program.settings,
    )
    small.source(stand, job.source, records)
    return small.measured(stand, program, job, records, tell).rate


def _path(stand: Stand, bar: Bar, scale: float) -> tuple[Rate, Delay, Delay]:
    many, few = int(PATH * scale), delay.PER_SECOND * DELAY_S
    rows = list(reports.rows(many + few + FLOOD + ALARMS))
    path.prepare(stand)
    rate = path.throughput(stand, rows[:many], bar.of("report → ticket", many))
    with path.workers(stand):
        plain = delay.measured(stand, rows[many : many + few], bar.of("delay", few))
        flood, alarms = rows[many + few : many + few + FLOOD], rows[many + few + FLOOD :]
        return rate, plain, delay.under_flood(stand, flood, alarms, bar.of("alarms in a flood", ALARMS))


def main(
    scale: Annotated[float, typer.Option(help="So many times the usual number of records.")] = 1.0,
    into: Annotated[Path, typer.Option(help="Where bench.json goes.")] = ROOT / "build" / "bench",
) -> None:
    """Measure, print, write."""
    # Topics just made have no leader for a moment; its retries are nothing to tell a user.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    console = Console(width=None if sys.stdout.isatty() else 120)
    about = {"date": datetime.now(UTC).isoformat(timespec="seconds"), **machine.described(ROOT / "build/kafka/libs")}
    with tempfile.TemporaryDirectory(prefix="lianqin-bench-") as name, bars(console) as bar:
        with LocalBroker(Path(name) / "kafka") as broker:
            stand = Stand(broker, Path(name))
            lianqin, faust = _small(stand, bar, scale)
            rate, delayed, alarms = _path(stand, bar, scale)
        alone = cores.microseconds()
    table.show(console, (lianqin, faust), rate, (delayed, alarms), alone)
    more = {"alarms_in_a_flood": asdict(alarms), "cores_us": alone}
    _write(into, _document(about, (lianqin, faust), rate, delayed) | more)
    console.print(f"written: {into / 'bench.json'}")


def _document(about: dict[str, object], small_job: tuple[Rate, Rate], rate: Rate, delayed: Delay) -> dict[str, object]:
    lianqin, faust = small_job
    figures = {
        "ratio_to_faust": lianqin.per_second / faust.per_second,
        "lianqin_per_second": lianqin.per_second,
        "faust_per_second": faust.per_second,
        "lianqin": asdict(lianqin),
        "faust": asdict(faust),
    }
    return {"machine": about, "small_job": figures, "report_to_ticket": asdict(rate), "delay": asdict(delayed)}


def _write(folder: Path, document: dict[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.json").write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)
