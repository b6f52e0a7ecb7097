"""Waiting until what was sent is settled, in ClickHouse."""

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Final

from agents.feeding.ports import Progress, Settled
from agents.feeding.sending import Range

EVERY_S: Final = 0.5
WONDER_AFTER_S: Final = 30.0


async def wait_settled(ranges: Sequence[Range], ledger: Settled, progress: Progress, every_s: float = EVERY_S) -> int:
    """Return, with their number, when all records of `ranges` are settled or dead letters. Waits as long as it takes.

    Other records of a live topic that fell between ours are waited for too: they are settled in the same order.
    """
    total = sum(len(one) for one in ranges)
    progress.begin("settled", total)
    moved, before = monotonic(), -1
    while True:
        done = sum([await ledger.settled(one.topic, one.partition, one.first, one.last) for one in ranges])
        progress.reach(done)
        if done >= total:
            return total
        if done > before:
            moved, before = monotonic(), done
        elif monotonic() - moved > WONDER_AFTER_S:
            progress.say(f"nothing was settled for {WONDER_AFTER_S:.0f} s: is `lianqin up` still running?")
            moved = monotonic()
        await asyncio.sleep(every_s)
