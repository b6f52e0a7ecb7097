"""A handler asks, an operator decides (退单, 延时, 挂账). The limits run on until it is granted. Pure."""

from typing import Final

from schemas.codes import Action, Refusal, RequestKind, Stage
from schemas.commands import Feedback
from schemas.events import RequestMade, RequestRefused, TicketExtended, TicketReturned, TicketSuspended
from schemas.policy import Policy
from schemas.state import Ticket, course_of
from streams.desk.handling import Answered, move_to, said_of, sent_to, unit_of
from streams.desk.limits import at_stage, extended
from streams.desk.turn import Turn

_DATES_END: Final = 253_402_300_800_000
"""The year 10000."""
_ASKED: Final = {
    Action.RETURN_REQUESTED: RequestKind.RETURN,
    Action.EXTENSION_REQUESTED: RequestKind.EXTENSION,
    Action.SUSPENSION_REQUESTED: RequestKind.SUSPENSION,
}
_REFUSED: Final = {
    Action.RETURN_REFUSED: RequestKind.RETURN,
    Action.EXTENSION_REFUSED: RequestKind.EXTENSION,
    Action.SUSPENSION_REFUSED: RequestKind.SUSPENSION,
}


def ask(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """Something is asked for. A first extension that is short enough is granted at once (首次延时)."""
    kind, course = _ASKED[feedback.action], course_of(ticket)
    if course.request is not None:
        return ticket, Refusal.REQUEST_PENDING
    if kind is RequestKind.EXTENSION:
        policy = turn.rules_of(ticket).policy
        if not _allowed(policy, feedback.seconds):
            return ticket, Refusal.BAD_AMOUNT
        if course.extensions == 0 and (feedback.seconds or 0) <= policy.extension_first_s:
            return _extend(turn, ticket, feedback, feedback.seconds or 0, automatic=True), None
    made = RequestMade(request=kind, seconds=feedback.seconds, by=feedback.by, note=feedback.note)
    return turn.tell(ticket, made), None


def refuse(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """The operator says no: the original clock has never stopped."""
    kind, request = _REFUSED[feedback.action], course_of(ticket).request
    if request is None or request.kind is not kind:
        return ticket, Refusal.NO_REQUEST
    waited = turn.at - request.at
    refused = RequestRefused(request=kind, waited=waited, by=feedback.by, note=feedback.note)
    return turn.tell(ticket, refused), None


def approve_return(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """退单: back to the dispatcher, who may name the next unit at once."""
    if not _is_asked_for(ticket, RequestKind.RETURN):
        return ticket, Refusal.NO_REQUEST
    said = said_of(turn, ticket, feedback)
    deadlines = at_stage(turn.rules_of(ticket), ticket, Stage.ACCEPTED, turn.at)
    move = move_to(turn, ticket, Stage.ACCEPTED, said, deadlines)
    ticket = turn.tell(ticket, TicketReturned(**move, unit=ticket.unit))
    if feedback.unit is None:
        return ticket, None
    return sent_to(turn, ticket, unit_of(turn, ticket, feedback.unit), said), None


def approve_extension(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """延时: as long as the operator says, else as was asked for."""
    request = course_of(ticket).request
    if request is None or request.kind is not RequestKind.EXTENSION:
        return ticket, Refusal.NO_REQUEST
    seconds = request.seconds if feedback.seconds is None else feedback.seconds
    if not _allowed(turn.rules_of(ticket).policy, seconds):
        return ticket, Refusal.BAD_AMOUNT
    return _extend(turn, ticket, feedback, seconds or 0, automatic=False), None


def approve_suspension(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """挂账: the limits stand still, and no longer than was granted and is allowed."""
    request = course_of(ticket).request
    if request is None or request.kind is not RequestKind.SUSPENSION:
        return ticket, Refusal.NO_REQUEST
    granted = request.seconds if feedback.seconds is None else feedback.seconds
    spans = [
        span for span in (granted, turn.rules_of(ticket).policy.suspension_most_s) if span is not None and span > 0
    ]
    said = said_of(turn, ticket, feedback)
    suspended = TicketSuspended(
        occurred_at=said.occurred_at,
        source=said.source,
        by=said.by,
        note=said.note,
        deadlines=ticket.deadlines,
        resume_at=_end(turn.at, spans),
    )
    return turn.tell(ticket, suspended), None


def _end(at: int, spans: list[int]) -> int | None:
    """When the shortest of these is over; none where that is after all dates: nobody could write it down."""
    end = at + min(spans) * 1000 if spans else _DATES_END
    return end if end < _DATES_END else None


def _is_asked_for(ticket: Ticket, kind: RequestKind) -> bool:
    request = course_of(ticket).request
    return request is not None and request.kind is kind


def _allowed(policy: Policy, seconds: int | None) -> bool:
    return seconds is not None and 0 < seconds <= policy.extension_most_s


def _extend(turn: Turn, ticket: Ticket, feedback: Feedback, seconds: int, *, automatic: bool) -> Ticket:
    said = said_of(turn, ticket, feedback)
    event = TicketExtended(
        occurred_at=said.occurred_at,
        source=said.source,
        by=said.by,
        note=said.note,
        deadlines=extended(turn.rules_of(ticket), ticket, seconds, turn.at),
        granted=seconds * 1000,
        automatic=automatic,
    )
    return turn.tell(ticket, event)
