"""The metrics: one catalogue, every fact lands in it, the page shows it."""

import asyncio
import re
import urllib.request
from collections.abc import Iterator

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from agents import observing
from agents.desk import DeskCounts
from agents.errors import UserError
from agents.local.probe import free_port
from agents.observing import DeskWatch, Observer
from agents.packs import SHIPPED
from agents.settings import MetricsSettings
from agents.views import ViewsCounts
from schemas.codes import Flag, Reject, Stage
from streams.desk.memory import DeskMemory
from streams.metrics import CATALOGUE, Metrics


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def observer(registry: CollectorRegistry) -> Observer:
    return Observer(Metrics(registry), now_s=lambda: 100.0)


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, labels)


def test_names_follow_the_convention() -> None:
    names = [metric.name for metric in CATALOGUE]
    assert len(set(names)) == len(names)
    for metric in CATALOGUE:
        assert metric.name.startswith("lianqin_")
        assert metric.name.endswith("_total") is (metric.kind == "counter")
        assert not metric.name.endswith(("_ms", "_millis"))


def test_a_batch_tells_records_time_and_delay(registry: CollectorRegistry, observer: Observer) -> None:
    observer.batch("desk", 3, records_in=10, records_out=30, transaction_seconds=0.02, oldest=99_000)
    assert value(registry, "lianqin_records_in_total", stage="desk") == 10
    assert value(registry, "lianqin_records_out_total", stage="desk") == 30
    assert value(registry, "lianqin_transaction_seconds_sum", stage="desk") == 0.02
    assert value(registry, "lianqin_delay_seconds_sum", stage="desk") == 1.0


def test_the_desk_tells_fates_outcomes_and_lateness(registry: CollectorRegistry, observer: Observer) -> None:
    observer.desk_batch(
        DeskCounts(
            partition=0,
            fates={"ticketed": 2, "urged": 1},
            outcomes={"applied": 4},
            dead_letters={"desk-failed": 1},
            late_ms=[1500],
            open_by_stage={Stage.DISPATCHED: 2},
            deadlines_pending=4,
            next_due=None,
            arrived=[99_500],
        )
    )
    assert value(registry, "lianqin_fates_total", fate="urged") == 1
    assert value(registry, "lianqin_outcomes_total", outcome="applied") == 4
    assert value(registry, "lianqin_dead_letters_total", reason="desk-failed") == 1
    assert value(registry, "lianqin_deadline_lateness_seconds_sum") == 1.5
    assert value(registry, "lianqin_end_to_end_seconds_sum") == 0.5


def test_the_views_tell_steps_alarms_and_pairs(registry: CollectorRegistry, observer: Observer) -> None:
    counts = ViewsCounts(
        steps={"yellow": 2}, alarms={"no-owner": 1}, findings={"proposed": 3}, passed_over={"unreadable": 1}
    )
    observer.views_batch(counts)
    assert value(registry, "lianqin_ladder_steps_total", step="yellow") == 2
    assert value(registry, "lianqin_alarms_total", alarm="no-owner") == 1
    assert value(registry, "lianqin_candidates_total", finding="proposed") == 3
    assert value(registry, "lianqin_views_passed_over_total", reason="unreadable") == 1


def test_intake_and_owners_tell_what_went_wrong(registry: CollectorRegistry, observer: Observer) -> None:
    observer.rejected(Reject.BROKEN)
    observer.flagged(Flag.OUTSIDE)
    observer.refused("desk", "hidden")
    observer.fenced("desk")
    observer.lag("desk", 2, 17)
    assert value(registry, "lianqin_dead_letters_total", reason="broken") == 1
    assert value(registry, "lianqin_flags_total", flag="outside") == 1
    assert value(registry, "lianqin_opens_refused_total", stage="desk", reason="hidden") == 1
    assert value(registry, "lianqin_fences_total", stage="desk") == 1
    assert value(registry, "lianqin_lag_records", stage="desk", partition="2") == 17
    observer.no_lag("desk", 2)
    observer.no_lag("desk", 3)
    assert value(registry, "lianqin_lag_records", stage="desk", partition="2") is None


