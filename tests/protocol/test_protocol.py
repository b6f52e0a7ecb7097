"""Ten thousand schedules with nothing wrong, the same seed twice the same, and each old mistake found."""

import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.protocol.faults import FAULTS, SABOTAGES
from tests.protocol.old_bugs import OLD_BUGS
from tests.protocol.run import main
from tests.protocol.schedule import Outcome, play

SCHEDULES = 10_000
FIND_WITHIN = 300
"""Schedules; each old mistake shows in one of fifty at least."""


@pytest.mark.timeout(900)
def test_nothing_goes_wrong_in_ten_thousand_schedules() -> None:
    felt: Counter[str] = Counter()
    for seed in range(SCHEDULES):
        outcome = play(seed)
        assert not outcome.wrong, _replay(outcome)
        felt.update(outcome.felt)
    # A fault that never strikes would prove nothing.
    assert {f"fault: {fault.__name__}" for fault in FAULTS} <= felt.keys()
    assert {f"sabotage: {sabotage.__name__}" for sabotage in SABOTAGES} <= felt.keys()
    refused = {f"refused: {reason}" for reason in ("another-log", "damaged", "hidden", "offset", "range")}
    assert {"owner fenced", "transaction timed out", "process ended: failed", *refused} <= felt.keys()


def test_what_an_owner_saw_before_the_calm_it_may_say_in_it() -> None:
    assert not play(2_018_191).wrong


def _replay(outcome: Outcome) -> str:
    return f"{outcome.wrong[0]}\nreplay: python -m tests.protocol.run --seed {outcome.seed} --trace"


@pytest.mark.parametrize("name", OLD_BUGS)
def test_an_old_mistake_is_found(name: str) -> None:
    with OLD_BUGS[name]():
        assert any(play(seed).wrong for seed in range(FIND_WITHIN))


def test_the_same_seed_gives_the_same_trace_in_another_process_too() -> None:
    for seed in (3, 747):
        here = play(seed, traced=True)
        assert here == play(seed, traced=True)
        command = [sys.executable, "-m", "tests.protocol.run", "--seed", str(seed), "--trace"]
        # Whatever hangs on the order of a set would show.
        there = subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=True
        )
        assert there.stdout.splitlines()[:-1] == list(here.trace)
        assert len(here.trace) > 100


def test_a_seed_that_goes_wrong_is_named_with_its_replay(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "0", "--schedules", "2", "--bug", "memory-before-commit"]) == 1
    said = capsys.readouterr().out
    assert "-m tests.protocol.run --seed 0 --trace --bug memory-before-commit" in said
    assert "2 schedules in" in said
    assert main(["--seed", "0", "--trace", "--bug", "memory-before-commit"]) == 1
    assert "which is not committed" in capsys.readouterr().out
    assert main(["--seed", "0", "--schedules", "2"]) == 0
