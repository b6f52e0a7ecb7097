"""Which two tickets may be one matter (疑似重复), are one, or are linked, as records for who decides. Pure."""

from schemas.events import MatchProposed, MatchRefused, TicketAbsorbed, TicketLinked, TicketRestored
from schemas.views import Candidate, CurrentTicket, Finding

Matching = MatchProposed | MatchRefused | TicketAbsorbed | TicketRestored | TicketLinked


def found(view: CurrentTicket, event: Matching, at: int) -> Candidate:
    """The record: what was found of the ticket and the other one."""
    proposed = event if isinstance(event, MatchProposed) else None
    linked = event if isinstance(event, TicketLinked) else None
    decided = event if isinstance(event, MatchRefused | TicketAbsorbed | TicketRestored) else None
    what, other = _of(event)
    return Candidate(
        ticket=view.ticket,
        other=other,
        what=what,
        at=at,
        score=None if proposed is None else proposed.score,
        distance_m=event.distance_m if isinstance(event, MatchProposed | TicketLinked) else None,
        gap=None if proposed is None else proposed.gap,
        likeness=None if proposed is None else proposed.likeness,
        why=None if linked is None else linked.why,
        by=None if decided is None else decided.by,
        note="" if decided is None else decided.note,
        matter=view.matter,
        category=view.category,
        area=view.area,
        drill=view.drill,
    )


def _of(event: Matching) -> tuple[Finding, str]:
    match event:
        case MatchProposed():
            return Finding.PROPOSED, event.other
        case MatchRefused():
            return Finding.REFUSED, event.other
        case TicketAbsorbed():
            return Finding.CONFIRMED, event.into
        case TicketRestored():
            return Finding.PARTED, event.master
        case TicketLinked():
            return Finding.LINKED, event.other
