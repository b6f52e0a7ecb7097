"""What facts make of a ticket's course: what it was asked for, granted, kept from, and how its limits ran. Pure."""

from typing import Any, Final, assert_never

from schemas.codec import Maker, replace
from schemas.codes import Side, Stage, Standing
from schemas.envelope import Envelope
from schemas.events import (
    AlarmRaised,
    ConditionMet,
    LimitEscalated,
    LimitsChanged,
    Moved,
    Ran,
    RequestMade,
    RequestRefused,
    StageRecorded,
    Stood,
    TicketAbsorbed,
    TicketAssisted,
    TicketClosed,
    TicketDispatched,
    TicketDiverted,
    TicketExtended,
    TicketReminded,
    TicketReopened,
    TicketRestored,
    TicketResumed,
    TicketReturned,
    TicketReworked,
    TicketSuspended,
    TicketVoided,
)
from schemas.state import NO_COURSE, Course, Deadline, Request, Ticket, Ties, course_of, ties_of
from streams.desk.evolve_ties import parted
from streams.desk.lifecycle import LATER_TOLD, RANK

Befell = (
    StageRecorded
    | TicketAssisted
    | RequestMade
    | RequestRefused
    | TicketDiverted
    | ConditionMet
    | TicketReminded
    | LimitsChanged
    | AlarmRaised
)

_COURSE: Final = Maker(Course)

_ON_THE_WAY: Final = frozenset({Stage.SIGNED, Stage.CONTACTED, Stage.ARRIVED})
"""A request outlives these moves only."""


def befell(ticket: Ticket, event: Befell, envelope: Envelope) -> Ticket:
    """The ticket after something that moved neither its stage nor its standing."""
    course = _kept(_after(course_of(ticket), event, envelope.time))
    return replace(
        ticket,
        sequence=envelope.sequence or ticket.sequence,
        side=_side(ticket, event),
        policy=event.policy if isinstance(event, LimitsChanged) else ticket.policy,
        deadlines=event.deadlines if isinstance(event, ConditionMet | LimitsChanged) else ticket.deadlines,
        course=course,
    )


def course_after(ticket: Ticket, event: Moved, at: int) -> Course | None:
    """The course of a ticket that moves; none where nothing befell it."""
    if ticket.course is None and isinstance(event, TicketDispatched):
        return Course(assisting=event.assisting) if event.assisting else None  # a first dispatch, mostly
    course, rank = course_of(ticket), RANK[event.stage]
    inferred = [stage for stage in course.inferred if RANK[stage] <= rank]
    inferred += [stage for stage in event.inferred if stage in LATER_TOLD]
    request = course.request if event.stage in _ON_THE_WAY else None
    if request is not course.request or inferred != list(course.inferred):
        course = _passed(course, request, tuple(inferred))
    return _kept(_marked(course, event, at))


def stood(ticket: Ticket, event: Stood, envelope: Envelope) -> Ticket:
    """The ticket after its standing, or its limits, changed."""
    return replace(
        ticket,
        sequence=envelope.sequence or ticket.sequence,
        standing=_standing(ticket, event),
        closed_at=envelope.time if isinstance(event, TicketVoided) else ticket.closed_at,
        deadlines=event.deadlines,
        course=_kept(_stood(course_of(ticket), event, envelope.time)),
        ties=_ties(ticket, event),
    )


def ran(ticket: Ticket, event: Ran, envelope: Envelope) -> Ticket:
    """The ticket after one of its limits reached a step of the ladder."""
    course = ticket.course
    if isinstance(event, LimitEscalated):
        course = replace(course_of(ticket), escalated=event.level)
    return replace(
        ticket,
        sequence=envelope.sequence or ticket.sequence,
        deadlines=tuple(_stepped(deadline, event) for deadline in ticket.deadlines),
        course=course,
    )


def ran_head(head: Any, event: Ran, envelope: Envelope) -> None:
    """`ran` of the row of a ticket's head, which is changed; not of an escalation."""
    head.sequence = envelope.sequence or head.sequence
    for deadline in head.deadlines:
        if deadline.limit == event.limit:
            deadline.rung, deadline.next_at = event.rung, event.next_at


def _stepped(deadline: Deadline, event: Ran) -> Deadline:
    if deadline.limit != event.limit:
        return deadline
    return replace(deadline, rung=event.rung, next_at=event.next_at)


