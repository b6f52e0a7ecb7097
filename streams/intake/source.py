"""A mapping compiled once: what reads one source's records. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from schemas.codec import Maker
from schemas.codes import Action, Flag, Reject, Urgency
from schemas.commands import Feedback, Origin, Report
from schemas.mapping import CLOSED, FEEDBACK, REPORT, SourceMapping
from streams.intake import feedback as handling
from streams.intake import reports
from streams.intake.columns import ID_MAX
from streams.intake.gazetteer import Gazetteer
from streams.intake.lines import Fields, splitter
from streams.intake.persons import persons
from streams.intake.places import Located
from streams.intake.privacy import Keyed
from streams.intake.rejected import Unusable
from streams.intake.reports import OTHER

T = TypeVar("T")
_REPORT: Final = Maker(Report)
_NOWHERE: Final = Origin(topic="", partition=0, offset=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """What sources share: the key of the hashes, where unlocated records go, the names of places."""

    keyed: Keyed
    catch_all: str
    gazetteer: Gazetteer


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What `feed` must know of a line to put it in its place. A line that tells nothing has `time` None."""

    id: str | None = None
    time: int | None = None
    usable: bool = False
    """Whether intake will take it; else it is one dead letter, and no closing is made of it."""
    closes: bool = False
    closed_at: int | None = None
    """Never before `time`; None where the line's closing time cannot be read."""
    urgent: bool = False


class Source:
    """One source system. `read` raises `Unusable`; `glimpse` never raises."""

    def __init__(self, mapping: SourceMapping, district: District) -> None:
        self.mapping = mapping
        self.name = mapping.name
        self.fields = splitter(mapping)
        self.parts = mapping.parts()
        self.default_part = mapping.default_part()
        self._keyed = district.keyed
        self._catch_all = district.catch_all
        person = persons(mapping, district.keyed)
        self._report = reports.compiled(mapping, person, district.keyed, district.gazetteer) if mapping.report else None
        self._feedback = (
            handling.feedback(mapping, mapping.feedback, person, district.gazetteer) if mapping.feedback else None
        )
        self._side = mapping.the_side()

    def read(self, part: str, fields: Fields, at: int | None, origin: Origin, *, drill: bool) -> Report | Feedback:
        """The record as what its header says. `at` is its own time where the log says so."""
        if part == REPORT:
            return self.report(fields, at, origin, drill=drill)
        return self.closed(fields, at, origin) if part == CLOSED else self.feedback(fields, at, origin)

    def report(self, fields: Fields, at: int | None, origin: Origin, *, drill: bool = False) -> Report:
        """The record as a report. `at` is its own time where the log says so; otherwise the record tells it."""
        read = self._reports()
        source_id, time = read.id(fields), read.time(fields)
        where, category, person = read.locate(fields), read.category(fields), read.person(fields)
        occurred_at = read.occurred_at(fields)
        return _REPORT.of(
            source=self.name,
            source_id=source_id,
            content=self._keyed.content([fields[index] for index in read.content]),
            time=time if at is None else at,
            occurred_at=time if occurred_at is None else occurred_at,
            area=where.area or self._catch_all,
            grid=where.grid,
            lat=where.lat,
            lon=where.lon,
            category=category or OTHER,
            urgency=read.urgency(fields),
            text=read.text(fields, person.names),
            reporter=person.key,
            object=read.object(fields),
            details=read.details(fields, person),
            side=self._side,
            kind=read.kind(fields),
            related=read.related(fields),
            self_handled=read.self_handled(fields),
            drill=drill or read.drill(fields),
            flags=_flags(where, category),
            origin=origin,
        )

    def closed(self, fields: Fields, at: int | None, origin: Origin) -> Feedback:
        """The record as the closing of the same report: same source, id and area."""
        read = self._reports()
        source_id, opened, closed = read.id(fields), read.time(fields), read.closed_at(fields)
        if closed is None:
            raise Unusable(Reject.MISSING_FIELD, "the closing time is empty")
        where = read.locate(fields)
        flags = _flags(where, read.category(fields))
        if closed < opened:
            flags = (*flags, Flag.TIME_CLAMPED)
        done = max(closed, opened)
        return Feedback(
            source=self.name,
            source_id=source_id,
            action=Action.CLOSED,
            time=done if at is None else at,
            occurred_at=done,
            area=where.area or self._catch_all,
            flags=flags,
            origin=origin,
        )

    def feedback(self, fields: Fields, at: int | None, origin: Origin) -> Feedback:
        """The record as feedback of a handler or an operator."""
        if self._feedback is None:
            raise TypeError(self.name)  # the part of the header is held against the mapping's before
        return self._feedback.read(fields, at, origin)

    def glimpse(self, line: bytes) -> Glimpse:
        """What the line says of id, times and urgency; what cannot be read is absent."""
        try:
            fields = self.fields(line)
        except Unusable:
            return Glimpse()
        return self._glimpse_report(fields) if self.default_part == REPORT else self._glimpse_feedback(fields)

    def _glimpse_report(self, fields: Fields) -> Glimpse:
        read = self._reports()
        time = _attempt(read.time, fields)
        source_id, urgent = _attempt(read.id, fields), self._urgent(fields)
        if time is None or _attempt(lambda these: self.report(these, None, _NOWHERE), fields) is None:
            return Glimpse(id=source_id, time=time, urgent=urgent)
        closes, closed_at = self._closing(fields, time)
        return Glimpse(source_id, time, usable=True, closes=closes, closed_at=closed_at, urgent=urgent)

    def _glimpse_feedback(self, fields: Fields) -> Glimpse:
        read = self._feedback
        if read is None:
            return Glimpse()
        about, time = _attempt(read.about, fields), _attempt(read.time, fields)
        key = None if about is None else about.ticket or about.source_id
        usable = _attempt(lambda these: self.feedback(these, None, _NOWHERE), fields) is not None
        return Glimpse(id=key, time=time, usable=usable)

    def _reports(self) -> reports.Parts:
        if self._report is None:
            raise TypeError(self.name)  # the part of the header is held against the mapping's before
        return self._report

    def _closing(self, fields: Fields, opened: int) -> tuple[bool, int | None]:
        if self.mapping.closings != "row":
            return False, None
        try:
            closed = self._reports().closed_at(fields)
        except Unusable:
            return True, None
        return (False, None) if closed is None else (True, max(closed, opened))

    def _urgent(self, fields: Fields) -> bool:
        return self._reports().urgency(fields) in {Urgency.CRITICAL, Urgency.URGENT}


def _attempt(read: Callable[[Fields], T], fields: Fields) -> T | None:
    try:
        return read(fields)
    except Unusable:
        return None


def _flags(where: Located, category: str | None) -> tuple[Flag, ...]:
    # What a thing is has no say in where it lies: an alarm is often taken before its type is known, and amended.
    return where.flags if category is not None else (*where.flags, Flag.UNKNOWN_CATEGORY)


__all__ = ["CLOSED", "FEEDBACK", "ID_MAX", "OTHER", "REPORT", "District", "Glimpse", "Source"]
