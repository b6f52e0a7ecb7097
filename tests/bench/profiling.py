"""Where a worker's time goes between report and ticket: `python -m tests.bench.profiling`; also `make profile`.

One of two workers is sampled by py-spy while both work through what lies on `intake.citizen`. Prints the shares as a
table, and writes build/bench/profile.folded, which any flame graph tool draws (inferno, flamegraph.pl, speedscope).
Sampling takes some of the machine: shares hold, the rate does not.
"""

import logging
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from agents.local.broker import LocalBroker
from schemas.topics import CITIZEN
from tests.bench import path, reports
from tests.bench.logs import fill
from tests.bench.stand import Stand

ROOT: Final = Path(__file__).resolve().parents[2]
_FOLDED: Final = "profile.folded"
_HERTZ: Final = "200"
_ENDED_WITHIN_S: Final = 30.0
_LOOP: Final = "Loop__run"
"""Below it the worker works; above and beside it, it starts."""
_GROUPS: Final = {
    "garbage collection": "keep_off (",
    "desk: rules (decide, evolve, indexes)": "decide (streams/desk/decide.py",
    "desk: facts as JSON, headers": "send_of (",
    "desk: state records": "Draft.state (",
    "desk: memory takes the change": "Draft.take (",
    "desk: commands read, the rest": "answer_to (",
    "intake: records to commands": "Intake.answer (",
    "records into batches": "Transactions._pack (",
    "batches built and sent": "_send_produce_req (",
    "transactions (coordinator, offsets, commit)": "aiokafka/producer/",
    "fetching and reading records": "aiokafka/consumer/",
    "flow control": "Flow.",
    "sockets, protocol": "aiokafka/",
    "Faust and its channels": "faust/",
    "owners and their readers": "streams/ownership/",
}
"""What a stack belongs to: the first whose word stands in it."""


def main(
    records: Annotated[int, typer.Option(min=1_000, help="So many reports.")] = 100_000,
    into: Annotated[Path, typer.Option(help=f"Where {_FOLDED} goes.")] = ROOT / "build" / "bench",
) -> None:
    """Sample, print, write. Shorter: `python -m tests.bench.profiling --records 20000`."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # topics just made have no leader for a moment
    console = Console(width=None if sys.stdout.isatty() else 120)
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lianqin-profile-") as name, LocalBroker(Path(name) / "kafka") as broker:
        stand = Stand(broker, Path(name))
        path.prepare(stand)
        count = fill(stand.bootstrap, path.PREFIX + CITIZEN, reports.rows(records))
        with path.workers(stand) as pids, _sampled(pids["worker-1"], into / _FOLDED):
            path.until_done(stand, count, lambda _: None)
    console.print(_table(shares((into / _FOLDED).read_text().splitlines())))
    console.print(f"written: {into / _FOLDED}")


@contextmanager
def _sampled(pid: int, file: Path) -> Iterator[None]:
    argv = [str(Path(sys.executable).parent / "py-spy"), "record", "--pid", str(pid), "--gil", "--native"]
    argv += ["--rate", _HERTZ, "--duration", "3600", "--format", "raw", "--output", str(file)]
    spy = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        spy.send_signal(signal.SIGINT)  # it writes what it has on an interrupt
        spy.wait(_ENDED_WITHIN_S)


def shares(lines: Iterable[str]) -> dict[str, float]:
    """Of the samples in which the loop ran, the share of each group in percent, the largest first."""
    found: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        if _LOOP in stack:
            group = next((name for name, word in _GROUPS.items() if word in stack), "event loop, the rest")
            found[group] += int(count)
    whole = found.total()
    return {name: count / whole * 100 for name, count in found.most_common()}


def _table(all_shares: dict[str, float]) -> Table:
    table = Table(title="a worker's time between report and ticket", title_justify="left")
    table.add_column("what")
    table.add_column("%", justify="right")
    for name, share in all_shares.items():
        table.add_row(name, f"{share:.1f}")
    return table


if __name__ == "__main__":
    typer.run(main)
