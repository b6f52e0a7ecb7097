"""Waiting until what was sent is settled, in ClickHouse, or waits at the desk itself."""

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Final

from agents.feeding.ports import Progress, Settled
from agents.feeding.sending import Range

EVERY_S: Final = 0.5
LOOK_AFTER_S: Final = 2.0
"""So long is nothing settled before the desk is asked what it holds: its answer may be as long as its memory."""
WONDER_AFTER_S: Final = 30.0


async def wait_settled(ranges: Sequence[Range], ledger: Settled, progress: Progress, every_s: float = EVERY_S) -> int:
    """Return when all records of `ranges` are settled, dead letters, or held by the desk until their reports come.

    Returns how many are held: that may last for days, and on the log clock until later records carry time on. For all
    else it waits as long as it takes. Other records of a live topic that fell between ours are waited for too: they
    are settled in the same order.
    """
    total = sum(len(one) for one in ranges)
    progress.begin("settled", total)
    quiet = _Quiet(progress)
    while True:
        done = sum([await ledger.settled(one.topic, one.partition, one.first, one.last) for one in ranges])
        progress.reach(done)
        if done >= total:
            return 0
        # In this order: what is settled between the two questions is in neither answer, and we look again.
        if quiet.for_s(done) >= LOOK_AFTER_S and done + (held := await _held(ranges, ledger)) >= total:
            progress.say(_told(held))
            return held
        quiet.wonder()
        await asyncio.sleep(every_s)


class _Quiet:
    """How long nothing was settled, and saying so now and then."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._moved = self._said = monotonic()
        self._done = -1

    def for_s(self, done: int) -> float:
        """Seconds since `done` last grew."""
        if done > self._done:
            self._moved = self._said = monotonic()
            self._done = done
        return monotonic() - self._moved

    def wonder(self) -> None:
        """Say that nothing moves, where that was not said just now."""
        if monotonic() - self._said > WONDER_AFTER_S:
            self._progress.say(f"nothing was settled for {WONDER_AFTER_S:.0f} s: is `lianqin up` still running?")
            self._said = monotonic()


async def _held(ranges: Sequence[Range], ledger: Settled) -> int:
    return sum(any(origin in one for one in ranges) for origin in await ledger.waiting())


def _told(held: int) -> str:
    return (
        f"{held:,} of these records wait for their reports: feedback about a report that has not come is held as long "
        "as the rules say (`wait` in the district's pack), and refused then"
    )
