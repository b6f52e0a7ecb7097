"""Whether a ticket goes on (作废, 挂账恢复), beside the stage it has reached. Pure."""

from schemas.codes import Refusal
from schemas.commands import Feedback
from schemas.events import TicketResumed, TicketVoided
from schemas.state import Ticket, course_of, ties_of
from streams.desk.handling import Answered, Said, said_of
from streams.desk.limits import resumed
from streams.desk.turn import Turn


def void(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """作废; not a master, whose children would be left with nobody."""
    if ties_of(ticket).children:
        return ticket, Refusal.NOT_LEGAL_NOW
    said = said_of(turn, ticket, feedback)
    voided = TicketVoided(occurred_at=said.occurred_at, source=said.source, by=said.by, note=said.note, deadlines=())
    return turn.tell(ticket, voided), None


def resume(turn: Turn, ticket: Ticket, feedback: Feedback | None) -> Answered:
    """挂账恢复: by an operator, or by itself (no feedback) when its time has come."""
    since = course_of(ticket).suspended_at
    said = Said("", None, "", turn.at) if feedback is None else said_of(turn, ticket, feedback)
    event = TicketResumed(
        occurred_at=said.occurred_at,
        source=said.source,
        by=said.by,
        note=said.note,
        deadlines=resumed(turn.rules_of(ticket), ticket, turn.at),
        paused=0 if since is None else turn.at - since,
    )
    return turn.tell(ticket, event), None
