"""A process that holds seats: real owners on a link of its own. It can be killed, frozen, and asked to end."""

import asyncio
import contextvars
from collections.abc import Collection, Coroutine
from dataclasses import replace
from typing import Any, Protocol

from streams.ownership.batch import Answer, Batch
from streams.ownership.observe import NoMetrics
from streams.ownership.owner import OwnerDeps
from streams.ownership.seats import Seats
from streams.ownership.settings import OwnerSettings
from tests.protocol.jobs import Job
from tests.protocol.network import HERE, Link


class Watcher(Protocol):
    """What is around processes, and is told what happens in them."""

    def opened(self, process: "Process", partition: int) -> None:
        """An owner opened."""
        ...

    def took(self, process: "Process", batch: Batch[Any]) -> None:
        """A memory took a batch in."""
        ...

    def fenced(self, process: "Process") -> None:
        """An owner was replaced."""
        ...

    async def gate(self, records: int) -> bool:
        """Whether routine inputs may be read."""
        ...

    def part(self, records: int) -> int:
        """How many of so many records an agent answers for."""
        ...

    async def told(self, process: "Process") -> frozenset[int] | None:
        """What the group gives to the process; None when it does not know it."""
        ...

    async def agent_works(self) -> None:
        """Take the time that an agent takes."""
        ...

    def ended(self, process: "Process", code: int, message: str) -> None:
        """The process ended by itself."""
        ...


class _Metrics(NoMetrics):
    def __init__(self, process: "Process", watcher: Watcher) -> None:
        self._process = process
        self._watcher = watcher

    def opened(self, stage: str, partition: int, fold_seconds: float) -> None:
        """Tell it."""
        self._watcher.opened(self._process, partition)

    def fenced(self, stage: str) -> None:
        """Tell it."""
        self._watcher.fenced(self._process)


class _Gate:
    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self.under_way = 0

    async def open(self, records: int) -> bool:
        """As the watcher says."""
        is_open = await self._watcher.gate(records)
        self.under_way += records if is_open else 0
        return is_open

    def over(self, records: int) -> None:
        """Counted off."""
        self.under_way -= records


class Process:
    """One run of a worker, from its start to its end."""

    def __init__(self, link: Link, job: Job, settings: OwnerSettings, watcher: Watcher) -> None:
        self.link = link
        self.began_at = asyncio.get_running_loop().time()
        self._job = job
        self._watcher = watcher
        self._context = contextvars.copy_context()
        self._context.run(HERE.set, link)
        self._gate = _Gate(watcher)
        deps = OwnerDeps(settings=settings, ask=self._ask, gate=self._gate, metrics=_Metrics(self, watcher))
        self.seats = Seats(job.stage, deps, told=lambda: watcher.told(self), die=self._die)

    @property
    def open_seats(self) -> set[int]:
        """Partitions that an owner of this process has open."""
        return {owner.partition for owner in self.seats.owners if owner.is_open} if self.link.alive else set()

    @property
    def under_way(self) -> int:
        """Records that passed the gate and are not over, as the gate counts them."""
        return self._gate.under_way if self.link.alive else 0

    def hold(self, partitions: Collection[int]) -> None:
        """The group gives it these seats."""
        if self.link.alive:
            self._context.run(self.seats.hold, partitions)

    def leave(self) -> None:
        """Ask it to end, as SIGTERM does."""
        if self.link.alive:
            self.start(self._leave())

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let it do something."""
        self._context.run(asyncio.ensure_future, work)

    async def _leave(self) -> None:
        await self.seats.close()
        self._die(0, "left")

    def _die(self, code: int, message: str) -> None:
        """Stands for the end of the process: nothing is sent any more from here on."""
        if self.link.alive:
            self._watcher.ended(self, code, message)
            self.link.kill()

    async def _ask(self, batch: Batch[Any]) -> None:
        """The agent: it says what the job says, and the watcher sees when memory takes it."""
        await self._watcher.agent_works()
        batch.settle(self._watched)

    def _watched(self, batch: Batch[Any]) -> Answer:
        done = self._watcher.part(len(batch.records))
        batch = replace(batch, records=batch.records[:done])
        answer = self._job.decide(batch)

        def take() -> None:
            self._watcher.took(self, batch)
            answer.take()

        return replace(answer, take=take, done=done)
