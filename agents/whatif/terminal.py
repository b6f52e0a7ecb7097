"""What differs, on the terminal; and one ticket's two stories side by side."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo
from difflib import SequenceMatcher
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

from agents.explaining.story import Chapter
from agents.explaining.telling import heading, lines
from agents.whatif import rows
from agents.whatif.document import differs
from agents.whatif.figures import Pair, Part

MOST_UNITS: Final = 12


def show(part: Part, policy: str, console: Console) -> None:
    """Print it."""
    console.print(_figures("all tickets", part.all))
    if part.only_ours or part.only_theirs:
        console.print(
            f"{part.only_ours:,} tickets are there under the log's rules alone, {part.only_theirs:,} under the others "
            "alone: on these nobody works in the log, so they stay open. Of the tickets that both have:"
        )
        console.print(_figures("tickets of both", part.both))
    if rows.moved(part.all.ours, part.all.theirs):
        console.print(_rows("tickets by unit 承办单位", rows.units(part.all, MOST_UNITS)))
    _feedback(part, console)
    _named(part, console)
    verdict = "[bold yellow]differs[/]" if differs(part) else "[bold green]nothing differs[/]"
    console.print(f"{verdict} under policy {escape(policy)}: {part.records:,} records, both ways")


def side_by_side(ticket: str, stories: Sequence[Sequence[Chapter]], zone: tzinfo | None, console: Console) -> None:
    """Print one ticket's story under both; what happens under both at one moment shares a row."""
    ours, theirs = stories
    if not ours and not theirs:
        console.print(f"{ticket} is a ticket under neither", highlight=False, markup=False)
        return
    table = Table("under the log's rules", Column("under the others", overflow="fold"), title=ticket, show_lines=True)
    for one, other in paired(ours, theirs):
        table.add_row(_told(one, zone), _told(other, zone))
    console.print(table)


def paired(ours: Sequence[Chapter], theirs: Sequence[Chapter]) -> Iterator[tuple[Chapter | None, Chapter | None]]:
    """Events of one kind and moment beside each other, the others alone, in order of time."""
    names = [[(one.time, one.type) for one in story] for story in (ours, theirs)]
    for what, i, k, j, m in SequenceMatcher(None, names[0], names[1], autojunk=False).get_opcodes():
        if what == "equal":
            yield from zip(ours[i:k], theirs[j:m], strict=True)
            continue
        alone = [(one.time, one, None) for one in ours[i:k]] + [(one.time, None, one) for one in theirs[j:m]]
        yield from ((one, other) for _, one, other in sorted(alone, key=lambda pair: pair[0]))


def _told(chapter: Chapter | None, zone: tzinfo | None) -> Text:
    if chapter is None:
        return Text("")
    return Text("\n".join([heading(chapter, zone), *(f"  {line}" for line in lines(chapter, zone))]))


def _figures(title: str, pair: Pair) -> Table:
    return _rows(title, rows.figures(pair))


def _rows(title: str, found: Iterable[rows.Row]) -> Table:
    columns = (Column(name, justify="right") for name in ("log's rules", "others", "change"))
    table = Table(Column(title, overflow="fold"), *columns, box=None, header_style="bold", pad_edge=False)
    for row in found:
        # A unit is called what its handlers call it.
        table.add_row(escape(row.name), *row[1:], style="bold" if row.change else "")
    return table


def _feedback(part: Part, console: Console) -> None:
    found = list(rows.feedback(part))
    if found:
        table = Table("what handlers said", Column("", justify="right"), box=None, header_style="bold", pad_edge=False)
        for name, count in found:
            table.add_row(name, f"{count:,}")
        console.print(table)


def _named(part: Part, console: Console) -> None:
    if part.named:
        console.print(f"{part.differently:,} tickets of both fare differently; --ticket ID tells why:")
        for one in part.named[:5]:
            console.print(f"  {one.ticket}: {one.how}", highlight=False, markup=False, soft_wrap=True)
