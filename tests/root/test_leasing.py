"""What Faust's group knows a worker by, and that it deals all seats."""

from pathlib import Path

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment

from agents.leasing import lease
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
