"""The arithmetic of the delay's figures, and the shape of their document."""

import json
from pathlib import Path

import pytest

from tests.bench import delays
from tests.bench.pace import Pace, count_of, pace


def _pace(per_second: int = 10, seconds: int = 150) -> Pace:
    """Reports at an even pace; one in ten takes 40 ms, the others 8 ms, and in the last minute all take 2 ms more."""
    appended, opened, seen = {}, {}, {}
    for number in range(per_second * seconds):
        at = 1_000.0 + number / per_second
        took = (0.040 if number % 10 == 9 else 0.008) + (0.002 if at >= 1_060.0 else 0.0)
        name = f"report {number}"
        appended[name], opened[name], seen[name] = at, (at + 0.003, at + 0.005), at + took
    return pace(per_second, appended, opened, seen)


def test_a_pace_is_told_as_a_whole_by_minute_and_by_hop() -> None:
    one = _pace()
    assert one.whole.count == 1_500
    assert (one.whole.p50_ms, one.whole.p99_ms) == (10.0, 42.0)
    assert [minute.p50_ms for minute in one.minutes] == [8.0, 10.0]  # half a minute belongs to the one before
    assert [minute.count for minute in one.minutes] == [600, 900]
    assert one.grew_by == pytest.approx(1.25)
    assert [hop.p50_ms for hop in one.hops.values()] == [3.0, 2.0, 5.0]


def test_a_report_that_opened_no_ticket_does_not_count() -> None:
    appended = {"urged": 0.0, "one": 1.0, "two": 2.0}
    one = pace(1, appended, {"one": (1.0, 1.0), "two": (2.0, 2.0)}, {"one": 1.01, "two": 2.01})
    assert (one.sent, one.whole.count) == (3, 2)


def test_each_delay_lies_in_one_bar_of_the_histogram() -> None:
    one = _pace()
    edges, counts = one.histogram()
    assert sum(counts) == one.whole.count
    assert len(edges) == len(counts) + 1
    assert edges == sorted(set(edges))
    assert {low for low, count in zip(edges, counts, strict=False) if count} == {7.94, 10.0, 39.81}


def test_the_warming_up_is_sent_beside_the_minutes() -> None:
    assert count_of(100, 10) == 100 * (5 + 600)


def test_the_document_has_the_slow_pace_at_its_top_and_the_plot_is_drawn(tmp_path: Path) -> None:
    slow, fast = _pace(), _pace(per_second=100)
    written = json.loads(json.dumps(delays.document({"cores": 2}, [slow, fast])))
    assert (written["p50_ms"], written["p99_ms"]) == (slow.whole.p50_ms, slow.whole.p99_ms)
    assert [one["per_second"] for one in written["paces"]] == [10, 100]
    assert written["cores"] == 2
    delays.draw([slow, fast], tmp_path / "delay.png")
    assert (tmp_path / "delay.png").read_bytes().startswith(b"\x89PNG")
