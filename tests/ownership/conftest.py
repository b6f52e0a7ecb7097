"""A broker with a prefix of each test's own."""

import pytest

from agents.local.broker import LocalBroker
from tests.ownership.kafka import Kafka


@pytest.fixture
def kafka(broker: LocalBroker) -> Kafka:
    """The shared broker under a new prefix; topics are made by the test."""
    return Kafka(broker.bootstrap)
