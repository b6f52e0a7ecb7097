"""What a replay came to: as one JSON document, and on the terminal."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from agents.replaying.comparing import MOST_NAMED, Tally
from agents.replaying.replay import Replayed
from agents.replaying.telling import line, what_differs
from schemas.envelope import rfc3339


def document(found: Sequence[Replayed], took_s: float) -> dict[str, Any]:
    """Its field names are an interface, programs read them."""
    records = sum(one.records for one in found)
    folded = records + sum(one.before for one in found)
    return {
        "ok": not different(found),
        "records": records,
        "folded_before": folded - records,
        "dead_letters": sum(one.letters for one in found),
        "events": _counts(found),
        "seconds": round(took_s, 2),
        "records_per_second": round(folded / took_s) if took_s > 0 else None,
        "since": _time(min((one.since for one in found if one.since is not None), default=None)),
        "until": _time(max((one.until for one in found if one.until is not None), default=None)),
        "partitions": [
            {
                "partition": one.partition,
                "first": one.first,
                "last": one.last,
                "records": one.records,
                "events": _counts([one]),
                "differences": [what_differs(difference) for difference in one.tally.first],
            }
            for one in found
        ],
    }


def different(found: Sequence[Replayed]) -> int:
    """How many events differ."""
    return sum(one.tally.different for one in found)


def show(found: Sequence[Replayed], took_s: float, console: Console) -> None:
    """Print it."""
    said = document(found, took_s)
    table = Table("partition", "records", "events", "equal", "different", "not compared", box=None)
    for column in table.columns:
        column.justify = "right"
    for one in found:
        table.add_row(str(one.partition), *_cells([one], one.records))
    table.add_row("all", *_cells(found, said["records"]), style="bold")
    console.print(table)
    _notes(said, console)
    named = [(one.partition, difference) for one in found for difference in one.tally.first][:MOST_NAMED]
    for partition, difference in named:
        console.print(line(partition, what_differs(difference)), highlight=False, markup=False)
    if (more := different(found) - len(named)) > 0 and named:
        console.print(f"… and {more:,} more (--json has the first of each partition)")
    console.print(_verdict(said))


def _notes(said: dict[str, Any], console: Console) -> None:
    events = said["events"]
    notes = (
        (events["gone"], "events are of records before tickets begins: retention has taken what stood there"),
        (events["pending"], "events are of records that the desk has not done yet"),
        (said["folded_before"], "records were folded to come to the span"),
    )
    for count, text in notes:
        if count:
            console.print(f"{count:,} {text}", highlight=False)


def _verdict(said: dict[str, Any]) -> str:
    rate = said["records_per_second"]
    speed = f"{said['seconds']:.1f} s" + (f", {rate:,} records/s" if rate else "")
    events = said["events"]
    if not events["different"]:
        return f"[bold green]the same[/]: {said['records']:,} records, {events['equal']:,} events equal; {speed}"
    return (
        f"[bold red]not the same[/]: {events['changed']:,} events changed, {events['missing']:,} missing, "
        f"{events['extra']:,} extra; {speed}"
    )


def _counts(found: Sequence[Replayed]) -> dict[str, int]:
    names = ("equal", "different", "changed", "missing", "extra", "gone", "pending")
    counts = {name: sum(getattr(one.tally, name) for one in found) for name in names}
    return {"replayed": sum(map(_replayed, (one.tally for one in found))), **counts}


def _replayed(tally: Tally) -> int:
    return tally.equal + tally.changed + tally.missing + tally.gone + tally.pending


def _cells(found: Sequence[Replayed], records: int) -> Sequence[str]:
    counts = _counts(found)
    aside = counts["gone"] + counts["pending"]
    return [f"{n:,}" for n in (records, counts["replayed"], counts["equal"], counts["different"], aside)]


def _time(at: int | None) -> str | None:
    return None if at is None else rfc3339(at)
