"""`lianqin audit`: the proof of account."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agents.cli.options import AsJson, DataDir, settings
from agents.logs import logs_at
from agents.printable import printable
from agents.proof import Proof, prove
from agents.reach import ledger_at, place_of
from streams.ledger.account import Named
from streams.ledger.agreement import MOST_NAMED, Agreement, Told


def audit(
    data_dir: DataDir = None,
    as_json: AsJson = False,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds to wait for what is still under way.")] = 120.0,
) -> None:
    """Prove that each record of each source stands in ClickHouse once, and nothing stands there without one.

    And that `tickets.current` tells the same of each ticket as ClickHouse does. Exit code 0: the account is whole; 1:
    something is missing, stands twice, differs, or was not done in time.

    Works while the centre runs and when it does not (then it starts the folder's broker for as long as it takes).

    Example: `lianqin audit`, or `lianqin audit --json | jq .missing`
    """
    with place_of(settings(data_dir)) as place, logs_at(place) as logs, ledger_at(place) as client:
        is_moving = place.run is not None or place.settings.kafka.bootstrap is not None
        proof = asyncio.run(prove(logs, client, timeout_s=timeout if is_moving else 0))
    if as_json:
        typer.echo(orjson.dumps(_document(proof), option=orjson.OPT_INDENT_2).decode())
    else:
        show(proof, Console())
    if not proof.ok:
        raise typer.Exit(1)


def _document(proof: Proof) -> dict[str, object]:
    account = proof.account
    return {
        "ok": proof.ok,
        "sources": {name: asdict(source) for name, source in account.sources.items()},
        "missing": [_named(one) for one in account.missing],
        "twice": [_named(one) for one in account.twice],
        "unfounded": [_named(one) for one in account.unfounded],
        "broken_tickets": account.broken,
        "unreadable": account.unreadable,
        "views": {
            "open": proof.agreement.views.get("open", 0),
            "closed": proof.agreement.views.get("closed", 0),
            "differing": [_difference(*one) for one in list(proof.agreement.differing.items())[:MOST_NAMED]],
            "differing_tickets": len(proof.agreement.differing),
        },
        "not_reached": dict(proof.behind),
    }


def _difference(ticket: str, told: tuple[Told | None, Told | None]) -> dict[str, object]:
    views, ledger = told
    return {
        "ticket": ticket,
        "views": None if views is None else views._asdict(),
        "ledger": None if ledger is None else ledger._asdict(),
    }


def _named(one: Named) -> dict[str, object]:
    found: dict[str, object] = {"topic": one.topic, "partition": one.partition, "offset": one.offset}
    if one.source:
        found["source"] = one.source
    if one.rows:
        found["rows"] = list(one.rows)
    return found


def show(proof: Proof, console: Console) -> None:
    """Print it."""
    account = proof.account
    table = Table("source", "received", "settled", "dead letters", "waiting", "missing", "twice", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, source in sorted(account.sources.items()):
        counts = (source.received, source.settled, source.dead_letters, source.waiting, source.missing, source.twice)
        # Whoever may write to an intake topic names his source: what he likes.
        table.add_row(Text(printable(name)), *(f"{n:,}" for n in counts))
    console.print(table)
    _list(console, "missing", account.missing, account.missing_n)
    _list(console, "twice", account.twice, account.twice_n)
    _list(console, "without a record in the log", account.unfounded, account.unfounded_n)
    for ticket in account.broken:
        console.print(f"ticket with a gap in its numbers: {ticket}")
    if account.unreadable:
        console.print(f"{account.unreadable:,} rows whose record could not be read")
    _differences(console, proof.agreement)
    for stage, left in proof.behind.items():
        console.print(f"not reached: the {stage} stage has up to {left:,} records to do; is `lianqin up` running?")
    console.print(_verdict(proof))


def _list(console: Console, what: str, named: Sequence[Named], total: int) -> None:
    for one in named:
        where = "; ".join(f"{row['topic']}-{row['partition']} at {row['offset']}" for row in one.rows)
        console.print(f"{what}: {one.topic}-{one.partition} at {one.offset} {where}".rstrip(), highlight=False)
    if total > len(named):
        console.print(f"{what}: {total - len(named):,} more")


def _differences(console: Console, agreement: Agreement) -> None:
    for ticket, (views, ledger) in list(agreement.differing.items())[:MOST_NAMED]:
        said = f"views and ledger differ: {ticket}: {_words(views)}; {_words(ledger)}"
        console.print(said, highlight=False, markup=False)
    if (more := len(agreement.differing) - MOST_NAMED) > 0:
        console.print(f"views and ledger differ: {more:,} more")


def _words(told: Told | None) -> str:
    return "not there" if told is None else " ".join(map(str, told))


def _verdict(proof: Proof) -> str:
    account = proof.account
    received = sum(source.received for source in account.sources.values())
    if proof.ok:
        tickets = sum(proof.agreement.views.values())
        return (
            f"[bold green]whole[/]: {received:,} received, 0 missing, 0 twice; {tickets:,} tickets the same everywhere"
        )
    return (
        f"[bold red]not whole[/]: {received:,} received, {account.missing_n:,} missing, {account.twice_n:,} twice, "
        f"{account.unfounded_n:,} without a record, {len(proof.agreement.differing):,} tickets differ"
    )
