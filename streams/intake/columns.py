"""What a single column says: an id, a word of a table, a mark, a number, links. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from schemas.codes import Reject
from schemas.mapping import LengthRule, MarkRule, ScoreRule
from streams.intake.lines import Fields
from streams.intake.privacy import clean, mask, mask_numbers, without
from streams.intake.rejected import Unusable

T = TypeVar("T")
ID_MAX: Final = 200
LINKS_MAX: Final = 50
_WHOLE: Final = re.compile(r"[0-9]{1,9}")
_LINK: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{0,20}://\S{1,2000}")
_DIGIT: Final = re.compile("[0-9]")
_LETTER: Final = re.compile("[A-Za-z]")
_SECONDS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def nothing(_: Fields) -> None:
    """What a rule that is not there says."""
    return


def required_id(column: str, columns: Sequence[str]) -> Callable[[Fields], str]:
    """The source's own id of the record."""
    index = columns.index(column)

    def read(fields: Fields) -> str:
        text = fields[index].strip()
        if not text:
            raise Unusable(Reject.MISSING_FIELD, f"{column} is empty")
        if len(text) > ID_MAX or not text.isprintable():
            raise Unusable(Reject.WRONG_TYPE, f"{column} is not an id of at most {ID_MAX} readable characters")
        return text

    return read


def named(
    column: str | None, columns: Sequence[str], is_id: Callable[[str, Fields], bool] = lambda _text, _fields: False
) -> Callable[[Fields], str | None]:
    """A name or another record's id, where there is one. What is too long for one is cut: no report falls by it.

    It is no place for a person's number or mail address: they are masked, but in what `is_id` knows for an id.
    """
    if column is None:
        return nothing
    index = columns.index(column)

    def read(fields: Fields) -> str | None:
        text = clean(fields[index])
        if not text:
            return None
        return (text if is_id(text, fields) else mask_numbers(text))[:ID_MAX]

    return read


def like(column: str, columns: Sequence[str]) -> Callable[[str, Fields], bool]:
    """Whether a text has the form of this column's: digits where that has digits, letters where it has letters."""
    index = columns.index(column)
    return lambda text, fields: _form(text) == _form(fields[index].strip())


def _form(text: str) -> str:
    return _LETTER.sub("a", _DIGIT.sub("0", text))


def table(column: str, columns: Sequence[str], known: Mapping[str, T]) -> Callable[[Fields], T | None]:
    """The word here for the word there; `None` for what is not named."""
    index, words = columns.index(column), dict(known)

    def read(fields: Fields) -> T | None:
        return words.get(fields[index].strip())

    return read


def first_known(several: Sequence[str], columns: Sequence[str], known: Mapping[str, T]) -> Callable[[Fields], T | None]:
    """The same, of the first column that says a word of the table."""
    if len(several) == 1:
        return table(several[0], columns, known)
    places, words = [columns.index(column) for column in several], dict(known)

    def read(fields: Fields) -> T | None:
        for index in places:
            found = words.get(fields[index].strip())
            if found is not None:
                return found
        return None

    return read


def marked(rule: MarkRule | None, columns: Sequence[str]) -> Callable[[Fields], bool]:
    """Whether the column says yes."""
    if rule is None:
        return lambda _: False
    index, values = columns.index(rule.column), frozenset(rule.values)
    return lambda fields: fields[index].strip() in values


def length(rule: LengthRule | None, columns: Sequence[str]) -> Callable[[Fields], int | None]:
    """A length of time, in seconds."""
    if rule is None:
        return nothing
    column, unit = rule.column, _SECONDS[rule.unit]
    whole = _whole(column, columns)

    def read(fields: Fields) -> int | None:
        number = whole(fields)
        return None if number is None else number * unit

    return read


def score(rule: ScoreRule | None, columns: Sequence[str]) -> Callable[[Fields], int | None]:
    """A rating; the desk refuses what is none of 1 to 5."""
    if rule is None:
        return nothing
    words, whole = table(rule.column, columns, rule.known), _whole(rule.column, columns)

    def read(fields: Fields) -> int | None:
        known = words(fields)
        return whole(fields) if known is None else known

    return read


def links(text: str, separator: str, persons: Sequence[str]) -> tuple[str, ...]:
    """The web addresses in a text, whole but for the persons named; what is none is masked like any text."""
    parts = [part for part in map(clean, text.split(separator)) if part]
    return tuple(without(part, persons) if _LINK.fullmatch(part) else mask(part, persons) for part in parts[:LINKS_MAX])


def _whole(column: str, columns: Sequence[str]) -> Callable[[Fields], int | None]:
    index = columns.index(column)

    def read(fields: Fields) -> int | None:
        text = fields[index].strip()
        if not text:
            return None
        if not _WHOLE.fullmatch(text):
            raise Unusable(Reject.WRONG_TYPE, f"{column} is not a whole number")
        return int(text)

    return read
