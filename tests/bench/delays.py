"""The delay at two paces, for minutes: `python -m tests.bench.delays`; also `make bench-delay`.

From a report's append on `intake.citizen` to its ticket, read by who reads what is committed, exactly once, two workers
with intake and desk, no ledger: 100 reports a second, then 1,000. Writes build/bench/delay.json and a histogram,
delay.png, beside it. `p50_ms` and `p99_ms` at the top are those of 100 a second.
"""

import json
import logging
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from matplotlib import rc_context
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from agents.local.broker import LocalBroker
from agents.reporting.plots import GRID, INK, OVERDUE, REPORTS, SOFT
from tests.bench import machine, pace, path, reports
from tests.bench.bars import Bar, bars
from tests.bench.pace import Pace
from tests.bench.stand import Stand

ROOT: Final = Path(__file__).resolve().parents[2]
SLOW: Final = 100
FAST: Final = 1_000
_COLOURS: Final = (REPORTS, OVERDUE)
_STYLE: Final[Any] = {
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "legend.frameon": False,
}
_SIZE: Final = (8.0, 3.4)
_DPI: Final = 120


def main(
    minutes: Annotated[float, typer.Option(min=0.2, help=f"How long at {SLOW} reports a second.")] = 10.0,
    fast_minutes: Annotated[float, typer.Option(min=0.2, help=f"How long at {FAST:,} reports a second.")] = 5.0,
    into: Annotated[Path, typer.Option(help="Where delay.json and delay.png go.")] = ROOT / "build" / "bench",
) -> None:
    """Measure, print, write. Shorter: `python -m tests.bench.delays --minutes 1 --fast-minutes 0.5`."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # topics just made have no leader for a moment
    console = Console(width=None if sys.stdout.isatty() else 120)
    about = {"date": datetime.now(UTC).isoformat(timespec="seconds"), **machine.described(ROOT / "build/kafka/libs")}
    with tempfile.TemporaryDirectory(prefix="lianqin-delay-") as name, bars(console) as bar:
        paces = _paces(Path(name), bar, ((SLOW, minutes), (FAST, fast_minutes)))
    into.mkdir(parents=True, exist_ok=True)
    (into / "delay.json").write_text(json.dumps(document(about, paces), indent=2) + "\n")
    draw(paces, into / "delay.png")
    console.print(_table(paces))
    console.print(f"written: {into / 'delay.json'}, {into / 'delay.png'}")


def _paces(folder: Path, bar: Bar, plan: Sequence[tuple[int, float]]) -> list[Pace]:
    counts = [pace.count_of(per_second, minutes) for per_second, minutes in plan]
    rows = list(reports.rows(sum(counts)))
    made: list[Pace] = []
    with LocalBroker(folder / "kafka") as broker:
        stand = Stand(broker, folder)
        path.prepare(stand)
        with path.workers(stand):
            for (per_second, _), count in zip(plan, counts, strict=True):
                some, rows = rows[:count], rows[count:]
                made.append(pace.measured(stand, some, per_second, bar.of(f"{per_second:,} a second", count)))
    return made


def document(about: dict[str, object], paces: Sequence[Pace]) -> dict[str, object]:
    """All figures; the first pace's at the top."""
    first = paces[0].whole
    return {"p50_ms": first.p50_ms, "p99_ms": first.p99_ms, "paces": [_described(one) for one in paces], **about}


def _described(one: Pace) -> dict[str, object]:
    edges, counts = one.histogram()
    return {
        "per_second": one.per_second,
        "sent": one.sent,
        **asdict(one.whole),
        "minutes": [asdict(minute) for minute in one.minutes],
        "last_minute_to_first": round(one.grew_by, 2),
        "hops": {name: asdict(hop) for name, hop in one.hops.items()},
        "histogram": {"edges_ms": edges, "counts": counts},
    }


def draw(paces: Sequence[Pace], file: Path) -> None:
    """Write a PNG: how many of the reports took how long, one outline a pace."""
    with rc_context(_STYLE):
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.subplots()
        for one, colour in zip(paces, _COLOURS, strict=True):
            edges, counts = one.histogram()
            shares = [count / one.whole.count * 100 for count in counts]
            label = f"{one.per_second:,}/s: p50 {one.whole.p50_ms:.0f} ms, p99 {one.whole.p99_ms:.0f} ms"
            axes.stairs(shares, edges, color=colour, fill=True, alpha=0.2)
            axes.stairs(shares, edges, color=colour, lw=1.6, label=label)
            axes.axvline(one.whole.p99_ms, color=colour, lw=1, ls=":")
        axes.set_xscale("log")
        axes.set_xlim(1, max(200.0, *(max(one.delays_ms) for one in paces)))
        axes.set_xlabel("milliseconds from append to readable (dotted: p99)")
        axes.set_ylabel("% of reports")
        axes.legend()
        figure.savefig(file, dpi=_DPI)


def _table(paces: Sequence[Pace]) -> Table:
    table = Table(title="report → ticket, ms", title_justify="left")
    for heading in ("reports a second", "tickets", "p50", "p99", "most", "first minute p50", "last minute p50"):
        table.add_column(heading, justify="right")
    for one in paces:
        whole, first, last = one.whole, one.minutes[0], one.minutes[-1]
        figures = (whole.p50_ms, whole.p99_ms, whole.max_ms, first.p50_ms, last.p50_ms)
        table.add_row(f"{one.per_second:,}", f"{whole.count:,}", *(f"{figure:,.1f}" for figure in figures))
        for name, hop in one.hops.items():
            table.add_row("", name, f"{hop.p50_ms:,.1f}", f"{hop.p99_ms:,.1f}", f"{hop.max_ms:,.1f}", "", "")
    return table


if __name__ == "__main__":
    typer.run(main)
