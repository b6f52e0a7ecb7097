"""Time passes: steps of limits fire (预警 to 升级), waits and suspensions end, what is long closed leaves. Pure."""

from typing import Final, TypedDict, assert_never

from schemas.codec import Maker
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

_WARNED: Final = Maker(LimitWarned)
_PASSED: Final = Maker(LimitPassed)
_CARDED: Final = Maker(LimitCarded)
_ESCALATED: Final = Maker(LimitEscalated)


class _Said(TypedDict):
    limit: str
    allowed: int
    unit: str
    recipients: tuple[str, ...]
    rung: int
    next_at: int | None


def fire_due(turn: Turn) -> bool:
    """All that is due at or before the turn's time, in order of due time, kind, ticket, limit; stamped so.

    False where that is more than the draft may hold: the rest is for the next one, before anything else.
    """
    draft = turn.draft
    coming, then = draft.due, turn
    while (due := coming.peek()) is not None and due[0] <= turn.at:
        if draft.fires is not None:
            if draft.fires == 0:
                return False
            draft.fires -= 1
        coming.pop()
        if due[1] == DEADLINE:
            then = then if then.at == due[0] else turn.speaking(at=due[0], cause=turn.cause)
            if _step(then, due):
                turn.decision.late.append(turn.at - due[0])
        elif due[1] == WAIT:
            _end_wait(turn, due)
        else:
            _end_suspension(turn, due)
        draft.catch_up()
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


def _step(turn: Turn, due: Due) -> bool:
    """One step of a limit; whether it was still to be said."""
    draft, name = turn.draft, due[2]
    head = draft.head(name)  # in a flood of them it is not worth while to unpack a ticket
    ticket = draft.ticket(name) if head is None else head
    deadline = deadline_of(ticket, due)
    if ticket is None or deadline is None:
        return False  # the stage moved on, the limit changed, or the ticket stands still or is closed
    rules = turn.rules_of(ticket)
    if head is not None and rules.policy.ladder[deadline.rung].step is not Step.ESCALATED:
        turn.tell_head(head, _ran(turn, rules, head, deadline, due[0]))
    elif (ticket := draft.ticket(name)) is not None:
        turn.tell(ticket, _ran(turn, rules, ticket, deadline, due[0]))
    return True


def _ran(turn: Turn, rules: Rules, ticket: Ticket, deadline: Deadline, at: int) -> Ran:
    """What is said of the deadline's step. A ticket's head is enough, but for an escalation.

    The ladder is that of the rules that judge the ticket; who is there to be told is a fact of today.
    """
    fired = rules.policy.ladder[deadline.rung]
    rung, next_at = next_step(rules, deadline, at)
    said: _Said = {
        "limit": deadline.limit,
        "allowed": deadline.length,
        "unit": ticket.unit,
        "recipients": turn.rules.routes.called(fired.recipients, ticket, rules.policy),
        "rung": rung,
        "next_at": next_at,
    }
    match fired.step:
        case Step.WARNED:
            return _WARNED.of(**said)
        case Step.PASSED:
            return _PASSED.of(**said)
        case Step.YELLOW | Step.RED:
            return _CARDED.of(**said, card=fired.step)
        case Step.ESCALATED:
            return _ESCALATED.of(**said, level=ABOVE[ticket.level])
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
