"""Texts that were sent to do harm, where people and programs read them: in ClickHouse, on the terminal, on pages."""

from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from typing import Any, Final

import pytest
from rich.console import Console

from agents.evaluating import terminal as evaluating
from agents.evaluating.page import page as evaluation
from agents.reporting import terminal
from agents.reporting.document import document
from agents.reporting.page import page
from schemas.codes import Fate
from schemas.events import ReportSettled, TicketHandled, TicketOpened
from streams.ledger.access import Client
from streams.ledger.account import Account, check_events
from streams.ledger.agreement import told_by_ledger
from streams.ledger.asking import rows
from streams.ledger.queries import figures, settled
from streams.ledger.rows import block_of, dead_letter_row, event_row
from streams.ledger.series import series
from streams.ledger.store import insert
from tests.evaluating.test_evaluate import Row, measured
from tests.facts import BEGIN, fact, origin
from tests.ledger.histories import TICKETS, Partition
from tests.ledger.test_rows import HARMFUL

HARM: Final = (
    "'; DROP TABLE events; --", "\\'; DROP TABLE events; --", "' OR 1=1 --", "{topic:String}", "\\0\\n\\'", "`events`",
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</title><svg onload=alert(1)>", "{body}{until}",
    "[red]x[/red]", "[/]", "[link=http://x]y[/link]", "=cmd|' /C calc'!A0", "a\tb\nc", "👩\u200d🚒", "\\N", "NULL",
)  # fmt: skip
FIELDS: Final = ("source", "source_id", "category", "kind", "grid", "unit", "policy")


class Tags(HTMLParser):
    """Every tag of a page, and every attribute that does or asks for something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.live: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One begins."""
        self.tags.append(tag)
        self.live += [name for name, _ in attrs if name.startswith("on") or name in {"src", "href", "action"}]


def harmless(html: str) -> None:
    seen = Tags()
    seen.feed(html)
    assert not set(seen.tags) & {"script", "img", "iframe", "object", "link", "form"}
    assert seen.live == []
    assert (seen.tags.count("title"), seen.tags.count("html"), seen.tags.count("body")) == (1, 1, 1)


def shown(show: Any) -> str:
    """What stands on a terminal."""
    out = StringIO()
    show(Console(file=out, width=300))
    return out.getvalue()


def filled(client: Client) -> Partition:
    """A ticket for each, whose every text is harm."""
    log = Partition()
    for number, harm in enumerate(HARM):
        texts: Mapping[str, Any] = dict.fromkeys((*FIELDS, "text", "content", "reporter", "object"), harm)
        opened = fact(TicketOpened, **texts, details={harm: harm})
        log.say(opened, at=BEGIN, ticket=f"k{harm}", area=harm)
        handled = fact(TicketHandled, note=harm, by=harm, evidence=(harm,))
        log.say(handled, at=BEGIN, ticket=f"k{harm}", area=harm)
        came = origin(number, topic=harm)
        fate = fact(ReportSettled, fate=Fate.TICKETED, ticket=f"k{harm}", origin=came)
        log.say(fate, at=BEGIN, ticket=f"k{harm}", area=harm)
    insert(client, log.block())
    return log


def test_every_text_comes_back_from_clickhouse_as_it_was_said(client: Client) -> None:
    filled(client)
    for number, harm in enumerate(HARM):
        asked = "SELECT ticket, area, {0} FROM events FINAL WHERE area = {{harm:String}} AND type LIKE '%opened%'"
        [found] = rows(client, asked.format(", ".join(FIELDS)), {"harm": harm})
        assert list(found) == [f"k{harm}", harm, *[harm] * len(FIELDS)]
        assert settled(client, harm, 0, 0, number) == 1
    assert rows(client, "SELECT count() FROM events FINAL")[0][0] == 3 * len(HARM)


def test_what_no_column_holds_stops_no_block(client: Client) -> None:
    for row_of in (event_row, dead_letter_row):
        harmful = [record for its, record in HARMFUL.values() if its is row_of]
        insert(client, block_of([replace(record, offset=number) for number, record in enumerate(harmful)], row_of))
    assert rows(client, "SELECT type, count() FROM events FINAL GROUP BY type") == [("unreadable", len(HARMFUL))]


def test_what_audit_asks_is_answered_whatever_tickets_are_called(client: Client) -> None:
    filled(client)
    told = told_by_ledger(client, TICKETS, [f"k{harm}" for harm in HARM])
    assert set(told) == {f"k{harm}" for harm in HARM}
    account = Account()
    check_events(client, account, list(HARM))
    assert account.ok


def test_the_report_shows_harm_as_text(client: Client) -> None:
    filled(client)
    found = figures(client)
    assert set(found.by_category) == set(HARM)
    assert set(document(found)["by_area"]) == set(HARM)  # type: ignore[call-overload]  # it is a mapping
    html = page(found, series(client))
    harmless(html)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    text = shown(lambda console: terminal.show(found, console))
    assert "[red]x[/red]" in text
    assert "\x1b]8;" not in text


def test_an_evaluation_shows_harm_as_text(tmp_path: Any) -> None:
    found, sweep = measured(tmp_path, [Row("1", 1), Row("2", 2, of="1")])
    harmful = {name: next(iter(found.by_category.values())) for name in HARM[-12:]}
    object.__setattr__(found, "by_category", harmful)
    harmless(evaluation(found, sweep))
    assert "[link=http://x]y[/link]" in shown(lambda console: evaluating.show(found, sweep, console))


@pytest.mark.parametrize("harm", HARM)
def test_no_header_of_a_fact_says_more_than_one_thing(harm: str) -> None:
    log = Partition()
    log.say(fact(TicketHandled, note=harm), at=BEGIN, ticket=f"k{harm}", area=harm)
    names = [name for name, _ in log.records[0].headers]
    assert len(set(names)) == len(names)
