"""A mapping compiled once: what reads one source's records. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from schemas.codes import Flag, Reject, Stage, Urgency
from schemas.commands import Feedback, Origin, Report
from schemas.mapping import ObjectRule, ReporterRule, SourceMapping
from streams.intake.lines import Fields, splitter
from streams.intake.places import Locate, Located, locator
from streams.intake.privacy import Keyed, clean, mask, mask_name
from streams.intake.rejected import Unusable
from streams.intake.times import required, time_of

T = TypeVar("T")
OTHER: Final = "other"
"""The category of what has no known one."""
ID_MAX: Final = 200
REPORT: Final = "report"
CLOSED: Final = "closed"


_NOWHERE: Final = Origin(topic="", partition=0, offset=0)


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What `feed` must know of a line to put it in its place. A line that tells nothing has `time` None."""

    id: str | None = None
    time: int | None = None
    usable: bool = False
    """Whether intake will take it as a report; else it is one dead letter, and no closing is made of it."""
    closes: bool = False
    closed_at: int | None = None
    """Never before `time`; None where the line's closing time cannot be read."""
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Who reports: `key` for matching, `names` to be taken out of texts, `masked` to be shown."""

    key: str | None = None
    names: tuple[str, ...] = ()
    masked: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a mapping's rules have become."""

    id: Callable[[Fields], str]
    time: Callable[[Fields], int]
    occurred_at: Callable[[Fields], int | None]
    closed_at: Callable[[Fields], int | None]
    locate: Locate
    category: Callable[[Fields], str | None]
    urgency: Callable[[Fields], Urgency | None]
    person: Callable[[Fields], Person]
    object: Callable[[Fields], str | None]
    text: Sequence[int]
    details: Sequence[tuple[str, int]]
    content: Sequence[int]


class Source:
    """One source system. `report` and `closed` raise `Unusable`; `glimpse` never raises."""

    def __init__(self, mapping: SourceMapping, keyed: Keyed, catch_all: str) -> None:
        self.mapping = mapping
        self.name = mapping.name
        self.fields = splitter(mapping)
        self.parts = frozenset((REPORT, CLOSED)) if mapping.closings else frozenset((REPORT,))
        self._keyed = keyed
        self._catch_all = catch_all
        self._read = _compiled(mapping, keyed)

    def report(self, fields: Fields, at: int | None, origin: Origin) -> Report:
        """The record as a report. `at` is its own time where the log says so; otherwise the record tells it."""
        read = self._read
        source_id, time = read.id(fields), read.time(fields)
        where, category, person = read.locate(fields), read.category(fields), read.person(fields)
        occurred_at = read.occurred_at(fields)
        names = person.names
        details = {name: mask(fields[index], names) for name, index in read.details if fields[index]}
        if person.masked:
            details["reporter"] = person.masked
        return Report(
            source=self.name,
            source_id=source_id,
            content=self._keyed.content([fields[index] for index in read.content]),
            time=time if at is None else at,
            occurred_at=time if occurred_at is None else occurred_at,
            area=self._area(where, category),
            grid=where.grid,
            lat=where.lat,
            lon=where.lon,
            category=category or OTHER,
            urgency=read.urgency(fields),
            text=" ".join(mask(fields[index], names) for index in read.text if fields[index]),
            reporter=person.key,
            object=read.object(fields),
            details=details,
            flags=_flags(where, category),
            origin=origin,
        )

    def closed(self, fields: Fields, at: int | None, origin: Origin) -> Feedback:
        """The record as the closing of the same report: same source, id and area."""
        read = self._read
        source_id, opened, closed = read.id(fields), read.time(fields), read.closed_at(fields)
        if closed is None:
            raise Unusable(Reject.MISSING_FIELD, "the closing time is empty")
        flags = _flags(read.locate(fields), read.category(fields))
        if closed < opened:
            flags = (*flags, Flag.TIME_CLAMPED)
        done = max(closed, opened)
        return Feedback(
            source=self.name,
            source_id=source_id,
            stage=Stage.CLOSED,
            time=done if at is None else at,
            occurred_at=done,
            area=self._area(read.locate(fields), read.category(fields)),
            flags=flags,
            origin=origin,
        )

    def glimpse(self, line: bytes) -> Glimpse:
        """What the line says of id, times and urgency; what cannot be read is absent."""
        try:
            fields = self.fields(line)
        except Unusable:
            return Glimpse()
        read = self._read
        time = _attempt(read.time, fields)
        source_id, urgent = _attempt(read.id, fields), self._urgent(fields)
        if time is None or _attempt(lambda these: self.report(these, None, _NOWHERE), fields) is None:
            return Glimpse(id=source_id, time=time, urgent=urgent)
        closes, closed_at = self._closing(fields, time)
        return Glimpse(source_id, time, usable=True, closes=closes, closed_at=closed_at, urgent=urgent)

    def _closing(self, fields: Fields, opened: int) -> tuple[bool, int | None]:
        if self.mapping.closings != "row":
            return False, None
        try:
            closed = self._read.closed_at(fields)
        except Unusable:
            return True, None
        return (False, None) if closed is None else (True, max(closed, opened))

    def _urgent(self, fields: Fields) -> bool:
        return self._read.urgency(fields) in {Urgency.CRITICAL, Urgency.URGENT}

    def _area(self, where: Located, category: str | None) -> str:
        # Report and closing must come to the same area, whatever is wrong with the row.
        return where.area if where.area is not None and category is not None else self._catch_all


