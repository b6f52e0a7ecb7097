"""Batches that a broker takes and aiokafka's own parser raises for: each becomes a record for each of its offsets."""

import struct
import tracemalloc
from collections.abc import Sequence
from typing import Any, Final

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import example, given
from hypothesis import strategies as st

from agents.intake import KEPT_BYTES, Intake, IntakeDeps
from schemas.codes import Reject
from schemas.dead_letter import dead_letter_of
from streams.ownership.batches import UNREADABLE, Batches
from streams.ownership.unpacking import MOST_BYTES, UNPACK
from tests.fuzz.chain import SOURCES
from tests.hostile.wire import AT, GBK, HEAD, NOTE, PACKED, built, in_gbk, packed, sealed

PLACE: Final = TopicPartition("lianqin.intake.citizen", 0)


def read(*batches: bytes, by: Any = Batches) -> list[Any]:
    """What a consumer makes of them."""
    return list(PartitionRecords(PLACE, by(b"".join(batches)), [], 0, None, None, True, READ_COMMITTED))


def fields(records: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What an owner sees of records."""
    return [(one.offset, one.timestamp, one.timestamp_type, one.key, one.value, one.headers) for one in records]


@pytest.mark.parametrize("how", PACKED)
def test_good_batches_are_read_as_before(how: int) -> None:
    batches = [packed(built(first), how) for first in (0, 3)]
    assert fields(read(*batches)) == fields(read(*batches, by=MemoryRecords))
    assert [one.offset for one in read(*batches)] == list(range(6))


@pytest.mark.parametrize("how", PACKED)
def test_a_header_whose_name_is_no_utf8_changes_nothing_but_that_name(how: int) -> None:
    good, bad, after = built(0), packed(in_gbk(built(3)), how), built(6)
    with pytest.raises((UnicodeDecodeError, CorruptRecordException)):
        read(good, bad, after, by=MemoryRecords)
    expected = [
        (*rest, tuple((name if name != NOTE else GBK.decode(errors="replace"), value) for name, value in headers))
        for *rest, headers in fields(read(built(3)))
    ]
    assert fields(read(good, bad, after)) == [*fields(read(good)), *expected, *fields(read(after))]


def test_where_the_broker_stamps_records_its_time_is_theirs() -> None:
    raw = bytearray(in_gbk(built(0)))
    struct.pack_into(">h", raw, 21, 0x08)
    assert [(one.timestamp, one.timestamp_type) for one in read(sealed(bytes(raw), 0))] == [(AT + 2, 1)] * 3


@pytest.mark.parametrize("how", [1, 3, 4], ids=["gzip", "lz4", "zstd"])
def test_a_batch_that_nobody_can_unpack_is_a_record_for_each_offset(how: int) -> None:
    bad = packed(built(3), how, b"rest")
    made = read(built(0), bad, built(6))
    assert [one.offset for one in made] == list(range(9))
    assert [one.value for one in made[3:6]] == [bad[:KEPT_BYTES], b"", b""]
    assert [one.headers for one in made[3:6]] == [((UNREADABLE, b""),)] * 3


def test_what_stands_before_the_damage_is_read() -> None:
    whole = in_gbk(built(3, [b"first", b"second", b"third"]))
    end = whole.index(b"third")
    made = read(built(0), sealed(whole[:end] + b"\xff" * (len(whole) - end), 3), built(6))
    assert [one.value for one in made[3:5]] == [b"first", b"second"]
    assert [one.offset for one in made] == list(range(9))
    assert [(UNREADABLE, b"") in one.headers for one in made] == [False] * 5 + [True] + [False] * 3


@pytest.mark.parametrize("rest", [b"", b"rest"], ids=["good", "broken"])
def test_a_batch_of_very_many_is_read_one_by_one(rest: bytes) -> None:
    records = iter(Batches(packed(built(0, [b""] * 100_000), 4, rest)).next_batch())
    tracemalloc.start()
    first = next(records)
    assert sum(1 for _ in records) == 100_000 - 1
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert first.offset == 0
    assert most < 40_000_000


@pytest.mark.parametrize("how", [1, 3, 4], ids=["gzip", "lz4", "zstd"])
def test_a_bomb_is_not_unpacked(how: int) -> None:
    bomb = packed(built(3, [bytes(MOST_BYTES // 2)] * 2), how)
    assert len(bomb) < MOST_BYTES // 100
    assert [(one.offset, one.headers) for one in read(built(0), bomb)[3:]] == [
        (offset, ((UNREADABLE, b""),)) for offset in (3, 4)
    ]


def test_a_worker_without_memory_does_not_call_its_records_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(_: object) -> bytes:
        raise MemoryError

    monkeypatch.setitem(UNPACK, 4, none_left)
    with pytest.raises(MemoryError):
        read(packed(built(0), 4))


def test_and_intake_makes_a_dead_letter_of_each_that_says_why() -> None:
    made = read(packed(built(0), 3, b"rest"))
    answer = Intake(IntakeDeps(sources=SOURCES, prefix="lianqin.", partitions=1)).answer(made, "")
    letters = [dead_letter_of(send.headers) for send in answer.sends]
    assert [(one.reason, one.origin.offset) for one in letters] == [(Reject.BROKEN, offset) for offset in range(3)]
    assert all("cannot be unpacked" in one.hint for one in letters)


@given(how=st.sampled_from(sorted(PACKED)), at=st.integers(0, 1_000), byte=st.integers(0, 255), cut=st.integers(0, 40))
@example(how=0, at=0, byte=0xFF, cut=0)
@example(how=0, at=95, byte=34, cut=32)  # lengths that lie: what reads by them must look where it is
@example(how=0, at=95, byte=156, cut=4)
@example(how=0, at=6, byte=207, cut=1)
def test_whatever_stands_in_a_batch_no_offset_is_lost_and_no_neighbour(how: int, at: int, byte: int, cut: int) -> None:
    raw = bytearray(packed(built(3), how))
    raw[HEAD + at % (len(raw) - HEAD)] = byte
    made = read(built(0), sealed(bytes(raw[: len(raw) - cut]), 3), built(6))
    assert [one.offset for one in made][:3] == [0, 1, 2]
    assert [one.offset for one in made][-3:] == [6, 7, 8]
