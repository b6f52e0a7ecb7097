"""The figures as a table on the terminal."""

from rich.console import Console
from rich.table import Table

from tests.bench.paced import Delay
from tests.bench.rate import Rate


def show(
    console: Console,
    small: tuple[Rate, Rate],
    path: Rate,
    delays: tuple[Delay, Delay],
    cores: dict[str, dict[str, float]],
) -> None:
    """Print all of it."""
    lianqin, faust = small
    table = Table(title="lianqin bench", title_justify="left")
    for heading in ("what", "a second", "beside Faust", "a CPU second", "CPU s a million"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    _add(table, "small job, stock Faust, at least once", faust, "1.0 ×")
    _add(table, "small job, lianqin, exactly once", lianqin, f"{lianqin.per_second / faust.per_second:.1f} ×")
    _add(table, "report → ticket, exactly once, 2 workers", path, "")
    console.print(table)
    for name, delay in zip(("delay, report → ticket", "alarms, with a flood of routine reports"), delays, strict=True):
        console.print(
            f"{name}, at {delay.per_second}/s: p50 {delay.p50_ms:.0f} ms, p99 {delay.p99_ms:.0f} ms "
            f"({delay.count} tickets)"
        )
    for core, costs in cores.items():
        console.print(f"{core} alone: " + ", ".join(f"{name} {cost:.1f} µs" for name, cost in costs.items()))


def _add(table: Table, name: str, rate: Rate, ratio: str) -> None:
    cpu = ", ".join(f"{process} {seconds:.0f}" for process, seconds in rate.cpu_seconds_per_million.items())
    table.add_row(name, f"{rate.per_second:,.0f}", ratio, f"{rate.per_cpu_second:,.0f}", cpu)
