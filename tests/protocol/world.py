"""One simulated cluster with its workers: the group that gives seats, the supervisor that starts workers again."""

import asyncio
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from streams.ownership.batch import Batch
from streams.ownership.ending import Code
from streams.ownership.opening import Reason
from streams.ownership.settings import OwnerSettings
from tests.protocol.broker import BROKER, Broker
from tests.protocol.jobs import Count, Job, Relay
from tests.protocol.network import Link, Weather
from tests.protocol.process import Process
from tests.protocol.trace import Trace

TRANSACTION_S: Final = 0.15
"""The broker ends a transaction that lasts longer."""
_MAY_END_A_PROCESS: Final = frozenset({"RecordTooLarge", "OffsetOutOfRangeError", "OutOfOrderSequenceNumber"})
_ENDS: Final = re.compile(r"partition (\d+) ends the process: (\w+):")
_REFUSED: Final = re.compile(r"partition (\d+) does not open \(([a-z-]+)\)")


_KINDS: Final[Mapping[int, str]] = {Code.DONE: "left", Code.REFUSED: "refused", Code.FAILED: "failed"}


class World:
    """All that one schedule plays with, on the running loop. Every choice is the seed's."""

    def __init__(self, seed: int, *, traced: bool) -> None:
        self.chance = random.Random(seed)
        self.trace = Trace(kept=traced)
        self.weather = Weather()
        self.broker = Broker(random.Random(seed + 1), marker_s=self.chance.choice((0.001, 0.004, 0.03)))
        self.partitions = self.chance.choice((1, 1, 2))
        self.job: Job = self.chance.choice((Count, Relay))(self.broker, self.partitions)
        self.settings = _settings(self.chance)
        self._gate = self.chance.choice((1.0, 1.0, 0.6))
        self._agent_s = self.chance.choice((0.0, 0.0, 0.02, 0.4))
        self._in_parts = self.chance.choice((0.0, 0.3))
        self.wrong: list[str] = []
        self.felt: Counter[str] = Counter()
        """How often each thing happened."""
        self.refusals: dict[int, frozenset[Reason]] = {}
        """Partitions that must not be opened any more, and why: a person has to come first."""
        self.hidden: set[int] = set()
        """Partitions whose changelog somebody else writes to."""
        self.refused: set[int] = set()
        self.strangers = 0
        """Of those that write to topics, how many have not said their last word."""
        self.calm_at = math.inf
        """From when on no fault is left."""
        self.workers = [_Worker(self, f"w{number}") for number in range(self.chance.choice((2, 2, 3)))]
        self._network = random.Random(seed + 2)
        BROKER.set(self.broker)
        self._given = 0

    def link(self, name: str) -> Link:
        """A way to the broker for somebody new."""
        return Link(name, self.weather, self._network, self.trace)

    def later(self, delay_s: float, act: Callable[..., object], *about: object) -> None:
        """Let something happen in some seconds."""
        self.broker.loop.call_later(delay_s, act, *about)

    def rebalance(self) -> None:
        """Let the group give each seat to one of the workers it knows; each hears of it in its own time."""
        self._given += 1
        there = [worker for worker in self.workers if worker.is_known]
        if not there:
            return
        seats: dict[_Worker, list[int]] = {worker: [] for worker in there}
        for partition in range(self.partitions):
            if partition not in self.refused:
                seats[self.chance.choice(there)].append(partition)
        self.trace("group", "gives", {worker.name: given for worker, given in seats.items()})
        for worker, given in seats.items():
            worker.given = frozenset(given)
            self.later(self.chance.random() * 0.03, worker.hear, self._given, given)

    @property
    def calm(self) -> bool:
        """No fault is left."""
        return self.calm_at < math.inf

    @property
    def is_done(self) -> bool:
        """Whether everything is processed that may be, and what must be refused was."""
        wanted = [partition for partition in range(self.partitions) if partition not in self.refusals]
        return (
            self.refused >= self.refusals.keys()
            and all(map(self.job.is_done, wanted))
            and self.broker.quiet()
            and self.open_seats() == wanted
            # What the gate counts for ever, it holds back for ever.
            and not any(worker.process.under_way for worker in self.workers)
        )

    def open_seats(self) -> Sequence[int]:
        """The partitions with an open owner, once for each."""
        return sorted(one for worker in self.workers for one in worker.process.open_seats)

    def complain(self, what: str) -> None:
        """Something is wrong that must never be."""
        self.trace("!", what)
        self.wrong.append(what)

    def opened(self, process: Process, partition: int) -> None:
        """An owner opened: nowhere but where it may."""
        self.trace(process.link.name, "opened", partition)
        self.felt["owner opened"] += 1
        if process.link.alive and partition in self.refusals:
            self.complain(f"partition {partition} was opened, though: {', '.join(sorted(self.refusals[partition]))}")

    def took(self, process: Process, batch: Batch[Any]) -> None:
        """Memory may hold what is committed, and nothing else."""
        self.felt["batch committed"] += 1
        last = {(record.topic, record.partition): record.offset for record in batch.records}
        for place in self.job.inputs(batch.partition):
            decided = self.broker.decided.get((self.job.stage.group, place), -1)
            if process.link.alive and last.get((place.topic, place.partition), -1) >= max(decided, 0):
                self.complain(f"memory took offset {last[place]} of {place.topic}, which is not committed")

    def fenced(self, process: Process) -> None:
        """An owner found out that it was replaced, and went."""
        self.trace(process.link.name, "fenced")
        self.felt["owner fenced"] += 1

    async def gate(self, _: int) -> bool:
        """Routine inputs wait now and then."""
        return self.calm or self.chance.random() < self._gate

    async def agent_works(self) -> None:
        """An agent takes its time."""
        if self._agent_s:
            await asyncio.sleep(self.chance.random() * self._agent_s)

    def part(self, records: int) -> int:
        """How many of so many records an agent answers for at once."""
        return self.chance.randint(1, records) if self.chance.random() < self._in_parts else records

    async def told(self, process: Process) -> frozenset[int] | None:
        """What the group, asked from outside, gives to the process."""
        told: frozenset[int] | None = await process.link.ask("seats", self._seats_of, process.link.name)
        return told

    def _seats_of(self, name: str) -> frozenset[int] | None:
        known = (worker for worker in self.workers if worker.is_known)
        return next((worker.given for worker in known if worker.process.link.name == name), None)

    def ended(self, process: Process, code: int, message: str) -> None:
        """A process ended by itself: it must have had a reason."""
        self.trace(process.link.name, "ends", code, message)
        self.felt[f"process ended: {_KINDS[code]}"] += 1
        if code == Code.REFUSED:
            self._see_refusal(process, message)
        elif (told := _ENDS.search(message)) and told[2] not in _MAY_END_A_PROCESS:
            self.complain(message)
        next(worker for worker in self.workers if worker.process is process).come_back()

    def _see_refusal(self, process: Process, message: str) -> None:
        told = _REFUSED.search(message)
        partition, reason = (int(told[1]), Reason(told[2])) if told else (-1, None)
        if reason in self.refusals.get(partition, ()):
            self.refused.add(partition)
            self.felt[f"refused: {reason}"] += 1
        # What it saw before the calm it may say in it: closing takes time. Its successor sees what is so.
        elif reason is not Reason.HIDDEN or partition not in self.hidden or process.began_at > self.calm_at:
            self.complain(message)
        else:
            self.felt[f"refused: {reason}"] += 1


