"""Time passes: steps of limits fire (预警 to 升级), waits and suspensions end, what is long closed leaves. Pure."""

from typing import Final, TypedDict, assert_never

from schemas.codes import Level, Refusal, Step
from schemas.events import LimitCarded, LimitEscalated, LimitPassed, LimitWarned, Ran
from schemas.state import Deadline, Ticket, Waiting
from streams.desk.deadlines import next_step
from streams.desk.due import DEADLINE, WAIT, Due, deadline_of, dues, held_of
from streams.desk.feedback import settle
from streams.desk.policies import forget_former
from streams.desk.rules import Rules
from streams.desk.standing import resume
from streams.desk.turn import Turn

_LEVELS: Final = tuple(Level)
ABOVE: Final = dict(zip(_LEVELS, (_LEVELS[0], *_LEVELS[:-1]), strict=True))
"""The next level up; above the district nobody is told."""


def fire_due(turn: Turn) -> bool:
    """All that is due at or before the turn's time, in order of due time, kind, ticket, limit; stamped so.

    False where that is more than the draft may hold: the rest is for the next one, before anything else.
    """
    draft = turn.draft
    while (due := draft.due.peek()) is not None and due[0] <= turn.at:
        if draft.fires is not None:
            if draft.fires == 0:
                return False
            draft.fires -= 1
        draft.due.pop()
        if due[1] == DEADLINE:
            _step(turn, due)
        elif due[1] == WAIT:
            _end_wait(turn, due)
        else:
            _end_suspension(turn, due)
    return True


def evict(turn: Turn) -> None:
    """Tickets that were closed long enough ago leave the memory, and policies that judge nobody; nothing is said."""
    draft = turn.draft
    until = turn.at - turn.policy.keep_closed_s * 1000
    while (oldest := draft.closed.peek()) is not None and oldest[0] <= until:
        draft.closed.pop()
        ticket = draft.ticket(oldest[1])
        if ticket is not None and ticket.closed_at == oldest[0]:
            draft.forget(ticket)
    forget_former(turn)


def _step(turn: Turn, due: Due) -> None:
    at, _, name, _ = due
    ticket = turn.draft.ticket(name)
    deadline = deadline_of(ticket, due)
    if ticket is None or deadline is None:
        return  # the stage moved on, the limit changed, or the ticket stands still or is closed
    turn.speaking(at=at, cause=turn.cause).tell(ticket, _ran(turn.rules_of(ticket), ticket, deadline, at))
    turn.decision.late.append(turn.at - at)


class _Said(TypedDict):
    limit: str
    allowed: int
    unit: str
    recipients: tuple[str, ...]
    rung: int
    next_at: int | None


def _ran(rules: Rules, ticket: Ticket, deadline: Deadline, at: int) -> Ran:
    fired = rules.policy.ladder[deadline.rung]
    rung, next_at = next_step(rules, deadline, at)
    said: _Said = {
        "limit": deadline.limit,
        "allowed": deadline.length,
        "unit": ticket.unit,
        "recipients": rules.routes.called(fired.recipients, ticket),
        "rung": rung,
        "next_at": next_at,
    }
    match fired.step:
        case Step.WARNED:
            return LimitWarned(**said)
        case Step.PASSED:
            return LimitPassed(**said)
        case Step.YELLOW | Step.RED:
            return LimitCarded(**said, card=fired.step)
        case Step.ESCALATED:
            return LimitEscalated(**said, level=ABOVE[ticket.level])
        case _:
            assert_never(fired.step)


def _end_suspension(turn: Turn, due: Due) -> None:
    at, _, name, _ = due
    ticket = turn.draft.ticket(name)
    if ticket is None or due not in dues(ticket):
        return  # it was resumed, merged or voided before
    resume(turn.speaking(at=at, cause=turn.cause), ticket, None)


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
