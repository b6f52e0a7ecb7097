"""Fold the desk's state as a worker's owners open it: `python -m tests.bench.million.fold BOOTSTRAP PARTITION...`.

Prints one JSON object: seconds, CPU seconds, tickets, and the resident memory that came to the process meanwhile.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import uvloop

from agents.garbage import keep_off
from schemas.topics import DESK, DESK_STATE
from streams.desk.memory import DeskMemory
from streams.ownership.opener import Opener
from streams.ownership.settings import OwnerSettings
from streams.ownership.stage import Input, Stage

PREFIX: Final = "lianqin."
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def resident() -> int:
    """Bytes of this process that lie in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


async def fold(bootstrap: str, partitions: Sequence[int]) -> dict[str, float]:
    """Open all of them at once, as a worker does that is given them."""
    stage = Stage(
        name="desk",
        group=PREFIX + "desk",
        inputs=lambda partition: [Input(PREFIX + DESK, partition)],
        memory=DeskMemory,
        state=PREFIX + DESK_STATE,
    )
    settings = OwnerSettings(bootstrap=bootstrap, prefix=PREFIX)
    memories = {partition: DeskMemory() for partition in partitions}
    garbage = asyncio.create_task(keep_off())
    before, used, began = resident(), time.process_time(), time.monotonic()
    await asyncio.gather(*(Opener(stage, one, settings).open(memory) for one, memory in memories.items()))
    for memory in memories.values():
        memory.next_due()  # as the worker's ticker asks at once: what comes first is reckoned by then
    seconds, used = time.monotonic() - began, time.process_time() - used
    garbage.cancel()
    return {
        "seconds": seconds,
        "cpu_seconds": used,
        "tickets": sum(len(memory.tickets) for memory in memories.values()),
        "resident_bytes": resident() - before,
    }


def main() -> None:
    """Fold, and print."""
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    sys.stdout.write(json.dumps(asyncio.run(fold(sys.argv[1], [int(number) for number in sys.argv[2:]]))) + "\n")


if __name__ == "__main__":
    main()
