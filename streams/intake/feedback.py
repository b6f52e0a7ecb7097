"""A feedback rule compiled once: what a handlers' platform sends, as the desk's feedback. Pure."""

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from schemas.codes import Action, Reject
from schemas.commands import Feedback, Origin
from schemas.mapping import ActionRule, FeedbackRule, ReportedBy, SourceMapping
from streams.intake import columns as column
from streams.intake.gazetteer import Gazetteer
from streams.intake.lines import Fields
from streams.intake.persons import PersonOf
from streams.intake.places import Locate, Locating, locator
from streams.intake.privacy import mask
from streams.intake.rejected import Unusable
from streams.intake.times import required, time_of

_AREA: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_TICKET: Final = re.compile(rf"{_AREA.pattern}\.[0-9a-f]{{16}}(?:-[0-9]{{1,3}})?")
"""As the desk makes ids; in one of some thousands stand eleven digits like a phone's."""


class About(NamedTuple):
    """What feedback is about: a ticket, or a source's own report and the area it went to."""

    source: str
    source_id: str
    ticket: str | None
    area: str


AboutOf = Callable[[Fields], About]
"""Raises `Unusable`."""
ReadFeedback = Callable[[Fields, int | None, Origin], Feedback]
"""The record as feedback; the time is its own where the log says so. Raises `Unusable`."""


class Parts(NamedTuple):
    """What a feedback rule has become."""

    about: AboutOf
    time: Callable[[Fields], int]
    read: ReadFeedback


def feedback(mapping: SourceMapping, rule: FeedbackRule, persons: PersonOf, gazetteer: Gazetteer) -> Parts:
    """How this source's records are read as feedback."""
    at = mapping.columns
    about_of = _about(mapping, rule, gazetteer)
    time_at = required(time_of(rule.time, at), rule.time.column)
    action_of = _action(rule.action, at)
    by, unit, condition = (column.named(one, at) for one in (rule.by, rule.unit, rule.condition))
    other = column.named(rule.other, at, lambda text, _: _TICKET.fullmatch(text) is not None)
    seconds, score = column.length(rule.seconds, at), column.score(rule.score, at)
    evidence_of = _evidence(rule, at, persons)
    note = [at.index(one) for one in rule.note]

    def read(fields: Fields, told: int | None, origin: Origin) -> Feedback:
        about, time = about_of(fields), time_at(fields)
        names = persons(fields).names
        return Feedback(
            source=about.source,
            source_id=about.source_id,
            ticket=about.ticket,
            action=action_of(fields),
            time=time if told is None else told,
            occurred_at=time,
            area=about.area,
            by=by(fields),
            unit=unit(fields),
            other=other(fields),
            seconds=seconds(fields),
            condition=condition(fields),
            score=score(fields),
            evidence=evidence_of(fields),
            note=" ".join(mask(fields[index], names) for index in note if fields[index]),
            origin=origin,
        )

    return Parts(about_of, time_at, read)


def _action(rule: ActionRule, columns: Sequence[str]) -> Callable[[Fields], Action]:
    known, index = column.table(rule.column, columns, rule.known), columns.index(rule.column)

    def read(fields: Fields) -> Action:
        action = known(fields)
        if action is None and not fields[index].strip():
            raise Unusable(Reject.MISSING_FIELD, f"{rule.column} is empty")
        if action is None:
            raise Unusable(Reject.WRONG_TYPE, f"{rule.column} is none of the actions that the mapping names")
        return action

    return read


def _evidence(rule: FeedbackRule, columns: Sequence[str], persons: PersonOf) -> Callable[[Fields], tuple[str, ...]]:
    if rule.evidence is None:
        return lambda _: ()
    index, separator = columns.index(rule.evidence.column), rule.evidence.separator
    return lambda fields: column.links(fields[index], separator, persons(fields).names) if fields[index] else ()


def _about(mapping: SourceMapping, rule: FeedbackRule, gazetteer: Gazetteer) -> AboutOf:
    ticket_of = _ticket(mapping, rule)
    report_of = _report(rule.report, mapping.columns, rule, gazetteer)

    def read(fields: Fields) -> About:
        found = ticket_of(fields) or report_of(fields)
        if found is None:
            raise Unusable(Reject.MISSING_FIELD, _told(rule))
        return found

    return read


def _told(rule: FeedbackRule) -> str:
    names = [rule.ticket] if rule.ticket is not None else []
    names += [f"{rule.report.source} and {rule.report.id}"] if rule.report is not None else []
    return f"what it is about: {', or '.join(names)}"


def _ticket(mapping: SourceMapping, rule: FeedbackRule) -> Callable[[Fields], About | None]:
    if rule.ticket is None:
        return column.nothing
    name, source, index = rule.ticket, mapping.name, mapping.columns.index(rule.ticket)

    def read(fields: Fields) -> About | None:
        ticket = fields[index].strip()
        if not ticket:
            return None
        area, dot, _ = ticket.rpartition(".")
        if not dot or not _AREA.fullmatch(area) or len(ticket) > column.ID_MAX or not ticket.isprintable():
            raise Unusable(Reject.WRONG_TYPE, f"{name} is not the id of a ticket")
        return About(source, "", ticket, area)

    return read


def _report(
    rule: ReportedBy | None, columns: Sequence[str], whole: FeedbackRule, gazetteer: Gazetteer
) -> Callable[[Fields], About | None]:
    if rule is None:
        return column.nothing
    source_at, known = columns.index(rule.source), column.table(rule.source, columns, rule.known)
    id_at, id_of = columns.index(rule.id), column.required_id(rule.id, columns)
    locate: Locate = locator(Locating(whole.place, whole.area), columns, gazetteer)

    def read(fields: Fields) -> About | None:
        if not fields[source_at].strip() and not fields[id_at].strip():
            return None
        source, area = known(fields), locate(fields).area
        if source is None:
            raise Unusable(Reject.WRONG_TYPE, f"{rule.source} is none of the sources that the mapping names")
        if area is None:
            raise Unusable(Reject.MISSING_FIELD, f"the area of the report that {rule.id} names")
        return About(source, id_of(fields), None, area)

    return read
