"""Ids are those of the standard, and headers say what their envelope says, whatever came before."""

from uuid import RFC_4122, UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import NAMESPACE, Envelope, HeaderWriter, derived_id, envelope_of, numbered_ids

WORDS = st.sampled_from(["", "one", "other", "一"])
ENVELOPES = st.builds(
    Envelope,
    id=WORDS,
    source=WORDS,
    type=WORDS,
    time=st.integers(0, 3),
    area=WORDS,
    cause=WORDS,
    subject=st.none() | WORDS,
    sequence=st.none() | st.integers(0, 3),
    matter=st.none() | WORDS,
    drill=st.booleans(),
)


@given(st.text(max_size=80))
def test_ids_are_the_standards(cause: str) -> None:
    assert derived_id(cause) == str(uuid5(UUID(bytes=NAMESPACE), cause))


@given(st.text(max_size=80), st.integers(0, 16**12 - 1))
def test_what_follows_from_a_cause_is_numbered(cause: str, number: int) -> None:
    own = UUID(derived_id(cause))
    one = UUID(f"{numbered_ids(str(own))}{number:012x}")
    assert (one.version, one.variant) == (8, RFC_4122)
    assert one.node == number
    assert one.bytes[:6] == own.bytes[:6]


@given(st.lists(ENVELOPES, max_size=6))
def test_what_headers_share_with_the_ones_before_is_still_their_own(envelopes: list[Envelope]) -> None:
    writer = HeaderWriter()
    for envelope in envelopes:
        headers = writer.of(envelope)
        assert headers == envelope.headers()
        read = envelope_of(headers)
        whole = envelope.subject is not None and envelope.sequence is not None
        assert (read.id, read.source, read.type, read.time) == (
            envelope.id,
            envelope.source,
            envelope.type,
            envelope.time,
        )
        assert (read.area, read.cause, read.matter, read.drill) == (
            envelope.area,
            envelope.cause,
            envelope.matter,
            envelope.drill,
        )
        assert (read.subject, read.sequence) == ((envelope.subject, envelope.sequence) if whole else (None, None))
