"""Alarms of the police that belong together (关联警情): linked, never merged. Pure.

One accident is often three calls, and one call often wants several units; each stays a ticket with its own unit and
clock. What ties them is the matter, by which whoever is sent sees the others.
"""

from typing import Final, Literal

from schemas.codes import Side
from schemas.commands import Report
from schemas.events import TicketLinked
from schemas.policy import Duplicates
from schemas.state import Ticket
from streams.desk.places import Place, cells_within, distance_m, place_of
from streams.desk.turn import Turn

Why = Literal["near", "related", "joint"]
Found = tuple[Ticket, Why, int | None]
"""The other ticket, why, and how many metres away where that is why."""

_NEAR: Final[Why] = "near"
_RELATED: Final[Why] = "related"


def linked_to(turn: Turn, report: Report, side: Side) -> Found | None:
    """D4: the ticket that a new one belongs with: the one its source names, else the police's nearest in time.

    `side`: the new ticket's at its opening.
    """
    if side is not Side.POLICE:
        return None
    if report.related is not None:
        known = turn.draft.by_report(report.area, report.source, report.related)
        if known is not None and known.drill is report.drill:
            return known, _RELATED, None
    rules, place = turn.policy.duplicates, place_of(report.lat, report.lon)
    if place is None or rules.link_m <= 0 or rules.link_s <= 0:
        return None
    return _nearest(turn, report, place, rules)


def link(turn: Turn, ticket: Ticket, other: Ticket, why: Why, distance: int | None) -> Ticket:
    """Say of both that they belong together, of `ticket` first; gives `ticket` back."""
    ticket = turn.tell(ticket, TicketLinked(other=other.id, why=why, distance_m=distance))
    turn.tell(other, TicketLinked(other=ticket.id, why=why, distance_m=distance))
    return ticket


def _nearest(turn: Turn, report: Report, place: Place, rules: Duplicates) -> Found | None:
    best: tuple[int, str] | None = None
    found: Found | None = None
    for cell in cells_within(place, rules.link_m):
        for ticket in turn.draft.police_near(report.area, cell, turn.at - rules.link_s * 1000, drill=report.drill):
            rank = (-ticket.opened_at, ticket.id)
            if best is not None and rank[0] > best[0]:
                break  # what follows in this cell is older still
            there = place_of(ticket.lat, ticket.lon)
            distance = rules.link_m + 1 if there is None else distance_m(place, there)
            if distance <= rules.link_m and (best is None or rank < best):
                best, found = rank, (ticket, _NEAR, distance)
    return found
