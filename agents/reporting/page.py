"""The report as a page: one file that asks for nothing from outside."""

from collections.abc import Callable, Iterable, Mapping
from html import escape
from importlib import resources
from typing import Final

from agents.reporting import plots, words
from agents.reporting.loop import lines
from schemas.codes import Stage
from streams.ledger.queries import Figures, Part
from streams.ledger.series import Series

MOST_ROWS: Final = 15

_STAGES: Final = {
    Stage.OPENED: "登记",
    Stage.ACCEPTED: "受理",
    Stage.DISPATCHED: "派遣",
    Stage.SIGNED: "签收",
    Stage.CONTACTED: "先行联系",
    Stage.ARRIVED: "到场",
    Stage.HANDLED: "处置",
    Stage.VERIFIED: "核查",
    Stage.CALLED_BACK: "回访",
    Stage.CLOSED: "结案",
    Stage.RATED: "评价",
}


def page(figures: Figures, series: Series) -> str:
    """The whole page."""
    until = f"{figures.log_time:%Y-%m-%d %H:%M} UTC" if figures.log_time else "no event yet"
    parts = [_keys(figures)]
    if series.points:
        parts += _curves(series)
    parts.append(f'<div class="pair">{_stages(figures)}{_fates(figures)}</div>')
    parts.append(_loop(figures))
    parts.append(_parts("Areas", figures.by_area))
    parts.append(_parts("Categories", figures.by_category))
    shell = resources.files("agents.reporting").joinpath("page.html").read_text(encoding="utf-8")
    return shell.replace("{until}", escape(until)).replace("{body}", "\n".join(parts))


def _keys(figures: Figures) -> str:
    total = figures.total
    due = total.closed + total.overdue_now
    cards = (
        ("Reports", words.count(figures.reports), f"{words.count(total.tickets)} tickets of their own"),
        ("Closed", words.count(total.closed), f"{words.count(total.open)} open"),
        ("On time", words.rate(total.on_time_rate), f"of {words.count(due)} closed, or overdue and open"),
        ("Median to close", words.span(total.p50_ms), f"90 % within {words.span(total.p90_ms)}"),
        ("Overdue now", words.count(total.overdue_now), "by log time"),
        ("Dead letters", words.count(sum(figures.dead_letters.values())), _named(figures.dead_letters)),
    )
    return f'<section class="keys">{"".join(_card(*card) for card in cards)}</section>'


def _card(name: str, value: str, note: str) -> str:
    return f"<div><h3>{escape(name)}</h3><p>{escape(value)}</p><small>{escape(note)}</small></div>"


def _named(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in list(counts.items())[:2]) or "every input was usable"


def _curves(series: Series) -> Iterable[str]:
    yield _plot(f"Reports and closings per {series.step}", series, plots.flow)
    yield _plot("Overdue and open", series, plots.overdue)
    yield _plot("Time to close", series, plots.closing)


def _plot(title: str, series: Series, draw: Callable[[Series, plots.Size], str]) -> str:
    # Twice: letters in a drawing that is only made smaller could not be read on a telephone.
    wide, narrow = draw(series, plots.WIDE), draw(series, plots.NARROW)
    return _panel(title, f'<div class="wide">{wide}</div><div class="narrow">{narrow}</div>')


def _panel(title: str, inner: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{inner}</section>"


def _stages(figures: Figures) -> str:
    named = {f"{stage.value} {word}": figures.by_stage.get(stage.value, 0) for stage, word in _STAGES.items()}
    return _panel("Tickets by stage", _bars(named, "stage"))


def _fates(figures: Figures) -> str:
    rest = f"<h2>Doubts</h2>{_bars(figures.flags, 'flag')}" if figures.flags else ""
    return _panel("What became of reports", _bars(figures.fates, "fate") + rest)


def _loop(figures: Figures) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>' for name, text in lines(figures.loop)
    )
    return _panel("Closed loop 闭环", f'<table class="loop">{rows}</table>') if rows else ""


def _bars(counts: Mapping[str, int], kind: str) -> str:
    most = max(counts.values(), default=0) or 1
    rows = (
        f'<tr><th scope="row">{escape(name)}</th><td class="bar"><i style="width:{100 * n / most:.1f}%"></i></td>'
        f"<td>{words.count(n)}</td></tr>"
        for name, n in counts.items()
    )
    return f'<table class="bars {kind}">{"".join(rows)}</table>'


def _parts(title: str, parts: Mapping[str, Part]) -> str:
    shown = list(parts.items())[:MOST_ROWS]
    most = max((part.tickets for _, part in shown), default=0) or 1
    more = f"<small>{len(parts) - len(shown)} more in <code>lianqin report --json</code></small>"
    head = "".join(f"<th>{name}</th>" for name in ("tickets", "closed", "open", "on time", "median", "overdue"))
    rows = "".join(_row(name, part, most) for name, part in shown)
    table = f'<table class="parts"><tr><th></th><th class="bar"></th>{head}</tr>{rows}</table>'
    return _panel(title, f'<div class="scroll">{table}</div>{more if len(parts) > len(shown) else ""}')


def _row(name: str, part: Part, most: int) -> str:
    cells = (
        words.count(part.tickets),
        words.count(part.closed),
        words.count(part.open),
        words.rate(part.on_time_rate),
        words.span(part.p50_ms),
        words.count(part.overdue_now),
    )
    bar = f'<td class="bar"><i style="width:{100 * part.tickets / most:.1f}%"></i></td>'
    return f'<tr><th scope="row">{escape(name)}</th>{bar}{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
