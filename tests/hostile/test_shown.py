"""Names that were made to do harm, on a screen: each is shown as it stands, and no command falls over it."""

import io
from collections import Counter
from html import escape

import pytest
from rich.console import Console

from agents.cli.audit import show
from agents.proof import Proof
from agents.whatif.figures import Figures, Pair, Part
from agents.whatif.page import page
from agents.whatif.terminal import show as what_if
from streams.ledger.account import Account, SourceAccount
from streams.ledger.agreement import Agreement, Told

MARKUP = ("[/x]", "[red]name", "[link=a]b[/link]", "ends in \\")


def console() -> Console:
    return Console(file=io.StringIO(), width=200)


def seen(there: Console) -> str:
    assert isinstance(there.file, io.StringIO)
    return there.file.getvalue()


@pytest.mark.parametrize("name", MARKUP)
def test_an_audit_shows_a_source_and_a_unit_of_any_name(name: str) -> None:
    account = Account(sources={name: SourceAccount(received=1, dead_letters=1)})
    differing = {"a.1": (Told("open", "handled", "own", name, 3), None)}
    show(Proof(account=account, agreement=Agreement(differing=differing)), there := console())
    assert seen(there).count(name) == 2


def test_an_audit_does_not_let_a_source_move_the_cursor() -> None:
    show(Proof(account=Account(sources={"a\x1b[2Jb": SourceAccount(received=1)})), there := console())
    assert "a\\x1b[2Jb" in seen(there)


@pytest.mark.parametrize("name", [*MARKUP, "$x_$", "<b>"])
def test_what_if_shows_a_unit_and_a_district_of_any_name(name: str) -> None:
    part = Part(all=Pair(Figures(tickets=1, units=Counter({name: 1})), Figures(tickets=1, units=Counter({"other": 1}))))
    what_if(part, f"./{name}/", there := console())
    assert f"under policy ./{name}/:" in seen(there)
    assert seen(there).count(name) == 2
    text = page(part, f"./{name}/", None)
    assert escape(name) in text
    assert "<b>" not in text
