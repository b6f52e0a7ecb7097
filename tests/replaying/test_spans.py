"""A span of a log against what stands, of which the beginning is gone with retention and a part may be lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from agents.replaying.archive import Stored
from agents.replaying.replay import Job, Span, cut_one, replayed_one
from agents.replaying.snapshot import snapshot_in, write
from agents.replaying.source import FileLog
from schemas.codes import Action
from tests.desk.logs import HOUR, MINUTE, POLICY, Log, feedback, report
from tests.replaying.test_comparing import counts
from tests.replaying.test_same import PARTITION, PREFIX, exported, facts, logs, uncounted


def job_of(folder: Path, source: FileLog, begun: int, span: Span) -> Job:
    """A replay that begins with a snapshot of the log up to that offset."""
    write(folder / "s", PREFIX, [cut_one(Job(source=source, span=Span(end=begun)), PARTITION, uncounted)])
    return Job(source=source, snapshot=snapshot_in(folder / "s"), span=span)


@dataclass(frozen=True)
class Cut:
    """Which records are compared, which facts still stand (`first`, `lost`), and how far is looked ahead."""

    span: tuple[int, int]
    first: int
    lost: tuple[int, int]
    ahead: int
    from_snapshot: bool


@st.composite
def cuts(draw: DrawFn, records: int, said: int) -> Cut:
    """Any span; of what stands the first one is there, so that retention and loss can be told apart."""
    begin = draw(st.integers(1, records))
    first = draw(st.integers(0, said - 1))
    lost = draw(st.integers(first + 1, said))
    return Cut(
        span=(begin, draw(st.integers(begin, records))),
        first=first,
        lost=(lost, draw(st.integers(lost, said))),
        ahead=draw(st.integers(1, 6)),
        from_snapshot=draw(st.booleans()),
    )


@given(logs(), st.data())
@settings(max_examples=60, deadline=None)
def test_of_any_span_what_is_lost_is_missing_and_what_retention_took_is_gone(
    records: list[Stored], data: st.DataObject
) -> None:
    said = facts(records, 500)
    cut = data.draw(cuts(len(records), len(said)))
    begins, ends = (len(facts(records[:at], 500)) for at in cut.span)
    stands = [one for one in said[cut.first :] if not cut.lost[0] <= one.offset < cut.lost[1]]
    first, end = (2 * at for at in cut.span)
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("agents.replaying.comparing._AHEAD", cut.ahead)
        source = exported(Path(folder) / "a.log", records, stands, tickets_first=cut.first)
        job = Job(source=source, span=Span(first=first, end=end))
        if cut.from_snapshot:
            job = job_of(Path(folder), source, first, Span(end=end))
        found = replayed_one(job, PARTITION, uncounted)
    span = range(begins, ends)
    gone, missing = (sum(one in span for one in some) for some in (range(cut.first), range(*cut.lost)))
    expected = {"equal": len(span) - gone - missing, "missing": missing, "gone": gone}
    assert counts(found.tally) == {name: count for name, count in expected.items() if count}


def story() -> list[Stored]:
    """A ticket that is closed at once, and one that is reopened after an hour; then many limits fire."""
    log = Log(policy=POLICY)
    for after, command in (
        (0, report("r1")),
        (MINUTE, feedback(Action.CLOSED)),
        (HOUR, feedback(Action.REOPENED)),
        (40 * HOUR, report("r2", object="y")),
    ):
        log.add(command, after)
    return [Stored(PREFIX + "desk", PARTITION, e.offset, e.appended_at, None, e.raw, ()) for e in log.entries]


@pytest.mark.parametrize("tickets_first", [0, 1])
@pytest.mark.parametrize("from_snapshot", [False, True])
def test_a_span_that_is_lost_whole_is_missing_though_retention_has_begun(
    tmp_path: Path, tickets_first: int, *, from_snapshot: bool
) -> None:
    records = story()
    said, before = facts(records, 500), facts(records[:3], 500)
    source = exported(tmp_path / "a.log", records, before[tickets_first:], tickets_first=tickets_first)
    job = Job(source=source, span=Span(first=records[3].offset))
    if from_snapshot:
        job = job_of(tmp_path, source, records[3].offset, Span())
    found = replayed_one(job, PARTITION, uncounted)
    assert counts(found.tally) == {"missing": len(said) - len(before)}


def test_a_span_from_before_what_stands_is_gone_up_to_there(tmp_path: Path) -> None:
    records = story()
    said, before = facts(records, 500), len(facts(records[:2], 500))
    source = exported(tmp_path / "a.log", records, said[before + 2 :], tickets_first=before + 2)
    found = replayed_one(Job(source=source, span=Span(first=records[2].offset)), PARTITION, uncounted)
    assert counts(found.tally) == {"gone": 2, "equal": len(said) - before - 2}


def test_the_last_fact_before_an_end_is_missing_and_what_stands_behind_is_not_extra(tmp_path: Path) -> None:
    records = story()
    said, span = facts(records, 500), len(facts(records[:3], 500))
    source = exported(tmp_path / "a.log", records, without(said, span - 1))
    found = replayed_one(Job(source=source, span=Span(end=records[3].offset)), PARTITION, uncounted)
    assert counts(found.tally) == {"equal": span - 1, "missing": 1}


def without(said: Sequence[Stored], lost: int) -> list[Stored]:
    """All but one."""
    return [one for one in said if one.offset != lost]
