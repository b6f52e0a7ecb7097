"""A million open tickets: `python -m tests.bench.million.run --tickets 100000`; also `make bench-million`.

- Folded: their state lies on `desk.state`; the real opener folds it, once in one process that holds all partitions,
  once in two that hold half of them each. What that adds to the process's memory is what a ticket takes. Their next
  limits lie over a day.
- A second worker joins and leaves: what moves, and how long those are silent that stay.
- Due at once: a twentieth of them in the same second, then all others at one moment; real workers, the real ticker,
  a subscriber that reads what is committed.

The tickets are the desk's own and their like (tickets.py). What is printed is written to build/bench/million.json.
"""

import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from confluent_kafka import Producer
from rich.console import Console
from rich.table import Table

from agents.local.broker import LocalBroker
from schemas.state import Ticket
from schemas.topics import DESK_STATE
from tests.bench import cpu, machine, path
from tests.bench.bars import Bar, bars
from tests.bench.million import firing, rebalance
from tests.bench.million.firing import Late, Subscriber
from tests.bench.million.fold import PREFIX
from tests.bench.million.rebalance import Moved
from tests.bench.million.tickets import PARTITIONS, district, models, record
from tests.bench.million.workers import Worker, wait
from tests.bench.stand import Stand, Tell

ROOT: Final = Path(__file__).resolve().parents[3]
DAY_MS: Final = 24 * 3600 * 1000
SHARE: Final = 20
"""One in so many is due in the same second."""
APART_S: Final = 12
"""Between that second and the moment when all others are due."""
LEAD_S: Final = 15
"""For the processes to start, beside what writing and folding takes."""


class State:
    """The tickets' records on `desk.state`, and when they are due."""

    def __init__(self, stand: Stand, tickets: int) -> None:
        self.tickets = tickets
        self.policy = district()
        self._begun_at = _now_ms()
        self.models: list[Ticket] = models(self.policy, self._begun_at)
        self.text_bytes = 0
        self._stand = stand

    @property
    def few(self) -> int:
        """How many are due in the same second."""
        return self.tickets // SHARE // PARTITIONS * PARTITIONS

    def spread(self, number: int) -> int:
        """When each is due, where they are not due at once: over a day that begins in a day."""
        return self._begun_at + DAY_MS + DAY_MS * number // self.tickets

    def write(self, tell: Tell, due_at: Callable[[int], int]) -> float:
        """Append all of them; by its number each is due then. Gives the seconds it took."""
        began, self.text_bytes = time.monotonic(), 0
        producer = Producer(
            {"bootstrap.servers": self._stand.bootstrap, "linger.ms": 50, "compression.type": "lz4", "log_level": 0}
        )
        for number in range(self.tickets):
            key, value, text = record(self.models, number, due_at(number))
            self.text_bytes += text
            self._append(producer, key, value, number % PARTITIONS)
            if number % 1000 == 0:
                producer.poll(0)
                tell(number)
        producer.flush(60)
        tell(self.tickets)
        return time.monotonic() - began

    @staticmethod
    def _append(producer: Producer, key: bytes, value: bytes, partition: int) -> None:
        while True:
            try:
                producer.produce(PREFIX + DESK_STATE, value, key, partition=partition)
            except BufferError:
                producer.poll(0.05)
            else:
                return


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _folds(stand: Stand, *workers: range) -> list[dict[str, float]]:
    """What the folding processes say, each of its own partitions, all at the same time."""
    argv = [sys.executable, "-m", "tests.bench.million.fold", stand.bootstrap]
    started = [
        subprocess.Popen([*argv, *map(str, partitions)], cwd=ROOT, stdout=subprocess.PIPE) for partitions in workers
    ]
    told = [child.communicate()[0] for child in started]
    for child in started:
        if child.returncode:
            raise subprocess.CalledProcessError(child.returncode, child.args)
    return [json.loads(one) for one in told]


def _start(stand: Stand) -> None:
    """Topics, a policy, and workers that have taken it in: from here on the state may be added to."""
    path.prepare(stand)
    worker = Worker(stand, "begins")
    with stand.running(worker.child):
        wait(lambda: worker.open() == PARTITIONS, "a worker opens all partitions")
        # The first tick is a partition's own: then each has applied its policy, and committed so.
        time.sleep(2)


@dataclass(frozen=True, slots=True)
class Fired:
    """Deadlines that were due at once."""

    late: Late
    """Those of the same second."""
    count: int
    seconds: float
    per_second: float
    """All others, at one moment."""
    cpu_us: dict[str, float]
    """CPU microseconds of each process for one of these: how busy the machine is matters less to it."""


