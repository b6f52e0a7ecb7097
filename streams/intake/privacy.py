"""Personal data ends here: keyed hashes for matching, masked text for reading. Pure."""

import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Final
from unicodedata import normalize

PHONE_MARK: Final = "[电话]"
ID_MARK: Final = "[证件号]"
MAIL_MARK: Final = "[邮箱]"

_PLAIN: Final = {
    **{ord("０") + digit: str(digit) for digit in range(10)},
    **dict.fromkeys(map(ord, "‐‑‒–—―⁃−─━﹘﹣－"), "-"),
    **dict.fromkeys([*range(0x2000, 0x200B), *map(ord, "\t\u00a0\u1680\u202f\u205f\u2800\u3000\u3164")], " "),
    **dict.fromkeys([0x034F, 0x200C, 0x200D, 0x20E3, *range(0xFE00, 0xFE10)], " "),  # joiners, and the key of 1️⃣
    **dict.fromkeys(map(ord, "·•‧∙⋅・．"), "."),
    **dict(zip(map(ord, "＋＿／（）＠Ｘｘ"), "+_/()@Xx", strict=True)),
}
"""Signs that numbers and mail addresses are written with, and the plain one that the patterns know, one for one: what
is found in the plain text stands at the same place in the text itself. Neither commas nor ends of lines are among them:
coordinates, amounts and lists would run together."""
_APART: Final = "-. ()/_"
_S: Final = f"[{_APART}]{{0,3}}+"
"""What may stand between two digits of one number. Every repetition is bounded, here and below: a source's megabyte of
one letter must cost no more than its length."""
_GAP: Final = f"[{_APART}]{{1,3}}"
_D: Final = rf"(?:{_S}\d)"
# Chinese is written without spaces: what stands before and behind an address is the report, not the address. A name of
# four characters may be one's own.
_HAN: Final = r"\u3400-\u9fff"
_LABEL: Final = rf"(?:[^\W{_HAN}]|-){{1,63}}"
_MAIL: Final = re.compile(
    rf"(?:(?:[^\W{_HAN}]|[.+-]){{1,64}}|[{_HAN}]{{1,4}})@(?:(?:{_LABEL}|[{_HAN}]{{1,63}})\.){{1,8}}(?:{_LABEL}|[{_HAN}]{{1,4}})"
)
_CITIZEN: Final = rf"""
    (?<![0-9A-Za-z])[1-9]{_D}{{5}}{_S}           # where it was given; in groups of any kind
    (?:1{_S}9|2{_S}0){_D}{{2}}{_S}               # the year of birth
    (?:0{_S}[1-9]|1{_S}[0-2]){_S}                # the month
    (?:0{_S}[1-9]|[12]{_D}|3{_S}[01])            # the day
    {_D}{{3}}{_S}[\dXx](?![0-9A-Za-z])
"""
_LANDLINE: Final = rf"""
    (?<!\d)(?:\+|00)86{_S}0?{_S}[1-9]\d{{1,2}}{_S}\d{{3,4}}{_S}\d{{4}}(?!\d)      # from abroad; its area code without 0
    | (?<!\d)\(?0\d{{2,3}}\)?{_S}\d{{3,4}}{_S}\d{{4}}(?!\d)
"""
_ID: Final = re.compile(rf"(?<![0-9A-Za-z])(?:\d{{17}}[\dXx]|\d{{15}})(?![0-9A-Za-z])|{_CITIZEN}", re.VERBOSE)
_PHONE: Final = re.compile(
    rf"""(?=[\d+(])(?:
      (?P<stays>(?<![\d.])\d{{2,3}}\.\d{{3,6}}[ ]{{1,3}}\d{{2,3}}\.\d{{3,6}}(?![\d.]))  # two coordinates
    | (?:(?:\+|00)?\d{{1,3}}{_S})?1{_S}[3-9]{_D}{{9}}(?!\d)                              # mobile, in groups of any kind
    | {_LANDLINE}                                                               # landline with its area code
    | (?<!\d)\(?\d{{3}}\)?[-. ]\d{{3}}[-. ]\d{{4}}(?!\d)                          # as written in North America
    | (?<!\d)(?:\+\d{{1,3}}[-. ]?(?:\(0\))?|0)\d(?:[-. ]\d{{2}}){{4}}(?!\d)        # in pairs
    | (?<!\d)(?:\d{{4}}[-. _]{{1,3}}){{3}}\d{{1,4}}(?:{_S}\d{{1,3}})?(?!\d)          # a card, in fours
    | \d{{7,}}                                                                  # any long number
    )""",
    re.VERBOSE,
)
_PERSONS_PHONE: Final = re.compile(
    rf"""(?=[\d+(])(?:
      (?<!\d)(?:\+?(?:00)?86{_S})?1[3-9]\d                                      # mobile, in its usual groups
      (?:{_S}\d{{4}}{_S}\d{{4}} | {_GAP}\d{{3}}{_GAP}\d{{5}} | \d{_GAP}\d{{4}}{_GAP}\d{{3}})(?!\d)
    | {_LANDLINE}
    )""",
    re.VERBOSE,
)
_ANYBODYS: Final = ((_ID, ID_MARK), (_PHONE, PHONE_MARK))
_PERSONS: Final = ((re.compile(_CITIZEN, re.VERBOSE), ID_MARK), (_PERSONS_PHONE, PHONE_MARK))
"""The same where codes stand too: a grid's has 15 digits, as old identity numbers had, and an area's has nine."""
_OTHER_FORM: Final = re.compile(f"[{''.join(map(chr, _PLAIN))}]")
_BETWEEN: Final = f"[{_APART}{''.join(chr(sign) for sign, plain in _PLAIN.items() if plain in _APART)}]{{0,3}}"
_LIKELY: Final = re.compile(rf"[\d@＠](?:(?<=[@＠])|{_BETWEEN}\d{_BETWEEN}\d)")
_LONG: Final = re.compile(rf"[\d@＠](?:(?<=[@＠])|(?:{_BETWEEN}+\d){{6}})")
"""Without as many digits it is no number of anybody."""
_NOT_DIGIT: Final = re.compile(r"\D+")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]+")
_UNSEEN: Final = re.compile(
    r"[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]+"
    r"|(?<=\d)[\u034f\u200c\u200d\ufe00-\ufe0f]+(?=\d)"
)
"""What turns the direction of the text or is not seen at all, and what joins letters where it stands between digits:
with it a text shows what it does not say, and a telephone number is none any more."""
_COUNTRY: Final = re.compile(r"^(?:00)?86(?=1[3-9]\d{9}$)")
_FEWEST_DIGITS: Final = 5
"""A number with fewer is an extension or a joke, not somebody's own."""
_FEWEST_OF_A_LINE: Final = 7
"""With fewer it may be somebody's and is masked, but tells nobody from another: what 12345 puts through has theirs."""
_MOST_OF_A_PLATE: Final = 6


