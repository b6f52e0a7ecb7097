"""The garbage collector of a worker: what a stage remembers is no garbage, and must not be looked through for it.

Left alone the collector took a quarter of the desk's time, and with a million tickets it would stop the worker for
seconds. Only what was made lately is looked through; what is remembered goes free by its reference counts alone.
"""

import asyncio
import gc
from typing import Final

MADE: Final = 100_000
"""New containers after which the young ones are looked through."""
YOUNG: Final = 5
OLD: Final = 1_000
EVERY_S: Final = 60.0


def collect_seldom() -> None:
    """Let the collector wait for more; called once, before the event loop runs."""
    gc.set_threshold(MADE, YOUNG, OLD)


async def keep_off() -> None:
    """Until cancelled: now and then put whatever is alive out of the collector's reach."""
    while True:
        await asyncio.sleep(EVERY_S)
        # First what is garbage already: out of reach it would stay for ever.
        gc.collect(1)
        gc.freeze()
