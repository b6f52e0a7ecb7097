"""Mutation of the desk: `python -m tests.mutation.run --seed 1 --sample 250`; prints what survived, and a table.

A seeded sample of all mutants of `streams/desk`, one after the other: first the quick tests that come by its line, and
only what survives those meets the logs of chance. Exit code 1 where fewer than `--least` per cent were found out.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import agents.local.broker  # noqa: F401 - what all tests need is imported once, before the processes part
import schemas.codec
import schemas.events
import schemas.policy
import schemas.state  # noqa: F401
from tests.mutation.mutants import Mutant, mutants_of, sampled
from tests.mutation.trial import CIRCLES, SURVIVED, Reach, measured, tried

PACKAGE: Final = Path("streams/desk")
NAMES: Final = (
    "stories", "life", "limits", "duplicates", "routing", "diversion", "figures", "parts", "lifecycle", "working_time",
    "agent",
)  # fmt: skip
QUICK: Final = tuple(f"tests/desk/test_{name}.py" for name in NAMES)
LOGS: Final = tuple(f"tests/desk/test_machine.py::test_logs_of_chance_are_the_models[{first}]" for first in (0, 25))
LOGS_LIMIT_S: Final = 600


@dataclass(slots=True)
class Account:
    """What became of all mutants."""

    fates: dict[Mutant, str] = field(default_factory=dict)
    by_logs: int = 0

    def table(self) -> str:
        """By kind and by module: found out, of how many."""
        rows = ["", f"{'':<24}{'tried':>8}{'killed':>8}{'left':>8}"]
        for group in ("kind", "module"):
            tried_, left = Counter[str](), Counter[str]()
            for mutant, fate in self.fates.items():
                tried_[getattr(mutant, group)] += 1
                left[getattr(mutant, group)] += fate == SURVIVED
            rows += [
                f"{name:<24}{tried_[name]:>8}{tried_[name] - left[name]:>8}{left[name]:>8}" for name in sorted(tried_)
            ]
            rows.append("")
        return "\n".join(rows)

    def killed(self) -> int:
        """How many were found out, circles included."""
        return sum(fate != SURVIVED for fate in self.fates.values())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as asked; 0 where enough were found out."""
    asked = _asked(arguments)
    every = [mutant for path in sorted(PACKAGE.glob("*.py")) for mutant in mutants_of(path.name, path.read_bytes())]
    wanted = [one for one in every if not asked.at or {one.module, f"{one.module}:{one.line}"} & set(asked.at)]
    chosen = sampled(wanted, asked.sample, asked.seed)
    began = time.monotonic()
    reach = measured(PACKAGE, asked.tests)
    _say(f"{len(every)} mutants, {len(chosen)} tried, seed {asked.seed}; {len(reach.took)} quick tests")
    nothing = Mutant(module="__init__.py", kind="nothing", line=1, first=1, last=1, start=0, end=0, old="", new="")
    if _meets(nothing, sorted(reach.took))[0] != SURVIVED:
        _say("the tests fail without a mutant")
        return 1
    account = Account()
    for number, mutant in enumerate(chosen, 1):
        account.fates[mutant] = _fate(mutant, reach, account, logs=not asked.quick)
        if account.fates[mutant] == SURVIVED or asked.verbose:
            _say(f"{number}/{len(chosen)} {account.fates[mutant]} {mutant}")
    _say(account.table())
    killed, count = account.killed(), max(len(chosen), 1)
    circles, took = sum(fate == CIRCLES for fate in account.fates.values()), time.monotonic() - began
    _say(
        f"killed {killed} of {len(chosen)} ({100 * killed / count:.1f} %), "
        f"{account.by_logs} only by the logs of chance, {circles} for going in circles; {took:.0f} s"
    )
    return 0 if 100 * killed >= asked.least * len(chosen) else 1


def _fate(mutant: Mutant, reach: Reach, account: Account, *, logs: bool) -> str:
    fate, _ = _meets(mutant, reach.tests(mutant))
    if fate == SURVIVED and logs:
        fate, _ = tried(PACKAGE, "streams.desk", mutant, LOGS, LOGS_LIMIT_S)
        account.by_logs += fate != SURVIVED
    return fate


def _meets(mutant: Mutant, tests: list[str]) -> tuple[str, str]:
    """Where no test comes by, none can find it out."""
    return tried(PACKAGE, "streams.desk", mutant, tests) if tests else (SURVIVED, "")


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation.run", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", type=int, default=250, help="how many mutants")
    parser.add_argument("--least", type=float, default=85.0, help="per cent that must be found out")
    parser.add_argument("--at", nargs="+", default=[], help="only of these: limits.py, or limits.py:54 for one line")
    parser.add_argument("--tests", nargs="+", default=QUICK, help="other quick tests")
    parser.add_argument("--quick", action="store_true", help="without the logs of chance")
    parser.add_argument("--verbose", action="store_true", help="say what became of each mutant")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command's output


if __name__ == "__main__":
    sys.exit(main())
