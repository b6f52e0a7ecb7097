"""What handlers said under the log's rules, as it can be said under the others. Pure.

Feedback names a ticket of the log. A report that is a ticket of its own under both rules gives it the same id. Where
the other rules have no such ticket, the report that began it is looked for by its source's own id. A unit that spoke as
the ticket's own speaks as whoever has it under the other rules.
"""

from collections import Counter
from dataclasses import replace
from enum import StrEnum

from schemas.codes import Action
from schemas.commands import Feedback
from schemas.state import Ticket
from streams.desk.draft import Draft


class Way(StrEnum):
    """How feedback came to the other rules."""

    FOLLOWED = "followed"
    """Through the source's own id, to the ticket that the report has there."""
    REPORT = "report"
    """Through the source's own id, to a ticket that the report joined there: it counts for the report alone."""
    LOST = "lost"
    """It could not be applied: what it is about is no ticket there, and the report has joined another, or is none."""
    SPOKEN = "spoken"
    """By another unit, which has the ticket there."""


_OF_REPORTS = frozenset({Action.CLOSED, Action.UNMERGED})
"""What may be said of a report that joined a ticket."""


class Translator:
    """Carries feedback over, and counts how."""

    def __init__(self) -> None:
        self.ways: Counter[Way] = Counter()

    def of(self, feedback: Feedback, ours: Draft, theirs: Draft) -> Feedback:
        """The feedback for the other rules' desk (`theirs`); `ours` is the log's, before it has decided this."""
        about = _about(feedback, ours)
        if about is None:
            return feedback  # it waits, or is unknown, under both alike
        said = self._named(feedback, about, theirs)
        if said.other is not None:
            said = self._other(said, said.other, ours, theirs)
        return self._spoken(said, about, theirs)

    def _named(self, feedback: Feedback, about: Ticket, theirs: Draft) -> Feedback:
        if feedback.ticket is None or theirs.ticket(about.id) is not None:
            return feedback
        first = about.reports[0] if about.reports else None
        holder = None if first is None else theirs.by_report(about.area, first.source, first.source_id)
        if first is None or holder is None:
            self.ways[Way.LOST] += 1
            return feedback
        leads = holder.reports[0]
        if (leads.source, leads.source_id) == (first.source, first.source_id):
            self.ways[Way.FOLLOWED] += 1
            return replace(feedback, ticket=holder.id)
        if feedback.action not in _OF_REPORTS:
            self.ways[Way.LOST] += 1
            return feedback
        self.ways[Way.REPORT] += 1
        return replace(feedback, ticket=None, source=first.source, source_id=first.source_id, area=about.area)

    def _other(self, feedback: Feedback, other: str, ours: Draft, theirs: Draft) -> Feedback:
        named = ours.ticket(other)
        if theirs.ticket(other) is not None or named is None or not named.reports:
            return feedback
        first = named.reports[0]
        holder = theirs.by_report(named.area, first.source, first.source_id)
        return feedback if holder is None else replace(feedback, other=holder.id)

    def _spoken(self, feedback: Feedback, about: Ticket, theirs: Draft) -> Feedback:
        there = _about(feedback, theirs)
        if there is None or feedback.by != about.unit or there.unit == about.unit:
            return feedback
        self.ways[Way.SPOKEN] += 1
        return replace(feedback, by=there.unit)


def _about(feedback: Feedback, draft: Draft) -> Ticket | None:
    if feedback.ticket is not None:
        return draft.ticket(feedback.ticket)
    return draft.by_report(feedback.area, feedback.source, feedback.source_id)
