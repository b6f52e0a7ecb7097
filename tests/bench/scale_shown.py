"""The figures of scaling out as tables, and as a picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

Document = Mapping[str, Any]


def show(console: Console, document: Document) -> None:
    """Print what was measured."""
    for part, shown in (("workers", _rates), ("partitions", _partitions), ("joining", _joining), ("growth", _growth)):
        if part in document:
            console.print(shown(document[part]))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left")
    return table


def _rates(found: Document) -> Table:
    table = _table("workers over 32 partitions", "workers", "a second", "a CPU second", "µs worker", "µs broker")
    for count, one in found.items():
        if "failed" in one:
            table.add_row(count, one["failed"])
        else:
            table.add_row(count, f"{one['per_second']:,.0f}", f"{one['per_cpu_second']:,.0f}", *_costs(one))
    return table


def _costs(one: Document) -> tuple[str, str]:
    return f"{one['worker_us_per_report']:.0f}", f"{one['broker_us_per_report']:.0f}"


def _partitions(found: Document) -> Table:
    columns = ("partitions", "µs worker", "µs broker", "idle: cores of workers", "of the broker", "bytes a report")
    table = _table("partitions, two workers", *columns)
    for count, one in found.items():
        if "failed" in one:
            table.add_row(count, one["failed"])
            continue
        idle = dict(one["idle_cores"])
        broker = idle.pop("broker")
        size = ", ".join(f"{name} {bytes_:.0f}" for name, bytes_ in one["bytes_per_report"].items())
        table.add_row(count, *_costs(one), f"{sum(idle.values()):.2f}", f"{broker:.2f}", size)
    return table


def _joining(found: list[Document]) -> Table:
    columns = ("what", "stage", "usual", "stayed", "moved", "moved, of", "first / last again")
    table = _table("longest wait, seconds: a third worker joins, is killed with -9, is started again", *columns)
    for run in found:
        kind = "static" if run["static"] else "new member"
        for what in ("join", "kill"):
            for stage, one in run[what].items():
                again = run["first_after_kill_s"][stage] if what == "kill" else {"first": None, "last": None}
                table.add_row(
                    f"{what}, {kind}",
                    stage,
                    f"{one['usual']:.2f}",
                    _or_dash(one["stayed"]),
                    _or_dash(one["moved"]),
                    f"{one['moved_n']}, {one['partitions']}",
                    f"{_or_dash(again['first'])} / {_or_dash(again['last'])}",
                )
    return table


def _or_dash(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _growth(found: Document) -> Table:
    table = _table("what the desk holds", "of", "how many", "µs a report", "resident bytes", "state bytes")
    for kind, ones in found.items():
        for count, one in ones.items():
            cells = (one["us_per_report"], one["resident_bytes_per_ticket"], one["state_bytes_per_ticket"])
            table.add_row(kind, f"{int(count):,}", *(f"{cell:,.0f}" for cell in cells))
    return table


def plot(file: Path, document: Document) -> None:
    """The same as a picture of four parts; those that were not measured stay empty."""
    figure = Figure(figsize=(11, 7.5), layout="constrained")
    first, second, third, fourth = figure.subplots(2, 2).flat
    if "workers" in document:
        _line(first, document["workers"], "workers over 32 partitions", "worker_us_per_report", "broker_us_per_report")
    if "partitions" in document:
        _line(second, document["partitions"], "partitions", "worker_us_per_report", "broker_us_per_report")
    if "joining" in document:
        _bars(third, document["joining"])
    if "growth" in document:
        _held(fourth, document["growth"])
    figure.savefig(file, dpi=110)


def _line(axes: Axes, found: Document, title: str, *names: str) -> None:
    found = {count: one for count, one in found.items() if "failed" not in one}
    for name in names:
        axes.plot([int(count) for count in found], [one[name] for one in found.values()], marker="o", label=name)
    axes.set(title=title, xscale="log", ylabel="CPU µs a report", ylim=(0, None))
    axes.set_xticks([int(count) for count in found], list(found))
    axes.legend()


def _bars(axes: Axes, found: list[Document]) -> None:
    names, heights = [], []
    for run in found:
        kind = "static" if run["static"] else "plain"
        for stage in ("intake", "desk"):
            names += [f"join\n{stage}\n{kind}", f"kill\n{stage}\n{kind}"]
            heights += [run["join"][stage]["moved"] or 0, run["first_after_kill_s"][stage]["last"] or 0]
    axes.bar(names, heights)
    axes.tick_params(axis="x", labelsize=7)
    axes.set(title="longest wait where it moved", ylabel="seconds")


def _held(axes: Axes, found: Document) -> None:
    for kind, ones in found.items():
        axes.plot([int(n) for n in ones], [one["us_per_report"] for one in ones.values()], marker="o", label=kind)
    axes.set(title="what the desk holds", xscale="log", ylabel="CPU µs a report", ylim=(0, None))
    axes.legend()
