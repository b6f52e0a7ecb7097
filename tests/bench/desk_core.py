"""CPU microseconds a report and a closing cost in the desk's core: decode, decide, evolve, encode. No broker.

Run: `python -m tests.bench.desk_core [reports]`.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import median
from typing import TypeVar

from agents.desk import DeskDeps, answer_to
from schemas.codec import encode
from schemas.codes import Clock, Level, Stage, Urgency
from schemas.commands import Command, Feedback, Origin, PolicyPublished, Report
from schemas.policy import Limits, Policy, Route, Unit
from streams.desk.memory import DeskMemory
from streams.ownership.batch import Batch

T = TypeVar("T")
OFFSETS = count()
AT = 1_700_000_000_000
DEPS = DeskDeps(tickets="lianqin.tickets", dead_letter="lianqin.dead-letter")
STREET = Unit(name="street", level=Level.STREET)
LIMITS = Limits(
    overall_s=432_000, stages={Stage.ACCEPTED: 1800, Stage.DISPATCHED: 1800, Stage.SIGNED: 86400, Stage.HANDLED: 86400}
)
POLICY = Policy(
    version="f" * 32,
    district="boston",
    clock=Clock.WALL,
    limits=dict.fromkeys(Urgency, LIMITS),
    warn_percent=80,
    urgencies={"Unsafe": Urgency.URGENT},
    keywords={"fire": Urgency.CRITICAL, "gas": Urgency.CRITICAL},
    routes=tuple(Route(category=f"category {number}", unit=STREET) for number in range(200)),
    catch_all=STREET,
    closing_sources=("boston311",),
    back_date_s=7 * 86400,
    wait_s=7 * 86400,
    keep_closed_s=90 * 86400,
)


@dataclass(frozen=True, slots=True)
class Stored:
    """A record of the desk's log."""

    offset: int
    value: bytes
    topic: str = "lianqin.desk"
    partition: int = 0
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def timestamp(self) -> int:
        """One every ten milliseconds."""
        return AT + self.offset * 10


def report(number: int) -> Command:
    """A plain report, as a city's file gives it."""
    return Report(
        source="boston311",
        source_id=f"1010{number:08d}",
        content=f"{number:032x}",
        time=AT,
        occurred_at=AT,
        area=f"872a3066{number % 200:03d}ffff",
        grid=f"892a3066{number % 2000:04d}fff",
        lat=42.3,
        lon=-71.1,
        category=f"category {number % 200}",
        text="A pothole in front of the school, deep enough to break a wheel",
        details={"address": "1 City Hall Square", "ward": "Ward 3"},
        origin=Origin(topic="lianqin.intake.citizen", partition=1, offset=number),
    )


def closing(number: int) -> Command:
    """Its closing by the source."""
    return Feedback(
        source="boston311",
        source_id=f"1010{number:08d}",
        stage=Stage.CLOSED,
        time=AT,
        occurred_at=AT,
        area=f"872a3066{number % 200:03d}ffff",
        origin=Origin(topic="lianqin.intake.citizen", partition=1, offset=number),
    )


def run(memory: DeskMemory, commands: Sequence[bytes]) -> dict[bytes, bytes | None]:
    """Decide the commands in batches of 500; gives the state records that were written."""
    state: dict[bytes, bytes | None] = {}
    for start in range(0, len(commands), 500):
        values = commands[start : start + 500]
        records = [Stored(next(OFFSETS), value) for value in values]
        batch = Batch(stage="desk", partition=0, records=records, memory=memory, answer=asyncio.Future())
        answer = answer_to(batch, DEPS)
        answer.take()
        state.update(answer.state)
    return state


def timed(name: str, parts: Sequence[Sequence[T]], work: Callable[[Sequence[T]], object]) -> None:
    """Print what one thing costs: the median of the parts, and the best, which other programs disturbed least."""
    costs = []
    for part in parts:
        start = time.process_time()
        work(part)
        costs.append((time.process_time() - start) / len(part) * 1e6)
    sys.stdout.write(f"{name}: median {median(costs):.1f} us, best {min(costs):.1f} us\n")


async def main(reports_wanted: int) -> None:
    """Measure and print."""
    gc.disable()  # as in a worker, where agents.garbage looks now and then
    memory = DeskMemory()
    state = run(memory, [encode(PolicyPublished(policy=POLICY))])
    reports = [encode(report(number)) for number in range(reports_wanted)]
    closings = [encode(closing(number)) for number in range(reports_wanted)]
    timed("report", _parts(reports), lambda part: state.update(run(memory, part)))
    folded = DeskMemory()

    def fold(part: Sequence[tuple[bytes, bytes | None]]) -> None:
        for key, value in part:
            folded.fold(key, value)
        folded.folded()

    timed("fold an open ticket", [list(state.items())], fold)
    timed("closing", _parts(closings), lambda part: run(memory, part))


def _parts(values: Sequence[T]) -> list[Sequence[T]]:
    size = max(1, len(values) // 20)
    return [values[start : start + size] for start in range(0, len(values), size)]


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
