"""The garbage collector of a worker: what a stage remembers is no garbage, and must not be looked through for it.

Left alone the collector took a quarter of the desk's time, and with a million tickets it would stop the worker for
seconds. Here it looks only at what was made since it last looked, and never again at what it found alive: memory goes
free by reference counts. Circles that die later stay; under full load there were none but those of the start.
"""

import asyncio
import gc
import time
from typing import Final

OFTEN_S: Final = 0.2
SELDOM_S: Final = 3.0
SHARE: Final = 0.02
"""So much of a worker's time may it take."""


async def keep_off() -> None:
    """Collect only here, until cancelled."""
    gc.disable()
    pause = OFTEN_S
    try:
        while True:
            await asyncio.sleep(pause)
            began = time.perf_counter()
            look()
            pause = pause_after(time.perf_counter() - began)
    finally:
        gc.enable()


def pause_after(took_s: float) -> float:
    """Seconds until the next look. Nothing else is done meanwhile, so they are to be short and come often.

    At 1,000 reports a second a look every 3 s took up to 89 ms, and now takes 1 to 10. Under full load what is in
    flight is looked at each time, though most of it dies by itself: every half second that took 8 % of a worker.
    """
    return min(SELDOM_S, max(OFTEN_S, took_s / SHARE))


def look() -> None:
    """Collect what was made since the last look, and leave alone for good what is alive."""
    gc.collect(0)
    gc.freeze()