def _due_at_once(stand: Stand, state: State, bar: Bar, lead_s: float) -> Fired:
    few_at = int(time.time() + lead_s) + 1
    all_at = few_at + APART_S

    def due_at(number: int) -> int:
        return few_at * 1000 + number % 1000 if number < state.few else all_at * 1000

    state.write(bar.of("state, due soon", state.tickets), due_at)
    workers = Worker(stand, "one"), Worker(stand, "two")
    subscriber = Subscriber(stand.bootstrap)
    try:
        with stand.running(*(one.child for one in workers)) as pids:
            wait(lambda: sum(one.open() for one in workers) == PARTITIONS, "two workers open all partitions")
            if time.time() > few_at - 1:
                msg = "the workers came too late for the deadlines: say --lead with more seconds"
                raise RuntimeError(msg)
            late = firing.lateness(subscriber, state.few, few_at + 1)
            rest = state.tickets - state.few
            before = {name: cpu.seconds(pid) for name, pid in pids.items()}
            seconds, per_second = firing.rate(subscriber, rest, all_at)
            used = {name: round((cpu.seconds(pid) - before[name]) / rest * 1e6, 1) for name, pid in pids.items()}
    finally:
        subscriber.stop()
    return Fired(late, rest, round(seconds, 2), per_second, used)


def main(
    tickets: Annotated[int, typer.Option(help="How many open tickets.")] = 1_000_000,
    lead: Annotated[float, typer.Option(help="Seconds from when state is written to the deadlines; 0: reckoned.")] = 0,
    into: Annotated[Path, typer.Option(help="Where million.json goes.")] = ROOT / "build" / "bench",
) -> None:
    """Measure, print, write."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    console = Console(width=None if sys.stdout.isatty() else 120)
    about = {"date": datetime.now(UTC).isoformat(timespec="seconds"), **machine.described(ROOT / "build/kafka/libs")}
    with (
        tempfile.TemporaryDirectory(prefix="lianqin-million-") as name,
        bars(console) as bar,
        LocalBroker(Path(name) / "kafka") as broker,
    ):
        stand = Stand(broker, Path(name))
        _start(stand)
        state = State(stand, tickets)
        took = state.write(bar.of("state", tickets), state.spread)
        (alone,) = _folds(stand, range(PARTITIONS))
        halves = _folds(stand, range(0, PARTITIONS, 2), range(1, PARTITIONS, 2))
        changes = rebalance.measured(stand)
        fired = _due_at_once(stand, state, bar, lead or LEAD_S + 1.5 * took + 3 * halves[0]["seconds"])
    document = {
        "machine": about,
        "tickets": tickets,
        "fold_seconds": round(alone["seconds"], 2),
        "fold_cpu_seconds": round(alone["cpu_seconds"], 2),
        "fold_seconds_of_half": [round(one["seconds"], 2) for one in halves],
        "bytes_per_ticket": round((alone["resident_bytes"] - state.text_bytes) / tickets),
        "text_bytes_per_ticket": round(state.text_bytes / tickets),
        "fired_per_second": round(fired.per_second),
        "fired": asdict(fired),
        "fired_per_cpu_second_in_the_core": round(firing.core(state.policy, state.models)),
        "lateness_p99_s": fired.late.p99_s,
        "rebalance": [asdict(one) for one in changes],
    }
    into.mkdir(parents=True, exist_ok=True)
    (into / "million.json").write_text(json.dumps(document, indent=2) + "\n")
    _show(console, document, fired, changes)
    console.print(f"written: {into / 'million.json'}")


def _show(console: Console, told: dict[str, Any], fired: Fired, changes: Sequence[Moved]) -> None:
    table = Table(title=f"{told['tickets']:,} open tickets", title_justify="left")
    for heading in ("what", "figure", "wanted"):
        table.add_column(heading)
    halves = " and ".join(f"{seconds:.1f} s" for seconds in told["fold_seconds_of_half"])
    late = fired.late
    table.add_row("folded, one worker with all of them", f"{told['fold_seconds']:.1f} s", "a million in < 10 s")
    table.add_row("folded, two workers with half each, at once", halves, "")
    table.add_row("memory of one, beyond its own text", f"{told['bytes_per_ticket']:,} bytes", "<= 1,024")
    table.add_row(
        f"{late.count:,} due in the same second: late",
        f"p50 {late.p50_s:.2f} s, p99 {late.p99_s:.2f} s, at most {late.worst_s:.2f} s",
        "50,000: p99 <= 1 s",
    )
    table.add_row(
        f"{fired.count:,} due at one moment",
        f"{fired.per_second:,.0f} a second, whole path ({fired.seconds:.1f} s)",
        ">= 50,000 a second",
    )
    each = ", ".join(f"{name} {used:.1f}" for name, used in fired.cpu_us.items())
    table.add_row("", f"µs of CPU for each: {each}", "40 together, on two cores")
    table.add_row("", f"{told['fired_per_cpu_second_in_the_core']:,} a CPU second, the core alone", "")
    for one in changes:
        table.add_row(
            f"a worker {one.what}: moved {len(one.partitions)} of {PARTITIONS}",
            f"silent: those that stayed {one.silent_stayed_s:.2f} s, moved {one.silent_moved_s:.2f} s",
            f"stayed: as in calm, {one.silent_calm_s:.2f} s",
        )
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
