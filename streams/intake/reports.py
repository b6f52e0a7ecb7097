"""A report rule compiled once: what reads each field of one source's reports. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.codes import Urgency
from schemas.mapping import ObjectRule, ReportRule, SourceMapping
from streams.intake import columns as column
from streams.intake.gazetteer import Gazetteer
from streams.intake.lines import Fields
from streams.intake.persons import Person, PersonOf
from streams.intake.places import Locate, Locating, locator
from streams.intake.privacy import Keyed, clean, mask
from streams.intake.times import required, time_of

OTHER: Final = "other"
"""The category of what has no known one."""
LINKS_APART: Final = ";"

Details = Callable[[Fields, Person], dict[str, str]]


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
    kind: Callable[[Fields], str | None]
    person: PersonOf
    object: Callable[[Fields], str | None]
    related: Callable[[Fields], str | None]
    self_handled: Callable[[Fields], bool]
    drill: Callable[[Fields], bool]
    text: Callable[[Fields, Sequence[str]], str]
    details: Details
    content: Sequence[int]


def compiled(mapping: SourceMapping, person: PersonOf, keyed: Keyed, gazetteer: Gazetteer) -> Parts:
    """How this source's records are read as reports; the mapping has a report rule."""
    columns, rule = mapping.columns, mapping.report
    if rule is None:
        raise TypeError(mapping.name)
    time = required(time_of(rule.time, columns), rule.time.column)
    urgency, kind = rule.urgency, rule.kind
    return Parts(
        id=column.required_id(rule.id, columns),
        time=time,
        occurred_at=time_of(rule.occurred_at, columns) if rule.occurred_at is not None else column.nothing,
        closed_at=time_of(mapping.closed.time, columns) if mapping.closed is not None else time,
        locate=locator(Locating(rule.place, rule.area, rule.grid), columns, gazetteer),
        category=column.first_known(rule.category.column, columns, rule.category.known),
        urgency=column.table(urgency.column, columns, urgency.known) if urgency is not None else column.nothing,
        kind=column.table(kind.column, columns, kind.known) if kind is not None else column.nothing,
        person=person,
        object=_object(rule.object, columns, keyed),
        related=column.named(rule.related, columns, column.like(rule.id, columns)),
        self_handled=column.marked(rule.self_handled, columns),
        drill=column.marked(rule.drill, columns),
        text=_text(rule.text, columns),
        details=_details(rule, columns),
        content=_content(mapping, rule),
    )


def _content(mapping: SourceMapping, rule: ReportRule) -> list[int]:
    """The columns that tell one content from another: not when it was closed, which comes later."""
    later = {mapping.closed.time.column} - {rule.time.column} if mapping.closed is not None else set()
    return [place for place, c in enumerate(mapping.columns) if c not in mapping.ignored and c not in later]


def _text(named: Sequence[str], columns: Sequence[str]) -> Callable[[Fields, Sequence[str]], str]:
    places = [columns.index(name) for name in named]
    return lambda fields, names: " ".join([mask(fields[index], names) for index in places if fields[index]])


def _details(rule: ReportRule, columns: Sequence[str]) -> Details:
    masked = [(name, columns.index(c)) for name, c in rule.details.items()]
    linked = [(name, columns.index(c)) for name, c in rule.links.items()]

    def read(fields: Fields, person: Person) -> dict[str, str]:
        names = person.names
        details = {name: mask(fields[index], names) for name, index in masked if fields[index]}
        for name, index in linked:
            if fields[index]:
                details[name] = LINKS_APART.join(column.links(fields[index], LINKS_APART, names))
        if person.masked:
            details["reporter"] = person.masked
        return details

    return read


def _object(rule: ObjectRule | None, columns: Sequence[str], keyed: Keyed) -> Callable[[Fields], str | None]:
    if rule is None:
        return column.nothing
    index, personal = columns.index(rule.column), rule.personal

    def read(fields: Fields) -> str | None:
        name = clean(fields[index])
        if not name:
            return None
        return keyed.thing(name) if personal else name[: column.ID_MAX]

    return read
