"""The small job as a lianqin stage, exactly once: `python -m tests.bench.small_lianqin BOOTSTRAP FOLDER`."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterable
from pathlib import Path
from typing import Final

import orjson

from agents.leasing import OneWorker, lease
from streams.ownership.batch import Answer, Batch, Send
from streams.ownership.owner import OwnerDeps
from streams.ownership.seats import Seats
from streams.ownership.settings import OwnerSettings
from streams.ownership.stage import Input, Stage

PREFIX: Final = "bench."
IN: Final = "bench.reports"
OUT: Final = "bench.forwarded"
STATE: Final = "bench.seen"
SEATS: Final = "bench.small.seats"
GROUP: Final = "bench.small"


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


def drop_repeats(batch: Batch[Seen]) -> Answer:
    """Forward what was not seen before."""
    seen = batch.memory.ids
    new: dict[bytes, bytes | None] = {}
    sends = []
    for record in batch.records:
        own_id = orjson.loads(record.value or b"")["id"].encode()
        if own_id not in seen and own_id not in new:
            new[own_id] = b"true"
            sends.append(Send(OUT, batch.partition, own_id, record.value))
    return Answer(sends=sends, state=new, take=lambda: seen.update(new))


async def agent(batches: AsyncIterable[Batch[Seen]]) -> None:
    """The stage's agent."""
    async for batch in batches:
        batch.settle(drop_repeats)


def main(bootstrap: str, folder: Path) -> None:
    """Run until SIGTERM."""
    logging.basicConfig(level=logging.WARNING)
    asyncio.set_event_loop(asyncio.new_event_loop())
    settings = OwnerSettings(bootstrap=bootstrap, prefix=PREFIX)
    stage = Stage(name="small", group=GROUP, inputs=lambda partition: [Input(IN, partition)], memory=Seen, state=STATE)
    leased = lease("small", settings, folder)
    seats = Seats(stage, OwnerDeps(settings=settings, ask=leased.batches("small", agent)))
    leased.seat("small", seats)
    OneWorker([(leased, seats)]).execute_from_commandline()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
