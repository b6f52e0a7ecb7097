"""A ticket's facts told in order, each with what it did to the limits and why. Pure: rules and facts are given."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas.events import Event, Ran, Settlement
from schemas.state import Deadline, Ticket
from streams.desk.evolve import evolve
from streams.desk.facts import Fact
from streams.desk.reasons import Reason, reason
from streams.desk.rules import Rules

_SAID: Final = (
    "unit",
    "before",
    "by",
    "category",
    "urgency",
    "side",
    "kind",
    "stage",
    "inferred",
    "fate",
    "outcome",
    "reason",
    "command",
    "request",
    "seconds",
    "granted",
    "automatic",
    "paused",
    "resume_at",
    "limit",
    "card",
    "level",
    "recipients",
    "condition",
    "spent",
    "kept",
    "took",
    "on_time",
    "with_master",
    "score",
    "list",
    "from_side",
    "to_side",
    "returned",
    "other",
    "into",
    "child",
    "master",
    "why",
    "distance_m",
    "assisting",
    "copies",
    "alarm",
    "about",
    "policy",
    "recurrence_of",
    "flags",
    "source",
    "source_id",
    "note",
)
"""What is told of an event, where it says it, in this order."""
_EVEN_NOUGHT: Final = frozenset({"kept", "on_time", "distance_m"})
"""Told also where they are no, or 0: two reports of the very same place are 0 metres apart."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one limit: `begins`, `ends`, `halts`, `goes on`, `is longer`, `moves`, `is recomputed`."""

    what: str
    limit: str
    reason: Reason | None
    """None where it ends."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One event."""

    sequence: int | None
    time: int
    type: str
    policy: str
    """The version that judges the ticket then."""
    says: dict[str, Any]
    changes: tuple[Change, ...]
    step: Reason | None
    """Of a step of the ladder: the limit that climbed."""


class Story:
    """Takes the facts of one ticket in their order."""

    def __init__(self) -> None:
        self.ticket: Ticket | None = None
        self.chapters: list[Chapter] = []
        self._told: dict[str, Reason] = {}
        """Why each limit ends when it ends, as of its last change."""

    def tell(self, fact: Fact, rules: Sequence[Rules]) -> None:
        """The next fact, and the rules that judge the ticket then, where they are known; of several some one does."""
        before = self.ticket
        after = self.ticket = evolve(before, fact)
        old = () if before is None else before.deadlines
        # What is decided on a ticket changes its limits as one: where they are the same ones, nothing befell them.
        changes = () if isinstance(fact.event, Settlement | Ran) else tuple(_changes(rules, after, old))
        self._told.update({one.limit: one.reason for one in changes if one.reason is not None})
        self.chapters.append(
            Chapter(
                sequence=fact.envelope.sequence,
                time=fact.envelope.time,
                type=fact.event.type,
                policy=after.policy,
                says=dict(_says(fact.event)),
                changes=changes,
                step=self._step(rules, after, fact.event),
            )
        )

    def _step(self, rules: Sequence[Rules], ticket: Ticket, event: Event) -> Reason | None:
        if not isinstance(event, Ran):
            return None
        found = next((one for one in ticket.deadlines if one.limit == event.limit), None)
        if found is None:
            return None
        why, told = _reason(rules, ticket, found), self._told.get(event.limit)
        if told is None or why is None or why.is_so:
            return why
        # A calendar may be taken back after it has moved a limit: what was told of it then holds as long as it stands.
        return told if (told.policy, told.due_at) == (ticket.policy, found.due_at) else why


def _says(event: Event) -> Iterator[tuple[str, Any]]:
    for name in _SAID:
        value = getattr(event, name, None)
        if value not in (None, "", (), False) or (name in _EVEN_NOUGHT and value is not None):
            yield name, value


def _changes(rules: Sequence[Rules], ticket: Ticket, before: tuple[Deadline, ...]) -> Iterator[Change]:
    old = {one.limit: one for one in before}
    for deadline in ticket.deadlines:
        what = _what(old.pop(deadline.limit, None), deadline)
        if what:
            yield Change(what, deadline.limit, _reason(rules, ticket, deadline))
    for name in old:
        yield Change("ends", name, None)


def _what(old: Deadline | None, new: Deadline) -> str:
    if old is None:
        return "begins"
    if old.halted != new.halted:
        return "halts" if new.halted else "goes on"
    known = (
        (new.granted > old.granted, "is longer"),
        ((old.clock, old.length) != (new.clock, new.length), "is recomputed"),
        (old.started_at != new.started_at, "moves"),
        (old.due_at != new.due_at, "is recomputed"),
    )
    return next((what for holds, what in known if holds), "")


def _reason(rules: Sequence[Rules], ticket: Ticket, deadline: Deadline) -> Reason | None:
    """By the rules that come to this deadline, else by the first."""
    reasons = [reason(one, ticket, deadline) for one in rules]
    return next((why for why in reasons if why.is_so), next(iter(reasons), None))
