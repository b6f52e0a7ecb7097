"""What the bench says of silences, and its picture: by made-up times, not by measuring."""

from pathlib import Path
from typing import Any

from rich.console import Console

from tests.bench.joining import first_after, silence
from tests.bench.scale_shown import plot, show

EVEN = [float(second) for second in range(100)]
TIMES = {
    0: EVEN,
    1: [at for at in EVEN if not 50 < at < 57],
    2: [at for at in EVEN if not 51 < at < 53],
    3: [at for at in EVEN if not 10 < at < 40],
}


def test_a_silence_is_that_of_its_stretch_by_who_moved() -> None:
    found = silence(TIMES, 50.0, 80.0, {1}, 8)
    assert (found.usual, found.stayed, found.moved) == (1.0, 2.0, 7.0)
    assert (found.moved_n, found.partitions) == (1, 4)


def test_where_nothing_moved_nothing_is_said_of_it() -> None:
    found = silence({0: EVEN}, 50.0, 80.0, set(), 8)
    assert (found.stayed, found.moved) == (1.0, None)


def test_the_first_and_the_last_that_speak_again() -> None:
    assert first_after(TIMES, 50.5, {0, 1, 7}) == {"first": 0.5, "last": 6.5}
    assert first_after(TIMES, 200.0, {0}) == {"first": None, "last": None}


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
