"""What was reported, where it went and what was closed, as a file is played: what both measures look at."""

from typing import NamedTuple

from agents.evaluating.labels import Labels
from agents.evaluating.playing import Step
from schemas.codes import Fate
from schemas.commands import Report
from schemas.events import ReportSettled, TicketClosed
from streams.desk.places import Place, place_of


class Reported(NamedTuple):
    """One report, by the source's own id, and the ticket that holds it."""

    id: str
    ticket: str
    fate: Fate
    at: int
    area: str
    category: str
    place: Place | None


class Following:
    """All that has been played so far."""

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.closed: dict[str, int] = {}
        """Tickets, and when they were closed first."""
        self._members: dict[int, list[Reported]] = {}
        self._held: dict[str, set[int]] = {}
        self._seen: set[str] = set()

    def take(self, step: Step) -> Reported | None:
        """Follow one record. Gives the report, where it is one that was not reported before."""
        found: Reported | None = None
        for event, envelope in step.decision.facts:
            if isinstance(event, TicketClosed) and envelope.subject is not None:
                self.closed.setdefault(envelope.subject, envelope.time)
            elif isinstance(event, ReportSettled) and event.source_id not in self._seen:
                found = _reported(step.command, event, envelope.time)
        if found is not None:
            self._seen.add(found.id)
        return found

    def earlier(self, report: Reported) -> list[Reported]:
        """Reports of its cluster that came before it: it is a duplicate of each."""
        cluster = self.labels.clusters.get(report.id)
        return [] if cluster is None else self._members.get(cluster, [])

    def same(self, report: Reported, ticket: str) -> bool:
        """Whether a ticket holds an earlier report of its cluster."""
        return self.labels.clusters.get(report.id) in self._held.get(ticket, ())

    def keep(self, report: Reported) -> None:
        """It was looked at: from here on it is an earlier one."""
        cluster = self.labels.clusters.get(report.id)
        if cluster is not None:
            self._members.setdefault(cluster, []).append(report)
            self._held.setdefault(report.ticket, set()).add(cluster)


def _reported(command: object, settled: ReportSettled, at: int) -> Reported | None:
    if not isinstance(command, Report) or settled.source_id != command.source_id:
        return None
    place = place_of(command.lat, command.lon)
    return Reported(command.source_id, settled.ticket, settled.fate, at, command.area, command.category, place)
