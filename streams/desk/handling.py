"""A ticket is worked on (处置): it is sent to a unit, moves forward, goes back for another try, gets help. Pure.

Functions that end an action of feedback give the ticket and, where the action asks for something it lacks, why it was
refused. Stage, standing and who says so were looked at before (`feedback.py`).
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, TypedDict

from schemas.codec import Maker
from schemas.codes import Refusal, Stage
from schemas.commands import Feedback
from schemas.events import (
    ConditionMet,
    StageRecorded,
    TicketAccepted,
    TicketArrived,
    TicketAssisted,
    TicketCalledBack,
    TicketContacted,
    TicketDispatched,
    TicketHandled,
    TicketReminded,
    TicketReworked,
    TicketSigned,
    TicketVerified,
)
from schemas.policy import Unit
from schemas.state import Deadline, Ticket, course_of
from streams.desk.clock import dated
from streams.desk.deadlines import GOAL_RANK
from streams.desk.lifecycle import MOVES, RANK, implied
from streams.desk.limits import at_stage, condition_deadline, condition_met, goal_of, reworked
from streams.desk.routing import Placed
from streams.desk.turn import Turn

_DISPATCHED: Final = Maker(TicketDispatched)

Answered = tuple[Ticket, Refusal | None]

_PLAIN: Final[dict[Stage, type[TicketAccepted | TicketSigned | TicketContacted | TicketArrived | TicketVerified]]] = {
    Stage.ACCEPTED: TicketAccepted,
    Stage.SIGNED: TicketSigned,
    Stage.CONTACTED: TicketContacted,
    Stage.ARRIVED: TicketArrived,
    Stage.VERIFIED: TicketVerified,
}


class Said(NamedTuple):
    """Who says that something was done, and when it is said to have been."""

    source: str
    by: str | None
    note: str
    occurred_at: int


class Move(TypedDict):
    """What every move says."""

    stage: Stage
    inferred: tuple[Stage, ...]
    occurred_at: int
    spent: int
    limit: int | None
    kept: bool | None
    source: str
    by: str | None
    note: str
    deadlines: tuple[Deadline, ...]


def said_of(turn: Turn, ticket: Ticket, feedback: Feedback) -> Said:
    """Who says so by this feedback, dated as the ticket's policy allows."""
    occurred_at = dated(turn.rules_of(ticket).policy, feedback.occurred_at, turn.at)
    return Said(feedback.source, feedback.by, feedback.note, occurred_at)


def move_to(turn: Turn, ticket: Ticket, stage: Stage, said: Said, deadlines: tuple[Deadline, ...]) -> Move:
    """What is said of a move of the ticket to a stage, and the limits it has from there on."""
    limit, kept = ended(ticket, stage, said.occurred_at)
    return {
        "stage": stage,
        "inferred": implied(ticket.stage, stage),
        "occurred_at": said.occurred_at,
        "spent": turn.at - ticket.stage_at,
        "limit": limit,
        "kept": kept,
        "source": said.source,
        "by": said.by,
        "note": said.note,
        "deadlines": deadlines,
    }


def ended(ticket: Ticket, stage: Stage, occurred_at: int) -> tuple[int | None, bool | None]:
    """The length of the limit that ends by reaching `stage`, and whether it is kept; nothing where it goes on."""
    goal = goal_of(ticket)
    if goal is None or GOAL_RANK[goal.limit] > RANK[stage]:
        return None, None
    return goal.length, occurred_at <= goal.due_at


def dispatched(  # noqa: PLR0913 - all that is said of a dispatch; a report's, a return's and a diversion's alike
    turn: Turn,
    ticket: Ticket,
    unit: Unit,
    *,
    source: str,
    by: str | None,
    note: str,
    occurred_at: int,
    before: str | None,
    assisting: Sequence[str] = (),
    copies: Sequence[str] = (),
    inferred: Sequence[Stage] | None = None,
) -> Ticket:
    """The ticket goes to a unit; `inferred`: none said, what passes by the table."""
    at, stage = turn.at, Stage.DISPATCHED
    limit, kept = ended(ticket, stage, occurred_at)
    event = _DISPATCHED.of(
        stage=stage,
        inferred=implied(ticket.stage, stage) if inferred is None else tuple(inferred),
        occurred_at=occurred_at,
        spent=at - ticket.stage_at,
        limit=limit,
        kept=kept,
        source=source,
        by=by,
        note=note,
        deadlines=at_stage(turn.rules_of(ticket), ticket, stage, at),
        unit=unit.name,
        level=unit.level,
        before=before,
        assisting=tuple(assisting),
        copies=tuple(copies),
    )
    return turn.tell(ticket, event)


