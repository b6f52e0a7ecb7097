"""CPU microseconds a report and a closing cost in the desk's core: decode, decide, evolve, encode. No broker.

Run: `python -m tests.bench.desk_core [reports]`. Twice: by a policy that asks no more than it must of a plain report,
and by a district's own, with its working time, its words and its rules of nearness.
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
from agents.packs import load_policy
from schemas.codec import encode
from schemas.codes import Action, Clock, Level, Side, Stage, Step, Urgency
from schemas.commands import Command, Feedback, Origin, PolicyPublished, Report
from schemas.policy import Category, Diversion, LimitRow, Policy, Route, Rung, Span, Unit
from schemas.state import TICKET, ticket_key
from streams.desk.memory import DeskMemory
from streams.ownership.batch import Batch

T = TypeVar("T")
OFFSETS = count()
AT = 1_700_000_000_000
DEPS = DeskDeps(tickets="lianqin.tickets", dead_letter="lianqin.dead-letter")
LIMITS = LimitRow(
    overall=Span(seconds=432_000),
    stages={
        Stage.ACCEPTED: Span(seconds=1800),
        Stage.DISPATCHED: Span(seconds=1800),
        Stage.SIGNED: Span(seconds=86400),
        Stage.HANDLED: Span(seconds=86400),
    },
)
POLICY = Policy(
    version="f" * 32,
    district="boston",
    clock=Clock.WALL,
    limits=(LIMITS,),
    ladder=(
        Rung(step=Step.WARNED, percent=80, recipients=("unit",)),
        Rung(step=Step.PASSED, percent=100, recipients=("unit", "desk")),
        Rung(step=Step.YELLOW, percent=150, recipients=("desk",)),
    ),
    categories={"Unsafe": Category(urgency=Urgency.URGENT)},
    keywords={"fire": Urgency.CRITICAL, "gas": Urgency.CRITICAL},
    units={"street": Unit(name="street", level=Level.STREET)},
    routes=tuple(Route(category=f"category {number}", units=("street",)) for number in range(200)),
    diversions=(
        Diversion(name="to 110", version="1", from_side=Side.SERVICE, to_side=Side.POLICE, categories=("Unsafe",)),
    ),
    catch_all="street",
    closing_sources=("boston311",),
    back_date_s=7 * 86400,
    wait_s=7 * 86400,
    keep_closed_s=90 * 86400,
)
DISTRICT = "pukou"


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


def report(number: int, area: str, category: str, source: str) -> Command:
    """A plain report, as a city's file gives it."""
    return Report(
        source=source,
        source_id=f"1010{number:08d}",
        content=f"{number:032x}",
        time=AT,
        occurred_at=AT,
        area=area,
        grid=f"892a3066{number % 2000:04d}fff",
        lat=32.0 + number % 7919 / 40_000,
        lon=118.5 + number % 6007 / 30_000,
        category=category,
        text="A pothole in front of the school, deep enough to break a wheel",
        details={"address": "1 City Hall Square", "ward": "Ward 3"},
        origin=Origin(topic="lianqin.intake.citizen", partition=1, offset=number),
    )


def closing(number: int, area: str, source: str) -> Command:
    """Its closing by the source."""
    return Feedback(
        source=source,
        source_id=f"1010{number:08d}",
        action=Action.CLOSED,
        time=AT,
        occurred_at=AT,
        area=area,
        origin=Origin(topic="lianqin.intake.citizen", partition=1, offset=number),
    )


def run(memory: DeskMemory, log: Sequence[Stored]) -> None:
    """Decide the records in batches of 500; what they lead to is let go, as after a commit."""
    for start in range(0, len(log), 500):
        records = log[start : start + 500]
        batch = Batch(stage="desk", partition=0, records=records, memory=memory, answer=asyncio.Future())
        answer = answer_to(batch, DEPS)
        answer.take()


def timed(name: str, parts: Sequence[Sequence[T]], work: Callable[[Sequence[T]], object]) -> None:
    """Print what one thing costs: the median of the parts, and the best, which other programs disturbed least."""
    costs = []
    for part in parts:
        start = time.process_time()
        work(part)
        costs.append((time.process_time() - start) / len(part) * 1e6)
    sys.stdout.write(f"{name}: median {median(costs):.1f} us, best {min(costs):.1f} us\n")


def logged(commands: Sequence[Command]) -> list[Stored]:
    """The commands as they stand on the desk's log."""
    return [Stored(next(OFFSETS), encode(command)) for command in commands]


def measure(name: str, policy: Policy, reports: Sequence[Stored], closings: Sequence[Stored]) -> None:
    """Measure and print what things cost by one policy."""
    memory = DeskMemory()
    run(memory, logged([PolicyPublished(policy=policy)]))
    timed(f"report{name}", _parts(reports), lambda part: run(memory, part))
    state = [(ticket_key(ticket.id), TICKET.pack(ticket)) for ticket in memory.tickets.values()]
    folded = DeskMemory()

    def fold(part: Sequence[tuple[bytes, bytes]]) -> None:
        for key, value in part:
            folded.fold(key, value)
        folded.folded()

    timed(f"fold an open ticket{name}", [state], fold)
    timed(f"closing{name}", _parts(closings), lambda part: run(memory, part))


async def main(wanted: int) -> None:
    """Measure and print."""
    gc.disable()  # as in a worker, where agents.garbage looks now and then
    areas = [f"872a3066{number:03d}ffff" for number in range(200)]
    plain = logged([report(n, areas[n % 200], f"category {n % 200}", "boston311") for n in range(wanted)])
    closings = logged([closing(n, areas[n % 200], "boston311") for n in range(wanted)])
    measure("", POLICY, plain, closings)
    district = load_policy(DISTRICT, Clock.WALL)
    places, categories = list(district.areas), [row.category or "general" for row in district.routes]
    source = district.closing_sources[0]
    theirs = logged(
        [report(n, places[n % len(places)], categories[n % len(categories)], source) for n in range(wanted)]
    )
    closings = logged([closing(n, places[n % len(places)], source) for n in range(wanted)])
    measure(f" by {DISTRICT}'s policy", district, theirs, closings)


def _parts(values: Sequence[T]) -> list[Sequence[T]]:
    size = max(1, len(values) // 20)
    return [values[start : start + size] for start in range(0, len(values), size)]


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
