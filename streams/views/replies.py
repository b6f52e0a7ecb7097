"""What the reporters' sources are told (处置反馈): one record for each report of a ticket, at each stage. Pure.

While a ticket is merged into another, its reporters are told what becomes of that one; a closing is told to each by
their own ticket, which is closed with its master.
"""

from collections.abc import Callable, Iterator
from typing import Final

from schemas.codes import Fate, Flag, Outcome, Stage, Standing
from schemas.events import (
    CommandSettled,
    ReportSettled,
    TicketAbsorbed,
    TicketAccepted,
    TicketArrived,
    TicketCalledBack,
    TicketClosed,
    TicketContacted,
    TicketDispatched,
    TicketExtended,
    TicketHandled,
    TicketOpened,
    TicketRated,
    TicketReopened,
    TicketRestored,
    TicketResumed,
    TicketReworked,
    TicketSigned,
    TicketSuspended,
    TicketVerified,
    TicketVoided,
)
from schemas.views import Answer, CurrentTicket, Reply, Status
from streams.views.texts import REPORTER, answer, refused, settled

Answering = (
    TicketOpened
    | TicketAccepted
    | TicketDispatched
    | TicketSigned
    | TicketContacted
    | TicketArrived
    | TicketHandled
    | TicketVerified
    | TicketReworked
    | TicketCalledBack
    | TicketClosed
    | TicketRated
    | TicketReopened
    | TicketVoided
    | TicketSuspended
    | TicketResumed
    | TicketExtended
    | TicketAbsorbed
    | TicketRestored
)
ViewOf = Callable[[str], CurrentTicket | None]

_ANSWERS: Final[dict[type[Answering], Answer]] = {
    TicketOpened: Answer.REGISTERED,
    TicketAccepted: Answer.ACCEPTED,
    TicketDispatched: Answer.DISPATCHED,
    TicketSigned: Answer.SIGNED,
    TicketContacted: Answer.CONTACTED,
    TicketArrived: Answer.ARRIVED,
    TicketHandled: Answer.HANDLED,
    TicketVerified: Answer.VERIFIED,
    TicketReworked: Answer.REWORKED,
    TicketCalledBack: Answer.CALLED_BACK,
    TicketClosed: Answer.CLOSED,
    TicketRated: Answer.RATED,
    TicketReopened: Answer.REOPENED,
    TicketVoided: Answer.VOIDED,
    TicketSuspended: Answer.SUSPENDED,
    TicketResumed: Answer.RESUMED,
    TicketExtended: Answer.EXTENDED,
    TicketAbsorbed: Answer.MERGED,
    TicketRestored: Answer.SPLIT,
}
_OF_THE_WORK: Final = frozenset(
    {
        Answer.DISPATCHED,
        Answer.SIGNED,
        Answer.CONTACTED,
        Answer.ARRIVED,
        Answer.HANDLED,
        Answer.VERIFIED,
        Answer.REWORKED,
        Answer.CALLED_BACK,
        Answer.SUSPENDED,
        Answer.RESUMED,
        Answer.EXTENDED,
    }
)
"""What a child's reporters are told of its master."""
_JOINED: Final = {
    Fate.URGED: Answer.JOINED,
    Fate.MERGED: Answer.JOINED,
    Fate.AMENDED: Answer.AMENDED,
    Fate.REPEAT: Answer.REPEATED,
}


def answered(view: CurrentTicket, event: Answering, at: int, view_of: ViewOf) -> Iterator[Reply]:
    """A record for each report; the event is in the view already."""
    what = _ANSWERS[type(event)]
    if what is Answer.REGISTERED and Flag.SPLIT in view.flags:
        what = Answer.SPLIT
    told = _family(view, view_of) if what in _OF_THE_WORK and view.children else (view,)
    unit = _who(view, event)
    for one in told:
        text = answer(what, one, unit)
        for voice in one.reports:
            if voice.closed_at is None:
                yield Reply(
                    source=voice.source,
                    source_id=voice.source_id,
                    ticket=one.ticket,
                    what=what,
                    stage=view.stage,
                    text=text,
                    at=at,
                    drill=one.drill,
                )


def _who(view: CurrentTicket, event: Answering) -> str:
    """Who did it: the unit that holds the ticket; one that helps, where it called or is there; or the reporter."""
    if isinstance(event, TicketHandled) and event.self_handled:
        return REPORTER
    by = event.by if isinstance(event, TicketContacted | TicketArrived) else None
    return by if by in view.assisting else view.unit


def _family(view: CurrentTicket, view_of: ViewOf) -> Iterator[CurrentTicket]:
    """The ticket, then those that it answers for, each with its own."""
    yield view
    for name in view.children:
        child = view_of(name)
        if child is not None and child.standing is Standing.MERGED and child.status is Status.OPEN:
            yield from _family(child, view_of)


def joined(event: ReportSettled, stage: Stage | None, at: int, *, drill: bool) -> Reply | None:
    """The record for a report that did not become a ticket of its own; one that did was told when it was opened."""
    what = _JOINED.get(event.fate)
    if what is None or not event.source:
        return None
    return Reply(
        source=event.source,
        source_id=event.source_id,
        ticket=event.ticket,
        what=what,
        stage=stage,
        fate=event.fate,
        text=settled(what, event.fate, event.ticket),
        at=at,
        drill=drill,
    )


def not_held(event: CommandSettled, at: int, *, drill: bool) -> Reply | None:
    """The record for whoever sent a command that was refused, or failed; for one that held there is none."""
    if event.outcome is Outcome.APPLIED or not event.source:
        return None
    return Reply(
        source=event.source,
        source_id=event.source_id,
        ticket=event.ticket,
        what=Answer.REFUSED if event.outcome is Outcome.REFUSED else Answer.FAILED,
        command=event.command,
        reason=event.reason,
        text=refused(event.reason),
        at=at,
        drill=drill,
    )
