"""The whole path, report to ticket: two workers with intake and desk, as `lianqin up` runs them, without a ledger."""

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from agents.local.probe import free_port
from agents.packs import load_policy
from agents.policy import publish
from schemas.codes import Clock
from schemas.topics import ALL, CITIZEN, DESK, TICKETS
from streams.ownership.cluster import Cluster
from tests.bench.cpu import CpuWatch
from tests.bench.logs import Progress, Row, fill, read
from tests.bench.rate import Rate, between
from tests.bench.stand import Child, Stand, Tell

PREFIX: Final = "lianqin."
PARTITIONS: Final = 4
WORKERS: Final = 2
_PATIENCE_S: Final = 180.0
_STILL_S: Final = 6.0
"""Nothing done for so long is the end of the log; many partitions on a busy machine pause for seconds."""
_SETTLED: Final = b"lianqin.report.settled.v1"


@dataclass(frozen=True, slots=True)
class Setup:
    """How many workers over how many partitions; the prefix keeps several apart on one broker."""

    prefix: str = PREFIX
    partitions: int = PARTITIONS
    workers: int = WORKERS


USUAL: Final = Setup()


def prepare(stand: Stand, setup: Setup = USUAL) -> None:
    """Topics and policy, as `up` makes them; once a prefix."""
    stand.topics(ALL, prefix=setup.prefix, partitions=setup.partitions)
    policy = load_policy("pukou", Clock.WALL)
    asyncio.run(publish(Cluster(stand.bootstrap), setup.prefix + DESK, setup.partitions, policy))


def worker(stand: Stand, setup: Setup, number: int) -> Child:
    """One worker with intake and desk."""
    program, folder, name = Path(sys.executable).parent / "lianqin", stand.folder / "lianqin", f"worker-{number}"
    env = {
        "LIANQIN_KAFKA__BOOTSTRAP": stand.bootstrap,
        "LIANQIN_KAFKA__PREFIX": setup.prefix,
        "LIANQIN_KAFKA__PARTITIONS": str(setup.partitions),
        "LIANQIN_METRICS__PORT": str(free_port()),
        "LIANQIN_PRIVACY_KEY": "the key of a measurement",
    }
    return Child(
        name, [str(program), "worker", "--data-dir", str(folder), "--stages", "intake,desk", "--name", name], env
    )


@contextmanager
def workers(stand: Stand, setup: Setup = USUAL) -> Iterator[dict[str, int]]:
    """The workers, running; their process ids, and the broker's."""
    with stand.running(*(worker(stand, setup, number) for number in range(1, setup.workers + 1))) as pids:
        yield pids


def throughput(stand: Stand, rows: Sequence[Row], tell: Tell, setup: Setup = USUAL) -> Rate:
    """Reports settled a second, from the first command on `desk` to the last settlement; each exactly once.

    Both stages do all their work in that time, and the CPU seconds are those of both.
    """
    prefix = setup.prefix
    count = fill(stand.bootstrap, prefix + CITIZEN, rows)
    with workers(stand, setup) as pids, CpuWatch(pids) as watch:
        until_done(stand, count, tell, setup)
    return between(_first_command(stand, prefix), max(_settlements(stand, count, prefix)), watch, count)


def until_done(stand: Stand, count: int, tell: Tell, setup: Setup = USUAL) -> None:
    """Return when so many reports went through both stages."""
    prefix = setup.prefix
    intake = Progress(stand.bootstrap, prefix + "intake", [prefix + CITIZEN])
    desk = Progress(stand.bootstrap, prefix + "desk", [prefix + DESK])
    try:
        intake.wait(count, tell, within_s=_PATIENCE_S)
        _settle_down(desk, setup.partitions)
    finally:
        intake.close()
        desk.close()


def _settle_down(desk: Progress, partitions: int) -> None:
    """Wait until the desk has come to the end of its log, but for the transaction markers that may stand there."""
    end = desk.ends()
    desk.wait(end - partitions * partitions, lambda _: None, within_s=_PATIENCE_S)
    while (done := desk.done()) < end:
        time.sleep(_STILL_S)
        if desk.done() == done:
            return


def _first_command(stand: Stand, prefix: str) -> int:
    """When the first report came to a desk partition; policies have no key."""
    return min(message.timestamp()[1] for message in read(stand.bootstrap, prefix + DESK) if message.key())


def _settlements(stand: Stand, count: int, prefix: str) -> list[int]:
    """When each report was settled, milliseconds; raises when one was not, or twice."""
    times, origins = [], set()
    for message in read(stand.bootstrap, prefix + TICKETS):
        if dict(message.headers() or ())["ce_type"] == _SETTLED:
            origin = orjson.loads(message.value() or b"")["origin"]
            origins.add((origin["partition"], origin["offset"]))
            times.append(message.timestamp()[1])
    if not len(times) == len(origins) == count:
        msg = f"{count} reports sent, {len(times)} settled, {len(origins)} of them different"
        raise RuntimeError(msg)
    return times
