"""The policy on the desk's log: publishing it, and holding a program to the clock it names."""

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from agents.errors import UserError
from schemas.codec import ValidationError, encode
from schemas.codes import Clock
from schemas.commands import COMMAND, PolicyPublished
from schemas.policy import Policy


class ClockError(UserError):
    """The log was begun with the other clock; the text says what to do."""


async def publish(bootstrap: str, topic: str, partitions: int, policy: Policy) -> None:
    """Append the policy to every desk partition. On a new log it is the first record, and names the clock."""
    value = encode(PolicyPublished(policy=policy))
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, acks="all")
    async with producer:
        for partition in range(partitions):
            await producer.send_and_wait(topic, value=value, partition=partition)


async def clock_of(bootstrap: str, topic: str) -> Clock | None:
    """The clock that the log was begun with; `None` on a log without a policy yet.

    The first policy that is left on partition 0 tells: a log never changes its clock.
    """
    partition = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False, fetch_max_wait_ms=20
    )
    try:
        await consumer.start()
        if topic not in await consumer.topics():
            msg = (
                f"{bootstrap} has no topic {topic}: make the topics with `lianqin topics --create`, "
                "or correct LIANQIN_KAFKA__PREFIX"
            )
            raise UserError(msg)
        return await _first_clock(consumer, partition)
    finally:
        # Also where it never came up: else it complains when it is collected.
        await consumer.stop()


async def _first_clock(consumer: AIOKafkaConsumer, partition: TopicPartition) -> Clock | None:
    consumer.assign([partition])
    start = (await consumer.beginning_offsets([partition]))[partition]
    end = (await consumer.end_offsets([partition]))[partition]
    consumer.seek(partition, start)
    while await consumer.position(partition) < end:
        for record in (await consumer.getmany(partition, timeout_ms=200)).get(partition, []):
            clock = _clock_in(record.value)
            if clock is not None:
                return clock
    return None


def _clock_in(value: bytes | None) -> Clock | None:
    try:
        command = COMMAND.decode(value or b"")
    except ValidationError:
        return None  # unreadable records are the desk's to settle
    return command.policy.clock if isinstance(command, PolicyPublished) else None


async def hold_to_clock(bootstrap: str, topic: str, clock: Clock) -> None:
    """Raise `ClockError` where the log was begun with another clock than `clock`."""
    begun = await clock_of(bootstrap, topic)
    if begun is not None and begun is not clock:
        msg = (
            f"this log runs on the {begun} clock, not on {clock}: start with --clock {begun}, "
            "or take another --data-dir (or LIANQIN_KAFKA__PREFIX) for the other clock"
        )
        raise ClockError(msg)
