"""The desk (调度台) decides: one record of its log, in the order of the log, and all that follows from it. Pure.

The order in a turn: what was due by then, the command itself, feedback that had waited for it. What a command leads to
stands or falls as one; where deciding raises, that is our bug: the command is settled `failed`, goes to the dead
letters, and the next goes on.
"""

from typing import assert_never

from schemas.codec import encode
from schemas.codes import Outcome, Refusal, Reject
from schemas.commands import Command, Feedback, Origin, PolicyPublished, Report, Tick
from schemas.dead_letter import DeadLetter
from schemas.events import CommandSettled
from schemas.state import Held, waiting_key
from streams.desk.clock import time_of
from streams.desk.draft import Draft
from streams.desk.facts import NOWHERE, Decision, Entry, Letter
from streams.desk.feedback import decide_feedback
from streams.desk.firing import evict, fire_due
from streams.desk.policies import adopt
from streams.desk.reports import decide_report
from streams.desk.turn import Turn


def decide(draft: Draft, entry: Entry, command: Command | None) -> Decision:
    """Apply one record to the draft and say what follows. `None`: the record could not be read."""
    at = time_of(draft, entry, command)
    draft.time = at
    turn = Turn(draft, entry, at)
    if not fire_due(turn):
        draft.said += len(turn.decision.facts)
        turn.decision.unfinished = True
        return turn.decision
    _follow(turn, command)
    draft.said = 0
    return turn.decision


def _follow(turn: Turn, command: Command | None) -> None:
    """The record itself, and what waited for it."""
    if command is None:
        _unreadable(turn)
        return
    _guarded(turn, command, turn.entry.raw)
    if isinstance(command, Report):
        for held in _no_longer_waiting(turn, command):
            # One that fails must not take the report with it.
            _guarded(turn.speaking(at=turn.at, cause=held.command), held.feedback, encode(held.feedback))


def _guarded(turn: Turn, command: Command, raw: bytes) -> None:
    facts = turn.decision.facts
    said = len(facts)
    turn.draft.mark()
    try:
        _apply(turn, command)
        turn.draft.catch_up()
    except Exception as error:  # noqa: BLE001 - whatever it is, one poisoned record must not stop a district
        turn.draft.rollback()
        del facts[said:]
        _failed(turn, command, raw, f"deciding raised {type(error).__name__}")


def _apply(turn: Turn, command: Command) -> None:
    match command:
        case Report():
            decide_report(turn, command)
        case Feedback():
            decide_feedback(turn, command)
        case Tick():
            if turn.draft.policy is not None:
                evict(turn)
        case PolicyPublished():
            adopt(turn, command)
        case _:
            assert_never(command)


def _no_longer_waiting(turn: Turn, report: Report) -> tuple[Held, ...]:
    """Feedback whose report is here now; none where the report itself failed."""
    draft = turn.draft
    if draft.waiting.empty:
        return ()
    key = waiting_key(report.area, report.source, report.source_id)
    waiting = draft.waiting.get(key)
    if waiting is None or draft.by_report(report.area, report.source, report.source_id) is None:
        return ()
    draft.waiting.put(key, None)
    return waiting.held


def _failed(turn: Turn, command: Command, raw: bytes, hint: str) -> None:
    if not isinstance(command, Tick):  # ticks are never settled
        area = command.area if isinstance(command, Report | Feedback) else NOWHERE
        turn.aside(area, _settled_failed(command))
    _bury(turn, Reject.DESK_FAILED, hint, command, raw)


def _unreadable(turn: Turn) -> None:
    settled = CommandSettled(
        outcome=Outcome.FAILED,
        reason=Refusal.BAD_COMMAND,
        command="unreadable",
        source="",
        source_id="",
        ticket=None,
        flags=(),
        origin=turn.own_origin,
    )
    turn.aside(NOWHERE, settled)
    _bury(turn, Reject.DESK_UNREADABLE, "the record is no command", None, turn.entry.raw)


def _settled_failed(command: Command) -> CommandSettled:
    """The settlement of a command whose deciding raised: nothing is known of its ticket."""
    sent = command if isinstance(command, Report | Feedback) else None
    return CommandSettled(
        outcome=Outcome.FAILED,
        reason=Refusal.BUG,
        command=command.action.value if isinstance(command, Feedback) else command.type,
        source="" if sent is None else sent.source,
        source_id="" if sent is None else sent.source_id,
        ticket=None,
        flags=() if sent is None else sent.flags,
        origin=None if sent is None else sent.origin,
    )


def _bury(turn: Turn, reason: Reject, hint: str, command: Command | None, raw: bytes) -> None:
    """Copy what could not be decided to the dead letters, under its input's origin where it has one."""
    sent = command if isinstance(command, Report | Feedback) else None
    origin: Origin = turn.own_origin if sent is None or sent.origin is None else sent.origin
    source = None if sent is None else sent.source
    letter = DeadLetter(reason=reason, hint=hint, origin=origin, source=source, time=turn.at)
    turn.decision.letters.append(Letter(letter, raw))
