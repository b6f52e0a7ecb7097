"""What the desk holds until its report comes, read off a changelog on a real broker."""

import pytest
from aiokafka import AIOKafkaProducer

from agents.held import HeldFeedback
from agents.local.broker import LocalBroker
from agents.settled import SettledThere
from schemas.codec import encode
from schemas.codes import Action
from schemas.commands import Origin
from schemas.state import Held, Waiting, waiting_key
from streams.ownership.cluster import Cluster
from tests.desk.logs import feedback
from tests.feeding.test_feed import Kafka

pytestmark = pytest.mark.connected


def held(offset: int) -> Held:
    origin = Origin(topic="intake.feedback", partition=1, offset=offset)
    said = feedback(Action.SIGNED, source_id="r", origin=origin)
    return Held(command=f"desk-0-{offset}", until=1, feedback=said)


async def test_it_is_what_the_newest_records_say(broker: LocalBroker) -> None:
    kafka = Kafka(broker.bootstrap, "held")
    await kafka.make_topic("desk.state", 2)
    first, second = waiting_key("a", "s", "r"), waiting_key("b", "s", "r")
    looked = HeldFeedback(Cluster(broker.bootstrap), kafka.prefix)
    assert await looked.look() == []
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as producer:

        async def put(partition: int, key: bytes, *offsets: int) -> None:
            value = encode(Waiting(held=tuple(held(one) for one in offsets))) if offsets else None
            await producer.send_and_wait(f"{kafka.prefix}desk.state", value=value, key=key, partition=partition)

        await put(0, first, 3)
        await put(0, b"t:x", 99)
        await put(1, second, 5)
        assert sorted(one.offset for one in await looked.look()) == [3, 5]
        await put(0, first, 3, 4)
        await put(1, second)
        assert sorted(one.offset for one in await looked.look()) == [3, 4]
    assert sorted(one.offset for one in await HeldFeedback(Cluster(broker.bootstrap), kafka.prefix).look()) == [3, 4]


async def test_where_the_changelog_cannot_be_seen_nothing_is_held(broker: LocalBroker) -> None:
    assert await HeldFeedback(Cluster(broker.bootstrap), "elsewhere.").look() == []


async def test_a_broker_that_is_away_is_no_error(broker: LocalBroker) -> None:
    there = SettledThere(None, HeldFeedback(Cluster("127.0.0.1:1"), "x."))  # type: ignore[arg-type]  # not asked here
    assert await there.waiting() == ()
