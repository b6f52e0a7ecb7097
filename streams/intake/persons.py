"""Who stands in a record: the key by which a reporter is known again, and what is to be taken out of texts. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.mapping import ReporterRule, SourceMapping
from schemas.mapping_checks import personal
from streams.intake.lines import Fields
from streams.intake.privacy import Keyed, clean, mask_name, phone_digits


@dataclass(frozen=True, slots=True)
class Person:
    """Who reports: `key` for matching, `masked` to be shown. `names` are taken out of texts, the longest first."""

    key: str | None = None
    names: tuple[str, ...] = ()
    masked: str = ""


PersonOf = Callable[[Fields], Person]
NOBODY: Final = Person()


def persons(mapping: SourceMapping, keyed: Keyed) -> PersonOf:
    """How this source's records name persons."""
    # The columns that the mapping's check lets nobody pass on: a second list here would promise less some day.
    secret = personal(mapping)
    places = [place for place, column in enumerate(mapping.columns) if column in secret]
    rule = mapping.report.reporter if mapping.report is not None else None
    if not places:
        return lambda _: NOBODY
    if rule is None:
        return lambda fields: Person(names=_names(fields, places))
    return _reporter(mapping, rule, keyed, places)


def _reporter(mapping: SourceMapping, rule: ReporterRule, keyed: Keyed, places: Sequence[int]) -> PersonOf:
    source, columns = mapping.name, mapping.columns
    phone_at, id_at, name_at = (None if c is None else columns.index(c) for c in (rule.phone, rule.id, rule.name))

    def read(fields: Fields) -> Person:
        phone, own_id, name = (fields[i].strip() if i is not None else "" for i in (phone_at, id_at, name_at))
        # A name is nobody's own: two people of one name must not count as one reporter.
        key = keyed.phone(phone) or keyed.person(source, own_id)
        # An id's digits are somebody's number in any spelling, whatever letters stand before them.
        return Person(key, (*_names(fields, places), *filter(None, (phone_digits(own_id),))), mask_name(name))

    return read


def _names(fields: Fields, places: Sequence[int]) -> tuple[str, ...]:
    """What stands in these columns, as a text shows it, the longest first: one name may be part of another."""
    names = [name for place in places if (name := clean(fields[place]))]
    return tuple(sorted(names, key=len, reverse=True))
