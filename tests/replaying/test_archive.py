"""Files of records: byte for byte, or one line that says why not."""

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.errors import DiskFull, UserError
from agents.replaying.archive import Archive, ArchiveError, Stored, line_of, written
from agents.replaying.replay import Job, replayed_one
from agents.replaying.snapshot import Cut, snapshot_in, write
from agents.replaying.source import log_in
from streams.ownership.place import Place, after
from tests.desk.logs import POLICY, Log, report
from tests.replaying.test_same import PARTITION, PREFIX, exported, facts, uncounted

RECORDS = st.builds(
    Stored,
    st.just("desk"),
    st.just(0),
    st.integers(0, 2**62),
    st.integers(0, 2**62),
    st.none() | st.binary(max_size=9),
    st.none() | st.binary(max_size=30) | st.text(max_size=9).map(lambda text: text.encode("utf-8", "replace")),
    st.lists(st.tuples(st.text("abc", max_size=3), st.binary(max_size=5)), max_size=3).map(tuple),
)


@given(st.lists(RECORDS, max_size=5))
@settings(max_examples=50, deadline=None)
def test_records_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, records: list[Stored]) -> None:
    file = tmp_path_factory.mktemp("archive") / "some"
    with written(file, "log") as to:
        with to.section("desk-0.jsonl") as lines:
            lines.writelines(map(line_of, records))
        to.manifest({})
    Archive(file).check("log")
    assert list(Archive(file).records("desk-0.jsonl", "desk", 0)) == records


@pytest.fixture
def state(tmp_path: Path) -> Path:
    log = Log(policy=POLICY)
    log.add(report(text="路灯不亮"), 1000)
    write(tmp_path / "some.state", PREFIX, [Cut(PARTITION, Place(1, "0123", 2), log.state)])
    return tmp_path / "some.state"


def test_a_damaged_snapshot_is_refused_wherever_the_damage_is(state: Path) -> None:
    whole = state.read_bytes()
    assert snapshot_in(state).places == {PARTITION: Place(1, "0123", 2)}
    for place in range(0, len(whole), 7):
        state.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(ArchiveError) as refused:
            snapshot_in(state)
        assert str(refused.value).count("\n") == 0
    state.write_bytes(whole[:-3])
    with pytest.raises(ArchiveError, match="damaged"):
        snapshot_in(state)


def test_another_kind_another_build_and_no_file_are_refused_by_name(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ArchiveError, match="is a snapshot, not a log"):
        log_in(state)
    with pytest.raises(ArchiveError, match="cannot be read"):
        snapshot_in(state.with_name("other"))
    monkeypatch.setattr("agents.replaying.snapshot.shape", lambda: "another")
    with pytest.raises(ArchiveError, match="another build"):
        snapshot_in(state)


def test_nothing_is_left_of_a_file_that_was_not_finished(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), written(tmp_path / "some", "log"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_is_told_in_one_line(tmp_path: Path) -> None:
    def fill() -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    told = r"x\.state cannot be written \(No space left on device\): make room there"
    with pytest.raises(DiskFull, match=told), written(tmp_path / "x.state", "snapshot"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_a_snapshot_of_another_log_is_refused(tmp_path: Path) -> None:
    log = Log(policy=POLICY)
    log.add(report(), 1000)
    records = [Stored(PREFIX + "desk", PARTITION, e.offset, e.appended_at, None, e.raw, ()) for e in log.entries]
    source = exported(tmp_path / "whole.log", records, facts(records, 9))
    right = after(records[1])
    for place, why in (
        (Place(1, "another", 2), "of another log"),
        (Place(7, "another", 8), "of another log"),
    ):
        write(tmp_path / "some.state", PREFIX, [Cut(PARTITION, place, log.state)])
        job = Job(source=source, snapshot=snapshot_in(tmp_path / "some.state"))
        with pytest.raises(UserError, match=why):
            replayed_one(job, PARTITION, uncounted)
    write(tmp_path / "some.state", PREFIX, [Cut(PARTITION, right, log.state)])
    job = Job(source=source, snapshot=snapshot_in(tmp_path / "some.state"))
    assert replayed_one(job, PARTITION, uncounted).records == 0
