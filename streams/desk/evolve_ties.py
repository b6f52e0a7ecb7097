"""What facts make of how a ticket hangs together with others: matches, links, master and children. Pure."""

from typing import assert_never

from schemas.codec import replace
from schemas.envelope import Envelope
from schemas.events import MatchProposed, MatchRefused, TicketAdopted, TicketLinked, TicketReleased
from schemas.state import NO_TIES, Match, Ticket, Ties, ties_of

Tied = MatchProposed | MatchRefused | TicketLinked | TicketAdopted | TicketReleased


def tied(ticket: Ticket, event: Tied, envelope: Envelope) -> Ticket:
    """The ticket after a fact about it and another one."""
    reports = ticket.reports
    if isinstance(event, TicketReleased) and event.source_id:
        gone = (event.source, event.source_id)
        reports = tuple(attached for attached in reports if (attached.source, attached.source_id) != gone)
    ties = _after(ties_of(ticket), event)
    return replace(
        ticket,
        sequence=envelope.sequence or ticket.sequence,
        reports=reports,
        ties=None if ties == NO_TIES else ties,
    )


def parted(ticket: Ticket) -> Ties | None:
    """The ties of a ticket that is nobody's child any more."""
    ties = replace(ties_of(ticket), merged_into=None)
    return None if ties == NO_TIES else ties


def _after(ties: Ties, event: Tied) -> Ties:
    match event:
        case MatchProposed():
            ties = replace(ties, matches=_matched(ties, event.other, refused=False))
        case MatchRefused():
            ties = replace(ties, matches=_matched(ties, event.other, refused=True))
        case TicketLinked():
            links = ties.links if event.other in ties.links else (*ties.links, event.other)
            ties = replace(ties, links=links)
        case TicketAdopted():
            ties = replace(ties, children=(*ties.children, event.child))
        case TicketReleased():
            ties = replace(ties, children=tuple(child for child in ties.children if child != event.child))
        case _:
            assert_never(event)
    return ties


def _matched(ties: Ties, other: str, *, refused: bool) -> tuple[Match, ...]:
    """One match for each other ticket, in its place; the last word counts."""
    new = Match(other=other, refused=refused)
    if all(match.other != other for match in ties.matches):
        return (*ties.matches, new)
    return tuple(new if match.other == other else match for match in ties.matches)
