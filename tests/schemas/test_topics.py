"""What all topics have in common."""

import pytest

from schemas.topics import ALL, Topic


@pytest.mark.parametrize("topic", [one for one in ALL if not one.name.endswith(".seats")], ids=lambda one: one.name)
def test_the_broker_stamps_every_record(topic: Topic) -> None:
    # Retention goes by the stamp, and the broker refuses one from the future: no worker's clock may have a say.
    assert topic.config["message.timestamp.type"] == "LogAppendTime"