def _kept(course: Course) -> Course | None:
    return None if not course.inferred and course == NO_COURSE else course


# Written out: `dataclasses.replace` takes several times as long, and each closing needs it.
def _passed(course: Course, request: Request | None, inferred: tuple[Stage, ...]) -> Course:
    return _COURSE.of(
        request=request,
        extensions=course.extensions,
        suspended_at=course.suspended_at,
        resume_at=course.resume_at,
        assisting=course.assisting,
        conditions=course.conditions,
        diverted_from=course.diverted_from,
        diverted_unit=course.diverted_unit,
        returns=course.returns,
        reworks=course.reworks,
        reopens=course.reopens,
        reopened_at=course.reopened_at,
        urges=course.urges,
        escalated=course.escalated,
        inferred=inferred,
        overall_said=course.overall_said,
    )


def _marked(course: Course, event: Moved, at: int) -> Course:
    """What only some moves leave behind."""
    match event:
        case TicketDispatched():
            course = replace(course, assisting=event.assisting)
        case TicketReturned():
            course = replace(course, returns=course.returns + 1)
        case TicketReworked():
            course = replace(course, reworks=course.reworks + 1)
        case TicketReopened():
            course = replace(
                course, reopens=course.reopens + 1, reopened_at=at, conditions=(), escalated=None, overall_said=()
            )
        case TicketClosed() if course.suspended_at is not None or course.resume_at is not None:
            course = replace(course, suspended_at=None, resume_at=None)
        case _:
            pass
    return course


def _standing(ticket: Ticket, event: Stood) -> Standing:
    match event:
        case TicketVoided():
            standing = Standing.VOIDED
        case TicketSuspended():
            standing = Standing.SUSPENDED
        case TicketAbsorbed():
            standing = Standing.MERGED
        case TicketResumed() | TicketRestored():
            standing = Standing.RUNNING
        case TicketExtended():
            standing = ticket.standing
        case _:
            assert_never(event)
    return standing


def _ties(ticket: Ticket, event: Stood) -> Ties | None:
    if isinstance(event, TicketAbsorbed):
        return replace(ties_of(ticket), merged_into=event.into)
    return parted(ticket) if isinstance(event, TicketRestored) else ticket.ties


def _stood(course: Course, event: Stood, at: int) -> Course:
    match event:
        case TicketSuspended():
            course = replace(course, request=None, suspended_at=at, resume_at=event.resume_at)
        case TicketExtended():
            course = replace(course, request=None, extensions=course.extensions + 1)
        case TicketAbsorbed():
            # Since when it was suspended, if it was, stays: when it is restored, that pause counts.
            course = replace(course, request=None, resume_at=None)
        case TicketVoided() | TicketResumed() | TicketRestored():
            course = replace(course, request=None, suspended_at=None, resume_at=None)
        case _:
            assert_never(event)
    return course


def _after(course: Course, event: Befell, at: int) -> Course:
    match event:
        case StageRecorded():
            course = replace(course, inferred=tuple(stage for stage in course.inferred if stage is not event.stage))
        case TicketAssisted():
            course = replace(course, assisting=(*course.assisting, event.unit))
        case ConditionMet():
            course = replace(course, conditions=(*course.conditions, event.condition))
        case TicketReminded():
            course = replace(course, urges=course.urges + 1)
        case RequestMade() | RequestRefused():
            course = replace(course, request=_request(event, at))
        case TicketDiverted():
            course = _diverted(course, event)
        case LimitsChanged() | AlarmRaised():
            pass
        case _:
            assert_never(event)
    return course


def _request(event: RequestMade | RequestRefused, at: int) -> Request | None:
    if isinstance(event, RequestRefused):
        return None
    return Request(kind=event.request, at=at, by=event.by, seconds=event.seconds, note=event.note)


def _diverted(course: Course, event: TicketDiverted) -> Course:
    if event.returned:
        return replace(course, diverted_from=None, diverted_unit=None, overall_said=event.said)
    return replace(course, diverted_from=event.from_side, diverted_unit=event.unit, overall_said=event.said)


def _side(ticket: Ticket, event: Befell) -> Side:
    return event.to_side if isinstance(event, TicketDiverted) else ticket.side
