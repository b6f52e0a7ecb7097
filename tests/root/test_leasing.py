"""What Faust's group knows a worker by."""

from pathlib import Path

from agents.leasing import lease
from streams.ownership.settings import OwnerSettings


def test_a_worker_with_a_name_is_the_same_member_again(tmp_path: Path) -> None:
    settings = OwnerSettings(bootstrap="host:9092", instance="worker-3")
    made = lease("desk", settings, tmp_path)
    assert made.app.conf.consumer_group_instance_id == made.client_id == "desk-worker-3"
    assert lease("intake", settings, tmp_path).client_id == "intake-worker-3"


def test_a_worker_without_one_is_a_new_member_each_time(tmp_path: Path) -> None:
    settings = OwnerSettings(bootstrap="host:9092")
    one, other = lease("desk", settings, tmp_path), lease("desk", settings, tmp_path)
    assert one.app.conf.consumer_group_instance_id is None
    assert one.client_id != other.client_id
