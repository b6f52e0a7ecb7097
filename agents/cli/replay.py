"""`lianqin replay`: the desk's log through the core once more, compared with what stands on `tickets`."""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import orjson
import typer
from rich.console import Console

from agents.cli.options import AsJson, DataDir, settings
from agents.cli.writing import write_page
from agents.errors import UserError
from agents.feeding.progress import Bar
from agents.logs import logs_at
from agents.packs import examine
from agents.reach import place_of
from agents.replaying import outcome
from agents.replaying.broker import BrokerLog, log_at
from agents.replaying.exporting import export
from agents.replaying.replay import Job, Span, run
from agents.replaying.snapshot import Snapshot, snapshot_in
from agents.replaying.source import FileLog, Source, log_in
from agents.replaying.spreading import processes
from agents.whatif import terminal
from agents.whatif.document import differs, document
from agents.whatif.figures import Part
from agents.whatif.worlds import Asked, whatif
from schemas.codes import Clock

LogFile = Annotated[Path | None, typer.Option("--log", help="A log that was exported, instead of a centre's.")]
From = Annotated[Path | None, typer.Option("--from", help="Begin with this snapshot, not with the log's beginning.")]
Partitions = Annotated[list[int] | None, typer.Option("--partition", min=0, help="Only this one; may be repeated.")]
Until = Annotated[str | None, typer.Option(help="Up to this time, or this offset of the one --partition.")]
Processes = Annotated[int | None, typer.Option(min=1, help="How many work side by side. [default: one a core]")]


def replay(  # noqa: PLR0913, PLR0917 - a command's options
    data_dir: DataDir = None,
    log: LogFile = None,
    begin: From = None,
    since: Annotated[str | None, typer.Option(help="From this time, or this offset of the one --partition.")] = None,
    until: Until = None,
    partition: Partitions = None,
    to: Annotated[
        Path | None, typer.Option("--export", help="Write the log, and what stands on tickets, to this file; no more.")
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(help="What if: these rules instead, a district by name or folder, as in `pukou+flood`."),
    ] = None,
    ticket: Annotated[str | None, typer.Option(help="With --policy: this ticket's story under both.")] = None,
    html: Annotated[Path | None, typer.Option(help="With --policy: write a page with plots to this file.")] = None,
    workers: Processes = None,
    as_json: AsJson = False,
) -> None:
    """Run the desk's log through the rules once more, without writing anywhere, and compare each event, byte for byte.

    Works while the centre runs and when it does not, and on a log that was exported. Times are as 2026-03-01 or
    2026-03-01T08:00+08:00, log time; without a zone UTC.

    With --policy the log runs once under the rules it had and once under these, which take the place of all policies of
    the log, or of those from --since on; told is what would have been different.

    Exit codes: 0 the same, 1 something differs, 2 refused.

    Example: `lianqin replay`, `lianqin replay --export march.log`, `lianqin replay --log march.log --since 2026-03-08`,
    or `lianqin replay --policy ./ours/ --html what-if.html`
    """
    span = span_of(since, until, partition or ())
    _belong(policy, ticket, html, to)
    with Bar() as bar, source_of(data_dir, log, partition or ()) as source:
        snapshot = None if begin is None else snapshot_in(begin)
        if to is not None:
            _export(to, source, snapshot, span, bar, as_json=as_json)
            return
        if policy is not None:
            asked = _asked(policy, span, ticket)
            job = Job(source=source, snapshot=snapshot, span=replace(span, since=None, first=None))
            part = whatif(job, asked, workers or processes(), bar)
            _tell(part, asked, policy, html, as_json=as_json)
            return
        job = Job(source=source, snapshot=snapshot, span=span)
        began = time.monotonic()
        found = run(job, workers or processes(), bar)
        took_s = time.monotonic() - began
    if as_json:
        typer.echo(orjson.dumps(outcome.document(found, took_s), option=orjson.OPT_INDENT_2).decode())
    else:
        outcome.show(found, took_s, Console())
    if outcome.different(found):
        raise typer.Exit(1)


