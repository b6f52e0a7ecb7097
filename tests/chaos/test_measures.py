"""What the run measures: pauses that mean something, and slopes within lives."""

import pytest

from tests.chaos.growth import LEAST_POINTS, Line
from tests.chaos.run import SOAK_AWAY_S, asked_for
from tests.chaos.silence import Pause, Pauses, stood_at


@pytest.mark.parametrize(
    ("since", "stood_since", "stood_until", "expected"),
    [
        (100.0, None, None, False),
        (100.0, 105.0, 110.0, False),  # struck while records flowed; the gate closed later
        (104.5, 105.0, 110.0, True),  # the last that was sent before the gate closed
        (107.0, 105.0, None, True),
        (111.0, 105.0, 110.0, False),  # records flow again
    ],
)
def test_a_pause_counts_only_where_records_flowed(
    since: float, stood_since: float | None, stood_until: float | None, expected: bool
) -> None:
    assert stood_at(since, 120.0, stood_since, stood_until) is expected


def test_the_longest_pause_of_each_partition_is_told_with_its_fault() -> None:
    pauses = Pauses([Pause(0, 2.0, "kill desk at 10 records"), Pause(0, 7.0, "freeze all at 20 records")])
    assert list(pauses.lines()) == ["longest silence of partition 0: 7.0 s, after freeze all at 20 records"]
    assert (pauses.worst("kill"), pauses.worst("freeze"), pauses.worst("term")) == (2.0, 7.0, None)


def test_a_slope_is_that_within_the_lives() -> None:
    line = Line()
    for life, begun in enumerate((0.0, 1000.0)):
        for number in range(2 * LEAST_POINTS):
            # Both begin at 100 and gain 0.01 a second; the first ten points are warming up.
            line.add(life, begun + 10.0 * number, 500.0 if number < LEAST_POINTS else 100.0 + 0.1 * number)
    assert line.per_hour(warm_after_s=10.0 * LEAST_POINTS) == pytest.approx(36.0)


def test_a_short_life_has_no_slope() -> None:
    line = Line()
    for number in range(LEAST_POINTS):
        line.add(1, 5.0 * number, float(number))
    assert line.per_hour() is None
    assert line.last == LEAST_POINTS - 1


def test_a_run_of_hours_has_as_many_faults_as_fit_in() -> None:
    asked, _ = asked_for(["--hours", "2", "--brokers", "3", "--clickhouse"])
    assert (asked.fault_every_s, asked.records, asked.brokers) == (300.0, 2 * 3600 * 100 * 0.8, 3)
    assert 20 <= asked.wanted.total <= 28
    assert (asked.wanted.on_brokers, asked.wanted.on_clickhouse, asked.wanted.away_s) == (2, 3, SOAK_AWAY_S)
    minutes, _ = asked_for(["--minutes", "10"])
    assert 56 <= minutes.wanted.total <= 64
    assert (minutes.wanted.on_brokers, minutes.wanted.on_clickhouse) == (0, 0)