def sent_to(turn: Turn, ticket: Ticket, unit: Unit, said: Said) -> Ticket:
    """The ticket goes to a unit by hand: those who assisted go on where the same unit has it again."""
    same = unit.name == ticket.unit
    return dispatched(
        turn,
        ticket,
        unit,
        source=said.source,
        by=said.by,
        note=said.note,
        occurred_at=said.occurred_at,
        before=None if same else ticket.unit,
        assisting=course_of(ticket).assisting if same else (),
    )


def unit_of(turn: Turn, ticket: Ticket, name: str | None) -> Unit:
    """The unit of that name or key, at the ticket's own level where the table knows none; no name: the ticket's."""
    if name is None:
        return Unit(name=ticket.unit, level=ticket.level)
    place = Placed(ticket.category, ticket.area, ticket.grid, ticket.source, ticket.side, ticket.urgency)
    return turn.rules.routes.unit_named(name, place) or Unit(name=name, level=ticket.level)


def dispatch(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """派遣 by hand; of a ticket that a unit has already: 改派, to another one."""
    unit = unit_of(turn, ticket, feedback.unit)
    if RANK[ticket.stage] >= RANK[Stage.DISPATCHED] and unit.name == ticket.unit:
        return ticket, Refusal.NO_UNIT
    return sent_to(turn, ticket, unit, said_of(turn, ticket, feedback)), None


def advance(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """The ticket reaches the stage that is claimed; those between pass with it."""
    stage = MOVES[feedback.action]
    deadlines = at_stage(turn.rules_of(ticket), ticket, stage, turn.at)
    move = move_to(turn, ticket, stage, said_of(turn, ticket, feedback), deadlines)
    if stage is Stage.HANDLED:
        return turn.tell(ticket, TicketHandled(**move, evidence=feedback.evidence, self_handled=False)), None
    if stage is Stage.CALLED_BACK:
        return turn.tell(ticket, TicketCalledBack(**move)), None
    return turn.tell(ticket, _PLAIN[stage](**move)), None


def record(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """A stage that had passed unreported was reported after all (补记)."""
    said = said_of(turn, ticket, feedback)
    recorded = StageRecorded(
        stage=MOVES[feedback.action],
        occurred_at=said.occurred_at,
        source=said.source,
        by=said.by,
        note=said.note,
    )
    return turn.tell(ticket, recorded), None


def put_right(turn: Turn, ticket: Ticket, said: Said) -> Ticket:
    """自处理: whoever reported it has put it right on the spot."""
    deadlines = at_stage(turn.rules_of(ticket), ticket, Stage.HANDLED, turn.at)
    move = move_to(turn, ticket, Stage.HANDLED, said, deadlines)
    return turn.tell(ticket, TicketHandled(**move, evidence=(), self_handled=True))


def rework(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """返工: back to the unit, and the time to handle it goes on from its original start."""
    deadlines = reworked(turn.rules_of(ticket), ticket, turn.at)
    move = move_to(turn, ticket, Stage.SIGNED, said_of(turn, ticket, feedback), deadlines)
    return turn.tell(ticket, TicketReworked(**move)), None


def assist(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """加派: a further unit helps; the lead goes on answering for it."""
    if feedback.unit is None:
        return ticket, Refusal.NO_UNIT
    unit = unit_of(turn, ticket, feedback.unit).name
    if unit == ticket.unit or unit in course_of(ticket).assisting:
        return ticket, Refusal.NO_UNIT
    event = TicketAssisted(unit=unit, source=feedback.source, by=feedback.by, note=feedback.note)
    return turn.tell(ticket, event), None


def meet(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """阶段性条件完成: a condition of the category is met; the next one's limit begins."""
    rules, name, met = turn.rules_of(ticket), feedback.condition, course_of(ticket).conditions
    known = {condition.name for condition in rules.policy.conditions.get(ticket.category, ())}
    if name is None or name not in known or name in met:
        return ticket, Refusal.NO_SUCH_CONDITION
    said, ran = said_of(turn, ticket, feedback), condition_deadline(ticket, name)
    event = ConditionMet(
        condition=name,
        occurred_at=said.occurred_at,
        spent=turn.at - ticket.stage_at,
        limit=None if ran is None else ran.length,
        kept=None if ran is None else said.occurred_at <= ran.due_at,
        source=said.source,
        by=said.by,
        note=said.note,
        deadlines=condition_met(rules, ticket, name, turn.at),
    )
    return turn.tell(ticket, event), None


def remind(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """催办 by an operator: the unit is told again."""
    event = TicketReminded(unit=ticket.unit, source=feedback.source, by=feedback.by, note=feedback.note)
    return turn.tell(ticket, event), None
