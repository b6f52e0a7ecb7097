"""The same log says the same bytes, however it is cut: in batches, and by a snapshot in its middle."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from agents.desk import command_in, entry_of, send_of
from agents.replaying.archive import Stored, line_of, written
from agents.replaying.playing import Player
from agents.replaying.replay import Job, Span, cut_one, replayed_one
from agents.replaying.snapshot import snapshot_in, write
from agents.replaying.source import LOG, Bounds, FileLog, log_in, section
from schemas.codec import encode
from schemas.codes import Clock
from schemas.envelope import HeaderWriter
from schemas.topics import DESK, TICKETS
from streams.desk.memory import DeskMemory
from tests.desk.histories import BEGINNINGS, POLICIES, STEPS, command_of, published
from tests.desk.model import Model

T = TypeVar("T")
PREFIX = "lianqin."
PARTITION = 3


@st.composite
def logs(draw: DrawFn) -> list[Stored]:
    """A partition's log, from its first policy on."""

    def pick(options: Sequence[T], /) -> T:
        return draw(st.sampled_from(options))

    clock, now, model = pick(list(Clock)), pick(BEGINNINGS), Model()
    records: list[Stored] = []
    command: object = published(pick(range(len(POLICIES))), clock)
    for number in range(draw(st.integers(2, 30))):
        raw = command if isinstance(command, bytes) else encode(command)
        records.append(Stored(PREFIX + DESK, PARTITION, 2 * number, now, None, raw, ()))  # markers leave gaps
        model.apply(2 * number, now, command_in(raw))
        now += pick(STEPS)
        drawn = command_of(pick, now, model.cases[-6:])
        command = published(drawn, clock) if isinstance(drawn, int) else drawn
    return records


def facts(records: Sequence[Stored], at_once: int) -> list[Stored]:
    """What the desk says of them, in batches of that size."""
    player, headers = Player(DeskMemory(), at_once=at_once), HeaderWriter()
    sends = []
    for record in records:
        one = entry_of(record)
        decided = player.turn(one, command_in(one.raw)).decision.facts
        sends += [send_of(fact, PREFIX + TICKETS, PARTITION, headers) for fact in decided]
    return [
        Stored(send.topic, send.partition, number, 0, send.key, send.value, tuple(send.headers))
        for number, send in enumerate(sends)
    ]


def exported(file: Path, records: Sequence[Stored], events: Sequence[Stored], *, tickets_first: int = 0) -> FileLog:
    """Both as a file; retention has taken the events before `tickets_first`."""
    with written(file, LOG) as to:
        for topic, rows in ((DESK, records), (TICKETS, events)):
            with to.section(section(topic, PARTITION)) as lines:
                lines.writelines(map(line_of, rows))
        bounds = Bounds(
            partition=PARTITION,
            desk_first=0,
            desk_end=records[-1].offset + 1,
            tickets_first=tickets_first,
            tickets_end=events[-1].offset + 1 if events else tickets_first,
            applied=records[-1].offset + 1,
        )
        to.manifest({"prefix": PREFIX, "partitions": [asdict(bounds)]})
    return log_in(file)


def uncounted() -> None:
    """Nobody asks how far it is."""


@given(logs(), st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_the_same_log_says_the_same_bytes_however_batches_are_cut(records: list[Stored], at_once: int) -> None:
    assert facts(records, at_once) == facts(records, 500)


@given(logs(), st.data())
@settings(max_examples=40, deadline=None)
def test_a_snapshot_at_any_cut_and_the_rest_are_the_whole(records: list[Stored], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(records)), "records before the cut")
    with TemporaryDirectory() as folder:
        source = exported(Path(folder) / "whole.log", records, facts(records, 4))
        whole = cut_one(Job(source=source), PARTITION, uncounted)
        begun = cut_one(Job(source=source, span=Span(end=2 * cut)), PARTITION, uncounted)
        write(Path(folder) / "cut.state", PREFIX, [begun])
        job = Job(source=source, snapshot=snapshot_in(Path(folder) / "cut.state"))
        rest = cut_one(job, PARTITION, uncounted)
        assert (rest.place, rest.state) == (whole.place, whole.state)
        replayed = replayed_one(job, PARTITION, uncounted)
        assert replayed.records == len(records) - cut
        said = len(facts(records, 500)) - len(facts(records[:cut], 500))
        assert (replayed.tally.equal, replayed.tally.different) == (said, 0)
