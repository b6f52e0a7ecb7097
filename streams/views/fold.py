"""What a fact makes of a ticket's public view. Pure; a view is written in place, by whoever made or copied it."""

from collections.abc import Mapping
from typing import Final, assert_never

from schemas.codec import replace
from schemas.codes import Stage, Standing, Step
from schemas.envelope import Envelope
from schemas.events import (
    AlarmRaised,
    ConditionMet,
    LimitCarded,
    LimitEscalated,
    LimitPassed,
    LimitsChanged,
    LimitWarned,
    MatchProposed,
    MatchRefused,
    Moved,
    Ran,
    ReportClosed,
    RequestMade,
    RequestRefused,
    StageRecorded,
    Stood,
    TicketAbsorbed,
    TicketAdopted,
    TicketAmended,
    TicketAssisted,
    TicketClosed,
    TicketDispatched,
    TicketDiverted,
    TicketEvent,
    TicketExtended,
    TicketLinked,
    TicketMerged,
    TicketOpened,
    TicketRated,
    TicketReleased,
    TicketReminded,
    TicketReopened,
    TicketRestored,
    TicketResumed,
    TicketReturned,
    TicketReworked,
    TicketSuspended,
    TicketUrged,
    TicketVoided,
)
from schemas.state import Deadline
from schemas.views import CurrentTicket, Limit, Status, Voice

OVERALL: Final = "overall"
_SEVERITY: Final = {step: rank for rank, step in enumerate(Step)}
_ON_THE_WAY: Final = frozenset({Stage.SIGNED, Stage.CONTACTED, Stage.ARRIVED})
"""What the handler asked for stays asked for through these moves only."""


def opened(event: TicketOpened, envelope: Envelope) -> CurrentTicket:
    """The view of a ticket that begins."""
    return CurrentTicket(
        ticket=envelope.subject or "",
        matter=envelope.matter or "",
        sequence=envelope.sequence or 0,
        status=Status.OPEN,
        stage=Stage.OPENED,
        standing=Standing.RUNNING,
        unit=event.unit,
        level=event.level,
        assisting=(),
        side=event.side,
        urgency=event.urgency,
        category=event.category,
        kind=event.kind,
        area=envelope.area,
        grid=event.grid,
        lat=event.lat,
        lon=event.lon,
        text=event.text,
        source=event.source,
        source_id=event.source_id,
        opened_at=envelope.time,
        updated_at=envelope.time,
        stage_at=envelope.time,
        closed_at=None,
        reopened_at=None,
        on_time=None,
        score=None,
        due_at=_due_at(event.deadlines),
        step=None,
        limits=_limits({}, event.deadlines),
        escalated=None,
        request=None,
        resume_at=None,
        conditions=(),
        diverted_from=None,
        returns=0,
        reworks=0,
        reopens=0,
        urges=0,
        reports=(Voice(source=event.source, source_id=event.source_id),) if event.source_id else (),
        merged_into=None,
        children=(),
        links=(),
        recurrence_of=event.recurrence_of,
        flags=event.flags,
        policy=event.policy,
        drill=envelope.drill,
    )


def fold(view: CurrentTicket, event: TicketEvent, envelope: Envelope) -> None:
    """Let the view be what it is after the fact, which is not the ticket's opening."""
    if isinstance(event, Moved):
        _moved(view, event, envelope.time)
    elif isinstance(event, Ran):
        _ran(view, event)
    elif isinstance(event, Stood):
        _stood(view, event, envelope.time)
    elif isinstance(event, TicketUrged | TicketMerged | TicketAmended | ReportClosed | TicketReleased | TicketAdopted):
        _gathered(view, event, envelope.time)
    elif not isinstance(event, TicketOpened):
        _told(view, event)


def numbered(view: CurrentTicket, envelope: Envelope) -> None:
    """Any fact of a ticket, its settlements too, is the newest that is in the view."""
    view.sequence = envelope.sequence or view.sequence
    view.updated_at = envelope.time


def _moved(view: CurrentTicket, event: Moved, at: int) -> None:
    view.stage, view.stage_at = event.stage, at
    _run(view, event.deadlines)
    if event.stage not in _ON_THE_WAY:
        view.request = None
    match event:
        case TicketDispatched():
            view.unit, view.level, view.assisting = event.unit, event.level, event.assisting
        case TicketReturned():
            view.returns += 1
        case TicketReworked():
            view.reworks += 1
        case TicketClosed():
            _closed(view, event, at)
        case TicketRated():
            view.score = event.score
        case TicketReopened():
            view.status, view.closed_at, view.on_time = Status.OPEN, None, None
            view.reopens, view.reopened_at, view.conditions, view.escalated = view.reopens + 1, at, (), None
        case _:
            return


def _closed(view: CurrentTicket, event: TicketClosed, at: int) -> None:
    view.status, view.closed_at, view.on_time, view.resume_at = Status.CLOSED, at, event.on_time, None
    if view.standing is Standing.MERGED and event.with_master is None:
        # Its own source closed it: it is nobody's child any more.
        view.standing, view.merged_into = Standing.RUNNING, None


def _stood(view: CurrentTicket, event: Stood, at: int) -> None:
    view.request, view.resume_at = None, None
    match event:
        case TicketVoided():
            view.status, view.standing, view.closed_at = Status.CLOSED, Standing.VOIDED, at
        case TicketSuspended():
            view.standing, view.resume_at = Standing.SUSPENDED, event.resume_at
        case TicketResumed():
            view.standing = Standing.RUNNING
        case TicketExtended():
            pass
        case TicketAbsorbed():
            view.standing, view.merged_into = Standing.MERGED, event.into
        case TicketRestored():
            view.standing, view.merged_into = Standing.RUNNING, None
        case _:
            assert_never(event)
    _run(view, event.deadlines)


