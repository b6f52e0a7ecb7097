"""How the desk's cost grows with what it holds: areas, open tickets, closed ones it still remembers. No broker.

`python -m tests.bench.growth` prints a JSON document, each measurement in a process of its own: CPU microseconds a
report (the best of some parts, which other programs disturbed least), resident bytes and bytes of state a ticket.
"""

import asyncio
import gc
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from schemas.commands import Command, PolicyPublished
from schemas.state import TICKET, ticket_key
from streams.desk.memory import DeskMemory
from tests.bench.desk_core import POLICY, closing, logged, report, run

AREAS: Final = (1, 10, 100, 1_000)
HELD: Final = (10_000, 50_000, 200_000)
MEASURED: Final = 4_000
PARTS: Final = 8
_SOURCE: Final = "boston311"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the desk holds before it is measured."""

    areas: int = 200
    open: int = 0
    closed: int = 0


def measured(asked: Asked) -> dict[str, float]:
    """What a report costs beside all that, and what a ticket takes."""
    memory = DeskMemory()
    run(memory, logged([PolicyPublished(policy=POLICY)]))
    before = _resident()
    many = asked.open + asked.closed
    _fill(memory, asked, many)
    gc.collect()
    gc.freeze()
    held = _resident() - before
    costs = []
    for part in range(PARTS):
        first = many + part * (MEASURED // PARTS)
        log = logged([_report(number, asked.areas) for number in range(first, first + MEASURED // PARTS)])
        begun = time.process_time()
        run(memory, log)
        costs.append((time.process_time() - begun) / len(log) * 1e6)
    some = [ticket for _, ticket in zip(range(1_000), memory.tickets.values(), strict=False)]
    state = sum(len(ticket_key(ticket.id)) + len(TICKET.pack(ticket)) for ticket in some) / len(some)
    return {
        "us_per_report": round(min(costs), 1),
        "resident_bytes_per_ticket": round(held / many) if many else 0,
        "state_bytes_per_ticket": round(state),
    }


def _fill(memory: DeskMemory, asked: Asked, many: int) -> None:
    for first in range(0, many, 5_000):
        numbers = range(first, min(first + 5_000, many))
        run(memory, logged([_report(number, asked.areas) for number in numbers]))
        run(memory, logged([_closing(number, asked.areas) for number in numbers if number < asked.closed]))


def _area(number: int, areas: int) -> str:
    return f"872a{number % areas:08d}ffff"


def _report(number: int, areas: int) -> Command:
    return report(number, _area(number, areas), f"category {number % 200}", _SOURCE)


def _closing(number: int, areas: int) -> Command:
    return closing(number, _area(number, areas), _SOURCE)


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


async def _main(arguments: list[str]) -> None:
    gc.disable()  # as in a worker, where agents.garbage looks now and then
    areas, open_, closed = map(int, arguments)
    sys.stdout.write(json.dumps(measured(Asked(areas, open_, closed))) + "\n")


def all_of_it(held: tuple[int, ...] = HELD, areas: tuple[int, ...] = AREAS) -> dict[str, Any]:
    """Every measurement, each in a process of its own."""
    return {
        "areas": {str(n): _alone(Asked(areas=n, open=10_000)) for n in areas},
        "open": {str(n): _alone(Asked(open=n)) for n in held},
        "closed": {str(n): _alone(Asked(closed=n)) for n in held},
    }


def _alone(asked: Asked) -> dict[str, float]:
    arguments = [str(asked.areas), str(asked.open), str(asked.closed)]
    command = [sys.executable, "-m", "tests.bench.growth", *arguments]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict[str, float] = json.loads(said)
    return found


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(_main(sys.argv[1:]))
    else:
        sys.stdout.write(json.dumps(all_of_it(), indent=2) + "\n")
