"""Several units handle one matter (联合处置): a ticket for each, linked, with its own clock. Pure."""

from schemas.commands import Report
from schemas.events import TicketOpened
from schemas.policy import Unit
from schemas.state import Ticket
from streams.desk.clock import dated
from streams.desk.handling import dispatched
from streams.desk.limit_table import LimitFacts
from streams.desk.limits import at_opening
from streams.desk.linking import link
from streams.desk.turn import Turn


def join_forces(turn: Turn, first: Ticket, report: Report, units: tuple[Unit, ...]) -> Ticket:
    """Each further unit gets a ticket of its own of the first one's matter; gives the first back."""
    for number, unit in enumerate(units, start=2):
        second = turn.open(
            first.area, _opened(turn, first, report, unit), drill=first.drill, matter=first.matter, number=number
        )
        second = dispatched(turn, second, unit, source=first.source, by=None, note="", occurred_at=turn.at, before=None)
        link(turn, second, first, "joint", None)
        first = turn.draft.ticket(first.id) or first
    return first


def _opened(turn: Turn, first: Ticket, report: Report, unit: Unit) -> TicketOpened:
    """What the first is about; the report itself stays with that one."""
    rules = turn.rules
    facts = LimitFacts(first.category, first.urgency, first.area, first.source, first.kind, unit.side)
    return TicketOpened(
        source=first.source,
        source_id="",
        content="",
        category=first.category,
        kind=first.kind,
        urgency=first.urgency,
        side=unit.side,
        occurred_at=dated(rules.policy, report.occurred_at, turn.at),
        grid=first.grid,
        lat=first.lat,
        lon=first.lon,
        text=first.text,
        details=report.details,
        reporter=None,
        object=None,
        flags=first.flags,
        unit=unit.name,
        level=unit.level,
        policy=rules.policy.version,
        recurrence_of=None,
        deadlines=at_opening(rules, facts, turn.at),
    )
