"""What facts make of a ticket's reports: one joins, is corrected, is closed by its source. Pure."""

from schemas.codec import replace
from schemas.codes import Fate
from schemas.envelope import Envelope
from schemas.events import ReportClosed, TicketAmended, TicketMerged, TicketUrged
from schemas.state import Attached, Ticket, course_of

Joined = TicketUrged | TicketMerged
Corrected = TicketAmended | ReportClosed


def joined(ticket: Ticket, event: Joined, envelope: Envelope) -> Ticket:
    """A report joined the ticket; who reported the same before asks for it again (催办)."""
    urged = isinstance(event, TicketUrged)
    attached = Attached(
        source=event.source,
        source_id=event.source_id,
        content=event.content,
        fate=Fate.URGED if urged else Fate.MERGED,
        at=envelope.time,
        reporter=event.reporter,
        object=event.object,
    )
    course = ticket.course
    if urged:
        known = course_of(ticket)
        course = replace(known, urges=known.urges + 1)
    return replace(
        ticket,
        sequence=envelope.sequence or ticket.sequence,
        reports=(*ticket.reports, attached),
        course=course,
    )


def corrected(ticket: Ticket, event: Corrected, envelope: Envelope) -> Ticket:
    """Its source said something else about a report, or closed it."""
    reports = tuple(_corrected(attached, event, envelope.time) for attached in ticket.reports)
    return replace(ticket, sequence=envelope.sequence or ticket.sequence, reports=reports)


def _corrected(attached: Attached, event: Corrected, at: int) -> Attached:
    if (attached.source, attached.source_id) != (event.source, event.source_id):
        return attached
    if isinstance(event, TicketAmended):
        return replace(attached, content=event.content)
    return replace(attached, closed_at=at)
