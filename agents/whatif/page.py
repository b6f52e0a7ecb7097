"""What differs, as a page: one file that asks for nothing from outside."""

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from html import escape
from importlib import resources
from typing import Final

from agents.explaining.story import Chapter
from agents.explaining.telling import heading, lines
from agents.reporting import words
from agents.reporting.plots import NARROW, WIDE
from agents.whatif import rows
from agents.whatif.figures import Pair, Part
from agents.whatif.plots import PLOTS
from agents.whatif.terminal import paired
from schemas.codes import Step

MOST_UNITS: Final = 20
Stories = tuple[str, Sequence[Sequence[Chapter]], tzinfo | None]
"""Of which ticket, under the log's rules and under the others, and by which clock."""


def page(part: Part, policy: str, told: Stories | None) -> str:
    """The whole page."""
    parts = [_keys(part.all)]
    parts += [_plot(title, draw(part.all, WIDE), draw(part.all, NARROW)) for title, draw in PLOTS]
    parts.append(_table("All tickets", rows.figures(part.all)))
    if part.only_ours or part.only_theirs:
        parts.append(_table("Tickets that both have", rows.figures(part.both)))
    parts.append(_table("Tickets by unit 承办单位", rows.units(part.all, MOST_UNITS)))
    parts.append(_pairs("What handlers said", ((name, words.count(n)) for name, n in rows.feedback(part))))
    parts.append(_pairs("Tickets that fare differently, some", ((one.ticket, one.how) for one in part.named)))
    if told is not None:
        parts.append(_story(*told))
    shell = resources.files("agents.whatif").joinpath("page.html").read_text(encoding="utf-8")
    return shell.replace("{policy}", escape(policy)).replace("{body}", "\n".join(filter(None, parts)))


def _keys(pair: Pair) -> str:
    ours, theirs = pair.ours, pair.theirs
    cards = (
        ("Tickets", words.count(theirs.tickets), f"{words.count(ours.tickets)} under the log's rules"),
        ("On time", words.rate(theirs.on_time_rate), f"{words.rate(ours.on_time_rate)} under the log's rules"),
        ("Overdue now", words.count(theirs.overdue), f"{words.count(ours.overdue)} under the log's rules"),
        ("Yellow cards 黄牌", *_steps(pair, Step.YELLOW)),
        ("Red cards 红牌", *_steps(pair, Step.RED)),
    )
    inner = (f"<div><h3>{escape(n)}</h3><p>{escape(v)}</p><small>{escape(note)}</small></div>" for n, v, note in cards)
    return f'<section class="keys">{"".join(inner)}</section>'


def _steps(pair: Pair, step: Step) -> tuple[str, str]:
    ours, theirs = pair.ours.steps[step.value], pair.theirs.steps[step.value]
    return words.count(theirs), f"{words.count(ours)} under the log's rules"


def _plot(title: str, wide: str, narrow: str) -> str:
    # Twice: letters in a drawing that is only made smaller could not be read on a telephone.
    return _panel(title, f'<div class="wide">{wide}</div><div class="narrow">{narrow}</div>')


def _table(title: str, found: Iterable[rows.Row]) -> str:
    head = "".join(f"<th>{name}</th>" for name in ("", "log's rules", "others", "change"))
    body = "".join(_row(row.name, row.ours, row.theirs, row.change) for row in found)
    return _panel(title, f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>')


def _pairs(title: str, found: Iterable[tuple[str, str]]) -> str:
    body = "".join(_row(*one) for one in found)
    return _panel(title, f'<div class="scroll"><table>{body}</table></div>') if body else ""


def _story(ticket: str, stories: Sequence[Sequence[Chapter]], zone: tzinfo | None) -> str:
    ours, theirs = stories
    cells = ((_told(one, zone), _told(other, zone)) for one, other in paired(ours, theirs))
    body = "".join(f"<tr><td>{one}</td><td>{other}</td></tr>" for one, other in cells)
    head = "<tr><th>under the log's rules</th><th>under the others</th></tr>"
    return _panel(ticket, f'<table class="story">{head}{body}</table>')


def _told(chapter: Chapter | None, zone: tzinfo | None) -> str:
    if chapter is None:
        return ""
    said = "\n".join(lines(chapter, zone))
    return f"<b>{escape(heading(chapter, zone))}</b><pre>{escape(said)}</pre>"


def _row(name: str, *cells: str) -> str:
    return f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'


def _panel(title: str, inner: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{inner}</section>"
