"""Whether a report is about something the desk already knows (去重并案). Pure.

The keys are strong ones only: a delivery's own id, a reporter, an object. D0 comes first, since the same delivery is no
new information whatever it names. D1 comes before D2: somebody who reports the same thing again is asking what became
of it (催办), and that would be lost among the witnesses of D2. So that D1 does not gather whatever one person reports,
a grid officer on patrol say, two reports that name different objects are different matters.

Nothing joins a closed ticket: what comes after the closing is a new occurrence. Nothing joins a merged one either: its
master is worked on, so whoever asks about the child asks about the master. Nor one that is full. Danger to life joins
only what is as urgent already, and the police's only what they have: for anything else nobody would set out. Drills
meet drills only, but for D0: a source's id means one report, whatever it is.
"""

from dataclasses import dataclass
from typing import Final

from schemas.codes import Side, Urgency
from schemas.commands import Report
from schemas.state import Attached, Ticket
from streams.desk.draft import Draft
from streams.desk.rules import Rules

REPORTS_MOST: Final = 1_000
"""So many reports a ticket takes; the next opens another. Each that joins writes the ticket whole: a flood of calls, or
a platform that asks again for ever, would make a record that is slow to write, and in the end one that cannot be."""


@dataclass(frozen=True, slots=True)
class New:
    """Nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """D0: the same delivery again."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Amends:
    """D0: the same source and id with other content than the newest; also on a closed or merged ticket."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Urges:
    """D1: the same reporter about the same matter, still open."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Merges:
    """D2: the same object and category, still open."""

    ticket: Ticket


Found = New | Repeat | Amends | Urges | Merges
_NEW = New()


def find(draft: Draft, report: Report, rules: Rules) -> Found:
    """What the desk knows of a report; of several tickets the oldest. What was merged is found as its root."""
    known = draft.by_report(report.area, report.source, report.source_id)
    if known is not None:
        same = attached_as(known, report.source, report.source_id).content == report.content
        return Repeat(known) if same else Amends(known)
    for ticket in draft.by_reporter(report):
        if any(_same_matter(attached, report) for attached in ticket.reports):
            root = draft.root(ticket)
            if _takes(root, report, rules):
                return Urges(root)
    for ticket in draft.by_object(report):
        root = draft.root(ticket)
        if _takes(root, report, rules):
            return Merges(root)
    return _NEW


def _takes(root: Ticket, report: Report, rules: Rules) -> bool:
    if len(root.reports) >= REPORTS_MOST:
        return False
    if not rules.sides.is_danger(report.category, rules.urgencies.of(report)):
        return True
    # What joins changes neither urgency nor unit: whoever has the noise would be urged to see to the knife.
    return root.urgency is Urgency.CRITICAL and root.side in {Side.POLICE, report.side}


def attached_as(ticket: Ticket, source: str, source_id: str) -> Attached:
    """The report in a ticket that a source calls so; raises `LookupError` where there is none."""
    for attached in ticket.reports:
        if attached.source_id == source_id and attached.source == source:
            return attached
    msg = "the index of reports and the ticket differ"
    raise LookupError(msg)


def _same_matter(attached: Attached, report: Report) -> bool:
    return attached.reporter == report.reporter and (
        attached.object is None or report.object is None or attached.object == report.object
    )
