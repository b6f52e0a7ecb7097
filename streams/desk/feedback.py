"""A handler or an operator says what was done, asks or decides (处置反馈): applied, or refused for a reason. Pure.

Here is which ticket is meant, and in which order it is asked whether the action stands. What each action does is in
`handling`, `closing`, `requests`, `standing`, `diversion` and `matching`.
"""

from collections.abc import Callable
from typing import Final

from schemas.codec import Maker, encode, replace
from schemas.codes import Action, Fate, Outcome, Refusal
from schemas.commands import Feedback
from schemas.events import CommandSettled, ReportClosed
from schemas.state import Held, Ticket, Waiting, course_of, waiting_key
from streams.desk import closing, diversion, handling, matching, requests, standing
from streams.desk.dedup import attached_as
from streams.desk.handling import Answered, said_of
from streams.desk.lifecycle import MOVES, TABLE, Rule
from streams.desk.turn import Turn

Handler = Callable[[Turn, Ticket, Feedback], Answered]

HANDLERS: Final[dict[Action, Handler]] = {
    Action.ACCEPTED: handling.advance,
    Action.DISPATCHED: handling.dispatch,
    Action.SIGNED: handling.advance,
    Action.CONTACTED: handling.advance,
    Action.ARRIVED: handling.advance,
    Action.HANDLED: handling.advance,
    Action.VERIFIED: handling.advance,
    Action.REWORKED: handling.rework,
    Action.CALLED_BACK: handling.advance,
    Action.CLOSED: closing.close,
    Action.RATED: closing.rate,
    Action.REOPENED: closing.reopen,
    Action.VOIDED: standing.void,
    Action.RETURN_REQUESTED: requests.ask,
    Action.RETURN_APPROVED: requests.approve_return,
    Action.RETURN_REFUSED: requests.refuse,
    Action.EXTENSION_REQUESTED: requests.ask,
    Action.EXTENSION_APPROVED: requests.approve_extension,
    Action.EXTENSION_REFUSED: requests.refuse,
    Action.SUSPENSION_REQUESTED: requests.ask,
    Action.SUSPENSION_APPROVED: requests.approve_suspension,
    Action.SUSPENSION_REFUSED: requests.refuse,
    Action.RESUMED: standing.resume,
    Action.ASSISTED: handling.assist,
    Action.CONDITION_MET: handling.meet,
    Action.DIVERTED: diversion.divert,
    Action.DIVERSION_RETURNED: diversion.give_back,
    Action.URGED: handling.remind,
    Action.MERGE_CONFIRMED: matching.confirm,
    Action.MERGE_REFUSED: matching.refuse,
    Action.UNMERGED: matching.part,
}

_LEADS: Final = frozenset(
    {
        Action.SIGNED,
        Action.HANDLED,
        Action.RETURN_REQUESTED,
        Action.EXTENSION_REQUESTED,
        Action.SUSPENSION_REQUESTED,
    }
)
"""What only the unit that answers for the ticket may say, where the feedback names a unit."""
_HELPERS: Final = frozenset({Action.CONTACTED, Action.ARRIVED, Action.CONDITION_MET})
"""What a unit that assists may say too."""


HELD_MOST: Final = 64
"""So much feedback waits for one report. A report has a dozen stages; what sends more than this repeats itself."""
HELD_BYTES: Final = 1_000_000
"""So long is the record of what waits for one report: it is written whole, and one too long could never be."""

_SETTLED: Final = Maker(CommandSettled)


def decide_feedback(turn: Turn, feedback: Feedback) -> None:
    """Say what becomes of feedback; its settlement comes last. What names a report not known yet waits, unsettled.

    What cannot wait is refused at once: it waits already, or too much does.
    """
    if feedback.ticket is not None:
        ticket = turn.draft.ticket(feedback.ticket)
    else:
        ticket = turn.draft.by_report(feedback.area, feedback.source, feedback.source_id)
    if ticket is not None:
        refusal = _answer(turn, ticket, feedback)
        settle(turn, turn.draft.ticket(ticket.id) or ticket, feedback, refusal)
    elif feedback.ticket is not None or not feedback.source_id or not _hold(turn, feedback):
        settle(turn, None, feedback, Refusal.UNKNOWN)


