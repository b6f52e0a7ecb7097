"""A worker as the root builds it, small: `python -m tests.ownership.worker '<json of Job>'`, started by the tests.

One Faust app leases the seats of each stage; both run in one `faust.Worker`.
"""

import asyncio
import json
import logging
import os
import signal
import sys
import time
import uuid
from dataclasses import asdict, dataclass
from typing import Any

import faust
from mode.utils.queues import FlowControlEvent, ThrowableQueue

from streams.ownership.batch import Answer, Batch, Send
from streams.ownership.ending import LastResort
from streams.ownership.faults import Point
from streams.ownership.membership import Membership
from streams.ownership.observe import NoMetrics
from streams.ownership.owner import OwnerDeps
from streams.ownership.seats import Seats
from streams.ownership.settings import OwnerSettings
from streams.ownership.stage import Input, NoMemory, Stage
from streams.ownership.watchdog import Patience, Watchdog
from tests.ownership.counting import Counts, agent, counter, counting_stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the test wants from the worker."""

    bootstrap: str
    prefix: str
    datadir: str
    partitions: int = 1
    relay: bool = False
    """Run a second stage without state, from `out` to `relayed`."""
    kill_at: str = ""
    """A Point: SIGKILL itself when it is passed for the second time."""
    raise_on: str = ""
    """A value that the agent raises on."""
    slow_s: float = 0.0
    """How long the agent blocks on each batch."""
    deaf: bool = False
    """Let the thread that speaks to the group hang once it has its seats."""
    batch_records: int = 4000
    close_within_s: float = 10.0
    session_s: float = 2.0
    """Shorter than a real one, so that a test is too."""
    group_patience_s: float = 20.0

    def arguments(self) -> list[str]:
        """The command line."""
        return [sys.executable, "-m", "tests.ownership.worker", json.dumps(asdict(self))]


class KillAt:
    """Ends the process with SIGKILL, so that nothing is tidied up."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._passed = 0

    def point(self, name: Point) -> None:
        """Pass, or end."""
        # The commit of the first open passes the same points; the first batch is what is to be struck.
        self._passed += name == self._name
        if self._passed == 2:
            os.kill(os.getpid(), signal.SIGKILL)


class Loud(NoMetrics):
    """Tells the test when an owner is open."""

    def opened(self, stage: str, partition: int, fold_seconds: float) -> None:
        """Say so."""
        say(f"open {stage} {partition}")


class Batches(faust.Channel[Any]):
    """A channel that a rebalance does not touch.

    The queues of Faust's own channels are stopped and emptied at each rebalance; an owner would wait for ever for
    the answer to a batch that was thrown away.
    """

    @property
    def queue(self) -> Any:
        """One queue for each subscriber, under no flow control but its own."""
        if self._queue is None:
            self._queue = ThrowableQueue(flow_control=FlowControlEvent(initially_suspended=False))
        return self._queue


@dataclass(frozen=True, slots=True)
class Leased:
    """One stage in this worker: its Faust app, its seats, its watchdog."""

    app: Any
    seats: Seats
    watchdog: Watchdog


def lease(job: Job, stage: Stage[Any], body: Any) -> Leased:
    """Connect Faust's assignment to the stage's seats, and its batches to the agent."""
    client_id = f"{stage.name}-{uuid.uuid4().hex}"
    app = _app(job, stage, client_id)
    batches = Batches(app)
    settings = OwnerSettings(
        bootstrap=job.bootstrap,
        prefix=job.prefix,
        batch_records=job.batch_records,
        close_within_s=job.close_within_s,
        fenced_grace_s=6.0,
    )
    deps = OwnerDeps(settings=settings, ask=batches.put, faults=KillAt(job.kill_at), metrics=Loud())
    topic = f"{job.prefix}seats"
    told = Membership(settings, group=app.conf.id, client_id=client_id, topic=topic)
    seats = Seats(stage, deps, told=told.seats)
    app.agent(batches, name=stage.name)(body)
    app.agent(app.topic(topic, key_serializer="raw", value_serializer="raw"), name=f"{stage.name}-seats")(_sit)

    async def assigned(_: object, assigned: Any, **_more: object) -> None:
        held = {one.partition for one in assigned if one.topic == topic}
        say(f"{stage.name} {sorted(held)}")
        seats.hold(held)
        if job.deaf:
            app.consumer._thread.thread_loop.call_soon_threadsafe(time.sleep, 60)  # noqa: SLF001

    app.on_partitions_assigned.connect(assigned, weak=False)
    patience = Patience(every_s=0.5, group_s=job.group_patience_s)
    return Leased(app, seats, Watchdog(seats, deps.settings, told.seats, patience=patience))


