"""The root: the one place where settings, stages, agents and Faust meet."""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import uvloop
from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry

from agents import desk, intake, views
from agents.breaker import Breaker
from agents.flow import Flow
from agents.garbage import keep_off
from agents.leasing import Background, Holder, Lease, OneWorker, lease
from agents.ledger.deps import LedgerDeps
from agents.ledger.seats import LedgerSeats, begun
from agents.observing import DeskWatch, Observer, loop_lag
from agents.settings import IntakeSettings, MetricsSettings
from agents.ticker import Ticker
from schemas.codes import Clock
from schemas.topics import (
    ASSIGNMENTS,
    CANDIDATES,
    DEAD_LETTER,
    DESK,
    DESK_STATE,
    FIRST,
    HISTORY,
    INTAKE,
    PAUSED,
    REMINDERS,
    REPLIES,
    TICKETS,
    TICKETS_CURRENT,
    VIEWS_STATE,
)
from streams.desk.memory import DeskMemory
from streams.intake.sources import Sources
from streams.ledger.access import Embedded, Way
from streams.ledger.front import Front, FrontOptions
from streams.ledger.newest import newest
from streams.ledger.store import Store
from streams.metrics import Metrics
from streams.ownership.cluster import Cluster
from streams.ownership.ending import Code
from streams.ownership.owner import OwnerDeps
from streams.ownership.reader import AlwaysOpen, Gate, Limits, no_limits
from streams.ownership.seats import Seats
from streams.ownership.settings import OwnerSettings
from streams.ownership.stage import Input, NoMemory, Stage
from streams.ownership.watchdog import Patience, Reasons, Watchdog
from streams.views.memory import ViewsMemory

TICK_LINGER_MS: Final = 0
INTAKE_AT_ONCE: Final = 500
DESK_AT_ONCE: Final = 500
"""Records of a batch: each transaction has its price, but while a batch is decided nobody else has the event loop."""
VIEWS_AT_ONCE: Final = 500
LEDGER_PATIENCE: Final = Patience(busy_s=330.0)
"""An INSERT may take as long as ClickHouse's client waits for its answer, 300 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one worker process runs."""

    owners: OwnerSettings
    partitions: int
    clock: Clock
    datadir: Path
    stages: Sequence[str]
    sources: Sources
    ledger: Way
    front: FrontOptions | None
    """Who may ask the embedded ClickHouse; none beside a server."""
    metrics: MetricsSettings
    intake: IntakeSettings = field(default_factory=IntakeSettings)


@dataclass(slots=True)
class Parts:
    """What a worker is put together from."""

    plan: Plan
    observer: Observer
    leased: list[tuple[Lease, Holder]] = field(default_factory=list)
    before: list[Background] = field(default_factory=list)
    beside: list[Background] = field(default_factory=list)
    after: list[Background] = field(default_factory=list)

    def name(self, topic: str) -> str:
        """A topic's full name."""
        return self.plan.owners.prefix + topic


def worker(plan: Plan) -> OneWorker:
    """Put a worker together; `execute_from_commandline` runs it until SIGTERM."""
    metrics = Metrics(registry := CollectorRegistry())
    metrics.build(version("lianqin"))
    observer = Observer(metrics, now_s=time.time)
    observer.serve(plan.metrics, registry)
    parts = Parts(plan, observer, beside=[partial(loop_lag, metrics), keep_off])
    for stage in plan.stages:
        STAGES[stage](parts)
    return OneWorker(parts.leased, before=parts.before, beside=parts.beside, after=parts.after)


def _owned(
    parts: Parts,
    stage: Stage[Any],
    body: Callable[..., Any],
    at_once: int,
    gate: Gate | None = None,
    limits: Limits = no_limits,
) -> Seats:
    """Seats, agent and watchdog of a stage whose owners commit in transactions."""
    settings = replace(parts.plan.owners, batch_records=at_once)
    leased = lease(stage.name, settings, parts.plan.datadir, seats=parts.plan.partitions)
    ask = leased.batches(stage.name, body)
    deps = OwnerDeps(settings=settings, ask=ask, metrics=parts.observer, gate=gate or AlwaysOpen(), limits=limits)
    told = leased.membership(settings)
    seats = Seats(stage, deps, told=told.seats)
    leased.seat(stage.name, seats)
    parts.leased.append((leased, seats))
    reasons = Reasons(gate=deps.gate, limits=limits)
    parts.beside.append(Watchdog(seats, settings, told.seats, reasons=reasons, metrics=parts.observer).run)
    parts.beside.append(partial(parts.observer.count_open, stage.name, seats))
    return seats


