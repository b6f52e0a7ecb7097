"""An event loop without a clock: when nothing is ready, time jumps to the next timer. It is the same on every run.

Callbacks keep asyncio's order, as they do in a real process; what a seed decides is how long each request is under way,
and by that everything that can differ between processes.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

T = TypeVar("T")

BEGIN_S: Final = 1_000_000.0
"""What both clocks say when a schedule begins."""


class NothingLeft(Exception):
    """Everybody waits, and nothing will ever happen."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Never sleeps and knows no sockets."""

    def __init__(self) -> None:
        super().__init__()
        self._now = BEGIN_S
        self._selector = self
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Virtual seconds."""
        return self._now

    def select(self, timeout_s: float | None) -> Sequence[object]:
        """Stand in for the selector: what would be slept is added to the time."""
        if timeout_s is None:
            raise NothingLeft
        self._now += timeout_s
        return ()

    def _process_events(self, event_list: Sequence[object]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody calls from another thread."""


@contextmanager
def _clock(now: Callable[[], float]) -> Iterator[None]:
    real = time.monotonic, time.time
    time.monotonic = time.time = now
    try:
        yield
    finally:
        time.monotonic, time.time = real


def run_virtually(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run to the end on a loop of its own, with `time.monotonic` and `time.time` bound to it."""
    loop = VirtualLoop()
    with _clock(loop.time):
        try:
            result = loop.run_until_complete(main())
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()
    return result
