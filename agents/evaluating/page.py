"""An evaluation as a page: one file that asks for nothing from outside."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from html import escape
from importlib import resources

from agents.evaluating import plots
from agents.evaluating.figures import Figures, Found, Sweep
from agents.evaluating.terminal import window
from agents.reporting import words
from agents.reporting.plots import NARROW, WIDE, Size

_SHARES = ("precision", "recall", "F1")


def page(figures: Figures, sweep: Sweep | None) -> str:
    """The whole page."""
    parts = [_keys(figures), _rules(figures)]
    if sweep is not None:
        parts += [
            _plot("Found and right, by radius and window", sweep, plots.right),
            _plot("Found, and what it costs", sweep, plots.asked),
        ]
    parts += [_missed(figures), _categories(figures)]
    if sweep is not None:
        parts.append(_tried(sweep))
    read = figures.read
    shell = resources.files("agents.evaluating").joinpath("page.html").read_text(encoding="utf-8")
    span = f"{read.source}, {_day(read.first)} to {_day(read.last)}"
    return shell.replace("{span}", escape(span)).replace("{body}", "\n".join(parts))


def _day(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d}"


def _keys(figures: Figures) -> str:
    read, candidates, times = figures.read, figures.candidates, figures.to_decide
    cards = (
        ("Reports", words.count(read.reports), f"{words.count(read.marked)} marked as duplicates"),
        ("Known duplicates", words.count(read.wanted), f"in {words.count(read.clusters)} clusters"),
        ("Found", words.rate(figures.together.recall), "joined by themselves, or proposed"),
        ("Right", words.rate(candidates.precision), "of the candidates, at least"),
        ("Candidates a day", f"{figures.per_day:.1f}", f"{words.count(figures.busiest_day)} on the busiest"),
        ("Time to decide", words.span(times.p50_ms), f"median; 90 % within {words.span(times.p90_ms)}"),
    )
    inner = (f"<div><h3>{escape(n)}</h3><p>{escape(v)}</p><small>{escape(note)}</small></div>" for n, v, note in cards)
    return f'<section class="keys">{"".join(inner)}</section>'


def _rules(figures: Figures) -> str:
    rows = (
        ("by itself (D1, D2): reports", *_found(figures.automatic)),
        ("candidates (D3): pairs", *_found(figures.candidates)),
        ("both", *_found(figures.together)),
    )
    return _table("The rules as they are", ("found", "right", *_SHARES), rows)


def _missed(figures: Figures) -> str:
    rows = ((why, words.count(count)) for why, count in figures.missed.items())
    return _table("Duplicates not found, by the first reason", ("reports",), rows)


def _categories(figures: Figures) -> str:
    rows = (
        (
            name,
            words.count(one.reports),
            words.count(one.candidates.wanted),
            *_found(one.candidates),
            words.rate(one.asked.precision),
        )
        for name, one in figures.by_category.items()
    )
    return _table("Candidates by category", ("reports", "duplicates", "pairs", "right", *_SHARES, "marked"), rows)


def _tried(sweep: Sweep) -> str:
    rows = (
        (
            f"{one.metres} m, {window(one.seconds)}",
            *_found(one.candidates),
            f"{one.per_day:.1f}",
            words.rate(one.asked.precision),
        )
        for one in sweep
    )
    return _table("Radius and window", ("pairs", "right", *_SHARES, "a day", "marked"), rows)


def _found(found: Found) -> Iterable[str]:
    yield words.count(found.found)
    yield words.count(found.right)
    for share in (found.precision, found.recall, found.f1):
        yield words.rate(share)


def _plot(title: str, sweep: Sweep, draw: Callable[[Sweep, Size], str]) -> str:
    # Twice: letters in a drawing that is only made smaller could not be read on a telephone.
    wide, narrow = draw(sweep, WIDE), draw(sweep, NARROW)
    return _panel(title, f'<div class="wide">{wide}</div><div class="narrow">{narrow}</div>')


def _table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in ("", *columns))
    body = "".join(_row(*row) for row in rows)
    return _panel(title, f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>')


def _row(name: str, *cells: str) -> str:
    return f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'


def _panel(title: str, inner: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{inner}</section>"
