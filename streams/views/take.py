"""One fact taken in: the view it changes, and what those are told who need just a part of it. Pure."""

from collections.abc import Iterator

from schemas.envelope import Envelope
from schemas.events import (
    CommandSettled,
    Event,
    ReportSettled,
    TicketClosed,
    TicketEvent,
    TicketOpened,
    TicketVoided,
)
from schemas.views import Assignment, Candidate, CurrentTicket, Reminded, Reply
from streams.views.assignments import Assigning, assigned, held
from streams.views.candidates import Matching, found
from streams.views.fold import fold, numbered, opened
from streams.views.memory import ViewsDraft
from streams.views.reminders import Reminding, reminded
from streams.views.replies import Answering, answered, joined, not_held

Derived = Assignment | Reminded | Candidate | Reply


def take(draft: ViewsDraft, event: Event, envelope: Envelope) -> list[Derived] | None:
    """What follows from the next event of a partition; nothing (`None`) where its ticket has no view.

    That is a ticket which has left, or which began before the log that is read: nothing can be said of it.
    """
    draft.advance(envelope)
    if isinstance(event, TicketOpened):
        view = opened(event, envelope)
        draft.begin(view, envelope)
        return list(answered(view, event, envelope.time, draft.view))
    if isinstance(event, ReportSettled | CommandSettled):
        return _settled(draft, event, envelope)
    known = draft.own(envelope.subject or "", envelope)
    if known is None:
        return None
    return list(_told(draft, known, event, envelope))


def _settled(draft: ViewsDraft, event: ReportSettled | CommandSettled, envelope: Envelope) -> list[Derived]:
    view = draft.own(envelope.subject, envelope) if envelope.subject is not None else None
    if view is not None:
        numbered(view, envelope)
    if isinstance(event, ReportSettled):
        reply = joined(event, None if view is None else view.stage, envelope.time, drill=envelope.drill)
    else:
        reply = not_held(event, envelope.time, drill=envelope.drill)
    return [] if reply is None else [reply]


def _told(draft: ViewsDraft, view: CurrentTicket, event: TicketEvent, envelope: Envelope) -> Iterator[Derived]:
    at, before = envelope.time, held(view) if isinstance(event, Assigning) else ()
    fold(view, event, envelope)
    numbered(view, envelope)
    if isinstance(event, TicketClosed | TicketVoided):
        draft.closed(view)
    if isinstance(event, Assigning):
        yield from assigned(before, view, event, at)
    if isinstance(event, Reminding):
        yield reminded(view, event, at)
    if isinstance(event, Matching):
        yield found(view, event, at)
    if isinstance(event, Answering):
        yield from answered(view, event, at, draft.view)