def _app(job: Job, stage: Stage[Any], client_id: str) -> Any:
    return faust.App(
        f"{job.prefix}{stage.name}.seats",
        broker=[f"kafka://{job.bootstrap}"],
        broker_client_id=client_id,
        store="memory://",
        datadir=f"{job.datadir}/{stage.name}",
        topic_allow_declare=False,
        topic_disable_leader=True,
        broker_session_timeout=job.session_s,
        broker_heartbeat_interval=job.session_s / 6,
        broker_rebalance_timeout=10.0,
        web_enabled=False,
        worker_redirect_stdouts=False,
    )


async def _sit(seats: Any) -> None:
    """Lease seats; nothing ever comes in on them."""
    async for _ in seats:
        pass


class OneWorker(faust.Worker):
    """All stages of this process. Faust's worker starts the apps one after the other and stops them on SIGTERM."""

    def __init__(self, job: Job, leased: list[Leased], **options: Any) -> None:
        first, *others = (one.app for one in leased)
        # Faust's own set-up turns the root logger to DEBUG for its spinner, which every client then pays for.
        super().__init__(first, *others, override_logging=False, quiet=True, **options)
        self.spinner = None
        self._leased = leased
        self._last_resort = LastResort(job.close_within_s)
        self._watching: list[asyncio.Task[None]] = []

    async def on_start(self) -> None:
        """Watch from the beginning."""
        await super().on_start()
        self._watching = [asyncio.create_task(one.watchdog.run()) for one in self._leased]

    async def on_stop(self) -> None:
        """Before the apps stop: finish the batches in hand, while the agents still answer."""
        self._last_resort.arm()
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*(one.seats.close() for one in self._leased))
        self._last_resort.nothing_open()
        say("closed")
        await super().on_stop()

    async def on_shutdown(self) -> None:
        """Faust would wait for two seconds more, with nothing left to do."""
        await super().on_shutdown()
        if not self.crashed:
            os._exit(0)


def relay_stage(prefix: str) -> Stage[NoMemory]:
    """Reads `out`, remembers nothing."""
    return Stage(
        name="relay",
        group=f"{prefix}relay",
        inputs=lambda partition: [Input(f"{prefix}out", partition)],
        memory=NoMemory,
    )


def relay(out: str) -> Any:
    """Says every record once more."""

    def again(batch: Batch[NoMemory]) -> Answer:
        return Answer(
            sends=[Send(out, batch.partition, one.key, one.value, one.headers) for one in batch.records],
            metadata=str(batch.records[-1].timestamp),
        )

    return again


def deciding(job: Job) -> Any:
    """The counting agent's decision, with what the test does to it."""
    count = counter(f"{job.prefix}out")

    def decide(batch: Batch[Counts]) -> Answer:
        if any(record.value == job.raise_on.encode() for record in batch.records):
            raise ValueError(job.raise_on)
        say(f"batch {len(batch.records)}")
        time.sleep(job.slow_s)
        return count(batch)

    return decide


def say(line: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Run until SIGTERM."""
    job = Job(**json.loads(sys.argv[1]))
    leased = [lease(job, counting_stage(job.prefix), agent(deciding(job)))]
    if job.relay:
        leased.append(lease(job, relay_stage(job.prefix), agent(relay(f"{job.prefix}relayed"))))
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    OneWorker(job, leased).execute_from_commandline()


if __name__ == "__main__":
    main()
