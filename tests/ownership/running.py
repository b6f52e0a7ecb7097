"""Owners and workers at work, for as long as a `with` lasts."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streams.ownership.owner import Owner, OwnerDeps
from streams.ownership.settings import OwnerSettings
from streams.ownership.stage import Stage
from tests.ownership.counting import asking, counter, counting_stage
from tests.ownership.kafka import Kafka, Read, numbers, payloads
from tests.ownership.worker import Job

REPOSITORY = Path(__file__).parents[2]
PATIENCE_S = 60.0
"""How long a test waits for what must come: a busy machine is no reason to fail."""


@dataclass
class Deaths:
    """Stands for the end of the process and remembers it."""

    told: list[tuple[int, str]] = field(default_factory=list)

    def __call__(self, code: int, message: str) -> None:
        """Remember."""
        self.told.append((code, message))


def settings(kafka: Kafka, **changed: Any) -> OwnerSettings:
    """Settings for a test, with little patience."""
    given = {"hidden_wait_s": 0.3, "fenced_grace_s": 0.5, **changed}
    return OwnerSettings(bootstrap=kafka.bootstrap, prefix=kafka.prefix, **given)


def deps(kafka: Kafka, **changed: Any) -> OwnerDeps:
    """What an owner of the counting stage needs."""
    given = {"settings": settings(kafka), "ask": asking(counter(kafka.topic("out"))), **changed}
    return OwnerDeps(**given)


@asynccontextmanager
async def at_work(stage: Stage[Any], given: OwnerDeps, partition: int = 0) -> AsyncIterator[Owner[Any]]:
    """An owner that works until the `with` ends; an error of it is raised here."""
    owner = Owner(stage, partition, given)
    task = asyncio.create_task(owner.run())
    try:
        await until(lambda: owner.is_open or task.done())
        yield owner
        owner.finish()
        await asyncio.wait_for(asyncio.shield(task), 15)
    finally:
        task.cancel()
        await asyncio.wait([task])
        await owner.close()
        if not task.cancelled():
            task.result()


async def count_all(kafka: Kafka, records: int, **changed: Any) -> Owner[Any]:
    """Let an owner of partition 0 work until it has said so many things in all; it is closed then."""
    async with at_work(counting_stage(kafka.prefix), deps(kafka, **changed)) as owner:
        await said(kafka, records)
    return owner


async def said(kafka: Kafka, records: int, topic: str = "out", within_s: float = PATIENCE_S) -> list[Read]:
    """Wait until a read_committed reader sees so many records on partition 0, and return them."""
    found: list[Read] = []

    async def there() -> bool:
        found[:] = await kafka.read(topic)
        return len(found) >= records

    await until(there, within_s=within_s)
    return found


async def until(condition: Callable[[], bool | Awaitable[bool]], *, within_s: float = PATIENCE_S) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + within_s
    while True:
        answer = condition()
        if await answer if isinstance(answer, Awaitable) else answer:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(condition)
        await asyncio.sleep(0.05)


def check_whole(read: Sequence[Read], values: Sequence[bytes]) -> None:
    """Each value was said about exactly once, and the numbers of each key run from 1 without gaps."""
    assert sorted(payloads(read)) == sorted(values)
    assert all(found == list(range(1, len(found) + 1)) for found in numbers(read).values())


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker as a process of its own."""

    process: "subprocess.Popen[bytes]"
    out: Path
    errors: Path

    def said(self, line: str) -> bool:
        """Whether it has printed a line that begins so."""
        return any(one.startswith(line) for one in self.out.read_text().splitlines())

    async def ended(self, within_s: float) -> int:
        """Its exit code, once it has ended by itself."""
        return await asyncio.to_thread(self.process.wait, within_s)


@contextmanager
def working(job: Job) -> Iterator[Worker]:
    """A worker on this job; killed at the end if it still lives."""
    folder = Path(job.datadir)
    number = len(list(folder.glob("*.out")))
    out, errors = folder / f"{number}.out", folder / f"{number}.err"
    with out.open("wb") as stdout, errors.open("wb") as stderr:
        process = subprocess.Popen(job.arguments(), cwd=REPOSITORY, stdout=stdout, stderr=stderr)
    try:
        yield Worker(process, out, errors)
    finally:
        process.kill()
        process.wait()
