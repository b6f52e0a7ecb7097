"""The arithmetic of the comparison, and the shape of its document."""

import json
from math import inf
from pathlib import Path

import pytest

from tests.bench import memory, paced
from tests.bench.peers import plot
from tests.bench.peers.delay import Pace
from tests.bench.peers.figures import Figures, Paced, Run, document, ratio
from tests.bench.rate import Rate
from tests.bench.small import Measured


def _run(setup: str, per_second: float, program: float, peak_mb: float) -> Run:
    rate = Rate(1_000, 1.0, per_second, {"a program": program, "broker": 3.0}, 1.0)
    return Run(setup, Measured(rate, peak_mb))


@pytest.fixture
def two() -> list[Figures]:
    ours = Figures("lianqin", "lianqin", [_run("a", 100.0, 5.0, 80.0), _run("a", 120.0, 4.5, 90.0)])
    ours.paced = [Paced("q", {100: paced.Delay(10, 100, 8.0, 16.0), 1_000: paced.Delay(10, 1_000, 20.0, 40.0)})]
    other = Figures("faust", "Faust", [_run("b", 30.0, 50.0, 60.0), _run("c", 20.0, 70.0, 50.0)])
    other.paced = [
        Paced("r", {100: paced.Delay(10, 100, 4.0, 6.0), 1_000: paced.Delay(10, 1_000, 7.0, 9.0)}),
        Paced("s", {100: paced.Delay(10, 100, 5.0, 5.0), 1_000: paced.Delay(10, 1_000, 5.0, 9.5)}),
    ]
    return [ours, other]


def test_the_document_has_the_shape_that_others_read(two: list[Figures]) -> None:
    read = json.loads(json.dumps(document(two, {"machine": {"cores": 2}, "date": "2026-11-26T00:00:00+00:00"})))
    assert read["throughput"] == {
        "lianqin": {"per_second": 120.0, "cpu_seconds_per_million": 4.5, "peak_mb": 90.0},
        "faust": {"per_second": 30.0, "cpu_seconds_per_million": 50.0, "peak_mb": 60.0},
    }
    assert read["delay"] == {"lianqin": {"p50_ms": 8.0, "p99_ms": 16.0}, "faust": {"p50_ms": 4.0, "p99_ms": 6.0}}
    assert read["machine"] == {"cores": 2}
    assert read["date"] == "2026-11-26T00:00:00+00:00"
    assert read["broker_cpu_seconds_per_million"] == {"lianqin": 3.0, "faust": 3.0}
    assert read["setup"] == {"lianqin": "a", "faust": "b"}
    assert [run["setup"] for run in read["runs"]["faust"]] == ["b", "c"]
    assert read["delays"]["lianqin"]["1000"]["p99_ms"] == 40.0
    assert read["delays"]["faust"]["1000"]["p50_ms"] == 5.0
    assert [run["setup"] for run in read["paced"]["faust"]] == ["r", "s"]


def test_the_plot_is_a_picture(two: list[Figures], tmp_path: Path) -> None:
    plot.draw(two, tmp_path / "peers.png")
    assert (tmp_path / "peers.png").read_bytes().startswith(b"\x89PNG")


def test_a_ratio_says_how_many_times_ours() -> None:
    assert ratio(30.0, 120.0) == 0.25
    assert ratio(1.0, 0.0) == inf


def test_the_delay_counts_what_was_both_appended_and_seen() -> None:
    appended = {str(number): 100.0 for number in range(100)} | {"dropped": 100.0}
    seen = {str(number): 100.0 + (number + 1) / 1000 for number in range(100)} | {"another": 100.0}
    found = paced.delay(appended, seen, per_second=50)
    assert (found.count, found.per_second) == (100, 50)
    assert found.p50_ms == pytest.approx(50.5, abs=0.1)
    assert found.p99_ms == pytest.approx(99.99, abs=0.1)


def test_a_pace_is_scaled_in_time_and_not_in_rate() -> None:
    pace = Pace(per_second=100, warm_s=10, measured_s=20)
    assert (pace.warm, pace.records) == (1_000, 3_000)
    half = pace.times(0.5)
    assert (half.per_second, half.warm, half.records) == (100, 500, 1_500)
    assert pace.times(0.001).records == 200


def test_the_peak_is_read_in_megabytes() -> None:
    assert memory.peak_in("VmPeak:\t  999999 kB\nVmHWM:\t  125000 kB\nVmRSS:\t  100 kB\n") == 128.0
    assert memory.peak_in("Name:\tjava\nState:\tZ (zombie)\n") == 0.0