class _Worker:
    """A place where a process runs, and is started again when it ends."""

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        self.is_known = False
        """Whether the group counts on it."""
        self.given: frozenset[int] = frozenset()
        """What the group gives to it, heard or not."""
        self._world = world
        self._runs = 0
        self._heard = 0

    def start(self) -> None:
        """Start a process; the group hears of it."""
        world = self._world
        self._runs += 1
        link = world.link(f"{self.name}.{self._runs}")
        self.process = Process(link, world.job, world.settings, world)
        self.is_known = True
        world.rebalance()

    def hear(self, number: int, seats: Sequence[int]) -> None:
        """The group tells its seats; what is older than what it heard is dropped, and a frozen one hears it later."""
        wait_s = self.process.link.frozen_until - self._world.broker.loop.time()
        if wait_s > 0:
            self._world.later(wait_s, self.hear, number, seats)
        elif self.is_known and number > self._heard:
            self._heard = number
            self.process.hold(seats)

    def kill(self) -> None:
        """Kill -9."""
        if self.process.link.alive:
            self._world.trace(self.process.link.name, "killed")
            self.process.link.kill()
            self.come_back()

    def stop(self) -> None:
        """End the process, and do not start it again."""
        self.process.link.kill()
        self.is_known = False
        self._runs += 1

    def come_back(self) -> None:
        """The group misses it after a while, and the supervisor starts it again."""
        chance = self._world.chance
        run = self._runs
        self._world.later(chance.random() * 0.1, self._missed, run)
        self._world.later(chance.random() * 0.2, self._again, run)

    def _missed(self, run: int) -> None:
        if run == self._runs:
            self.lose()

    def _again(self, run: int) -> None:
        if run == self._runs:
            self.start()

    def lose(self) -> None:
        """The group does not count on it any more."""
        self.is_known = False
        self._world.rebalance()

    def find(self) -> None:
        """The group counts on it again."""
        self.is_known = self.process.link.alive
        self._world.rebalance()


def _settings(chance: random.Random) -> OwnerSettings:
    """Small and impatient, so that schedules are short."""
    return OwnerSettings(
        bootstrap="model",
        transaction_timeout_ms=int(TRANSACTION_S * 1000),
        ahead_within_s=chance.choice((0, 0.05, 1000)),
        ahead_for_s=chance.choice((0.02, 0.1)),
        batch_records=chance.choice((1, 2, 3, 5, 100)),
        refetch_ms=chance.choice((0, 3)),
        send_bytes=chance.choice((20, 60, 1000)),
        record_bytes=10_000,
        hidden_wait_s=chance.choice((0.03, 0.3)),
        offset_every_s=chance.choice((0.01, 0.15, 1000.0)),
        close_within_s=0.3,
        fenced_grace_s=0.1,
    )
