"""A replay: each partition of a log through the core once more, compared with what stands on `tickets`."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from agents.desk import command_in, entry_of, send_of
from agents.errors import UserError
from agents.feeding.ports import Progress
from agents.replaying.comparing import Comparison, Records, Tally, Told
from agents.replaying.playing import Player, Turned
from agents.replaying.snapshot import Cut, Snapshot
from agents.replaying.source import Bounds, Source
from agents.replaying.spreading import Count, spread
from schemas.commands import Command
from schemas.envelope import HeaderWriter, numbered_ids, rfc3339
from schemas.topics import TICKETS
from streams.desk.facts import Entry
from streams.desk.memory import DeskMemory
from streams.desk.turn import own_id
from streams.ownership.batch import Record
from streams.ownership.place import START, Place, after, checksum


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which records of a partition are meant: from, and up to but without; by log time or by offset."""

    since: int | None = None
    until: int | None = None
    first: int | None = None
    end: int | None = None

    def has_begun(self, at: int, offset: int) -> bool:
        """Whether a record lies behind the beginning."""
        return (self.since is None or at >= self.since) and (self.first is None or offset >= self.first)

    def is_over(self, at: int, offset: int) -> bool:
        """Whether a record lies behind the end."""
        return (self.until is not None and at >= self.until) or (self.end is not None and offset >= self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is replayed; another process can be given it."""

    source: Source
    snapshot: Snapshot | None = None
    span: Span = Span()


@dataclass(slots=True, kw_only=True)
class Replayed:
    """What the replay of one partition came to."""

    partition: int
    records: int = 0
    """Of the span."""
    before: int = 0
    """Folded to come to the span."""
    letters: int = 0
    first: int | None = None
    last: int | None = None
    """Offsets of the span's records."""
    since: int | None = None
    until: int | None = None
    """Log time of the span's first and last record."""
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class Turn:
    """One record, read; and when its turn is."""

    entry: Entry
    command: Command | None
    at: int
    record: Record


class Course:
    """One partition's records in order, from where they can begin to where the span ends."""

    def __init__(self, job: Job, partition: int, *, keeps_state: bool = False) -> None:
        self.job = job
        self.bounds: Bounds = job.source.bounds[partition]
        self.place = START if job.snapshot is None else job.snapshot.places.get(partition, START)
        """After which the log goes on."""
        memory = DeskMemory() if job.snapshot is None else job.snapshot.memory(partition)
        self.player = Player(memory, keeps_state=keeps_state)
        self.ended_at: int | None = None
        """The record before which the span ended, if it did before the log."""

    def turns(self, count: Count) -> Iterator[Turn]:
        """Each record before its turn; whoever asks for the next one has taken it."""
        for record in self._records():
            entry = entry_of(record)
            command = command_in(entry.raw)
            at = self.player.time_of(entry, command)
            if self.job.span.is_over(at, record.offset):
                self.ended_at = record.offset
                return
            yield Turn(entry, command, at, record)
            count()

    def _records(self) -> Iterator[Record]:
        place = self.place
        _check_beginning(self.bounds, place, has_snapshot=self.job.snapshot is not None)
        if self.job.snapshot is not None:
            _check_end(self.bounds.partition, place, self.player.draft.time, self.job.span)
        records = self.job.source.desk(self.bounds.partition, max(place.offset, self.bounds.desk_first))
        if place.checksum and place.offset >= self.bounds.desk_first:
            _check_same(self.bounds.partition, next(records, None), place)
        return records


def run(job: Job, processes: int, bar: Progress) -> list[Replayed]:
    """Replay and compare all partitions, in at most so many processes."""
    found = spread(partial(replayed_one, job), sizes(job), processes, bar)
    return [found[partition] for partition in sorted(found)]


def sizes(job: Job) -> dict[int, int]:
    """About how many records each partition has to do."""
    places = {} if job.snapshot is None else job.snapshot.places
    return {
        number: max(0, one.desk_end - max(one.desk_first, places.get(number, START).next))
        for number, one in job.source.bounds.items()
    }


def cut_at(job: Job, processes: int, bar: Progress) -> list[Cut]:
    """The state at the end of the span, by folding the log."""
    found = spread(partial(cut_one, job), sizes(job), processes, bar)
    return [found[partition] for partition in sorted(found)]


def replayed_one(job: Job, partition: int, count: Count) -> Replayed:
    """Replay and compare one partition."""
    course = Course(job, partition)
    found = Replayed(partition=partition)
    comparison: Comparison | None = None
    topic, headers = job.source.prefix + TICKETS, HeaderWriter()
    for turn in course.turns(count):
        turned = course.player.turn(turn.entry, turn.command)
        if not job.span.has_begun(turn.at, turn.entry.offset):
            found.before += 1
            continue
        if comparison is None:
            comparison = _comparison(course, turn.entry.offset)
        _counted(found, turn, turned)
        for fact in turned.decision.facts:
            sent = send_of(fact, topic, partition, headers)
            comparison.replayed(Told(turn.entry.offset, sent.key, sent.value, sent.headers))
    if comparison is None:  # no record is meant
        comparison = _comparison(course, course.bounds.desk_end)
    found.tally = comparison.ended(end=course.ended_at)
    return found


def _counted(found: Replayed, turn: Turn, turned: Turned) -> None:
    if found.first is None:
        found.first, found.since = turn.entry.offset, turned.at
    found.last, found.until = turn.entry.offset, turned.at
    found.records += 1
    found.letters += len(turned.decision.letters)


def _comparison(course: Course, first: int) -> Comparison:
    """That of the records from `first` on."""
    job, bounds = course.job, course.bounds

    def stands() -> Iterator[Told]:
        for record in job.source.tickets(bounds.partition):
            yield Told(record.offset, record.key, record.value, record.headers)

    in_middle = job.snapshot is not None or job.span.since is not None or job.span.first is not None
    return Comparison(
        stands,
        Records(first, bounds.desk_end, lambda at: numbered_ids(own_id(bounds.partition, at)).encode()),
        from_middle=in_middle,
        cut=bounds.tickets_first > 0,
        applied=bounds.applied,
    )


def cut_one(job: Job, partition: int, count: Count) -> Cut:
    """The state of one partition at the end of the span."""
    course = Course(job, partition, keeps_state=True)
    place = course.place
    if job.snapshot is not None:
        course.player.state.update(job.snapshot.state(partition))
    for turn in course.turns(count):
        course.player.turn(turn.entry, turn.command)
        place = after(turn.record)
    course.player.commit()
    return Cut(partition, place, course.player.state)


def _check_beginning(bounds: Bounds, place: Place, *, has_snapshot: bool) -> None:
    name = f"desk partition {bounds.partition}"
    if place.next >= bounds.desk_first and place.offset < max(bounds.desk_end, 1):
        return
    if place.next < bounds.desk_first:
        what = "the snapshot ends before that" if has_snapshot else "a replay begins with the log's first record"
        msg = f"{name} begins at offset {bounds.desk_first}, and {what}: give a later snapshot with --from"
        raise UserError(msg)
    msg = f"{name} ends before offset {place.offset}, where the snapshot was taken: it is of another log"
    raise UserError(msg)


def _check_end(partition: int, place: Place, at: int, span: Span) -> None:
    if span.is_over(at, place.offset):
        msg = (
            f"the snapshot goes beyond --until: desk partition {partition} up to offset {place.offset}, {rfc3339(at)}: "
            "give an earlier one with --from"
        )
        raise UserError(msg)


def _check_same(partition: int, record: Record | None, place: Place) -> None:
    if record is None or record.offset != place.offset or checksum(record) != place.checksum:
        msg = (
            f"the record at offset {place.offset} of desk partition {partition} is not the one that the snapshot was "
            "taken after: it is of another log"
        )
        raise UserError(msg)
