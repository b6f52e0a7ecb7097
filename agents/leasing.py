"""Faust as the control plane: who owns what, the agents' tasks, the life of the worker. No record passes through it.

Each stage has a Faust app of its own, in a group of its own: a worker may run any stages, and two workers need not run
the same ones. The app's one topic is `<stage>.seats`, always empty; who is assigned seat p owns partition p.
"""

import asyncio
import logging
import math
import os
import uuid
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final, Protocol

import faust
from faust.assignor import PartitionAssignor
from mode.utils.queues import FlowControlEvent, ThrowableQueue

from streams.ownership.ending import Code, LastResort, die
from streams.ownership.membership import Membership
from streams.ownership.settings import OwnerSettings

_LOG: Final = logging.getLogger(__name__)

_NO_RECORDS_S: Final = math.inf
"""How long a seat may go without records before Faust calls it an error: for ever, none ever comes.

Faust counts from the consumer's start, so each seat that a rebalance dealt just now was called stuck ("has not sent
fetch request"). Whether a seat is held is what the watchdog asks the group; no fetch shows it.
"""

Background = Callable[[], Coroutine[Any, Any, None]]
"""Work beside the stages, until cancelled; what it raises ends the process."""


class Holder(Protocol):
    """The owners of one stage in this process."""

    def hold(self, partitions: Collection[int]) -> None:
        """Own these partitions and no others; returns at once."""
        ...

    async def close(self) -> None:
        """Finish the batches in hand."""
        ...


class Batches(faust.Channel[Any]):
    """The channel between owners and their agent, which a rebalance does not touch.

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
class Lease:
    """One stage's Faust app, and what it is known by to its group."""

    app: Any
    topic: str
    client_id: str

    @property
    def group(self) -> str:
        """Faust's group, whose members hold the seats."""
        return str(self.app.conf.id)

    def batches(self, name: str, body: Callable[..., Any]) -> Callable[[Any], Awaitable[object]]:
        """Run the stage's agent; the answer hands it a batch."""
        channel = Batches(self.app)
        self.app.agent(channel, name=name)(_or_end(body))
        put: Callable[[Any], Awaitable[object]] = channel.put
        return put

    def membership(self, settings: OwnerSettings) -> Membership:
        """What the group says of this worker, asked from outside."""
        return Membership(settings, group=self.group, client_id=self.client_id, topic=self.topic)

    def seat(self, stage: str, holder: Holder) -> None:
        """Let the group's assignments open and close the stage's owners."""

        async def assigned(_: object, assigned: Any, **_more: object) -> None:
            holder.hold({one.partition for one in assigned if one.topic == self.topic})

        topic = self.app.topic(self.topic, key_serializer="raw", value_serializer="raw")
        self.app.agent(topic, name=f"{stage}-seats")(_sit)
        self.app.on_partitions_assigned.connect(assigned, weak=False)


def _or_end(body: Callable[..., Any]) -> Callable[..., Any]:
    """The agent, ending the process when it fails: Faust would start it again, its batch would never be answered."""

    @wraps(body)
    async def agent(batches: Any) -> None:
        try:
            await body(batches)
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends the process
            _LOG.error("an agent failed", exc_info=error)
            die(Code.FAILED, f"ended by an agent's {type(error).__name__}: {error}")

    return agent


async def _sit(seats: Any) -> None:
    """Hold the seats; nothing ever comes in on them."""
    async for _ in seats:
        pass


class _Known:
    """What the cluster tells of topics, and where it tells nothing of the seats', how many there are."""

    def __init__(self, cluster: Any, seats: int) -> None:
        self._cluster = cluster
        self._seats = frozenset(range(seats))

    def partitions_for_topic(self, topic: str) -> Collection[int]:
        """The topic's partitions."""
        return self._cluster.partitions_for_topic(topic) or self._seats


