"""The short form: three kills and a freeze while 15,000 reports flow. `make chaos` runs the long one."""

from pathlib import Path

import pytest

from tests.chaos.faults import Wanted
from tests.chaos.run import Asked, run


@pytest.mark.chaos
@pytest.mark.connected
@pytest.mark.timeout(400)
def test_nothing_is_lost_and_nothing_comes_twice(tmp_path: Path) -> None:
    ran = run(Asked(seed=3, records=15_000, wanted=Wanted(kills=3, freezes=1)), tmp_path / "data", print)
    assert ran.ok, f"{ran.line}\n" + "\n".join(ran.verdict.findings.named)
