"""What a fact makes of a ticket: its state record is exactly what its events give, folded in order. Pure."""

from dataclasses import replace

from schemas.codes import Fate, Stage
from schemas.events import (
    CommandSettled,
    LimitPassed,
    LimitWarned,
    Moved,
    ReportClosed,
    ReportSettled,
    TicketAmended,
    TicketClosed,
    TicketDispatched,
    TicketMerged,
    TicketOpened,
    TicketUrged,
)
from schemas.state import Attached, Deadline, Ticket
from streams.desk.facts import Fact


def evolve(ticket: Ticket | None, fact: Fact) -> Ticket:
    """The ticket after the fact. The first fact of a ticket is its opening; raises `LookupError` without one."""
    event = fact.event
    if isinstance(event, TicketOpened):
        return _opened(event, fact)
    if ticket is None:
        msg = f"{event.type} of a ticket that was not opened: {fact.envelope.subject}"
        raise LookupError(msg)
    match event:
        case ReportSettled() | CommandSettled():
            after = _told(ticket, fact, ticket.reports, ticket.deadlines)
        case TicketUrged() | TicketMerged():
            after = _told(ticket, fact, (*ticket.reports, _joined(event, fact)), ticket.deadlines)
        case TicketAmended() | ReportClosed():
            reports = tuple(_corrected(attached, event, fact) for attached in ticket.reports)
            after = _told(ticket, fact, reports, ticket.deadlines)
        case LimitWarned() | LimitPassed():
            after = _told(ticket, fact, ticket.reports, tuple(_ran(d, event) for d in ticket.deadlines))
        case _:
            after = _moved(ticket, fact, event)
    return after


def _opened(event: TicketOpened, fact: Fact) -> Ticket:
    envelope = fact.envelope
    first = Attached(
        source=event.source,
        source_id=event.source_id,
        content=event.content,
        fate=Fate.TICKETED,
        at=envelope.time,
        reporter=event.reporter,
        object=event.object,
    )
    return Ticket(
        id=envelope.subject or "",
        matter=envelope.matter or "",
        sequence=envelope.sequence or 0,
        area=envelope.area,
        category=event.category,
        urgency=event.urgency,
        stage=Stage.OPENED,
        stage_at=envelope.time,
        unit=event.unit,
        level=event.level,
        opened_at=envelope.time,
        policy=event.policy,
        flags=event.flags,
        reports=(first,),
        deadlines=event.deadlines,
    )


def _told(ticket: Ticket, fact: Fact, reports: tuple[Attached, ...], deadlines: tuple[Deadline, ...]) -> Ticket:
    # Written out, as `_moved` is: `dataclasses.replace` takes three times as long, and each report needs it twice.
    return Ticket(
        id=ticket.id,
        matter=ticket.matter,
        sequence=fact.envelope.sequence or ticket.sequence,
        area=ticket.area,
        category=ticket.category,
        urgency=ticket.urgency,
        stage=ticket.stage,
        stage_at=ticket.stage_at,
        unit=ticket.unit,
        level=ticket.level,
        opened_at=ticket.opened_at,
        closed_at=ticket.closed_at,
        policy=ticket.policy,
        flags=ticket.flags,
        reports=reports,
        deadlines=deadlines,
    )


def _moved(ticket: Ticket, fact: Fact, event: Moved) -> Ticket:
    holder = event if isinstance(event, TicketDispatched) else ticket
    return Ticket(
        id=ticket.id,
        matter=ticket.matter,
        sequence=fact.envelope.sequence or ticket.sequence,
        area=ticket.area,
        category=ticket.category,
        urgency=ticket.urgency,
        stage=event.stage,
        stage_at=fact.envelope.time,
        unit=holder.unit,
        level=holder.level,
        opened_at=ticket.opened_at,
        closed_at=fact.envelope.time if isinstance(event, TicketClosed) else ticket.closed_at,
        policy=ticket.policy,
        flags=ticket.flags,
        reports=ticket.reports,
        deadlines=event.deadlines,
    )


def _joined(event: TicketUrged | TicketMerged, fact: Fact) -> Attached:
    return Attached(
        source=event.source,
        source_id=event.source_id,
        content=event.content,
        fate=Fate.URGED if isinstance(event, TicketUrged) else Fate.MERGED,
        at=fact.envelope.time,
        reporter=event.reporter,
        object=event.object,
    )


def _corrected(attached: Attached, event: TicketAmended | ReportClosed, fact: Fact) -> Attached:
    if (attached.source, attached.source_id) != (event.source, event.source_id):
        return attached
    if isinstance(event, TicketAmended):
        return replace(attached, content=event.content)
    return replace(attached, closed_at=fact.envelope.time)


def _ran(deadline: Deadline, event: LimitWarned | LimitPassed) -> Deadline:
    if deadline.limit != event.limit:
        return deadline
    return replace(deadline, status="warned" if isinstance(event, LimitWarned) else "passed")
