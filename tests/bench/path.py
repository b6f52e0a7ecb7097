"""The whole path, report to ticket: two workers with intake and desk, as `lianqin up` runs them, without a ledger."""

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
PARTITIONS: Final = 8
WORKERS: Final = 2
_PATIENCE_S: Final = 60.0
_SETTLED: Final = b"lianqin.report.settled.v1"


def prepare(stand: Stand) -> None:
    """Topics and policy, as `up` makes them; once a stand."""
    stand.topics(ALL, prefix=PREFIX, partitions=PARTITIONS)
    asyncio.run(publish(Cluster(stand.bootstrap), PREFIX + DESK, PARTITIONS, load_policy("pukou", Clock.WALL)))


@contextmanager
def workers(stand: Stand) -> Iterator[dict[str, int]]:
    """The workers, running; their process ids, and the broker's."""
    program, folder = Path(sys.executable).parent / "lianqin", stand.folder / "lianqin"
    common = {"LIANQIN_KAFKA__BOOTSTRAP": stand.bootstrap, "LIANQIN_KAFKA__PREFIX": PREFIX}
    children = [
        Child(
            name,
            [str(program), "worker", "--data-dir", str(folder), "--stages", "intake,desk", "--name", name],
            common | {"LIANQIN_METRICS__PORT": str(free_port())},
        )
        for name in (f"worker-{number}" for number in range(1, WORKERS + 1))
    ]
    with stand.running(*children) as pids:
        yield pids


def throughput(stand: Stand, rows: Sequence[Row], tell: Tell) -> Rate:
    """Reports settled a second, from the first command on `desk` to the last settlement; each exactly once.

    Both stages do all their work in that time, and the CPU seconds are those of both.
    """
    count = fill(stand.bootstrap, PREFIX + CITIZEN, rows)
    intake = Progress(stand.bootstrap, PREFIX + "intake", [PREFIX + CITIZEN])
    desk = Progress(stand.bootstrap, PREFIX + "desk", [PREFIX + DESK])
    try:
        with workers(stand) as pids, CpuWatch(pids) as watch:
            intake.wait(count, tell, within_s=_PATIENCE_S)
            _settle_down(desk)
    finally:
        intake.close()
        desk.close()
    return between(_first_command(stand), max(_settlements(stand, count)), watch, count)


def _settle_down(desk: Progress) -> None:
    """Wait until the desk has come to the end of its log, but for the transaction markers that may stand there."""
    end = desk.ends()
    desk.wait(end - PARTITIONS * PARTITIONS, lambda _: None, within_s=_PATIENCE_S)
    while (done := desk.done()) < end:
        time.sleep(1.0)
        if desk.done() == done:
            return


def _first_command(stand: Stand) -> int:
    """When the first report came to a desk partition; policies have no key."""
    return min(message.timestamp()[1] for message in read(stand.bootstrap, PREFIX + DESK) if message.key())


def _settlements(stand: Stand, count: int) -> list[int]:
    """When each report was settled, milliseconds; raises when one was not, or twice."""
    times, origins = [], set()
    for message in read(stand.bootstrap, PREFIX + TICKETS):
        if dict(message.headers() or ())["ce_type"] == _SETTLED:
            origin = orjson.loads(message.value() or b"")["origin"]
            origins.add((origin["partition"], origin["offset"]))
            times.append(message.timestamp()[1])
    if not len(times) == len(origins) == count:
        msg = f"{count} reports sent, {len(times)} settled, {len(origins)} of them different"
        raise RuntimeError(msg)
    return times
