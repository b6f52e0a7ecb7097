"""What Faust's group knows a worker by, that it deals all seats, and what is said of seats that carry nothing."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from faust.types import TP

from agents.leasing import Lease, lease
from streams.ownership.settings import OwnerSettings


def test_a_worker_with_a_name_is_the_same_member_again(tmp_path: Path) -> None:
    settings = OwnerSettings(bootstrap="host:9092", instance="worker-3")
    made = lease("desk", settings, tmp_path, seats=8)
    assert made.app.conf.consumer_group_instance_id == made.client_id == "desk-worker-3"
    assert lease("intake", settings, tmp_path, seats=8).client_id == "intake-worker-3"


def test_a_worker_without_one_is_a_new_member_each_time(tmp_path: Path) -> None:
    settings = OwnerSettings(bootstrap="host:9092")
    one, other = lease("desk", settings, tmp_path, seats=8), lease("desk", settings, tmp_path, seats=8)
    assert one.app.conf.consumer_group_instance_id is None
    assert one.client_id != other.client_id


def test_all_seats_are_dealt_while_the_broker_does_not_name_their_topic(tmp_path: Path) -> None:
    one, other = (lease("desk", OwnerSettings(bootstrap="host:9092"), tmp_path, seats=8) for _ in range(2))
    members = {made.client_id: made.app.assignor.metadata({made.topic}) for made in (one, other)}
    dealt = one.app.assignor.assign(ClusterMetadata(), members)
    seats = [seats for member in members for seats in _seats(dealt[member])]
    assert sorted(seats) == [("desk.seats", seat) for seat in range(8)]


def _seats(dealt: ConsumerProtocolMemberAssignment) -> list[tuple[str, int]]:
    return [(topic, seat) for topic, seats in dealt.assignment for seat in seats]


@contextmanager
def thread_of(made: Lease, **state: object) -> Iterator[Any]:
    """Faust's own consumer of the seats, half an hour after its start; `state` is aiokafka's of each seat."""
    thread = made.app.consumer._thread  # noqa: SLF001 - Faust shows it nowhere
    known = {"timestamp": None, "highwater": None, "position": None, **state}
    assignment = SimpleNamespace(active=True, state_value=lambda _: SimpleNamespace(**known))
    subscriptions = SimpleNamespace(subscription=SimpleNamespace(assignment=assignment))
    thread._consumer = SimpleNamespace(_fetcher=SimpleNamespace(_subscriptions=subscriptions))  # noqa: SLF001
    thread.time_started = 0
    yield thread
    thread.thread_loop.close()


HALF_AN_HOUR: Final = 1800.0


async def test_a_seat_that_was_dealt_just_now_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = lease("desk", OwnerSettings(bootstrap="host:9092"), tmp_path, seats=8)
    with thread_of(made) as thread:
        thread.verify_event_path(HALF_AN_HOUR, TP(made.topic, 4))
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING] == []


async def test_what_else_is_wrong_with_the_seats_is_an_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = lease("desk", OwnerSettings(bootstrap="host:9092"), tmp_path, seats=8)
    seat = TP(made.topic, 4)
    made.app.monitor.stream_inbound_time[seat] = 1.0
    made.app.topics.acks_enabled_for = lambda _: True
    with thread_of(made, timestamp=1.0, highwater=9, position=3) as thread:
        thread.verify_event_path(HALF_AN_HOUR, seat)
        thread._consumer._fetcher._subscriptions.subscription.assignment.active = False  # noqa: SLF001
        thread.verify_event_path(HALF_AN_HOUR, seat)
    uncommitted, unassigned = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert f"Has not committed {seat!r} at all since worker start" in uncommitted
    assert f"No active partitions for {seat!r}" in unassigned