def settle(turn: Turn, ticket: Ticket | None, feedback: Feedback, refusal: Refusal | None) -> None:
    """What became of feedback: refused for a reason, or applied. It belongs to the ticket where there is one."""
    settled = _SETTLED.of(
        outcome=Outcome.APPLIED if refusal is None else Outcome.REFUSED,
        reason=refusal,
        command=feedback.action,
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


def _hold(turn: Turn, feedback: Feedback) -> bool:
    """Let it wait for its report; whether it may."""
    key = waiting_key(feedback.area, feedback.source, feedback.source_id)
    waiting = turn.draft.waiting.get(key)
    before = () if waiting is None else waiting.held
    held = Held(command=turn.cause, until=turn.at + turn.policy.wait_s * 1000, feedback=feedback)
    if len(before) >= HELD_MOST or any(_says_the_same(one.feedback, feedback) for one in before):
        return False
    waiting = Waiting(held=(*before, held))
    if len(encode(waiting)) > HELD_BYTES:
        return False
    turn.draft.wait(key, waiting)
    return True


def _says_the_same(one: Feedback, other: Feedback) -> bool:
    """Whether it is one saying that was sent twice: all but where and when it came in is the same."""
    return replace(one, time=other.time, origin=other.origin) == other


def _answer(turn: Turn, ticket: Ticket, feedback: Feedback) -> Refusal | None:
    if _about_a_joined_report(ticket, feedback):
        return _about_the_report(turn, ticket, feedback)
    rule = TABLE[ticket.stage, ticket.standing, feedback.action]
    if rule is Rule.ROOT:
        ticket = turn.draft.root(ticket)
        rule = TABLE[ticket.stage, ticket.standing, feedback.action]
    if not _legal(turn, ticket, feedback, rule):
        return Refusal.NOT_LEGAL_NOW
    if not _may_say(ticket, feedback):
        return Refusal.NOT_YOURS
    handler = handling.record if rule is Rule.RECORD else HANDLERS[feedback.action]
    return handler(turn, ticket, feedback)[1]


def _legal(turn: Turn, ticket: Ticket, feedback: Feedback, rule: Rule) -> bool:
    if rule is Rule.RECORD:
        return MOVES[feedback.action] in course_of(ticket).inferred
    if rule is Rule.CLOSER:
        return feedback.source in turn.rules_of(ticket).policy.closing_sources
    return rule is Rule.YES


def _may_say(ticket: Ticket, feedback: Feedback) -> bool:
    by, action = feedback.by, feedback.action
    if by is None or by == ticket.unit:
        return True
    if action in _HELPERS:
        return by in course_of(ticket).assisting
    return action not in _LEADS


def _about_a_joined_report(ticket: Ticket, feedback: Feedback) -> bool:
    if feedback.ticket is not None:
        return False
    return attached_as(ticket, feedback.source, feedback.source_id).fate is not Fate.TICKETED


def _about_the_report(turn: Turn, ticket: Ticket, feedback: Feedback) -> Refusal | None:
    """A joined report can be closed, which counts for it alone, or taken out again; the ticket goes on."""
    if feedback.action is Action.UNMERGED:
        return matching.part(turn, ticket, feedback)[1]
    attached = attached_as(ticket, feedback.source, feedback.source_id)
    if feedback.action is not Action.CLOSED or attached.closed_at is not None:
        return Refusal.NOT_LEGAL_NOW
    closed = ReportClosed(
        source=feedback.source,
        source_id=feedback.source_id,
        occurred_at=said_of(turn, ticket, feedback).occurred_at,
        flags=feedback.flags,
    )
    turn.tell(ticket, closed)
    return None