def clean(text: str) -> str:
    """Text that every store and screen takes and that says what it shows: no control characters, nothing unseen."""
    if text.isprintable():
        return text.strip()
    return _CONTROL.sub(" ", _UNSEEN.sub("", text)).strip()


def mask_name(name: str) -> str:
    """The first character, and that there are more: 王** ."""
    name = clean(name)
    return name[0] + "*" * min(len(name) - 1, 2) if len(name) > 1 else "*" * len(name)


def without(text: str, persons: Iterable[str]) -> str:
    """Text in which of each name only the first character stands, and of a number nothing. Longer names come first.

    A number too short to be anybody's stays: member 12 reports a fire at house 12, and somebody must find it.
    """
    for person in persons:
        if len(person) > 1 and person in text and not (len(person) < _FEWEST_DIGITS and person.isdecimal()):
            text = text.replace(person, PHONE_MARK if _number(person) else mask_name(person))
    return text


def mask(text: str, persons: Sequence[str] = ()) -> str:
    """Text without phone, identity and card numbers, mail addresses, and without the persons named."""
    text = without(clean(text), persons)
    if _LIKELY.search(text) is None:
        return text
    text = _marked(text, _ANYBODYS)
    if not persons or _LIKELY.search(text) is None:
        return text
    for person in persons:
        digits = _number(person)
        if digits:
            text = _without_spelling(text, digits)
    return text