def test_the_ledger_counts_what_is_open(registry: CollectorRegistry, observer: Observer) -> None:
    ledger = observer.ledger
    ledger.opened(0)
    ledger.opened(1)
    ledger.closed(0)
    ledger.rows(500)
    ledger.inserted(0.25)
    ledger.waited()
    ledger.lag(1, 9)
    assert value(registry, "lianqin_partitions_open", stage="ledger") == 1
    assert value(registry, "lianqin_ledger_rows_total") == 500
    assert value(registry, "lianqin_ledger_insert_seconds_sum") == 0.25
    assert value(registry, "lianqin_ledger_waits_total") == 1
    assert value(registry, "lianqin_lag_records", stage="ledger", partition="1") == 9
    ledger.closed(1)
    assert value(registry, "lianqin_lag_records", stage="ledger", partition="1") is None


class Watch(DeskWatch):
    """Some memories."""

    def __init__(self) -> None:
        self.here = [DeskMemory()]

    def memories(self) -> list[DeskMemory]:
        """These."""
        return self.here


async def test_a_worker_that_gave_its_desks_away_holds_no_tickets(
    registry: CollectorRegistry, observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "LOOK_EVERY_S", 0)
    watch = Watch()
    watch.here[0].open_by_stage[Stage.SIGNED] = 7
    telling = asyncio.create_task(observer.desk_standing(watch))
    await asyncio.sleep(0)
    assert value(registry, "lianqin_open_tickets", stage="signed") == 7
    watch.here.clear()
    await asyncio.sleep(0.01)
    assert value(registry, "lianqin_open_tickets", stage="signed") == 0
    telling.cancel()


@pytest.fixture
def page(registry: CollectorRegistry, observer: Observer) -> Iterator[MetricsSettings]:
    settings = MetricsSettings(port=free_port())
    server = observer.serve(settings, registry)
    assert server is not None
    yield settings
    server.shutdown()
    server.server_close()


@pytest.mark.connected
def test_the_page_holds_the_catalogue(page: MetricsSettings) -> None:
    with urllib.request.urlopen(f"http://{page.host}:{page.port}/metrics") as answer:
        text = answer.read().decode()
    shown = {family.name for family in text_string_to_metric_families(text)}
    assert shown == {metric.name.removesuffix("_total") for metric in CATALOGUE}


@pytest.mark.connected
def test_a_port_that_is_taken_is_told(page: MetricsSettings, registry: CollectorRegistry, observer: Observer) -> None:
    with pytest.raises(UserError, match=f"port {page.port} .* is taken: set LIANQIN_METRICS__PORT"):
        observer.serve(page, registry)


def test_alert_rules_name_nothing_but_the_catalogue() -> None:
    files = sorted((SHIPPED / "prometheus").glob("*.yaml"))
    rules = [rule for file in files for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]
    assert len(rules) >= 2
    known = {metric.name for metric in CATALOGUE}
    for rule in rules:
        named = set(re.findall(r"lianqin_[a-z_]+", rule["expr"]))
        assert named, rule["alert"]
        assert named <= known


def test_a_host_that_can_be_none_is_told(registry: CollectorRegistry, observer: Observer) -> None:
    with pytest.raises(UserError, match=r"'a\.\.b' is no host to serve /metrics on: correct LIANQIN_METRICS__HOST"):
        observer.serve(MetricsSettings(host="a..b", port=9), registry)


def test_a_host_of_another_machine_is_told(registry: CollectorRegistry, observer: Observer) -> None:
    with pytest.raises(UserError, match=r"192\.0\.2\.1, port 9 \(.*\): correct LIANQIN_METRICS__HOST"):
        observer.serve(MetricsSettings(host="192.0.2.1", port=9), registry)


def test_a_paused_source_is_told(registry: CollectorRegistry, observer: Observer) -> None:
    observer.source_paused("intake.citizen", paused=False)
    assert value(registry, "lianqin_source_pauses_total", topic="intake.citizen") == 0
    observer.source_paused("intake.citizen", paused=True)
    assert value(registry, "lianqin_source_paused", topic="intake.citizen") == 1
    observer.source_paused("intake.citizen", paused=False)
    assert value(registry, "lianqin_source_paused", topic="intake.citizen") == 0
    assert value(registry, "lianqin_source_pauses_total", topic="intake.citizen") == 1
