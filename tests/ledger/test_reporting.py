"""The report: as a document, on the terminal, as a page."""

import re
from html.parser import HTMLParser

from rich.console import Console

from agents.reporting import terminal, words
from agents.reporting.document import document
from agents.reporting.page import page
from streams.ledger.access import Client
from streams.ledger.queries import figures
from streams.ledger.series import series
from streams.ledger.store import insert
from tests.facts import origin
from tests.ledger.histories import Partition, dead_block, dead_letter, full_history, small_history

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Outline(HTMLParser):
    """Checks that tags are closed in order, and gathers attributes that could ask for something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.asks: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One begins."""
        if tag not in VOID:
            self.open.append(tag)
        assert tag not in {"script", "iframe", "link", "img", "object"}
        self.asks += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href", "action"}]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One that is empty."""
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """One ends."""
        if tag not in VOID:
            assert self.open.pop() == tag


def filled(client: Client) -> None:
    insert(client, small_history().block())
    insert(client, dead_block(dead_letter(0, origin(20))))


def test_the_document_has_the_names_that_programs_read(client: Client) -> None:
    filled(client)
    told = document(figures(client))
    assert {name: told[name] for name in ("reports", "dead_letters", "tickets", "closed", "open", "overdue_now")} == {
        "reports": 6, "dead_letters": 1, "tickets": 4, "closed": 3, "open": 1, "overdue_now": 1,
    }  # fmt: skip
    assert told["fates"] == {"ticketed": 4, "repeat": 1, "urged": 1}
    assert told["on_time_rate"] == 0.5
    assert told["hours_to_close"] == {"p50": 5.0, "p90": 25.0}
    assert told["by_stage"] == {"closed": 2, "rated": 1, "opened": 1}
    assert told["log_time"] == "2023-11-16T04:13:20+00:00"
    assert told["by_area"] == {
        "a1": {
            "tickets": 3, "closed": 3, "open": 0, "on_time_rate": 2 / 3,
            "hours_to_close": {"p50": 5.0, "p90": 25.0}, "overdue_now": 0,
        },
        "a2": {
            "tickets": 1, "closed": 0, "open": 1, "on_time_rate": 0.0,
            "hours_to_close": {"p50": None, "p90": None}, "overdue_now": 1,
        },
    }  # fmt: skip
    assert told["by_category"].keys() == {"pothole", "graffiti"}  # type: ignore[attr-defined]  # a document is of objects


def test_the_document_has_the_loop(client: Client) -> None:
    insert(client, full_history().block())
    told = document(figures(client))["loop"]
    assert told == {
        "stages_on_time": {
            "dispatched": {"kept": 1, "ended": 1, "rate": 1.0},
            "handled": {"kept": 0, "ended": 1, "rate": 0.0},
            "signed": {"kept": 1, "ended": 2, "rate": 0.5},
        },
        "conditions_on_time": {"fenced": {"kept": 1, "ended": 1, "rate": 1.0}},
        "returns": 1, "reworks": 1, "wrong_dispatches": 2, "reopens": 1, "recurrences": 1, "suspensions": 1,
        "extensions": {"automatic": 1, "approved": 1}, "requests": {"return": 1, "extension": 1},
        "refusals": {"return": 1}, "diversions": {"police to service": 1, "returned": 1},
        "steps": {"warned": 1, "yellow": 1, "escalated": 1}, "alarms": {"no-owner": 1},
        "candidates": {"proposed": 1, "confirmed": 1, "refused": 1, "linked": 1}, "scores": {"5": 1},
        "satisfied_rate": 1.0, "left_out": {"drill": 1, "voided": 1, "merged": 1},
    }  # fmt: skip


LOOP = ("signed 50.0 % of 2", "yellow 黄牌 1", "wrong dispatch 错误派遣 2", "100.0 % of 1 rated", "police to service 1")


def test_terminal_and_page_show_the_loop(client: Client) -> None:
    insert(client, full_history().block())
    found = figures(client)
    console = Console(record=True, width=160)
    terminal.show(found, console)
    text, shown = console.export_text(), page(found, series(client))
    for part in LOOP:
        assert part in text
        assert part in shown


def test_the_document_of_nothing_has_no_rate(client: Client) -> None:
    told = document(figures(client))
    assert (told["reports"], told["on_time_rate"], told["log_time"]) == (0, None, None)
    assert told["hours_to_close"] == {"p50": None, "p90": None}


def test_the_terminal_shows_what_matters(client: Client) -> None:
    filled(client)
    console = Console(record=True, width=100)
    terminal.show(figures(client), console)
    text = console.export_text()
    for part in ("50.0 %", "overdue now", "ticketed", "no-place", "broken", "a1", "graffiti", "2023-11-16"):
        assert part in text


def test_the_terminal_says_when_there_is_nothing(client: Client) -> None:
    console = Console(record=True, width=100)
    terminal.show(figures(client), console)
    assert "Nothing in the ledger yet" in console.export_text()


def test_the_page_is_whole_and_asks_for_nothing(client: Client) -> None:
    filled(client)
    text = page(figures(client), series(client))
    outline = Outline()
    outline.feed(text)
    assert outline.open == []
    assert [ask for ask in outline.asks if not ask.startswith("#")] == []
    assert re.findall(r"url\((?!#)", text) == []
    assert "@import" not in text
    assert "{" not in re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    assert text.count("<svg") == 6
    for part in ("Reports and closings per hour", "50.0 %", "结案", "graffiti"):
        assert part in text


def test_the_same_figures_give_the_same_page(client: Client) -> None:
    filled(client)
    assert page(figures(client), series(client)) == page(figures(client), series(client))


def test_the_page_of_nothing(client: Client) -> None:
    assert "no event yet" in page(figures(client), series(client))


def test_the_page_of_drills_alone(client: Client) -> None:
    log = Partition(drills={"d1"})
    log.open("d1", origin(0))
    insert(client, log.block())
    outline = Outline()
    outline.feed(page(figures(client), series(client)))
    assert outline.open == []


def test_names_are_escaped(client: Client) -> None:
    log = small_history()
    log.open("k9", origin(30), area="<script>alert(1)</script>")
    insert(client, log.block())
    assert "<script" not in page(figures(client), series(client))


def test_words() -> None:
    assert (words.span(None), words.span(60_000), words.span(7_200_000), words.span(864e6)) == (
        "–", "1 min", "2.0 h", "10.0 d",
    )  # fmt: skip
    assert (words.rate(None), words.rate(0.5), words.count(12345)) == ("–", "50.0 %", "12,345")
