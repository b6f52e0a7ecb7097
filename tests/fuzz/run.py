"""Hostile input by the million: `python -m tests.fuzz.run --inputs 1000000 --seed 1`; also `make fuzz`.

Real records made bad go through intake, desk, views and the ledger's rows; commands through the desk; examples through
each contract's reader; packs, mappings and files through whoever reads those. What fails is made small and written to
build/fuzz/, with the command that tries it again. Exit code 1 where anything failed.
"""

import argparse
import hashlib
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tests.fuzz import cases
from tests.fuzz.cases import Case

INTO: Final = Path(__file__).resolve().parents[2] / "build/fuzz"
OTHERS: Final = (cases.DESK_LOG, cases.BODY, cases.HEADERS, cases.MAPPING, cases.FED, cases.PACK)
FAILURES_MOST: Final = 20


@dataclass(slots=True)
class Round:
    """What one round came to."""

    inputs: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    commands: int = 0
    failed: list[tuple[str, bytes]] = field(default_factory=list)
    """What was raised, and the case that raises it."""


def played(seed: int, number: int) -> Round:
    """One round: a chain, and a case of each other kind; the same numbers give the same round."""
    random, made = Random(f"{seed}/{number}"), Round()
    case, play = cases.play_chain(random)
    try:
        chain = play()
    except Exception as error:  # noqa: BLE001 - whatever is raised is what is looked for
        made.failed.append((_said(error), _small(case).dump()))
    else:
        made.rejects, made.commands = chain.told.rejects, chain.told.commands
    made.inputs[case.kind] += case.inputs
    for kind in OTHERS:
        # Packs are read a hundred times as slowly as records.
        if kind == cases.PACK and number % 4:
            continue
        other = cases.made(random, kind)
        made.inputs[kind] += other.inputs
        if said := failure(other):
            made.failed.append((said, _small(other).dump()))
    return made


def failure(case: Case) -> str:
    """What a case raises; empty where it raises nothing."""
    try:
        cases.check(case)
    except Exception as error:  # noqa: BLE001 - whatever is raised is what is looked for
        return _said(error)
    return ""


def _said(error: Exception) -> str:
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    where = f" at {Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}" if at is not None else ""
    return f"{type(error).__name__}: {str(error)[:200]}{where}"


def _small(case: Case) -> Case:
    """The case made small, as long as it fails in the same class of way."""
    kind = failure(case).partition(":")[0]
    return cases.smaller(case, lambda other: failure(other).partition(":")[0] == kind) if kind else case


@dataclass(slots=True)
class Account:
    """What all rounds came to."""

    whole: Round = field(default_factory=Round)
    files: list[Path] = field(default_factory=list)

    def add(self, made: Round, into: Path) -> None:
        """One more round; what failed is written down."""
        self.whole.inputs += made.inputs
        self.whole.rejects += made.rejects
        self.whole.commands += made.commands
        for said, dumped in made.failed:
            self.whole.failed.append((said, dumped))
            into.mkdir(parents=True, exist_ok=True)
            file = into / f"failure-{hashlib.sha256(dumped).hexdigest()[:12]}.json"
            file.write_bytes(dumped)
            self.files.append(file)


def run(seed: int, inputs: int, jobs: int, into: Path, progress: Progress | None = None) -> Account:
    """Rounds until so many inputs were tried, or too much failed."""
    account = Account()
    task = progress.add_task("fuzzed", total=inputs) if progress is not None else None
    for made in _rounds(seed, inputs, jobs):
        account.add(made, into)
        if progress is not None and task is not None:
            progress.update(task, completed=min(inputs, account.whole.inputs.total()))
        if len(account.files) >= FAILURES_MOST:
            break
    return account


def _rounds(seed: int, inputs: int, jobs: int) -> Iterator[Round]:
    if jobs == 1:
        done = number = 0
        while done < inputs:
            made = played(seed, number)
            done, number = done + made.inputs.total(), number + 1
            yield made
        return
    yield from _rounds_in_processes(seed, inputs, jobs)


def _rounds_in_processes(seed: int, inputs: int, jobs: int) -> Iterator[Round]:
    done = number = 0
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        running: set[Future[Round]] = set()
        while done < inputs or running:
            while done < inputs and len(running) < 2 * jobs:
                running.add(pool.submit(played, seed, number))
                number += 1
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                done += future.result().inputs.total()
                yield future.result()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as asked; 0 where nothing failed."""
    asked = _asked(arguments)
    if asked.replay is not None:
        said = failure(cases.load(asked.replay.read_bytes()))
        _say(f"fails: {said}" if said else "does not fail")
        return int(bool(said))
    began = time.monotonic()
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        account = run(asked.seed, asked.inputs, asked.jobs, asked.into, progress)
    _tell(account, asked.seed, time.monotonic() - began)
    return int(bool(account.files))


def _tell(account: Account, seed: int, took_s: float) -> None:
    whole, console = account.whole, Console(width=None if sys.stdout.isatty() else 120)
    table = Table("dead letters by reason", "", box=None)
    for reason, count in whole.rejects.most_common():
        table.add_row(reason, f"{count:,}")
    console.print(table)
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in whole.inputs.most_common())
    console.print(f"inputs: {kinds}", highlight=False)
    for (said, _), file in zip(whole.failed, account.files, strict=True):
        console.print(
            f"{said}\n  again: .venv/bin/python -m tests.fuzz.run --replay {file}", markup=False, soft_wrap=True
        )
    total = whole.inputs.total()
    console.print(
        f"fuzz seed={seed}: {total:,} inputs, {whole.commands:,} commands, {whole.rejects.total():,} dead letters, "
        f"{len(account.files)} failures; {took_s:.0f} s, {total / max(took_s, 0.001):,.0f} inputs/s",
        highlight=False,
        soft_wrap=True,
    )


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="how many, about")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--into", type=Path, default=INTO, help="where failing cases go")
    parser.add_argument("--replay", type=Path, help="try the case in this file again, and nothing else")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command's output


if __name__ == "__main__":
    sys.exit(main())
