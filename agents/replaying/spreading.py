"""Partitions over processes: they share nothing, so each process takes the next one that is left."""

import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import count
from typing import Any, Final, TypeVar

from agents.feeding.ports import Progress
from agents.garbage import look

T = TypeVar("T")
Count = Callable[[], None]
"""Called once a record, whoever works."""
Work = Callable[[int, Count], T]
"""What is done with a partition; it is sent to another process."""

_EVERY: Final = 250
_LOOK_EVERY: Final = 20_000
_TOLD_EVERY_S: Final = 0.2
_STOP: Final = -(1 << 62)


class _Stopped(BaseException):
    """The one who asked does not want it any more."""


class _Counter:
    """Counts records, and tells the others now and then."""

    def __init__(self, shared: Any) -> None:
        self._shared = shared
        self._own = 0

    def __call__(self) -> None:
        self._own += 1
        if self._own % _EVERY:
            return
        with self._shared.get_lock():
            self._shared.value += _EVERY
        if self._shared.value < 0:
            raise _Stopped
        if self._own % _LOOK_EVERY == 0:
            look()


class _Here:
    """What a process of the pool holds."""

    counter: Any = None


def processes() -> int:
    """How many processes this machine can keep busy."""
    return len(os.sched_getaffinity(0))


def spread(work: Work[T], sizes: Mapping[int, int], most: int, bar: Progress) -> dict[int, T]:
    """The work on each partition (by how large it is), in at most so many processes; whatever it raises is raised."""
    total = sum(sizes.values())
    bar.begin("records", total)
    order = sorted(sizes, key=lambda partition: (-sizes[partition], partition))
    if min(most, len(order)) <= 1:
        return _here(work, order, bar)
    context = multiprocessing.get_context("spawn")  # what this process holds open is none of theirs
    shared = context.Value("q", 0)
    pool = ProcessPoolExecutor(min(most, len(order)), context, _begin, (shared,))
    try:
        futures = {pool.submit(_do, work, partition): partition for partition in order}
        _watch(list(futures), lambda: bar.reach(min(shared.value, total)))
        return {partition: future.result() for future, partition in futures.items()}
    except BaseException:
        shared.value = _STOP
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _here(work: Work[T], order: Sequence[int], bar: Progress) -> dict[int, T]:
    """One after the other, in this process."""
    done = count(1)

    def counted() -> None:
        number = next(done)
        if number % _EVERY == 0:
            bar.reach(number)

    return {partition: work(partition, counted) for partition in order}


def _watch(futures: Sequence[Future[T]], told: Callable[[], None]) -> None:
    """Return when all are done, or one has failed."""
    left = set(futures)
    while left:
        done, left = wait(left, _TOLD_EVERY_S, FIRST_COMPLETED)
        told()
        for one in done:
            one.result()


def _begin(shared: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who asked says when to stop
    gc.disable()
    look()
    _Here.counter = _Counter(shared)


def _do(work: Work[T], partition: int) -> T:
    try:
        return work(partition, _Here.counter)
    except _Stopped as stopped:
        raise InterruptedError from stopped
