"""`lianqin explain`: what befell a ticket, and why each of its limits is when it is."""

from datetime import tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo

import orjson
import typer
from rich.console import Console
from rich.text import Text

from agents.cli.options import AsJson, DataDir, settings
from agents.cli.replay import From, LogFile
from agents.explaining.gathering import in_ledger, in_log, judges_in, story_of
from agents.explaining.judges import Judges
from agents.explaining.story import Story
from agents.explaining.telling import document, heading, lines
from agents.logs import logs_at
from agents.reach import ledger_at, place_of
from agents.replaying.broker import log_at
from agents.replaying.snapshot import snapshot_in
from agents.replaying.source import log_in


def explain(
    ticket: Annotated[str, typer.Argument(help="The ticket's id.")],
    data_dir: DataDir = None,
    log: LogFile = None,
    begin: From = None,
    as_json: AsJson = False,
) -> None:
    """Tell a ticket's story: each event in order; of each limit its rule, and the days that were counted.

    From the facts in ClickHouse and the policies on the desk's log, whether the centre runs or not; or from a log that
    was exported. Where a log begins with a snapshot, --from has the policies from before.

    Exit codes: 0 done, 2 refused.

    Example: `lianqin explain 320111001.5f0c2d9be1a34c77`, or the same with `--log march.log`
    """
    earlier = None if begin is None else snapshot_in(begin)
    if log is not None:
        source = log_in(log)
        facts, judges = in_log(source, ticket), judges_in(source, ticket, earlier)
    else:
        with place_of(settings(data_dir)) as place:
            with ledger_at(place) as client:
                facts = in_ledger(client, ticket)
            with logs_at(place) as logs:
                judges = judges_in(log_at(logs), ticket, earlier)
    story = story_of(ticket, facts, judges)
    if as_json:
        typer.echo(orjson.dumps(document(ticket, story.chapters), option=orjson.OPT_INDENT_2).decode())
    else:
        show(ticket, story, zone_of(judges), Console())


def zone_of(judges: Judges) -> tzinfo | None:
    """The zone of the district's calendar."""
    calendar = None if judges.newest is None else judges.newest.policy.calendar
    return None if calendar is None else ZoneInfo(calendar.zone)


def show(ticket: str, story: Story, zone: tzinfo | None, console: Console) -> None:
    """Print it."""
    console.print(Text(f"{ticket}, times of {zone or 'UTC'}", "bold"))
    for chapter in story.chapters:
        console.print(Text(heading(chapter, zone), "bold"))
        for line in lines(chapter, zone):
            console.print(Text(f"     {line}"), soft_wrap=True)