def _belong(policy: str | None, ticket: str | None, html: Path | None, to: Path | None) -> None:
    alone = "--ticket" if ticket is not None else "--html" if html is not None else None
    if policy is None and alone is not None:
        msg = f"{alone} belongs to --policy: say which rules to try"
        raise UserError(msg)
    if policy is not None and to is not None:
        msg = "--export writes the log as it is: leave out --policy"
        raise UserError(msg)


def _asked(name: str, span: Span, ticket: str | None) -> Asked:
    district, _, surge = name.partition("+")
    if span.first is not None:
        msg = "rules hold from a time on: give --since a time, not an offset"
        raise UserError(msg)
    examined = examine(district)
    rules = {clock: examined.policy(clock, surge or None) for clock in Clock}
    return Asked(rules=rules, since=span.since, ticket=ticket)


def _tell(part: Part, asked: Asked, name: str, html: Path | None, *, as_json: bool) -> None:
    calendar = asked.rules[Clock.LOG].calendar
    zone = None if calendar is None else ZoneInfo(calendar.zone)
    if as_json:
        found = document(part, name, asked.ticket)
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        terminal.show(part, name, Console())
        if asked.ticket is not None:
            terminal.side_by_side(asked.ticket, part.stories, zone, Console())
    if html is not None:
        # Drawing takes a second to import: only who wants the page waits for it.
        from agents.whatif.page import page  # noqa: PLC0415

        write_page(html, page(part, name, None if asked.ticket is None else (asked.ticket, part.stories, zone)))
        typer.echo(f"wrote {html}", err=True)
    if differs(part):
        raise typer.Exit(1)


def _export(to: Path, source: Source, snapshot: Snapshot | None, span: Span, bar: Bar, *, as_json: bool) -> None:
    if not isinstance(source, BrokerLog):
        msg = "--export and --log contradict each other: copy the file, or export from the centre"
        raise UserError(msg)
    if span != Span():
        msg = "an exported log goes to the end: leave out --since and --until; --from SNAPSHOT begins in the middle"
        raise UserError(msg)
    counted = export(to, source, snapshot, bar)
    if as_json:
        typer.echo(orjson.dumps({"file": str(to), "records": counted}, option=orjson.OPT_INDENT_2).decode())
    else:
        typer.echo(", ".join(f"{count:,} records of {topic}" for topic, count in counted.items()) + f" are in {to}")


@contextmanager
def source_of(data_dir: Path | None, log: Path | None, partitions: Collection[int]) -> Iterator[Source]:
    """The log that is meant: an exported one, or the centre's."""
    if log is not None:
        yield _only(log_in(log), partitions)
        return
    with place_of(settings(data_dir)) as place, logs_at(place) as logs:
        yield _only(log_at(logs), partitions)


def _only(source: FileLog | BrokerLog, partitions: Collection[int]) -> Source:
    missing = sorted(set(partitions) - set(source.bounds))
    if missing:
        msg = f"there is no partition {missing[0]}: the log has {min(source.bounds)} to {max(source.bounds)}"
        raise UserError(msg)
    wanted = {number: one for number, one in source.bounds.items() if not partitions or number in partitions}
    return replace(source, bounds=wanted)


def span_of(since: str | None, until: str | None, partitions: Collection[int] | None) -> Span:
    """The span that is meant; without `partitions` by time alone."""
    first, since_ms = _moment("--since", since, partitions)
    end, until_ms = _moment("--until", until, partitions)
    return Span(since=since_ms, until=until_ms, first=first, end=end)


def _moment(name: str, text: str | None, partitions: Collection[int] | None) -> tuple[int | None, int | None]:
    """An offset or a time."""
    if text is None:
        return None, None
    # ² is a digit too, and no number.
    is_offset = partitions is not None and text.isascii() and text.isdigit()
    if is_offset and len(partitions or ()) != 1:
        msg = f"{name} {text} is an offset: say of which partition, with one --partition"
        raise UserError(msg)
    try:
        return (int(text), None) if is_offset else (None, _utc(text))
    except ValueError:
        msg = f"{name} {text!r} is no time: write it as 2026-03-01 or 2026-03-01T08:00+08:00"
        raise UserError(msg) from None


def _utc(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp() * 1000)
