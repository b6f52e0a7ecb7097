"""Measuring a program that does the small job: records lie on its source, it starts, all that came out is looked at."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from schemas.topics import Topic
from tests.bench import memory, small_job, small_lianqin
from tests.bench.cpu import CpuWatch
from tests.bench.job import Job
from tests.bench.logs import Progress, fill, read
from tests.bench.rate import Rate, steady
from tests.bench.stand import Child, Stand, Tell

_PATIENCE_S: Final = 60.0
_COMPACTED: Final = {"cleanup.policy": "compact"}
_APPEND_TIME: Final = {"message.timestamp.type": "LogAppendTime"}


def _no_topics(_: str) -> Sequence[Topic]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One way to do the small job."""

    command: Callable[[], Sequence[str]]
    """What is run, with the job as one more argument."""
    exactly_once: bool = True
    own_topics: Callable[[str], Sequence[Topic]] = _no_topics
    """By the job's name: those that it does not make itself."""
    settings: dict[str, Any] = field(default_factory=dict)
    """For throughput, in the program's own words."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run of a program was."""

    rate: Rate
    peak_mb: float
    """The largest resident memory of the program; of several processes, all together."""


def module(name: str) -> Callable[[], Sequence[str]]:
    """The command of a module, run by this Python."""
    return lambda: [sys.executable, "-m", name]


def _seats_and_changelog(name: str) -> Sequence[Topic]:
    seats, changelog = small_lianqin.own_topics(name)
    return Topic(name=seats, holds="", key=""), Topic(name=changelog, holds="", key="", config=_COMPACTED)


LIANQIN: Final = Program(command=module("tests.bench.small_lianqin"), own_topics=_seats_and_changelog)
"""Exactly once: an owner a partition, a Faust agent that decides."""
FAUST: Final = Program(
    command=module("tests.bench.small_faust"),
    exactly_once=False,
    settings={
        "producer_compression_type": "lz4",
        "producer_linger_ms": 5,
        "producer_max_batch_size": 1 << 20,
        "consumer_max_fetch_size": 4 << 20,
        "stream_buffer_maxsize": 16_384,
    },
)
"""At least once; set as one would who cares for speed: the producer compresses, and lingers so that it can batch."""


def source(stand: Stand, topic: str, records: int) -> None:
    """Fill a topic that programs may read one after the other."""
    stand.topics([Topic(name=topic, holds="", key="", config=_APPEND_TIME)], prefix="", partitions=small_job.PARTITIONS)
    fill(stand.bootstrap, topic, small_job.rows(records))


def prepared(stand: Stand, program: Program, job: Job, processes: int = 1) -> Sequence[Child]:
    """Make the topics of a job; the program, ready to be run in so many processes that share its partitions."""
    target = Topic(name=job.target, holds="", key="", config=_APPEND_TIME)
    stand.topics([target, *program.own_topics(job.name)], prefix="", partitions=small_job.PARTITIONS)
    jobs = [replace(job, folder=f"{job.folder}-{number}") for number in range(1, processes + 1)]
    return [Child(Path(one.folder).name, [*program.command(), one.told()]) for one in jobs]


def measured(stand: Stand, program: Program, job: Job, records: int, tell: Tell, *, processes: int = 1) -> Measured:
    """Run a program over its source, which holds so many of the small job's records, and look at what came out."""
    children = prepared(stand, program, job, processes)
    progress = Progress(stand.bootstrap, job.name, [job.source])
    try:
        with stand.running(*children) as pids, CpuWatch(pids) as watch:
            progress.wait(records, tell, within_s=_PATIENCE_S)
            peak_mb = sum(memory.peak_mb(pids[child.name]) for child in children)
    finally:
        progress.close()
    outputs = [(message.key(), message.timestamp()[1]) for message in read(stand.bootstrap, job.target)]
    _check(job.name, [key for key, _ in outputs], small_job.distinct(records))
    return Measured(steady([at for _, at in outputs], watch, records), peak_mb)


def _check(name: str, keys: Sequence[bytes | None], distinct: int) -> None:
    """Each different report came out once. Nobody was killed here: whoever promises less keeps to it as well."""
    if len(keys) != distinct or len(set(keys)) != distinct:
        msg = f"{name}: {len(keys)} outputs, {len(set(keys))} of them different, of {distinct} different reports"
        raise RuntimeError(msg)
