"""The short forms: workers struck singly and all at once; brokers and ClickHouse struck. `make chaos` runs longer."""

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
    check(run(Asked(seed=3, records=8_000, wanted=wanted, fault_every_s=6.0), tmp_path / "data", print))


def test_nor_with_brokers_killed_and_clickhouse_failing(tmp_path: Path) -> None:
    wanted = Wanted(on_brokers=3, on_clickhouse=4, away_s=3.0)
    asked = Asked(seed=5, records=2_000, wanted=wanted, fault_every_s=5.0, brokers=3, clickhouse=True, meddle=True)
    check(run(asked, tmp_path / "data", print))
