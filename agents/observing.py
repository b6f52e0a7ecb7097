"""What a worker tells of itself: the parts' facts into the metrics catalogue, and the page that shows them."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from errno import EADDRINUSE
from typing import Final
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, disable_created_metrics, start_http_server

from agents.desk import DeskCounts
from agents.errors import UserError
from agents.settings import MetricsSettings
from agents.views import ViewsCounts
from schemas.codes import Flag, Reject, Stage
from streams.desk.memory import DeskMemory
from streams.metrics import Metrics
from streams.ownership.owner import Owner
from streams.ownership.seats import Seats

LOOK_EVERY_S: Final = 0.5
LOOP_EVERY_S: Final = 0.1


async def loop_lag(metrics: Metrics) -> None:
    """Measure until cancelled how late the event loop wakes up."""
    while True:
        asked = time.perf_counter()
        await asyncio.sleep(LOOP_EVERY_S)
        metrics.loop_lag(max(0.0, time.perf_counter() - asked - LOOP_EVERY_S))


class _OpenDesk:
    """One open desk partition, as the ticker needs it."""

    def __init__(self, owner: Owner[DeskMemory]) -> None:
        self._owner = owner

    @property
    def applied(self) -> int:
        """Offset of the last record whose batch is committed; -1 before the first."""
        return max(self._owner.applied.values(), default=-1)

    def next_due(self) -> int | None:
        """When the next deadline fires."""
        return self._owner.memory.next_due()


class DeskWatch:
    """The open desk partitions of this worker."""

    def __init__(self, seats: Seats) -> None:
        self._seats = seats

    def open(self) -> Mapping[int, _OpenDesk]:
        """By partition."""
        return {owner.partition: _OpenDesk(owner) for owner in self._seats.owners if owner.is_open}

    def memories(self) -> list[DeskMemory]:
        """What they remember."""
        return [owner.memory for owner in self._seats.owners if owner.is_open]


class _Ledger:
    """The ledger's facts; its own words differ from those of the other stages."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._open = 0

    def rows(self, n: int) -> None:
        """So many rows were acknowledged."""
        self._metrics.ledger_rows(n)

    def inserted(self, seconds: float) -> None:
        """One INSERT took so long."""
        self._metrics.ledger_inserted(seconds)

    def lag(self, partition: int, n: int) -> None:
        """Offsets still to be written."""
        self._metrics.lag("ledger", partition, n)

    def waited(self) -> None:
        """ClickHouse was away once more."""
        self._metrics.ledger_waits()

    def opened(self, partition: int) -> None:
        """A seat's owner reads."""
        self._open += 1
        self._metrics.partitions_open("ledger", self._open)

    def closed(self, partition: int) -> None:
        """It does no longer."""
        self._open -= 1
        self._metrics.partitions_open("ledger", self._open)
        self._metrics.no_lag("ledger", partition)


def _refused(settings: MetricsSettings, error: OSError) -> str:
    if error.errno == EADDRINUSE:
        return f"port {settings.port} for /metrics is taken: set LIANQIN_METRICS__PORT to a free one"
    where = f"{settings.host}, port {settings.port}"
    return f"/metrics cannot be served on {where} ({error.strerror}): correct LIANQIN_METRICS__HOST, or the port"


class Observer:
    """Told by owners, intake and desk; `now_s` is the wall clock in seconds since the epoch."""

    def __init__(self, metrics: Metrics, now_s: Callable[[], float]) -> None:
        self._metrics = metrics
        self._now_s = now_s
        self.ledger = _Ledger(metrics)
        self.opened, self.refused, self.fenced, self.lag, self.no_lag, self.source_paused = (
            metrics.opened,
            metrics.refused,
            metrics.fenced,
            metrics.lag,
            metrics.no_lag,
            metrics.source_paused,
        )

    def serve(self, settings: MetricsSettings, registry: CollectorRegistry) -> WSGIServer | None:
        """Serve `/metrics` from a thread of its own, so that it answers while the event loop is busy."""
        if settings.port == 0:
            return None
        disable_created_metrics()  # type: ignore[no-untyped-call]  # untyped there; a series for each that nobody reads
        try:
            server, _ = start_http_server(settings.port, settings.host, registry)
        except OSError as error:
            raise UserError(_refused(settings, error)) from error
        except UnicodeError as error:
            msg = f"{settings.host!r} is no host to serve /metrics on: correct LIANQIN_METRICS__HOST"
            raise UserError(msg) from error
        return server

    def batch(
        self, stage: str, partition: int, *, records_in: int, records_out: int, transaction_seconds: float, oldest: int
    ) -> None:
        """A batch was committed; `oldest` is its oldest record's append time."""
        self._metrics.batch(
            stage, partition, records_in=records_in, records_out=records_out, transaction_seconds=transaction_seconds
        )
        self._metrics.delay(stage, max(0.0, self._now_s() - oldest / 1000))

    def rejected(self, reason: Reject) -> None:
        """Intake made a dead letter."""
        self._metrics.dead_letter(reason.value)

    def flagged(self, flag: Flag) -> None:
        """Intake doubts something."""
        self._metrics.flagged(flag.value)

    def forwarded(self, commands: int) -> None:
        """Counted as records out already."""

    def desk_batch(self, counts: DeskCounts) -> None:
        """The desk committed a batch."""
        for fate, n in counts.fates.items():
            self._metrics.fate(fate, n)
        for outcome, n in counts.outcomes.items():
            self._metrics.outcome(outcome, n)
        for reason, n in counts.dead_letters.items():
            self._metrics.dead_letter(reason, n)
        for late_ms in counts.late_ms:
            self._metrics.lateness(late_ms / 1000)
        now_ms = self._now_s() * 1000
        for arrived in counts.arrived:
            self._metrics.end_to_end(max(0.0, (now_ms - arrived) / 1000))

    def views_batch(self, counts: ViewsCounts) -> None:
        """The views stage committed a batch."""
        for step, n in counts.steps.items():
            self._metrics.ladder_step(step, n)
        for alarm, n in counts.alarms.items():
            self._metrics.alarm(alarm, n)
        for finding, n in counts.findings.items():
            self._metrics.candidate(finding, n)
        for reason, n in counts.passed_over.items():
            self._metrics.passed_over(reason, n)

    async def count_open(self, stage: str, seats: Seats) -> None:
        """Tell until cancelled how many partitions are open."""
        while True:
            self._metrics.partitions_open(stage, sum(owner.is_open for owner in seats.owners))
            await asyncio.sleep(LOOK_EVERY_S)

    async def desk_standing(self, watch: DeskWatch) -> None:
        """Tell until cancelled what all desk partitions of this worker hold together."""
        while True:
            # All of them: a stage that nobody holds tickets in any more would stand as it was.
            by_stage = Counter({stage.value: 0 for stage in Stage})
            for memory in watch.memories():
                by_stage.update({stage.value: count for stage, count in memory.open_by_stage.items()})
            pending = sum(memory.deadlines_pending for memory in watch.memories())
            due = [next_due for memory in watch.memories() if (next_due := memory.next_due()) is not None]
            oldest = max(0.0, self._now_s() - min(due) / 1000) if due else 0.0
            self._metrics.standing(by_stage, pending, oldest)
            await asyncio.sleep(LOOK_EVERY_S)
