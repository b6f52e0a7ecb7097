"""What a fact makes of a ticket: its state record is exactly what its events give, folded in order. Pure.

Here is how a ticket begins and moves, and what each fact does. What befell it on the way is in `evolve_course.py`, its
reports in `evolve_reports.py`, how it hangs together with others in `evolve_ties.py`.
"""

from typing import Any, Final

from schemas.codec import Maker
from schemas.codes import Fate, Stage, Standing
from schemas.envelope import Envelope
from schemas.events import (
    Moved,
    Ran,
    Settlement,
    Stood,
    TicketClosed,
    TicketDispatched,
    TicketOpened,
    TicketReopened,
)
from schemas.state import Attached, Ticket, Ties
from streams.desk.evolve_course import Befell, befell, course_after, ran, stood
from streams.desk.evolve_reports import Corrected, Joined, corrected, joined
from streams.desk.evolve_ties import Tied, parted, tied
from streams.desk.facts import Fact

_TICKET: Final = Maker(Ticket)
_ATTACHED: Final = Maker(Attached)


def evolve(ticket: Ticket | None, fact: Fact) -> Ticket:
    """The ticket after the fact. The first fact of a ticket is its opening; raises `LookupError` without one."""
    event = fact.event
    if isinstance(event, TicketOpened):
        return _opened(event, fact)
    if ticket is None:
        msg = f"{event.type} of a ticket that was not opened: {fact.envelope.subject}"
        raise LookupError(msg)
    # The classes of a plain report first: it passes here three times.
    if isinstance(event, Settlement):
        return _numbered(ticket, fact)
    if isinstance(event, Moved):
        return _moved(ticket, fact, event)
    return _seldom(ticket, event, fact.envelope)


def evolve_own(ticket: Ticket, fact: Fact) -> Ticket:
    """`evolve` of a ticket that the command in hand has made, and that nobody else has seen.

    What a plain report says last, its dispatch and its settlement, changes it in place: one ticket is made, not three.
    """
    event, envelope = fact
    own: Any = ticket  # frozen for everybody else
    if isinstance(event, TicketDispatched):
        own.course = course_after(ticket, event, envelope.time)
        own.stage, own.stage_at = event.stage, envelope.time
        own.unit, own.level = event.unit, event.level
        own.deadlines = event.deadlines
    elif not isinstance(event, Settlement):
        return evolve(ticket, fact)
    own.sequence = envelope.sequence or ticket.sequence
    return ticket


def _seldom(ticket: Ticket, event: Joined | Corrected | Ran | Stood | Befell | Tied, envelope: Envelope) -> Ticket:
    if isinstance(event, Joined):
        after = joined(ticket, event, envelope)
    elif isinstance(event, Corrected):
        after = corrected(ticket, event, envelope)
    elif isinstance(event, Ran):
        after = ran(ticket, event, envelope)
    elif isinstance(event, Stood):
        after = stood(ticket, event, envelope)
    elif isinstance(event, Befell):
        after = befell(ticket, event, envelope)
    else:
        after = tied(ticket, event, envelope)
    return after


def _opened(event: TicketOpened, fact: Fact) -> Ticket:
    envelope = fact.envelope
    return _TICKET.of(
        id=envelope.subject or "",
        matter=envelope.matter or "",
        sequence=envelope.sequence or 0,
        area=envelope.area,
        category=event.category,
        urgency=event.urgency,
        side=event.side,
        stage=Stage.OPENED,
        stage_at=envelope.time,
        unit=event.unit,
        level=event.level,
        opened_at=envelope.time,
        policy=event.policy,
        source=event.source,
        kind=event.kind,
        drill=envelope.drill,
        grid=event.grid,
        lat=event.lat,
        lon=event.lon,
        text=event.text,
        flags=event.flags,
        reports=(_first(event, envelope.time),) if event.source_id else (),
        deadlines=event.deadlines,
        ties=None if event.recurrence_of is None else Ties(recurrence_of=event.recurrence_of),
    )


def _first(event: TicketOpened, at: int) -> Attached:
    return _ATTACHED.of(
        source=event.source,
        source_id=event.source_id,
        content=event.content,
        fate=Fate.TICKETED,
        at=at,
        reporter=event.reporter,
        object=event.object,
    )


# The next two are written out: `dataclasses.replace` takes three times as long, and each report needs both.
def _numbered(ticket: Ticket, fact: Fact) -> Ticket:
    return _TICKET.of(
        id=ticket.id,
        matter=ticket.matter,
        sequence=fact.envelope.sequence or ticket.sequence,
        area=ticket.area,
        category=ticket.category,
        urgency=ticket.urgency,
        side=ticket.side,
        stage=ticket.stage,
        stage_at=ticket.stage_at,
        standing=ticket.standing,
        unit=ticket.unit,
        level=ticket.level,
        opened_at=ticket.opened_at,
        closed_at=ticket.closed_at,
        policy=ticket.policy,
        source=ticket.source,
        kind=ticket.kind,
        drill=ticket.drill,
        grid=ticket.grid,
        lat=ticket.lat,
        lon=ticket.lon,
        text=ticket.text,
        flags=ticket.flags,
        reports=ticket.reports,
        deadlines=ticket.deadlines,
        course=ticket.course,
        ties=ticket.ties,
    )


def _moved(ticket: Ticket, fact: Fact, event: Moved) -> Ticket:
    holder = event if isinstance(event, TicketDispatched) else ticket
    # A merged child that its own source closed is nobody's child any more; one that was closed with its master stays.
    left = ticket.standing is Standing.MERGED and isinstance(event, TicketClosed) and event.with_master is None
    return _TICKET.of(
        id=ticket.id,
        matter=ticket.matter,
        sequence=fact.envelope.sequence or ticket.sequence,
        area=ticket.area,
        category=ticket.category,
        urgency=ticket.urgency,
        side=ticket.side,
        stage=event.stage,
        stage_at=fact.envelope.time,
        standing=Standing.RUNNING if left else ticket.standing,
        unit=holder.unit,
        level=holder.level,
        opened_at=ticket.opened_at,
        closed_at=_closed_at(ticket, event, fact.envelope.time),
        policy=ticket.policy,
        source=ticket.source,
        kind=ticket.kind,
        drill=ticket.drill,
        grid=ticket.grid,
        lat=ticket.lat,
        lon=ticket.lon,
        text=ticket.text,
        flags=ticket.flags,
        reports=ticket.reports,
        deadlines=event.deadlines,
        course=course_after(ticket, event, fact.envelope.time),
        ties=parted(ticket) if left else ticket.ties,
    )


def _closed_at(ticket: Ticket, event: Moved, at: int) -> int | None:
    if isinstance(event, TicketClosed):
        return at
    return None if isinstance(event, TicketReopened) else ticket.closed_at
