"""CPU microseconds a report and a closing cost in the desk's core: decode, decide, evolve, encode. No broker.

Run: `python -m tests.bench.desk_core [reports]`.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from agents.desk import DeskDeps, answer_to
from schemas.codec import encode
from schemas.codes import Clock, Level, Stage, Urgency
from schemas.commands import Command, Feedback, Origin, PolicyPublished, Report
from schemas.policy import Limits, Policy, Route, Unit
from streams.desk.memory import DeskMemory
from streams.ownership.batch import Batch

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


def run(memory: DeskMemory, first: int, commands: list[bytes]) -> dict[bytes, bytes | None]:
    """Decide the commands in batches of 500; gives the state records that were written."""
    state: dict[bytes, bytes | None] = {}
    for start in range(0, len(commands), 500):
        values = commands[start : start + 500]
        records = [Stored(first + start + index, value) for index, value in enumerate(values)]
        batch = Batch(stage="desk", partition=0, records=records, memory=memory, answer=asyncio.Future())
        answer = answer_to(batch, DEPS)
        answer.take()
        state.update(answer.state)
    return state


def timed(name: str, count: int, work: Callable[[], object]) -> None:
    """Print what one of `count` things costs."""
    start = time.process_time()  # other programs on the machine do not count
    work()
    spent = time.process_time() - start
    sys.stdout.write(f"{name}: {spent / count * 1e6:.1f} us, {count / spent:,.0f} a second\n")


async def main(count: int) -> None:
    """Measure and print."""
    memory = DeskMemory()
    state = run(memory, 0, [encode(PolicyPublished(policy=POLICY))])
    reports = [encode(report(number)) for number in range(count)]
    closings = [encode(closing(number)) for number in range(count)]
    timed("report", count, lambda: state.update(run(memory, 1, reports)))
    folded = DeskMemory()

    def fold() -> None:
        for key, value in state.items():
            folded.fold(key, value)
        folded.folded()

    timed("fold an open ticket", count, fold)
    timed("closing", count, lambda: run(memory, 1 + count, closings))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
