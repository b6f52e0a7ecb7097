"""The small job as a lianqin stage, exactly once: `python -m tests.bench.small_lianqin JOB`.

Settings are those of `OwnerSettings`.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncIterable, Callable
from pathlib import Path
from typing import Final

import orjson
import uvloop

from agents import garbage
from agents.leasing import OneWorker, lease
from streams.ownership.batch import Answer, Batch, Send
from streams.ownership.owner import OwnerDeps
from streams.ownership.seats import Seats
from streams.ownership.settings import OwnerSettings
from streams.ownership.stage import Input, Stage
from tests.bench.job import Job
from tests.bench.small_job import PARTITIONS

_STAGE: Final = "small"


class Seen:
    """The ids that were seen."""

    def __init__(self) -> None:
        self.ids: set[bytes] = set()

    def fold(self, key: bytes, value: bytes | None) -> None:
        """Take one id."""
        if value is not None:
            self.ids.add(key)

    def folded(self) -> None:
        """There is nothing to build."""


def prefix(name: str) -> str:
    """What begins the names of the stage's own topics."""
    return f"{name}."


def own_topics(name: str) -> tuple[str, str]:
    """The full names of the seats and of the changelog."""
    return f"{prefix(name)}{_STAGE}.seats", f"{prefix(name)}seen"


def drop_repeats(target: str) -> Callable[[Batch[Seen]], Answer]:
    """Forward what was not seen before."""

    def decide(batch: Batch[Seen]) -> Answer:
        seen = batch.memory.ids
        new: dict[bytes, bytes | None] = {}
        sends = []
        for record in batch.records:
            own_id = orjson.loads(record.value or b"")["id"].encode()
            if own_id not in seen and own_id not in new:
                new[own_id] = b"true"
                sends.append(Send(target, batch.partition, own_id, record.value))
        return Answer(sends=sends, state=new, take=lambda: seen.update(new))

    return decide


def main(job: Job) -> None:
    """Run until SIGTERM, on the loop and with the collector of every lianqin worker."""
    logging.basicConfig(level=logging.WARNING)
    asyncio.set_event_loop(uvloop.new_event_loop())
    settings = OwnerSettings(bootstrap=job.bootstrap, prefix=prefix(job.name), **job.settings)
    stage = Stage(
        name=_STAGE,
        group=job.name,
        inputs=lambda partition: [Input(job.source, partition)],
        memory=Seen,
        state=own_topics(job.name)[1],
    )
    decide = drop_repeats(job.target)

    async def agent(batches: AsyncIterable[Batch[Seen]]) -> None:
        """The stage's agent."""
        async for batch in batches:
            batch.settle(decide)

    leased = lease(_STAGE, settings, Path(job.folder), seats=PARTITIONS)
    seats = Seats(stage, OwnerDeps(settings=settings, ask=leased.batches(_STAGE, agent)))
    leased.seat(_STAGE, seats)
    OneWorker([(leased, seats)], beside=[garbage.keep_off]).execute_from_commandline()


if __name__ == "__main__":
    main(Job.heard(sys.argv[1]))
