"""What the bench says of waits, and its picture: by made-up times, not by measuring."""

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.bench.joining import Wait, first_after, longest
from tests.bench.scale_shown import plot, show


def waits(*late: tuple[float, float]) -> list[Wait]:
    """A record a second that waits for a tenth; but those of some stretches come at their end."""
    found = []
    for second in range(100):
        came = second + 0.1
        for begin, end in late:
            came = end if begin <= second < end else came
        found.append((float(second), came))
    return found


WAITS = {0: waits(), 1: waits((50, 57)), 2: waits((51, 53)), 3: waits((10, 40))}


def test_the_longest_wait_is_that_of_its_stretch_by_who_moved() -> None:
    found = longest(WAITS, 50.0, 80.0, {1})
    assert (found.usual, found.stayed, found.moved) == (0.1, 2.0, 7.0)
    assert (found.moved_n, found.partitions) == (1, 4)


def test_a_partition_that_gets_little_did_not_wait() -> None:
    assert longest({0: [(40.0, 40.1), (60.0, 60.1)]}, 50.0, 80.0, set()).stayed == 0.1


def test_where_nothing_moved_nothing_is_said_of_it() -> None:
    found = longest({0: waits()}, 50.0, 80.0, set())
    assert (found.stayed, found.moved) == (0.1, None)


def test_the_first_and_the_last_that_speak_again() -> None:
    assert first_after(WAITS, 50.5, {0, 1, 7}) == {"first": pytest.approx(0.6), "last": 6.5}
    assert first_after(WAITS, 200.0, {0}) == {"first": None, "last": None}


def document() -> dict[str, Any]:
    rate = {"per_second": 9000.0, "per_cpu_second": 4500.0, "worker_us_per_report": 170.0, "broker_us_per_report": 60.0}
    one = {"usual": 0.2, "stayed": None, "moved": 3.0, "moved_n": 10, "partitions": 32}
    held = {"us_per_report": 80.0, "resident_bytes_per_ticket": 4000, "state_bytes_per_ticket": 1200}
    again = {"first": 2.0, "last": None}
    return {
        "workers": {"1": rate, "8": rate, "16": {"failed": "TimeoutError: stands still"}},
        "partitions": {
            "128": {"failed": "TimeoutError: stands still"},
            "8": rate | {"idle_cores": {"worker-1": 0.1, "broker": 0.05}, "bytes_per_report": {"desk": 300.0}},
        },
        "joining": [
            {
                "static": static,
                "partitions": 32,
                "join": {"intake": one, "desk": one},
                "kill": {"intake": one, "desk": one},
                "first_after_kill_s": {"intake": again, "desk": again},
            }
            for static in (False, True)
        ],
        "growth": {"open": {"10000": held, "200000": held}},
    }


def test_all_of_it_is_shown_and_drawn(tmp_path: Path) -> None:
    console = Console(width=150, record=True)
    show(console, document())
    text = console.export_text()
    assert all(word in text for word in ("4,500", "static", "desk 300", "200,000", "stands still"))
    plot(tmp_path / "scale.png", document())
    assert (tmp_path / "scale.png").read_bytes().startswith(b"\x89PNG")


def test_what_was_not_measured_stays_empty(tmp_path: Path) -> None:
    plot(tmp_path / "scale.png", {})
    show(Console(quiet=True), {})
    assert (tmp_path / "scale.png").exists()
