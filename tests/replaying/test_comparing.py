"""Two logs of facts held against each other: what is changed, missing, extra, gone with retention, or still to come."""

from collections.abc import Sequence

import pytest

from agents.replaying.comparing import Comparison, Tally, Told
from agents.replaying.telling import line, what_differs


def event(name: str, *, at: int = 0, value: bytes = b'{"type":"x"}') -> Told:
    return Told(at, b"t", value, [("ce_specversion", b"1.0"), ("ce_id", name.encode()), ("ce_subject", b"north.1")])


def compared(
    ours: Sequence[Told] | str,
    theirs: Sequence[Told] | str,
    *,
    from_middle: bool = False,
    cut: bool = False,
    beyond: bool = False,
    applied: int = 99,
) -> Tally:
    stands = [event(name) for name in theirs] if isinstance(theirs, str) else theirs
    comparison = Comparison(lambda: iter(stands), from_middle=from_middle, cut=cut, applied=applied)
    for one in [event(name, at=number) for number, name in enumerate(ours)] if isinstance(ours, str) else ours:
        comparison.replayed(one)
    return comparison.ended(beyond=beyond)


def counts(tally: Tally) -> dict[str, int]:
    names = ("equal", "changed", "missing", "extra", "gone", "pending")
    return {name: getattr(tally, name) for name in names if getattr(tally, name)}


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("abcd", "abcd", {"equal": 4}),
        ("", "", {}),
        ("abcd", "abd", {"equal": 3, "missing": 1}),
        ("abd", "abcd", {"equal": 3, "extra": 1}),
        ("abcdef", "abXYef", {"equal": 4, "missing": 2, "extra": 2}),
        ("bacd", "abcd", {"equal": 3, "missing": 1, "extra": 1}),
        ("aXYbcdef", "abcdef", {"equal": 6, "missing": 2}),
        ("abcdef", "aXYbcdef", {"equal": 6, "extra": 2}),
        ("abc", "", {"missing": 3}),
        ("", "abc", {"extra": 3}),
        ("ab", "abcd", {"equal": 2, "extra": 2}),
    ],
)
def test_where_two_logs_part_they_meet_again(ours: str, theirs: str, expected: dict[str, int]) -> None:
    assert counts(compared(ours, theirs)) == expected


@pytest.mark.parametrize("spoiled", ["key", "value", "headers"])
def test_one_byte_is_a_difference(spoiled: str) -> None:
    ours, theirs = event("b"), event("b", value=b'{"type":"y"}') if spoiled == "value" else event("b")
    if spoiled == "key":
        theirs.key = b"u"
    if spoiled == "headers":
        theirs.headers = (*theirs.headers, ("ce_lianqindrill", b"true"))
    tally = compared([event("a"), ours, event("c")], [event("a"), theirs, event("c")])
    assert counts(tally) == {"equal": 2, "changed": 1}
    (only,) = tally.first
    assert spoiled.removesuffix("s") in line(3, what_differs(only)).replace("ce_lianqindrill", "header") or (
        spoiled == "value" and 'type "y" → "x"' in line(3, what_differs(only))
    )


def test_from_the_middle_what_stands_before_is_passed() -> None:
    assert counts(compared("cd", "abcd", from_middle=True)) == {"equal": 2}
    assert counts(compared("cd", "abd", from_middle=True)) == {"missing": 1, "equal": 1}
    assert counts(compared("", "ab", from_middle=True)) == {}
    assert counts(compared("cd", "ab", from_middle=True)) == {"missing": 2}


def test_what_retention_has_taken_is_not_compared() -> None:
    assert counts(compared("abcd", "cd", cut=True)) == {"gone": 2, "equal": 2}
    assert counts(compared("abcd", "abcd", cut=True)) == {"equal": 4}
    assert counts(compared("bcde", "de", cut=True, from_middle=True)) == {"gone": 2, "equal": 2}
    assert counts(compared("de", "bcde", cut=True, from_middle=True)) == {"equal": 2}


def test_what_the_desk_has_not_done_yet_is_not_missing() -> None:
    assert counts(compared("abcd", "ab", applied=2)) == {"equal": 2, "pending": 2}
    assert counts(compared("abcd", "abc", applied=2)) == {"equal": 3, "pending": 1}
    assert counts(compared("abcd", "a", applied=2)) == {"equal": 1, "missing": 1, "pending": 2}


def test_what_stands_beyond_the_span_is_not_extra() -> None:
    assert counts(compared("ab", "abcd", beyond=True)) == {"equal": 2}


def test_words_of_people_are_not_told() -> None:
    ours, theirs = (event("a", value=b'{"text":"%s","stage":"%s"}' % pair) for pair in ((b"A", b"s"), (b"B", b"t")))
    (only,) = compared([ours], [theirs]).first
    said = line(0, what_differs(only))
    assert said.endswith('text differs; stage "t" → "s"')
