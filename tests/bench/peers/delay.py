"""The delay of the small job at an even pace: from a report's append to what was forwarded, read as committed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from confluent_kafka import Message

from schemas.topics import Topic
from tests.bench import small, small_job
from tests.bench.job import Job
from tests.bench.logs import Row
from tests.bench.paced import Delay, Subscriber, delay, send
from tests.bench.small import Program
from tests.bench.stand import Stand, Tell

_APPEND_TIME: Final = {"message.timestamp.type": "LogAppendTime"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """So many records a second: for some seconds to warm up, then for some that are measured."""

    per_second: int
    warm_s: float
    measured_s: float

    def times(self, scale: float) -> Self:
        """As long as this one times a scale, but no shorter than a second."""
        return replace(self, warm_s=max(1.0, self.warm_s * scale), measured_s=max(1.0, self.measured_s * scale))

    @property
    def warm(self) -> int:
        """Records that are not counted."""
        return int(self.per_second * self.warm_s)

    @property
    def records(self) -> int:
        """All that are sent."""
        return self.warm + int(self.per_second * self.measured_s)


def measured(stand: Stand, program: Program, job: Job, paces: Sequence[Pace], tell: Tell) -> dict[int, Delay]:
    """Run a program at one pace after the other; the delays by records a second. Dropped repeats do not count."""
    topic = Topic(name=job.source, holds="", key="", config=_APPEND_TIME)
    stand.topics([topic], prefix="", partitions=small_job.PARTITIONS)
    children = small.prepared(stand, program, job)
    rows = list(small_job.rows(sum(pace.records for pace in paces)))
    subscriber = Subscriber(stand.bootstrap, job.target, _key)
    found: dict[int, Delay] = {}
    try:
        with stand.running(*children):
            done = 0
            for pace in paces:
                mine = rows[done : done + pace.records]
                found[pace.per_second] = _at(stand, job, subscriber, (pace, mine), _from(done, tell))
                done += pace.records
    finally:
        subscriber.stop()
    return found


def _at(stand: Stand, job: Job, subscriber: Subscriber, paced: tuple[Pace, Sequence[Row]], tell: Tell) -> Delay:
    pace, rows = paced
    warm = send(stand.bootstrap, job.source, rows[: pace.warm], pace.per_second, tell)
    subscriber.wait_for(warm)
    appended = send(stand.bootstrap, job.source, rows[pace.warm :], pace.per_second, _from(pace.warm, tell))
    subscriber.wait_for(appended)
    # What repeats a report of an earlier part was seen before.
    counted = {key: at for key, at in appended.items() if subscriber.seen[key] >= at}
    return delay(counted, subscriber.seen, pace.per_second)


def _from(begun: int, tell: Tell) -> Tell:
    return lambda done: tell(begun + done)


def _key(message: Message) -> str | None:
    return (message.key() or b"").decode()