def mask_numbers(text: str) -> str:
    """Clean text of a column that names a unit or the like, without what reaches a person: the digits of codes stay."""
    return _marked(text, _PERSONS)


def _marked(text: str, patterns: Iterable[tuple[re.Pattern[str], str]]) -> str:
    """Text with a mark for each mail address and each number that a pattern finds, in whatever signs it is written."""
    if _LONG.search(text) is None:
        return text
    plain = text.translate(_PLAIN) if _OTHER_FORM.search(text) else text
    if "@" in plain:
        text, plain = _replaced(text, plain, _MAIL, MAIL_MARK)
    for pattern, mark in patterns:
        text, plain = _replaced(text, plain, pattern, mark)
    return text


def _replaced(text: str, plain: str, pattern: re.Pattern[str], mark: str) -> tuple[str, str]:
    """Both with the mark for each place that the pattern finds in the plain one."""
    pieces: list[str] = []
    at = 0
    for found in pattern.finditer(plain):
        if found.lastgroup == "stays":
            continue
        pieces += text[at : found.start()], mark
        at = found.end()
    if not pieces:
        return text, plain
    made = "".join([*pieces, text[at:]])
    return made, made if plain is text else made.translate(_PLAIN)


def _without_spelling(text: str, digits: str) -> str:
    """Text without this number, whatever stands between its digits but letters and other digits."""
    places = [place for place, character in enumerate(text) if character.isdecimal()]
    if len(places) < len(digits):
        return text
    said = "".join([str(int(text[place])) for place in places])
    pieces: list[str] = []  # from the last to the first
    end = len(text)
    at = said.rfind(digits)
    while at >= 0:
        first, last = places[at], places[at + len(digits) - 1] + 1
        if not any(map(str.isalpha, text[first:last])):
            pieces += text[last:end], PHONE_MARK
            end = first
        at = said.rfind(digits, 0, at)
    return "".join([text[:end], *reversed(pieces)])


def _number(person: str) -> str:
    """The digits of a phone or of an id; empty where a name only holds some, as a plate and an address do."""
    digits, letters = phone_digits(person), sum(map(str.isalpha, person))
    return digits if not letters or len(digits) > max(letters, _MOST_OF_A_PLATE) else ""


def phone_digits(phone: str) -> str:
    """A phone number in one spelling: plain digits, without the country's own prefix; empty where it is none."""
    digits = _COUNTRY.sub("", _NOT_DIGIT.sub("", normalize("NFKC", phone)))
    return digits if len(digits) >= _FEWEST_DIGITS else ""


class Keyed:
    """Hashes that only who holds the key can make again. The same key gives the same hashes for ever."""

    def __init__(self, key: bytes) -> None:
        if not key:
            msg = "the key of the personal hashes is empty"
            raise ValueError(msg)
        short = key if len(key) <= blake2b.MAX_KEY_SIZE else blake2b(key).digest()
        self._reporter = blake2b(key=short, digest_size=16, person=b"reporter")
        self._object = blake2b(key=short, digest_size=16, person=b"object")
        self._content = blake2b(key=short, digest_size=16, person=b"content")

    def phone(self, phone: str) -> str | None:
        """Stands for whoever has this number; `None` where it is none, or nobody's own: an office's, or withheld."""
        digits = phone_digits(phone)
        is_own = len(digits) >= _FEWEST_OF_A_LINE and len(set(digits)) > 1
        return _hash(self._reporter, f"phone:{digits}") if is_own else None

    def person(self, source: str, own_id: str) -> str | None:
        """Stands for a person by the source's own id."""
        return _hash(self._reporter, f"{source}:{own_id}") if own_id else None

    def thing(self, name: str) -> str:
        """Stands for a thing whose name tells a person: a plate, an address."""
        return _hash(self._object, normalize("NFKC", name).upper().replace(" ", ""))

    def content(self, fields: Iterable[str]) -> str:
        """Tells one content from another. Keyed, since a phone number could be guessed from a bare hash."""
        return _hash(self._content, "\x1f".join(fields))


def _hash(keyed: "blake2b", text: str) -> str:
    one = keyed.copy()
    one.update(text.encode())
    return one.hexdigest()