def _intake(parts: Parts) -> None:
    plan = parts.plan
    flow = Flow(plan.owners, parts.name(DESK), parts.name("desk"), plan.partitions)
    breaker = _breaker(parts)

    def inputs(partition: int) -> list[Input]:
        # The first input carries the metadata, which is log time: of history where there is one.
        history = [Input(parts.name(HISTORY), 0)] if partition == 0 else []
        return history + [Input(parts.name(topic), partition, first=topic in FIRST) for topic in INTAKE]

    stage = Stage(name="intake", group=parts.name("intake"), inputs=inputs, memory=NoMemory)
    deps = intake.IntakeDeps(
        sources=plan.sources,
        prefix=plan.owners.prefix,
        partitions=plan.partitions,
        metrics=parts.observer,
        judged=breaker.judged,
    )
    seats = _owned(parts, stage, intake.build(deps), INTAKE_AT_ONCE, flow, lambda: breaker.limits)
    parts.beside += [partial(flow.run, lambda: len(seats.held)), breaker.run]


def _breaker(parts: Parts) -> Breaker:
    settings = parts.plan.intake
    topics = [parts.name(topic) for topic in PAUSED] if settings.breaker else []
    prefix = parts.plan.owners.prefix
    return Breaker(topics, parts.observer, prefix=prefix, cool_down_s=settings.cool_down_s)


def _desk(parts: Parts) -> None:
    stage = Stage(
        name="desk",
        group=parts.name("desk"),
        inputs=lambda partition: [Input(parts.name(DESK), partition)],
        memory=DeskMemory,
        state=parts.name(DESK_STATE),
    )
    deps = desk.DeskDeps(tickets=parts.name(TICKETS), dead_letter=parts.name(DEAD_LETTER), metrics=parts.observer)
    watch = DeskWatch(_owned(parts, stage, desk.build(deps), DESK_AT_ONCE))
    parts.beside.append(partial(parts.observer.desk_standing, watch))
    if parts.plan.clock is Clock.WALL:
        ticker = Ticker(parts.name(DESK), watch.open, now=lambda: int(time.monotonic() * 1000))
        parts.beside.append(partial(_tick, ticker, parts.plan.owners.cluster))


def _views(parts: Parts) -> None:
    stage = Stage(
        name="views",
        group=parts.name("views"),
        inputs=lambda partition: [Input(parts.name(TICKETS), partition)],
        memory=ViewsMemory,
        state=parts.name(VIEWS_STATE),
    )
    deps = views.ViewsDeps(
        current=parts.name(TICKETS_CURRENT),
        assignments=parts.name(ASSIGNMENTS),
        reminders=parts.name(REMINDERS),
        candidates=parts.name(CANDIDATES),
        replies=parts.name(REPLIES),
        metrics=parts.observer,
    )
    _owned(parts, stage, views.build(deps), VIEWS_AT_ONCE)


async def _tick(ticker: Ticker, cluster: Cluster) -> None:
    producer = AIOKafkaProducer(enable_idempotence=True, linger_ms=TICK_LINGER_MS, **cluster.options)
    async with producer:
        await ticker.run(producer)


def _ledger(parts: Parts) -> None:
    plan = parts.plan
    store = Store(plan.ledger)
    parts.before.append(partial(begun, store.open))
    parts.after.append(store.close)
    if isinstance(plan.ledger, Embedded) and plan.front is not None:
        front = Front(plan.ledger.folder, plan.front)
        parts.before.append(partial(begun, front.start))
        parts.after.insert(0, front.stop)
    deps = LedgerDeps(
        cluster=plan.owners.cluster,
        prefix=plan.owners.prefix,
        insert=store.insert,
        newest=lambda topic, partition: store.ask(partial(newest, topic=topic, partition=partition)),
        metrics=parts.observer.ledger,
    )
    seats = LedgerSeats(deps)
    leased = lease("ledger", plan.owners, plan.datadir, seats=plan.partitions)
    leased.seat("ledger", seats)
    parts.leased.append((leased, seats))
    told = leased.membership(plan.owners)
    parts.beside.append(Watchdog(seats, plan.owners, told.seats, patience=LEDGER_PATIENCE).run)


STAGES: Final[dict[str, Callable[[Parts], None]]] = {
    "intake": _intake,
    "desk": _desk,
    "views": _views,
    "ledger": _ledger,
}


def run(plan: Plan) -> None:
    """Run a worker in this process until SIGTERM or SIGINT; it ends the process."""
    asyncio.set_event_loop(uvloop.new_event_loop())
    try:
        worker(plan).execute_from_commandline()
    except SystemExit as ended:
        # Faust tells the traceback, and ends with 1 or 71.
        sys.exit(Code.FAILED if ended.code else Code.DONE)
