"""The simulator: `python -m tests.protocol.run --seed 1 --schedules 1000000` plays one schedule a seed.

A seed that goes wrong is named with the command that replays it: `--trace` prints what happened, line by line, and the
same seed gives the same lines. The table at the end says how often each thing happened.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import chain
from multiprocessing import get_context
from typing import Final

from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from tests.protocol.old_bugs import OLD_BUGS
from tests.protocol.schedule import Outcome, play

_AT_ONCE: Final = 200
_SHOWN: Final = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Play as asked; 0 where nothing was wrong."""
    asked = _asked(arguments)
    with OLD_BUGS[asked.bug]() if asked.bug else nullcontext():
        if asked.trace:
            return _show(play(asked.seed, traced=True))
        return _many(asked)


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.protocol.run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m tests.protocol.run --seed 7 --schedules 10000",
    )
    parser.add_argument("--seed", type=_seed, default=1, help="the first seed; empty: chosen by chance (default 1)")
    parser.add_argument("--schedules", type=int, default=10_000, help="how many seeds from there (default 10,000)")
    parser.add_argument("--jobs", type=int, default=1, help="processes that share them (default 1)")
    parser.add_argument("--trace", action="store_true", help="play the first seed alone and print what happens")
    parser.add_argument("--bug", choices=OLD_BUGS, help="put an old mistake back, to see it found")
    return parser.parse_args(arguments)


def _seed(text: str) -> int:
    return int(text) if text else random.SystemRandom().randrange(10**12)


def _show(outcome: Outcome) -> int:
    _say(*outcome.trace)
    _say(f"seed {outcome.seed}: {'; '.join(outcome.wrong) or 'all well'}")
    return 1 if outcome.wrong else 0


def _many(asked: argparse.Namespace) -> int:
    began, felt, red, played = time.monotonic(), Counter[str](), 0, 0
    _say(f"seeds {asked.seed} to {asked.seed + asked.schedules - 1}")
    with Progress(
        *Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn(), transient=True
    ) as bar:
        doing = bar.add_task("schedules", total=asked.schedules)
        for outcome in _outcomes(asked):
            played += 1
            felt.update(outcome.felt)
            bar.update(doing, advance=1)
            if outcome.wrong:
                red += 1
                _tell(outcome, asked.bug) if red <= _SHOWN else None
    _say(*(f"{times:>12,}  {what}" for what, times in sorted(felt.items())))
    _say(f"{played:,} schedules in {time.monotonic() - began:.0f} s, {red:,} went wrong")
    return 1 if red else 0


def _tell(outcome: Outcome, bug: str | None) -> None:
    _say(f"seed {outcome.seed} went wrong:", *(f"  {what}" for what in outcome.wrong[:3]))
    put_back = f" --bug {bug}" if bug else ""
    _say(f"  replay: {sys.executable} -m tests.protocol.run --seed {outcome.seed} --trace{put_back}")


def _outcomes(asked: argparse.Namespace) -> Iterator[Outcome]:
    seeds = range(asked.seed, asked.seed + asked.schedules)
    if asked.jobs == 1:
        yield from map(play, seeds)
        return
    parts = [seeds[first : first + _AT_ONCE] for first in range(0, len(seeds), _AT_ONCE)]
    # Forked, so that an old bug that was put back is there too.
    with get_context("fork").Pool(asked.jobs) as pool:
        yield from chain.from_iterable(pool.imap(_part, parts))


def _part(seeds: Sequence[int]) -> list[Outcome]:
    return [play(seed) for seed in seeds]


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
