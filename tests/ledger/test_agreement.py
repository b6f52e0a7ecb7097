"""Views and ledger tell the same of whatever the desk says."""

import pytest

from schemas.views import Status
from streams.ledger.access import Client
from streams.ledger.agreement import Told, compare, told_by_ledger
from streams.ledger.asking import rows
from streams.ledger.rows import block_of, event_row
from streams.ledger.store import insert
from tests.views.desk import played, records_of
from tests.views.kit import viewed


@pytest.mark.parametrize("seed", range(4))
def test_views_and_ledger_agree_on_what_the_desk_says(client: Client, seed: int) -> None:
    records = records_of(played(seed).log.facts)
    insert(client, block_of(records, event_row))
    current = viewed(records).current()
    views = {
        name: Told(view.status.value, view.stage.value, view.standing.value, view.unit, view.sequence)
        for name, view in current.items()
    }
    agreement = compare(views, told_by_ledger(client, "t.tickets"))
    assert agreement.differing == {}
    assert sum(agreement.views.values()) == len(current) > 0


@pytest.mark.parametrize("seed", range(4))
def test_views_and_ledger_agree_on_when_open_tickets_are_due(client: Client, seed: int) -> None:
    records = records_of(played(seed).log.facts)
    insert(client, block_of(records, event_row))
    open_ones = [view for view in viewed(records).current().values() if view.status is Status.OPEN]
    due = "SELECT ticket, toUnixTimestamp64Milli(overall_due) FROM tickets WHERE NOT closed"
    assert {row[0]: row[1] for row in rows(client, due)} == {view.ticket: view.due_at for view in open_ones}


def test_differences_are_named_by_ticket() -> None:
    one, other = Told("open", "signed", "running", "u1", 3), Told("open", "signed", "running", "u1", 4)
    agreement = compare({"a": one, "b": one, "c": one}, {"b": other, "c": one, "d": one})
    assert agreement.differing == {"a": (one, None), "b": (one, other), "d": (None, one)}
    assert not agreement.ok
    assert compare({"a": one}, {"a": one}).ok
