"""Ends the process when it holds a seat without doing its work: nobody else can have it until then."""

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streams.ownership import clients
from streams.ownership.ending import Code, Die, die
from streams.ownership.membership import Told
from streams.ownership.observe import NoMetrics, OwnerMetrics
from streams.ownership.reader import AlwaysOpen, Gate, Limits, no_limits
from streams.ownership.settings import OwnerSettings
from streams.ownership.stage import Input

_ASK_WITHIN_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long each thing may last, in seconds."""

    every_s: float = 1.0
    open_s: float = 120.0
    """From being given a seat to its owner being open; a large state has to be folded in it."""
    progress_s: float = 60.0
    """With records to read, and none is read."""
    busy_s: float = 60.0
    """With one batch in hand."""
    group_s: float = 20.0
    """The group gives other seats to this worker than it holds, or does not know it; a rebalance takes a while."""


class Sitting(Protocol):
    """An owner, as far as it is watched."""

    @property
    def name(self) -> str:
        """For messages."""
        ...

    @property
    def partition(self) -> int:
        """Its seat."""
        ...

    @property
    def began_at(self) -> float:
        """Monotonic seconds; when it was given the seat."""
        ...

    @property
    def busy_since(self) -> float | None:
        """Monotonic seconds; since when the batch in hand is in hand."""
        ...

    @property
    def batches(self) -> int:
        """So many are done."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether it works."""
        ...

    @property
    def inputs(self) -> Mapping[TopicPartition, Input]:
        """What it reads."""
        ...

    async def position(self, partition: TopicPartition) -> int | None:
        """Where it reads on; None where that cannot be told now."""
        ...


class Sitters(Protocol):
    """The owners of one stage in this process."""

    @property
    def name(self) -> str:
        """The stage's."""
        ...

    @property
    def held(self) -> frozenset[int]:
        """The seats that the group last gave to this process."""
        ...

    @property
    def owners(self) -> Sequence[Sitting]:
        """Those at work or still opening."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """Why an owner may leave records where they are."""

    gate: Gate = field(default_factory=AlwaysOpen)
    limits: Limits = no_limits


class Watchdog:
    """Watches the seats of one stage. `metrics` is told each owner's lag."""

    def __init__(  # noqa: PLR0913 - each has its default
        self,
        seats: Sitters,
        settings: OwnerSettings,
        told: Told,
        *,
        reasons: Reasons | None = None,
        metrics: OwnerMetrics | None = None,
        patience: Patience | None = None,
        die: Die = die,
    ) -> None:
        self._seats = seats
        self._settings = settings
        self._told = told
        self._reasons = reasons or Reasons()
        self._metrics = metrics or NoMetrics()
        self._patience = patience or Patience()
        self._die = die
        self._agreed_at = time.monotonic()
        self._moved_at: dict[Sitting, tuple[object, float]] = {}
        self._told_lag: set[int] = set()
        """Partitions whose lag the metrics show."""

    async def run(self) -> None:
        """Watch until cancelled. A broker that is away is not this worker's fault, and ends nothing by itself."""
        consumer = clients.make_consumer(self._settings)
        try:
            await self._connect(consumer)
            while not _asked_to_end():
                await asyncio.sleep(self._patience.every_s)
                self._check_times()
                await self._away_is_fine(self._check_group())
                await self._away_is_fine(self._check_lag(consumer))
        finally:
            await clients.stop(consumer)

    async def _connect(self, consumer: Any) -> None:
        while True:
            try:
                await consumer.start()
            except (KafkaError, OSError):
                await asyncio.sleep(self._patience.every_s)
            else:
                return

    async def _away_is_fine(self, check: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(_ASK_WITHIN_S):
                await check
        except (KafkaError, OSError, TimeoutError):
            # Not known is not wrong; the broker's return continues the count where it stands.
            return

    def _check_times(self) -> None:
        now = time.monotonic()
        for owner in self._seats.owners:
            if not owner.is_open and now - owner.began_at > self._patience.open_s:
                self._end(f"{owner.name} is not open after {self._patience.open_s:g} s")
            if owner.busy_since is not None and now - owner.busy_since > self._patience.busy_s:
                self._end(f"{owner.name} has one batch in hand for more than {self._patience.busy_s:g} s")

    async def _check_group(self) -> None:
        told = await self._told()
        now = time.monotonic()
        if told == self._seats.held:
            self._agreed_at = now
        elif now - self._agreed_at > self._patience.group_s:
            says = "does not know this worker" if told is None else f"gives it the seats {sorted(told)}"
            self._end(f"{self._seats.name}: the group {says}, which holds {sorted(self._seats.held)}")

    async def _check_lag(self, consumer: Any) -> None:
        owners = [owner for owner in self._seats.owners if owner.is_open]
        self._forget_others(owners)
        gate_open, limits = await self._reasons.gate.open(0), self._reasons.limits()
        for owner in owners:
            watched = [one for one, its in owner.inputs.items() if its.first or (gate_open and one.topic not in limits)]
            await self._check_owner(consumer, owner, watched)

    def _forget_others(self, owners: Sequence[Sitting]) -> None:
        """Of who is not here any more nothing is told: it has another owner, who tells."""
        self._moved_at = {owner: moved for owner, moved in self._moved_at.items() if owner in owners}
        for gone in self._told_lag - {owner.partition for owner in owners}:
            self._metrics.no_lag(self._seats.name, gone)
            self._told_lag.remove(gone)

    async def _check_owner(self, consumer: Any, owner: Sitting, watched: Sequence[TopicPartition]) -> None:
        """Tell its lag in all its inputs; `watched` are those that it has no reason to leave as they are."""
        ends = await consumer.end_offsets(list(owner.inputs))
        positions = {one: await owner.position(one) for one in owner.inputs}
        lags = {one: max(0, ends[one] - at) for one, at in positions.items() if at is not None}
        self._metrics.lag(self._seats.name, owner.partition, sum(lags.values()))
        self._told_lag.add(owner.partition)
        state = (owner.batches, tuple(positions[one] for one in watched))
        self._check_progress(owner, sum(lags.get(one, 0) for one in watched), state)

    def _check_progress(self, owner: Sitting, lag: int, state: object) -> None:
        now = time.monotonic()
        last, since = self._moved_at.get(owner, (None, now))
        if not lag or state != last or owner.busy_since is not None:
            self._moved_at[owner] = (state, now)
        elif now - since > self._patience.progress_s:
            self._end(f"{owner.name} has {lag} offsets to read and did not move for {self._patience.progress_s:g} s")

    def _end(self, message: str) -> None:
        self._die(Code.FAILED, message)


def _asked_to_end() -> bool:
    """Whether this task was cancelled: `asyncio.wait_for`, which aiokafka uses everywhere, may swallow that."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
