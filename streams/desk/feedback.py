"""A handler or an operator says what was done (处置反馈): the ticket moves, or the claim is refused. Pure."""

from typing import Final, TypedDict

from schemas.codes import Outcome, Refusal, Stage
from schemas.commands import Feedback
from schemas.events import (
    CommandSettled,
    Moved,
    ReportClosed,
    TicketAccepted,
    TicketClosed,
    TicketDispatched,
    TicketHandled,
    TicketRated,
    TicketSigned,
    TicketVerified,
)
from schemas.policy import Unit
from schemas.state import Deadline, Held, Ticket, Waiting, waiting_key
from streams.desk.clock import dated
from streams.desk.dedup import attached_as
from streams.desk.lifecycle import implied, legal
from streams.desk.limits import at_stage, on_time, stage_limit
from streams.desk.turn import Turn

_PLAIN: Final[dict[Stage, type[TicketAccepted | TicketSigned | TicketHandled | TicketVerified]]] = {
    Stage.ACCEPTED: TicketAccepted,
    Stage.SIGNED: TicketSigned,
    Stage.HANDLED: TicketHandled,
    Stage.VERIFIED: TicketVerified,
}


def decide_feedback(turn: Turn, feedback: Feedback) -> None:
    """Say what becomes of feedback; its settlement comes last. What names a report not known yet waits, unsettled."""
    if feedback.ticket is not None:
        ticket = turn.draft.ticket(feedback.ticket)
    else:
        ticket = turn.draft.by_report(feedback.area, feedback.source, feedback.source_id)
    if ticket is not None:
        _apply(turn, ticket, feedback)
    elif feedback.ticket is None and feedback.source_id:
        _hold(turn, feedback)
    else:
        settle(turn, None, feedback, Refusal.UNKNOWN)


def settle(turn: Turn, ticket: Ticket | None, feedback: Feedback, refusal: Refusal | None) -> None:
    """What became of feedback: refused for a reason, or applied. It belongs to the ticket where there is one."""
    settled = CommandSettled(
        outcome=Outcome.APPLIED if refusal is None else Outcome.REFUSED,
        reason=refusal,
        command=feedback.stage.value,
        source=feedback.source,
        source_id=feedback.source_id,
        ticket=None if ticket is None else ticket.id,
        flags=feedback.flags,
        origin=feedback.origin,
    )
    if ticket is None:
        turn.aside(feedback.area, settled)
    else:
        turn.tell(ticket, settled)


def _hold(turn: Turn, feedback: Feedback) -> None:
    key = waiting_key(feedback.area, feedback.source, feedback.source_id)
    before = turn.draft.waiting.get(key)
    held = Held(command=turn.cause, until=turn.at + turn.policy.wait_s * 1000, feedback=feedback)
    turn.draft.wait(key, Waiting(held=(*(() if before is None else before.held), held)))


def _apply(turn: Turn, ticket: Ticket, feedback: Feedback) -> None:
    if _about_a_joined_report(ticket, feedback):
        ticket, refusal = _close_report(turn, ticket, feedback)
    else:
        ticket, refusal = _move(turn, ticket, feedback)
    settle(turn, ticket, feedback, refusal)


def _about_a_joined_report(ticket: Ticket, feedback: Feedback) -> bool:
    first = ticket.reports[0]
    own = (first.source, first.source_id) == (feedback.source, feedback.source_id)
    return feedback.ticket is None and not own


def _close_report(turn: Turn, ticket: Ticket, feedback: Feedback) -> tuple[Ticket, Refusal | None]:
    """A joined report can only be closed: that counts for the report; the ticket goes on."""
    attached = attached_as(ticket, feedback.source, feedback.source_id)
    if feedback.stage is not Stage.CLOSED or attached.closed_at is not None:
        return ticket, Refusal.NOT_LEGAL_NOW
    closed = ReportClosed(
        source=feedback.source,
        source_id=feedback.source_id,
        occurred_at=dated(turn.policy, feedback.occurred_at, turn.at),
        flags=feedback.flags,
    )
    return turn.tell(ticket, closed), None


def _move(turn: Turn, ticket: Ticket, feedback: Feedback) -> tuple[Ticket, Refusal | None]:
    closes = feedback.source in turn.policy.closing_sources
    if not legal(ticket.stage, feedback.stage, closes=closes):
        return ticket, Refusal.NOT_LEGAL_NOW
    if feedback.stage is Stage.RATED and feedback.score not in range(1, 6):
        return ticket, Refusal.BAD_SCORE
    return turn.tell(ticket, _moved(turn, ticket, feedback)), None


class _Move(TypedDict):
    stage: Stage
    inferred: tuple[Stage, ...]
    occurred_at: int
    spent: int
    limit: int | None
    source: str
    note: str
    deadlines: tuple[Deadline, ...]


def _moved(turn: Turn, ticket: Ticket, feedback: Feedback) -> Moved:
    stage, at = feedback.stage, turn.at
    move: _Move = {
        "stage": stage,
        "inferred": implied(ticket.stage, stage),
        "occurred_at": dated(turn.policy, feedback.occurred_at, at),
        "spent": at - ticket.stage_at,
        "limit": stage_limit(ticket),
        "source": feedback.source,
        "note": feedback.note,
        "deadlines": at_stage(turn.policy, ticket, stage, at),
    }
    if stage is Stage.CLOSED:
        return TicketClosed(**move, took=at - ticket.opened_at, on_time=on_time(ticket, at), flags=feedback.flags)
    if stage is Stage.RATED:
        return TicketRated(**move, score=feedback.score or 0)
    if stage is Stage.DISPATCHED:
        unit = _unit(turn, ticket, feedback)
        return TicketDispatched(**move, unit=unit.name, level=unit.level)
    return _PLAIN[stage](**move)


def _unit(turn: Turn, ticket: Ticket, feedback: Feedback) -> Unit:
    """The unit that was named; else the one that the routing table named when the ticket was opened."""
    if feedback.unit is None:
        return Unit(name=ticket.unit, level=ticket.level)
    return turn.routes.unit_named(feedback.unit) or Unit(name=feedback.unit, level=ticket.level)
