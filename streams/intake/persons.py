"""Who stands in a record: the key by which a reporter is known again, and what is to be taken out of texts. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.mapping import ReporterRule, SourceMapping
from streams.intake.lines import Fields
from streams.intake.privacy import Keyed, mask_name


@dataclass(frozen=True, slots=True)
class Person:
    """Who reports: `key` for matching, `names` to be taken out of texts, `masked` to be shown."""

    key: str | None = None
    names: tuple[str, ...] = ()
    masked: str = ""


PersonOf = Callable[[Fields], Person]
NOBODY: Final = Person()


def persons(mapping: SourceMapping, keyed: Keyed) -> PersonOf:
    """How this source's records name persons."""
    rule = mapping.report.reporter if mapping.report is not None else None
    if rule is None:
        return _private(mapping.private, mapping.columns)
    reporter = _reporter(mapping.name, rule, mapping.columns, keyed)
    if not mapping.private:
        return reporter
    others = _private(mapping.private, mapping.columns)

    def read(fields: Fields) -> Person:
        person = reporter(fields)
        return Person(person.key, person.names + others(fields).names, person.masked)

    return read


def _reporter(source: str, rule: ReporterRule, columns: Sequence[str], keyed: Keyed) -> PersonOf:
    phone_at, id_at, name_at = (None if c is None else columns.index(c) for c in (rule.phone, rule.id, rule.name))

    def read(fields: Fields) -> Person:
        phone, own_id, name = (fields[i].strip() if i is not None else "" for i in (phone_at, id_at, name_at))
        # A name is nobody's own: two people of one name must not count as one reporter.
        key = keyed.phone(phone) or keyed.person(source, own_id)
        return Person(key, tuple(text for text in (phone, own_id, name) if text), mask_name(name))

    return read


def _private(private: Sequence[str], columns: Sequence[str]) -> PersonOf:
    if not private:
        return lambda _: NOBODY
    places = [columns.index(column) for column in private]
    return lambda fields: Person(names=tuple(text for i in places if (text := fields[i].strip())))
