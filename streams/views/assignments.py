"""Who has to do what (派单): what a fact changes of who holds a ticket, as records for the units. Pure."""

from collections.abc import Iterator
from typing import Final

from schemas.codes import Stage, Standing
from schemas.events import (
    Moved,
    Stood,
    TicketAbsorbed,
    TicketAssisted,
    TicketClosed,
    TicketDispatched,
    TicketRestored,
    TicketReturned,
    TicketReworked,
    TicketVoided,
)
from schemas.views import Assignment, Because, CurrentTicket, Role, Status

Assigning = Moved | Stood | TicketAssisted
Held = tuple[tuple[Role, str], ...]

_HELD: Final = frozenset(
    {
        Stage.DISPATCHED,
        Stage.SIGNED,
        Stage.CONTACTED,
        Stage.ARRIVED,
        Stage.HANDLED,
        Stage.VERIFIED,
        Stage.CALLED_BACK,
    }
)


def held(view: CurrentTicket) -> Held:
    """Who holds the ticket, and as what; nobody where it is not dispatched, is over, or its master is worked on."""
    if view.stage not in _HELD or view.status is Status.CLOSED or view.standing is Standing.MERGED:
        return ()
    lead = Role.LEAD if view.source_id else Role.JOINT
    return ((lead, view.unit), *((Role.ASSIST, unit) for unit in view.assisting))


def assigned(before: Held, view: CurrentTicket, event: Assigning, at: int) -> Iterator[Assignment]:
    """The records for what the event, which is in the view already, changed: first who has it no longer."""
    after = held(view)
    for role, unit in before:
        if (role, unit) not in after:
            yield _assignment(view, event, at, role, unit, given=False)
    again = isinstance(event, TicketReworked)
    for role, unit in after:
        if (role, unit) not in before or (again and role is not Role.ASSIST):
            yield _assignment(view, event, at, role, unit)
    if isinstance(event, TicketDispatched):
        for unit in event.copies:
            yield _assignment(view, event, at, Role.COPY, unit)


def _because(event: Assigning, *, given: bool) -> Because:
    # Whoever signs what was given back and is dispatched to nobody has it again.
    because = _REASONS.get(type(event), Because.DISPATCHED)
    return Because.REASSIGNED if because is Because.DISPATCHED and not given else because


_REASONS: Final[dict[type[Assigning], Because]] = {
    TicketAssisted: Because.ASSISTED,
    TicketReturned: Because.RETURNED,
    TicketReworked: Because.REWORKED,
    TicketAbsorbed: Because.MERGED,
    TicketRestored: Because.RESTORED,
    TicketClosed: Because.CLOSED,
    TicketVoided: Because.VOIDED,
}


def _assignment(
    view: CurrentTicket, event: Assigning, at: int, role: Role, unit: str, *, given: bool = True
) -> Assignment:
    return Assignment(
        ticket=view.ticket,
        matter=view.matter,
        given=given,
        role=role,
        because=_because(event, given=given),
        unit=unit,
        at=at,
        by=event.by,
        note=event.note,
        category=view.category,
        urgency=view.urgency,
        area=view.area,
        grid=view.grid,
        lat=view.lat,
        lon=view.lon,
        text=view.text,
        source=view.source,
        source_id=view.source_id,
        due_at=view.due_at,
        drill=view.drill,
    )
