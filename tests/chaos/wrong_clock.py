"""`lianqin` on a host whose clock jumps: `python -m tests.chaos.wrong_clock worker …`.

Every few seconds the wall clock stands elsewhere, hours ahead or years behind; the steady clock goes on. What the
product asks of the wall clock, and what its clients ask, gets that answer.
"""

import time
from itertools import pairwise
from typing import Final

HOUR_S: Final = 3600
YEAR_S: Final = 365 * 24 * HOUR_S
OFFSETS_S: Final = (0, 3 * HOUR_S, -2 * HOUR_S, -20 * YEAR_S, 40, 2 * YEAR_S, -40)
EVERY_S: Final = 7.0

_right = time.time


def jumping() -> float:
    """The wrong time, seconds since the epoch."""
    return _right() + OFFSETS_S[int(time.monotonic() / EVERY_S) % len(OFFSETS_S)]


if __name__ == "__main__":
    assert all(before != after for before, after in pairwise(OFFSETS_S))
    time.time = jumping
    # After the clock is wrong: a module may take the function with it when it is imported.
    from agents.cli.main import main

    main()
