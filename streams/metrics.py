"""The one catalogue of metrics: name, kind, labels, help. Each part says facts through typed methods.

Base units (seconds, records); labels come from closed lists. Dashboards and alerts may name nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES: Final = (1, 3, 10, 30, 100, 300, 1000, 3000, 10000, 30000)
LATE: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One entry of the catalogue."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = FAST


RECORDS_IN: Final = Metric("lianqin_records_in_total", "counter", "Records read and committed.", ("stage",))
RECORDS_OUT: Final = Metric("lianqin_records_out_total", "counter", "Records written and committed.", ("stage",))
BATCH_RECORDS: Final = Metric("lianqin_batch_records", "histogram", "Records in a batch.", ("stage",), SIZES)
TRANSACTION_SECONDS: Final = Metric(
    "lianqin_transaction_seconds", "histogram", "From a transaction's begin to its commit.", ("stage",)
)
DELAY_SECONDS: Final = Metric(
    "lianqin_delay_seconds", "histogram", "From the append of a batch's oldest record to its commit.", ("stage",)
)
END_TO_END_SECONDS: Final = Metric(
    "lianqin_end_to_end_seconds", "histogram", "From a report's arrival to its fate, committed (wall clock only)."
)
PARTITIONS_OPEN: Final = Metric("lianqin_partitions_open", "gauge", "Partitions this worker owns, open.", ("stage",))
LAG: Final = Metric("lianqin_lag_records", "gauge", "Records an owner has still to do.", ("stage", "partition"))
FOLD_SECONDS: Final = Metric("lianqin_fold_seconds", "histogram", "To open a partition, its state folded.", ("stage",))
OPENS_REFUSED: Final = Metric(
    "lianqin_opens_refused_total", "counter", "Partitions that were not opened.", ("stage", "reason")
)
FENCES: Final = Metric("lianqin_fences_total", "counter", "Owners that ended because another took over.", ("stage",))
FATES: Final = Metric("lianqin_fates_total", "counter", "Reports by what became of them.", ("fate",))
OUTCOMES: Final = Metric("lianqin_outcomes_total", "counter", "Other commands by what became of them.", ("outcome",))
DEAD_LETTERS: Final = Metric("lianqin_dead_letters_total", "counter", "Input that could not be used.", ("reason",))
SOURCE_PAUSED: Final = Metric(
    "lianqin_source_paused", "gauge", "1 while nearly nothing on an intake topic is usable and it waits.", ("topic",)
)
SOURCE_PAUSES: Final = Metric("lianqin_source_pauses_total", "counter", "How often it came to that.", ("topic",))
FLAGS: Final = Metric("lianqin_flags_total", "counter", "Reports with something doubtful about them.", ("flag",))
OPEN_TICKETS: Final = Metric("lianqin_open_tickets", "gauge", "Open tickets by stage.", ("stage",))
DEADLINES_PENDING: Final = Metric("lianqin_deadlines_pending", "gauge", "Deadlines that have not fired.")
DEADLINE_LATENESS: Final = Metric(
    "lianqin_deadline_lateness_seconds", "histogram", "How late deadlines fired, on the log's clock.", (), LATE
)
OLDEST_DUE_SECONDS: Final = Metric(
    "lianqin_oldest_due_seconds", "gauge", "How long ago the oldest deadline that has not fired was due (wall clock)."
)
LADDER_STEPS: Final = Metric(
    "lianqin_ladder_steps_total", "counter", "Limits that reached a step: warned, passed, cards, escalated.", ("step",)
)
ALARMS: Final = Metric("lianqin_alarms_total", "counter", "Alarms that the desk raised.", ("alarm",))
CANDIDATES: Final = Metric(
    "lianqin_candidates_total", "counter", "Pairs of tickets, by what was found of them.", ("finding",)
)
VIEWS_PASSED_OVER: Final = Metric(
    "lianqin_views_passed_over_total", "counter", "Facts that the views could not take in.", ("reason",)
)
LEDGER_ROWS: Final = Metric("lianqin_ledger_rows_total", "counter", "Rows acknowledged by ClickHouse.")
LEDGER_INSERT_SECONDS: Final = Metric("lianqin_ledger_insert_seconds", "histogram", "One INSERT.")
LEDGER_WAITS: Final = Metric("lianqin_ledger_waits_total", "counter", "Times ClickHouse was away and waited for.")
LOOP_LAG_SECONDS: Final = Metric("lianqin_event_loop_lag_seconds", "histogram", "How late the event loop woke up.")
BUILD_INFO: Final = Metric("lianqin_build_info", "gauge", "Always 1; the version is in the label.", ("version",))

CATALOGUE: Final = tuple(value for value in list(vars().values()) if isinstance(value, Metric))


class Metrics:
    """The catalogue on one registry. Implements what each part asks to be told."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counters = {m: Counter(m.name, m.help, m.labels, registry=registry) for m in _of("counter")}
        self._gauges = {m: Gauge(m.name, m.help, m.labels, registry=registry) for m in _of("gauge")}
        self._histograms = {
            m: Histogram(m.name, m.help, m.labels, registry=registry, buckets=m.buckets) for m in _of("histogram")
        }

    def _add(self, metric: Metric, amount: float = 1, **labels: str) -> None:
        counter = self._counters[metric]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def _set(self, metric: Metric, value: float, **labels: str) -> None:
        gauge = self._gauges[metric]
        (gauge.labels(**labels) if labels else gauge).set(value)

    def _observe(self, metric: Metric, value: float, **labels: str) -> None:
        histogram = self._histograms[metric]
        (histogram.labels(**labels) if labels else histogram).observe(value)

    def build(self, version: str) -> None:
        """Which build this is."""
        self._set(BUILD_INFO, 1, version=version)

    def loop_lag(self, seconds: float) -> None:
        """The event loop woke up this much too late."""
        self._observe(LOOP_LAG_SECONDS, seconds)

    def partitions_open(self, stage: str, partitions: int) -> None:
        """So many partitions of a stage are open here now."""
        self._set(PARTITIONS_OPEN, partitions, stage=stage)

    def opened(self, stage: str, partition: int, fold_seconds: float) -> None:
        """An owner opened."""
        self._observe(FOLD_SECONDS, fold_seconds, stage=stage)

    def refused(self, stage: str, reason: str) -> None:
        """An owner did not open; the process ends."""
        self._add(OPENS_REFUSED, stage=stage, reason=reason)

    def fenced(self, stage: str) -> None:
        """An owner was replaced."""
        self._add(FENCES, stage=stage)

    def batch(
        self, stage: str, partition: int, *, records_in: int, records_out: int, transaction_seconds: float
    ) -> None:
        """A batch was committed."""
        self._add(RECORDS_IN, records_in, stage=stage)
        self._add(RECORDS_OUT, records_out, stage=stage)
        self._observe(BATCH_RECORDS, records_in, stage=stage)
        self._observe(TRANSACTION_SECONDS, transaction_seconds, stage=stage)

    def delay(self, stage: str, seconds: float) -> None:
        """From the append of a batch's oldest record to now, its commit."""
        self._observe(DELAY_SECONDS, seconds, stage=stage)

    def end_to_end(self, seconds: float) -> None:
        """From a report's arrival to its fate."""
        self._observe(END_TO_END_SECONDS, seconds)

    def lag(self, stage: str, partition: int, records: int) -> None:
        """Offsets that an owner has still to read."""
        self._set(LAG, records, stage=stage, partition=str(partition))

    def no_lag(self, stage: str, partition: int) -> None:
        """No owner of the partition is here any more; where another one is, it tells."""
        self._gauges[LAG].remove(stage, str(partition))

    def dead_letter(self, reason: str, count: int = 1) -> None:
        """Input that could not be used."""
        self._add(DEAD_LETTERS, count, reason=reason)

    def source_paused(self, topic: str, *, paused: bool) -> None:
        """An intake topic is not read any more, or again."""
        self._set(SOURCE_PAUSED, int(paused), topic=topic)
        self._add(SOURCE_PAUSES, int(paused), topic=topic)

    def flagged(self, flag: str) -> None:
        """Something doubtful about a command."""
        self._add(FLAGS, flag=flag)

    def fate(self, fate: str, count: int) -> None:
        """Reports by what became of them."""
        self._add(FATES, count, fate=fate)

    def outcome(self, outcome: str, count: int) -> None:
        """Other commands by what became of them."""
        self._add(OUTCOMES, count, outcome=outcome)

    def lateness(self, seconds: float) -> None:
        """A deadline fired this late on the log's clock."""
        self._observe(DEADLINE_LATENESS, seconds)

    def standing(self, open_by_stage: Mapping[str, int], pending: int, oldest_due_seconds: float) -> None:
        """What all desk partitions of this worker hold together; a stage that is not named keeps its last number."""
        for stage, count in open_by_stage.items():
            self._set(OPEN_TICKETS, count, stage=stage)
        self._set(DEADLINES_PENDING, pending)
        self._set(OLDEST_DUE_SECONDS, oldest_due_seconds)

    def ladder_step(self, step: str, count: int) -> None:
        """Limits reached a step of the ladder."""
        self._add(LADDER_STEPS, count, step=step)

    def alarm(self, alarm: str, count: int) -> None:
        """The desk raised alarms."""
        self._add(ALARMS, count, alarm=alarm)

    def candidate(self, finding: str, count: int) -> None:
        """Something was found of two tickets."""
        self._add(CANDIDATES, count, finding=finding)

    def passed_over(self, reason: str, count: int) -> None:
        """The views could not take facts in."""
        self._add(VIEWS_PASSED_OVER, count, reason=reason)

    def ledger_rows(self, rows: int) -> None:
        """ClickHouse acknowledged so many rows."""
        self._add(LEDGER_ROWS, rows)

    def ledger_inserted(self, seconds: float) -> None:
        """One INSERT took so long."""
        self._observe(LEDGER_INSERT_SECONDS, seconds)

    def ledger_waits(self) -> None:
        """ClickHouse is away, and waited for."""
        self._add(LEDGER_WAITS)


def _of(kind: str) -> tuple[Metric, ...]:
    return tuple(metric for metric in CATALOGUE if metric.kind == kind)
