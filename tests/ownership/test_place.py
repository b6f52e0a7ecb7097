"""The place in a log, its proof, and its two written forms."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.ownership.place import Place, checksum, from_metadata, from_state, to_metadata, to_state

places = st.builds(
    Place,
    offset=st.integers(-1, 2**62),
    checksum=st.text("0123456789abcdef", max_size=16),
    next=st.integers(0, 2**62),
)


@dataclass(frozen=True)
class Written:
    """A record."""

    topic: str = "t"
    partition: int = 0
    offset: int = 7
    timestamp: int = 1_700_000_000_000
    key: bytes | None = b"key"
    value: bytes | None = b"value"
    headers: tuple[tuple[str, bytes], ...] = (("a", b"1"), ("b", b"2"))


@given(places)
def test_the_changelog_gives_back_what_was_written(place: Place) -> None:
    assert from_state(to_state(place)) == place


@given(places, st.text())
def test_the_metadata_gives_back_place_and_text(place: Place, text: str) -> None:
    assert from_metadata(place.next, to_metadata(place, text)) == (place, text)


@pytest.mark.parametrize("foreign", ["", "hello", "a:b:c", "3"])
def test_an_offset_set_by_a_tool_is_believed(foreign: str) -> None:
    assert from_metadata(5, foreign) == (Place(offset=4, checksum="", next=5), "")


@pytest.mark.parametrize(
    "other",
    [
        Written(key=b"kez"),
        Written(key=None),
        Written(value=b"valuf"),
        Written(value=None),
        Written(value=b""),
        Written(timestamp=1_700_000_000_001),
        Written(headers=(("a", b"1"),)),
        Written(headers=(("a", b"12"), ("b", b""))),
        Written(key=b"keyv", value=b"alue"),
    ],
)
def test_the_checksum_sees_every_part_of_a_record(other: Written) -> None:
    assert checksum(other) != checksum(Written())


def test_the_checksum_does_not_depend_on_where_the_record_lies() -> None:
    assert checksum(replace(Written(), topic="u", partition=3, offset=9)) == checksum(Written())


def test_an_offset_in_signs_that_are_no_digits_is_believed_as_set_by_hand() -> None:
    assert from_metadata(8, "²:abc:text") == (Place(offset=7, checksum="", next=8), "")
