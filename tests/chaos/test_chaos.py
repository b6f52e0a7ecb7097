"""The short form: workers struck singly and all at once while 15,000 reports flow. `make chaos` runs the long one."""

from pathlib import Path

import pytest

from tests.chaos.faults import Wanted
from tests.chaos.run import Asked, Ran, run

pytestmark = [pytest.mark.chaos, pytest.mark.connected, pytest.mark.timeout(600)]


def check(ran: Ran) -> None:
    told = [*ran.verdict.findings.named, *ran.uncaught, *ran.refused]
    assert ran.ok, f"{ran.line}\n" + "\n".join(told)


def test_nothing_is_lost_and_nothing_comes_twice(tmp_path: Path) -> None:
    wanted = Wanted(kills=3, terms=1, freezes=1, together=1)
    check(run(Asked(seed=3, records=15_000, wanted=wanted), tmp_path / "data", print))