def _attempt(read: Callable[[Fields], T], fields: Fields) -> T | None:
    try:
        return read(fields)
    except Unusable:
        return None


def _flags(where: Located, category: str | None) -> tuple[Flag, ...]:
    if where.flag is None and category is not None:
        return ()
    flags = () if where.flag is None else (where.flag,)
    return flags if category is not None else (*flags, Flag.UNKNOWN_CATEGORY)


def _compiled(mapping: SourceMapping, keyed: Keyed) -> Parts:
    columns, report = mapping.columns, mapping.report
    at = columns.index
    time = required(time_of(report.time, columns), report.time.column)
    closing = time_of(mapping.closed.time, columns) if mapping.closed is not None else time
    later = {mapping.closed.time.column} if mapping.closed is not None else set()
    used = {report.time.column}
    return Parts(
        id=_id(at(report.id), report.id),
        time=time,
        occurred_at=time_of(report.occurred_at, columns) if report.occurred_at is not None else _none,
        closed_at=closing,
        locate=locator(report, columns),
        category=_table(at(report.category.column), report.category.known),
        urgency=_table(at(report.urgency.column), report.urgency.known) if report.urgency is not None else _none,
        person=_person(mapping.name, report.reporter, columns, keyed),
        object=_object(report.object, columns, keyed),
        text=[at(column) for column in report.text],
        details=[(column, at(column)) for column in report.details],
        content=[at(c) for c in columns if c not in mapping.ignored and c not in later - used],
    )


def _none(_: Fields) -> None:
    return None


def _id(index: int, name: str) -> Callable[[Fields], str]:
    def read(fields: Fields) -> str:
        text = fields[index].strip()
        if not text:
            raise Unusable(Reject.MISSING_FIELD, f"{name} is empty")
        if len(text) > ID_MAX or not text.isprintable():
            raise Unusable(Reject.WRONG_TYPE, f"{name} is not an id of at most {ID_MAX} readable characters")
        return text

    return read


def _table(index: int, known: Mapping[str, T]) -> Callable[[Fields], T | None]:
    table = dict(known)

    def read(fields: Fields) -> T | None:
        return table.get(fields[index].strip())

    return read


def _person(source: str, rule: ReporterRule | None, columns: Sequence[str], keyed: Keyed) -> Callable[[Fields], Person]:
    if rule is None:
        nobody = Person()
        return lambda _: nobody
    phone_at, id_at, name_at = (None if c is None else columns.index(c) for c in (rule.phone, rule.id, rule.name))

    def read(fields: Fields) -> Person:
        phone, own_id, name = (fields[i].strip() if i is not None else "" for i in (phone_at, id_at, name_at))
        # A name is nobody's own: two people of one name must not count as one reporter.
        key = keyed.phone(phone) or keyed.person(source, own_id)
        return Person(key, tuple(text for text in (phone, own_id, name) if text), mask_name(name))

    return read


def _object(rule: ObjectRule | None, columns: Sequence[str], keyed: Keyed) -> Callable[[Fields], str | None]:
    if rule is None:
        return _none
    index, personal = columns.index(rule.column), rule.personal

    def read(fields: Fields) -> str | None:
        name = clean(fields[index])
        if not name:
            return None
        return keyed.thing(name) if personal else name[:ID_MAX]

    return read
