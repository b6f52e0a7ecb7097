"""The comparison itself, tiny: lianqin and Faust on a real broker. What else there is, `make bench-peers` fetches."""

from dataclasses import replace

import pytest
from rich.console import Console

from tests.bench.peers import entrants
from tests.bench.peers.delay import Pace
from tests.bench.peers.run import Plan, measured


@pytest.mark.connected
def test_lianqin_and_faust_do_the_job_and_are_measured() -> None:
    compared = entrants.LIANQIN, entrants.FAUST
    plan = Plan(
        entrants=[replace(one, throughput={"1 worker": one.throughput["1 worker"]}) for one in compared],
        scale=0.001,
        rounds=1,
        paces=[Pace(per_second=100, warm_s=1, measured_s=1)],
    )
    lianqin, faust = measured(Console(quiet=True), plan)
    for one in (lianqin, faust):
        assert one.best.measured.rate.count > 1_000, one.name
        assert one.best.measured.peak_mb > 10, one.name
        assert one.delays.keys() == {100}, one.name
        assert all(0 < found.p50_ms <= found.p99_ms for found in one.delays.values()), one.name
