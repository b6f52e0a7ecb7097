"""The small job on lianqin and on its peers, on one broker, one after the other: `make bench-peers`. See docs/peers.md.

python -m tests.bench.peers.run --scale 0.2 --rounds 1
"""

import json
import logging
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from agents.local.broker import LocalBroker
from tests.bench import machine, small
from tests.bench.bars import Bar, bars
from tests.bench.job import Job
from tests.bench.peers import delay, entrants, fetching, figures, plot, table
from tests.bench.peers.delay import Pace
from tests.bench.peers.entrants import Entrant
from tests.bench.peers.figures import Figures, Paced, Run
from tests.bench.stand import Stand

_ROOT: Final = Path(__file__).resolve().parents[3]
_LEAST: Final = 2_000
_PACES: Final = (
    Pace(per_second=1_000, warm_s=6, measured_s=10),
    Pace(per_second=100, warm_s=2, measured_s=12),
)


def _job(stand: Stand, name: str, source: str, settings: entrants.Settings) -> Job:
    folder, target = str(stand.folder / name), f"{name}.forwarded"
    return Job(bootstrap=stand.bootstrap, name=name, folder=folder, source=source, target=target, settings=settings)


def _source(records: int) -> str:
    return f"reports.{records}"


class Beside(StrEnum):
    """With whom lianqin may be compared."""

    KAFKA_STREAMS = entrants.KAFKA_STREAMS.name
    QUIX = entrants.QUIX.name
    FAUST = entrants.FAUST.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured."""

    entrants: Sequence[Entrant] = entrants.ALL
    """lianqin among them, beside whom the others stand."""
    scale: float = 1.0
    rounds: int = 2
    paces: Sequence[Pace] = _PACES


class _Bench:
    """One run of all."""

    def __init__(self, stand: Stand, bar: Bar, plan: "Plan") -> None:
        self._stand = stand
        self._bar = bar
        self._plan = plan
        self.all = {one.name: Figures(one.name, one.title) for one in plan.entrants}

    def run(self) -> None:
        """Round by round, so that what else goes on on the machine befalls all of them."""
        self.fill()
        for turn in range(1, self._plan.rounds + 1):
            for entrant in self._plan.entrants:
                self.throughput(turn, entrant)
        for turn in range(1, self._plan.rounds + 1):
            for entrant in self._plan.entrants:
                self.delay(turn, entrant)

    def records(self, entrant: Entrant) -> int:
        """So many are read for throughput."""
        return max(_LEAST, int(entrant.records * self._plan.scale))

    def fill(self) -> None:
        """One topic for each number of records; all that read so many read the same ones."""
        different = sorted({self.records(one) for one in self._plan.entrants})
        tell = self._bar.of("filling the topics", len(different))
        for done, count in enumerate(different, 1):
            small.source(self._stand, _source(count), count)
            tell(done)

    def throughput(self, turn: int, entrant: Entrant) -> None:
        """One run of each setup."""
        records = self.records(entrant)
        for number, (name, setup) in enumerate(entrant.throughput.items()):
            tell = self._bar.of(f"round {turn}: {entrant.title}, {name}", records)
            job = _job(self._stand, f"{entrant.name}.{turn}.{number}", _source(records), setup.settings)
            found = small.measured(self._stand, entrant.program, job, records, tell, processes=setup.processes)
            self.all[entrant.name].runs.append(Run(name, found))

    def delay(self, turn: int, entrant: Entrant) -> None:
        """At each pace, with each setup."""
        paces = [pace.times(self._plan.scale) for pace in self._plan.paces]
        for number, (setup, settings) in enumerate(entrant.delay.items()):
            tell = self._bar.of(f"delay {turn}: {entrant.title}, {setup}", sum(pace.records for pace in paces))
            name = f"{entrant.name}.delay.{turn}.{number}"
            job = _job(self._stand, name, f"{name}.reports", settings)
            found = delay.measured(self._stand, entrant.program, job, paces, tell)
            self.all[entrant.name].paced.append(Paced(setup, found))


def main(
    scale: Annotated[float, typer.Option(help="So many times the usual records and seconds.", min=0.001)] = 1.0,
    rounds: Annotated[int, typer.Option(help="Runs of each setup; the best counts.", min=1)] = 2,
    beside: Annotated[list[Beside] | None, typer.Option(help="Only these beside lianqin; may be repeated.")] = None,
    into: Annotated[Path, typer.Option(help="Where peers.json and peers.png go.")] = _ROOT / "build" / "bench",
) -> None:
    """Do the same job with lianqin, Kafka Streams, Quix Streams and plain Faust; say how fast, at what cost.

    Example: python -m tests.bench.peers.run --scale 0.2 --rounds 1 --beside kafka_streams
    """
    # Topics just made have no leader for a moment; its retries are nothing to tell a user.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    console = Console(width=None if sys.stdout.isatty() else 160)
    chosen = [one for one in entrants.ALL if beside is None or one is entrants.LIANQIN or one.name in beside]
    try:
        with console.status("fetching the peers"):
            for one in chosen:
                one.program.command()
    except fetching.FetchError as error:
        console.print(f"bench-peers: {error}", markup=False)
        raise typer.Exit(2) from error
    about = {"machine": machine.described(_ROOT / "build/kafka/libs"), "date": _now(), "scale": scale}
    all_figures = measured(console, Plan(entrants=chosen, scale=scale, rounds=rounds))
    table.show(console, all_figures)
    into.mkdir(parents=True, exist_ok=True)
    (into / "peers.json").write_text(json.dumps(figures.document(all_figures, about), indent=2) + "\n")
    plot.draw(all_figures, into / "peers.png")
    console.print(f"written: {into / 'peers.json'}, {into / 'peers.png'}")


def measured(console: Console, plan: Plan) -> list[Figures]:
    """The figures of all that are planned, on a broker of their own."""
    with (
        tempfile.TemporaryDirectory(prefix="lianqin-peers-") as name,
        bars(console) as bar,
        LocalBroker(Path(name) / "kafka") as broker,
    ):
        bench = _Bench(Stand(broker, Path(name)), bar, plan)
        bench.run()
    return list(bench.all.values())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    typer.run(main)
