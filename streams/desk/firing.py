"""Time passes: deadlines fire (到期), waits end, what was closed long ago leaves. Pure."""

from schemas.codes import Refusal
from schemas.events import LimitPassed, LimitWarned
from schemas.state import Waiting
from streams.desk.due import DEADLINE, Due, deadline_of, held_of
from streams.desk.feedback import settle
from streams.desk.limits import allowed
from streams.desk.turn import Turn


def fire_due(turn: Turn) -> None:
    """All that is due at or before the turn's time, in order of due time, ticket, limit; stamped so."""
    agenda = turn.draft.due
    while (due := agenda.peek()) is not None and due[0] <= turn.at:
        agenda.pop()
        if due[1] == DEADLINE:
            _fire(turn, due)
        else:
            _end_wait(turn, due)


def evict(turn: Turn) -> None:
    """Tickets that were closed long enough ago leave the memory, and nothing is said about it."""
    agenda, draft = turn.draft.closed, turn.draft
    until = turn.at - turn.policy.keep_closed_s * 1000
    while (oldest := agenda.peek()) is not None and oldest[0] <= until:
        agenda.pop()
        ticket = draft.ticket(oldest[1])
        if ticket is not None and ticket.closed_at == oldest[0]:
            draft.forget(ticket)


def _fire(turn: Turn, due: Due) -> None:
    at, _, name, limit = due
    ticket = turn.draft.ticket(name)
    deadline = deadline_of(ticket, due)
    if ticket is None or deadline is None:
        return  # the stage moved on, or the ticket was closed
    event = LimitWarned if deadline.status == "running" else LimitPassed
    fired = event(limit=limit, allowed=allowed(deadline), unit=ticket.unit)
    turn.speaking(at=at, cause=turn.cause).tell(ticket, fired)
    turn.decision.late.append(turn.at - at)


def _end_wait(turn: Turn, due: Due) -> None:
    until, _, name, _ = due
    key = name.encode()
    waiting = turn.draft.waiting.get(key)
    held = held_of(waiting, due)
    if waiting is None or held is None:
        return  # its report came
    left = tuple(other for other in waiting.held if other is not held)
    turn.draft.waiting.put(key, Waiting(held=left) if left else None)
    settle(turn.speaking(at=until, cause=held.command), None, held.feedback, Refusal.UNKNOWN)
