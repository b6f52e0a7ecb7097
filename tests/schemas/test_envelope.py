"""Ids are those of the standard, and headers say what their envelope says, whatever came before."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import NAMESPACE, DerivedIds, Envelope, HeaderWriter, derived_id, envelope_of

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


@given(st.text(max_size=80), st.integers(0, 10**6))
def test_ids_are_the_standards(cause: str, number: int) -> None:
    ids = DerivedIds(cause)
    assert ids.of(number) == str(uuid5(UUID(bytes=NAMESPACE), f"{cause}/{number}"))
    assert ids.own() == derived_id(cause) == str(uuid5(UUID(bytes=NAMESPACE), cause))


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