def _ran(view: CurrentTicket, event: Ran) -> None:
    step = step_of(event)
    view.limits = tuple(_climbed(limit, step) if limit.limit == event.limit else limit for limit in view.limits)
    if isinstance(event, LimitEscalated):
        view.escalated = event.level
    view.step = _highest(view)


def step_of(event: Ran) -> Step:
    """The step that a limit has reached."""
    match event:
        case LimitWarned():
            return Step.WARNED
        case LimitPassed():
            return Step.PASSED
        case LimitCarded():
            return event.card
        case LimitEscalated():
            return Step.ESCALATED


def _climbed(limit: Limit, step: Step) -> Limit:
    return Limit(
        limit=limit.limit,
        due_at=limit.due_at,
        steps=(*limit.steps, step),
        provisional=limit.provisional,
        halted=limit.halted,
    )


Gathered = TicketUrged | TicketMerged | TicketAmended | ReportClosed | TicketReleased | TicketAdopted


def _gathered(view: CurrentTicket, event: Gathered, at: int) -> None:
    """What the ticket holds: its reports, and the tickets that it answers for."""
    match event:
        case TicketUrged() | TicketMerged():
            view.reports = (*view.reports, Voice(source=event.source, source_id=event.source_id))
            view.urges += isinstance(event, TicketUrged)
        case TicketAmended():
            if (event.source, event.source_id) == (view.source, view.source_id):
                view.text = event.text
        case ReportClosed():
            closed = Voice(source=event.source, source_id=event.source_id, closed_at=at)
            view.reports = tuple(closed if _is(voice, event) else voice for voice in view.reports)
        case TicketReleased():
            view.children = tuple(child for child in view.children if child != event.child)
            if event.source_id:
                view.reports = tuple(voice for voice in view.reports if not _is(voice, event))
        case TicketAdopted():
            view.children = (*view.children, event.child)


def _is(voice: Voice, named: ReportClosed | TicketReleased) -> bool:
    return (voice.source, voice.source_id) == (named.source, named.source_id)


Plain = (
    StageRecorded
    | TicketAssisted
    | RequestMade
    | RequestRefused
    | TicketDiverted
    | ConditionMet
    | TicketReminded
    | MatchProposed
    | MatchRefused
    | TicketLinked
    | LimitsChanged
    | AlarmRaised
)


def _told(view: CurrentTicket, event: Plain) -> None:
    match event:
        case TicketAssisted():
            view.assisting = (*view.assisting, event.unit)
        case RequestMade() | RequestRefused():
            view.request = event.request if isinstance(event, RequestMade) else None
        case TicketDiverted():
            view.side, view.diverted_from = event.to_side, None if event.returned else event.from_side
            _handed_over(view, event.said)
        case TicketReminded():
            view.urges += 1
        case ConditionMet() | LimitsChanged():
            _ruled(view, event)
        case TicketLinked():
            view.links = view.links if event.other in view.links else (*view.links, event.other)
        case StageRecorded() | MatchProposed() | MatchRefused() | AlarmRaised():
            pass  # nothing of it stands in the view


def _handed_over(view: CurrentTicket, said: tuple[Step, ...]) -> None:
    """`overall` climbs on from what either side said; which of it lies behind is in the dispatch that follows at once.

    Where none ran on the side that it leaves, one stands there until then, so that what was said is not lost.
    """
    if not said:
        return
    ran = next((limit for limit in view.limits if limit.limit == OVERALL), None)
    others = tuple(limit for limit in view.limits if limit is not ran)
    overall = Limit(limit=OVERALL, due_at=view.opened_at) if ran is None else ran
    view.limits = (replace(overall, steps=said), *others)


Climbed = Mapping[str, tuple[Step, ...]]
"""By limit, the steps of the ladder."""


def _ruled(view: CurrentTicket, event: ConditionMet | LimitsChanged) -> None:
    if isinstance(event, ConditionMet):
        view.conditions = (*view.conditions, event.condition)
        _run(view, event.deadlines)
    else:
        # Another ladder may have other steps: those that were climbed do not stand where they stood.
        view.policy = event.policy
        _run(view, event.deadlines, event.said)


def _run(view: CurrentTicket, deadlines: tuple[Deadline, ...], climbed: Climbed | None = None) -> None:
    """The limits that run from here on; those that ran before have climbed what they had, unless it is said."""
    if climbed is None:
        climbed = {limit.limit: limit.steps for limit in view.limits}
    view.limits = _limits(climbed, deadlines)
    view.due_at = _due_at(deadlines)
    view.step = _highest(view)


def _limits(climbed: Climbed, deadlines: tuple[Deadline, ...]) -> tuple[Limit, ...]:
    return tuple(
        Limit(
            limit=deadline.limit,
            due_at=deadline.due_at,
            steps=_below(climbed.get(deadline.limit, ()), deadline.rung),
            provisional=deadline.provisional,
            halted=deadline.halted,
        )
        for deadline in deadlines
    )


def _below(steps: tuple[Step, ...], rung: int) -> tuple[Step, ...]:
    """The steps below the next rung; what lies ahead again is still to come. Without a next one (-1) all of them."""
    return steps if rung < 0 else steps[:rung]


def _due_at(deadlines: tuple[Deadline, ...]) -> int | None:
    for deadline in deadlines:
        if deadline.limit == OVERALL:
            return deadline.due_at
    return None


def _highest(view: CurrentTicket) -> Step | None:
    steps = [limit.steps[-1] for limit in view.limits if limit.steps and not limit.halted]
    return max(steps, key=_SEVERITY.__getitem__, default=None)
