"""What a desk's facts come to, ticket by ticket: what counts is what docs/figures.md says. Pure."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from schemas.codes import Standing, Step
from schemas.envelope import Envelope
from schemas.events import (
    CommandSettled,
    ConditionMet,
    Event,
    LimitCarded,
    LimitEscalated,
    LimitPassed,
    LimitWarned,
    MatchProposed,
    Moved,
    Ran,
    ReportSettled,
    TicketAbsorbed,
    TicketClosed,
    TicketDispatched,
    TicketOpened,
    TicketReopened,
    TicketRestored,
    TicketVoided,
)
from schemas.state import Ticket, course_of
from streams.desk.draft import Draft
from streams.desk.facts import Fact
from streams.desk.limits import OVERALL

DAY_MS = 86_400_000
_PUBLISHED: Final = "policy"
"""What the settlement of a published policy names."""


@dataclass(slots=True)
class Kept:
    """One ticket, as far as figures need it."""

    unit: str
    drill: bool
    voided: bool = False
    merged: bool = False
    closed: bool = False
    on_time: bool | None = None
    """Of its last closing."""
    overdue: bool = False
    """It is open, and the overall limit is over; known at the end."""
    ended: list[tuple[str, bool]] = field(default_factory=list)
    """Stage limits that ended, by the stage that was reached, and conditions; whether each was kept."""
    steps: list[tuple[Step, int]] = field(default_factory=list)
    """Steps that its limits reached, and the day."""

    @property
    def counts(self) -> bool:
        """It stands in the figures."""
        return not (self.drill or self.voided or self.merged)


@dataclass(slots=True)
class Counting:
    """Takes the facts of one desk in their order."""

    tickets: dict[str, Kept] = field(default_factory=dict)
    fates: Counter[str] = field(default_factory=Counter)
    candidates: int = 0
    outcomes: dict[str, str] = field(default_factory=dict)
    """What became of commands that are no reports, by their ids, until somebody takes it out."""

    def take(self, fact: Fact) -> None:
        """The next fact."""
        event, envelope = fact
        if isinstance(event, ReportSettled):
            self.fates[event.fate.value] += not envelope.drill
        elif isinstance(event, CommandSettled):
            if event.command != _PUBLISHED:  # of those the other desk has its own
                self.outcomes[envelope.cause] = event.outcome.value if event.reason is None else event.reason.value
        elif isinstance(event, TicketOpened):
            self.tickets[envelope.subject or ""] = Kept(event.unit, envelope.drill)
        elif (kept := self._kept(event, envelope)) is not None:
            self.candidates += isinstance(event, MatchProposed) and not envelope.drill
            _change(kept, event, envelope.time)

    def _kept(self, event: Event, envelope: Envelope) -> Kept | None:
        """What is known of its ticket; one that was closed before the first fact begins to count if it is reopened."""
        name = envelope.subject or ""
        if isinstance(event, TicketReopened) and name not in self.tickets:
            # Nothing else need be known of it: it is not merged, and the dispatch that follows names its unit.
            self.tickets[name] = Kept("", envelope.drill)
        return self.tickets.get(name)

    def known(self, ticket: Ticket) -> None:
        """A ticket that was open before the first fact."""
        if ticket.closed_at is None:
            self.tickets[ticket.id] = Kept(ticket.unit, ticket.drill, merged=ticket.standing is Standing.MERGED)

    def end(self, draft: Draft) -> None:
        """Nothing more comes: what is open and overdue now."""
        for name, kept in self.tickets.items():
            ticket = draft.ticket(name)
            kept.overdue = ticket is not None and ticket.closed_at is None and _is_overdue(ticket, draft.time)


def _change(kept: Kept, event: Event, at: int) -> None:
    if isinstance(event, Ran):
        kept.steps.append((step_of(event), at // DAY_MS))
    elif isinstance(event, Moved):
        _moved(kept, event)
    elif isinstance(event, ConditionMet):
        if event.kept is not None:
            kept.ended.append((event.condition, event.kept))
    elif isinstance(event, TicketVoided):
        kept.voided = True
    elif isinstance(event, TicketAbsorbed | TicketRestored):
        kept.merged = isinstance(event, TicketAbsorbed)


def _moved(kept: Kept, event: Moved) -> None:
    if event.kept is not None:
        kept.ended.append((event.stage.value, event.kept))
    if isinstance(event, TicketDispatched):
        kept.unit = event.unit
    elif isinstance(event, TicketClosed):
        kept.closed, kept.on_time = True, event.on_time
        kept.merged = kept.merged and event.with_master is not None
    elif isinstance(event, TicketReopened):
        kept.closed, kept.on_time = False, None


def step_of(event: Ran) -> Step:
    """The step of the ladder that was reached."""
    match event:
        case LimitWarned():
            return Step.WARNED
        case LimitPassed():
            return Step.PASSED
        case LimitCarded():
            return Step.YELLOW if event.card == Step.YELLOW else Step.RED
        case LimitEscalated():
            return Step.ESCALATED


def _is_overdue(ticket: Ticket, at: int) -> bool:
    until = course_of(ticket).suspended_at
    due = next((one.due_at for one in ticket.deadlines if one.limit == OVERALL), None)
    return due is not None and (at if until is None else until) > due
