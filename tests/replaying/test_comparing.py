"""Two logs of facts held against each other: what is changed, missing, extra, gone with retention, or still to come."""

from collections.abc import Sequence

import pytest

from agents.replaying.comparing import Comparison, Records, Tally, Told
from agents.replaying.telling import line, what_differs


def event(name: str, *, at: int = 0, value: bytes = b'{"type":"x"}') -> Told:
    return Told(at, b"t", value, [("ce_specversion", b"1.0"), ("ce_id", name.encode()), ("ce_subject", b"north.1")])


def compared(
    ours: Sequence[Told] | str,
    theirs: Sequence[Told] | str,
    *,
    from_middle: bool = False,
    cut: bool = False,
    end: int | None = None,
    applied: int = 99,
) -> Tally:
    stands = [event(name) for name in theirs] if isinstance(theirs, str) else theirs
    events = [event(name, at=ord(name) - ord("a")) for name in ours] if isinstance(ours, str) else ours
    first = events[0].at if events and from_middle else 26 if from_middle else 0
    records = Records(first, 26, lambda at: bytes([ord("a") + at]))  # each says one event, of its own name
    comparison = Comparison(lambda: iter(stands), records, from_middle=from_middle, cut=cut, applied=applied)
    for one in events:
        comparison.replayed(one)
    return comparison.ended(end=end)


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
    assert counts(compared("cde", "abcXde", from_middle=True)) == {"equal": 3, "extra": 1}


@pytest.mark.parametrize("cut", [False, True])
def test_from_the_middle_what_is_lost_at_its_beginning_is_missing_and_the_rest_is_compared(
    monkeypatch: pytest.MonkeyPatch, *, cut: bool
) -> None:
    monkeypatch.setattr("agents.replaying.comparing._AHEAD", 3)
    assert counts(compared("cdefghi", "ab", from_middle=True, cut=cut)) == {"missing": 7}
    assert counts(compared("cdefghi", "abfghi", from_middle=True, cut=cut)) == {"missing": 3, "equal": 4}
    assert counts(compared("cdefghi", "abgXi", from_middle=True, cut=cut)) == {"missing": 5, "equal": 2, "extra": 1}


def test_what_retention_has_taken_is_not_compared() -> None:
    assert counts(compared("abcd", "cd", cut=True)) == {"gone": 2, "equal": 2}
    assert counts(compared("abcd", "abcd", cut=True)) == {"equal": 4}
    assert counts(compared("bcde", "de", cut=True, from_middle=True)) == {"gone": 2, "equal": 2}
    assert counts(compared("de", "bcde", cut=True, from_middle=True)) == {"equal": 2}
    assert counts(compared("abcd", "", cut=True)) == {"gone": 4}
    assert counts(compared("bcd", "", cut=True, from_middle=True)) == {"gone": 3}
    assert counts(compared("bcd", "xy", cut=True, from_middle=True)) == {"gone": 3, "extra": 2}


def test_what_stands_and_was_never_replayed_is_not_taken_for_what_retention_left() -> None:
    assert counts(compared("abcde", "XYZ", cut=True)) == {"missing": 5, "extra": 3}
    assert counts(compared("abcde", "Xde", cut=True)) == {"gone": 3, "equal": 2, "extra": 1}
    assert counts(compared("abde", [event("c"), *map(event, "de")], cut=True)) == {"gone": 2, "equal": 2, "extra": 1}


def test_what_the_desk_has_not_done_yet_is_not_missing() -> None:
    assert counts(compared("abcd", "ab", applied=2)) == {"equal": 2, "pending": 2}
    assert counts(compared("abcd", "abc", applied=2)) == {"equal": 3, "pending": 1}
    assert counts(compared("abcd", "a", applied=2)) == {"equal": 1, "missing": 1, "pending": 2}


def test_what_stands_beyond_the_span_is_not_extra() -> None:
    assert counts(compared("ab", "abcd", end=2)) == {"equal": 2}
    assert counts(compared("ab", "acd", end=2)) == {"equal": 1, "missing": 1}
    assert counts(compared("ac", "abcd", end=3)) == {"equal": 2, "extra": 1}
    assert counts(compared("ab", "abcd", end=3)) == {"equal": 2, "extra": 1}
    assert counts(compared("bc", "ef", end=3, from_middle=True, cut=True)) == {"gone": 2}


def test_words_of_people_are_not_told() -> None:
    ours, theirs = (event("a", value=b'{"text":"%s","stage":"%s"}' % pair) for pair in ((b"A", b"s"), (b"B", b"t")))
    (only,) = compared([ours], [theirs]).first
    said = line(0, what_differs(only))
    assert said.endswith('text differs; stage "t" → "s"')