def _dealing(seats: int) -> type[PartitionAssignor]:
    """Deals all seats, also while a broker that was started just now does not name their topic.

    Faust would deal none then, and nobody would do the stage's work until the next rebalance.
    """

    class Assignor(PartitionAssignor):
        def assign(self, cluster: Any, member_metadata: Any) -> Any:
            return super().assign(_Known(cluster, seats), member_metadata)

    return Assignor


def lease(stage: str, settings: OwnerSettings, datadir: Path, *, seats: int) -> Lease:
    """A Faust app that leases a stage's seats, of which there are so many."""
    # Who comes back under its own name is the same member: the broker remembers the client's name of the first time.
    client_id = f"{stage}-{settings.instance or uuid.uuid4().hex}"
    datadir.mkdir(parents=True, exist_ok=True)
    app = faust.App(
        f"{settings.prefix}{stage}.seats",
        broker=[f"kafka://{server}" for server in settings.bootstrap.split(",")],
        broker_client_id=client_id,
        consumer_group_instance_id=client_id if settings.instance else None,
        broker_credentials=_credentials(settings.security),
        store="memory://",
        datadir=str(datadir / stage),
        topic_allow_declare=False,
        topic_disable_leader=True,
        broker_session_timeout=settings.transaction_timeout_ms / 1000,
        broker_heartbeat_interval=1.0,
        broker_rebalance_timeout=10.0,
        stream_processing_timeout=_NO_RECORDS_S,
        PartitionAssignor=_dealing(seats),
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
    return Lease(app, f"{settings.prefix}{stage}.seats", client_id)


def _credentials(security: Mapping[str, Any]) -> Any:
    """What aiokafka is told of TLS and SASL, in Faust's words; None: plain text."""
    context = security.get("ssl_context")
    if "sasl_mechanism" in security:
        return faust.SASLCredentials(
            username=security["sasl_plain_username"],
            password=security["sasl_plain_password"],
            mechanism=security["sasl_mechanism"],
            ssl_context=context,
        )
    return faust.SSLCredentials(context=context) if context is not None else None


class OneWorker(faust.Worker):
    """All stages of this process. Faust starts the apps one after the other and stops them on SIGTERM or SIGINT."""

    def __init__(
        self,
        leased: Sequence[tuple[Lease, Holder]],
        *,
        before: Sequence[Background] = (),
        beside: Sequence[Background] = (),
        after: Sequence[Background] = (),
        stop_within_s: float = 10.0,
    ) -> None:
        first, *others = (one.app for one, _ in leased)
        # Faust's own set-up turns the root logger to DEBUG for its spinner, which every client then pays for.
        super().__init__(first, *others, override_logging=False, quiet=True)
        self.spinner = None
        self._holders = [holder for _, holder in leased]
        self._before, self._beside, self._after = before, beside, after
        self._last_resort = LastResort(stop_within_s)
        self._beside_tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start. What fails on the way is a crash: Faust would end as if it had been asked to, with 0."""
        try:
            await super().start()
        except Exception as error:
            if not self.should_stop:
                await self.crash(error)
            raise

    async def on_start(self) -> None:
        """Open what the stages need, then let the rest run beside them."""
        await super().on_start()
        for step in self._before:
            await step()
        self._beside_tasks = [asyncio.create_task(_or_die(work)) for work in self._beside]

    async def on_stop(self) -> None:
        """Before the apps stop: finish the batches in hand, while the agents still answer."""
        self._last_resort.arm()
        for task in self._beside_tasks:
            task.cancel()
        await asyncio.gather(*(holder.close() for holder in self._holders))
        for step in self._after:
            await step()
        self._last_resort.nothing_open()
        await super().on_stop()

    async def on_shutdown(self) -> None:
        """When all has stopped: Faust would wait for two seconds more, with nothing left to do."""
        await super().on_shutdown()
        if not self.crashed:
            os._exit(Code.DONE)


async def _or_die(work: Background) -> None:
    try:
        await work()
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends the process
        _LOG.error("work beside the stages failed", exc_info=error)
        die(Code.FAILED, f"ended by {type(error).__name__}: {error}")
