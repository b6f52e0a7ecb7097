"""What a schedule does to the cluster and its workers. Each draws its own details from the seed."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streams.ownership.changelog import APPLIED
from streams.ownership.opening import Reason
from streams.ownership.place import from_state
from streams.ownership.producer import Producer
from streams.ownership.settings import OwnerSettings
from tests.protocol.broker import NOTHING
from tests.protocol.jobs import Count
from tests.protocol.log import LIMIT_BYTES, Data, Log
from tests.protocol.network import HERE
from tests.protocol.world import TRANSACTION_S, World

Reasons = frozenset[Reason]
NONE: Final[Reasons] = frozenset()


def rebalance(world: World) -> None:
    """The group changes its mind."""
    world.rebalance()


def kill(world: World) -> None:
    """Kill -9 one worker."""
    world.chance.choice(world.workers).kill()


def leave(world: World) -> None:
    """SIGTERM to one worker."""
    world.chance.choice(world.workers).process.leave()


def freeze(world: World) -> None:
    """Stop a worker for a while; the group may miss it, and give it seats again when it is back."""
    worker, for_s = world.chance.choice(world.workers), world.chance.choice((0.02, 0.1, 0.3))
    world.trace(worker.process.link.name, "frozen for", for_s)
    worker.process.link.freeze(for_s)
    if world.chance.random() < 0.6:
        world.later(for_s * world.chance.random(), worker.lose)
        world.later(for_s + 0.02, worker.find)


def storm(world: World) -> None:
    """Requests get lost, and some come late."""
    for_s = 0.05 + world.chance.random() * 0.2
    world.trace("network", "storm for", f"{for_s:.3f}")
    world.weather.lost, world.weather.late = world.chance.choice(((0.2, 0.0), (0.0, 0.1), (0.1, 0.05)))
    world.later(for_s, calm_down, world)


def calm_down(world: World) -> None:
    """The network is well again."""
    world.weather.lost = world.weather.late = 0.0


def loading(world: World) -> None:
    """The coordinator of groups moves: it tells nothing for a while."""
    world.trace("broker", "coordinator of groups loads")
    world.broker.loading = True
    world.later(0.1 * world.chance.random(), _loaded, world)


def _loaded(world: World) -> None:
    world.broker.loading = False


def too_small(world: World) -> None:
    """Somebody sets a topic's largest size too low for a while."""
    topic = world.chance.choice(world.job.topics[-2:])
    logs = [log for place, log in world.job.logs.items() if place.topic == topic]
    world.trace("operator", "lets", topic, "take nothing")
    _limit(logs, 0)
    world.later(0.1 * world.chance.random(), _limit, logs, LIMIT_BYTES)


def _limit(logs: Sequence[Log], limit_bytes: int) -> None:
    for log in logs:
        log.limit_bytes = limit_bytes


def retention(world: World) -> None:
    """Retention takes what is committed, and no more."""
    for (group, place), told in world.broker.offsets.items():
        if group == world.job.stage.group:
            before = told.offset - world.chance.choice((0, 0, 1, 3))
            world.trace("broker", "retention", place.topic, place.partition, before)
            world.job.logs[place].cut(before)


def compaction(world: World) -> None:
    """The cleaner comes by the changelog."""
    for place, log in world.job.logs.items():
        if place.topic == "state":
            before = log.end - world.chance.choice((0, 0, 2, 5))
            world.trace("broker", "compacts state", place.partition, "before", before)
            log.compact(before)


def stranger(world: World) -> None:
    """Somebody else's transaction: on an input committed or not, on the changelog never committed."""
    partition = world.chance.randrange(world.partitions)
    topic = world.chance.choice([one for one in world.job.topics if one != "out"])
    ends = "abort" if topic == "state" else world.chance.choice(("commit", "commit", "abort"))
    hangs = world.chance.random() < 0.3
    if topic == "state":
        world.hidden.add(partition)
    world.trace("stranger", "transaction on", topic, partition, "hangs" if hangs else ends)
    world.strangers += 1
    asyncio.ensure_future(_transact(world, TopicPartition(topic, partition), "hang" if hangs else ends))  # noqa: RUF006


async def _transact(world: World, place: TopicPartition, ends: str) -> None:
    HERE.set(world.link("stranger"))
    name = f"stranger-{world.chance.random()}"
    timeout_ms = int(TRANSACTION_S * 1000 * world.chance.choice((1, 3)))
    producer = Producer(OwnerSettings(bootstrap="model", transaction_timeout_ms=timeout_ms), name)
    try:
        await producer.start()
        await producer.begin_transaction()
        for number in range(world.chance.randrange(1, 4)):
            batch = producer.create_batch()
            batch.append(timestamp=0, key=b"k%d" % (number % 2), value=b"s%d" % number, headers=[])
            await (await producer.send_batch(batch, place.topic, partition=place.partition))
        await asyncio.sleep(world.chance.random() * 0.05)
        if ends == "commit":
            await producer.commit_transaction()
        elif ends == "abort":
            await producer.abort_transaction()
    except KafkaError:
        # It was too slow, and the broker ended it.
        return
    finally:
        world.strangers -= 1


FAULTS: Final[Sequence[Callable[[World], None]]] = (
    rebalance, rebalance, kill, kill, leave, freeze, freeze, storm, loading, too_small, retention, compaction, stranger,
    stranger,
)  # fmt: skip


# What follows is done while no worker runs and no transaction is open.


def _next(world: World, partition: int) -> tuple[TopicPartition, int]:
    """The input that was read furthest, and where its owner would go on."""
    told = {
        place: world.broker.offsets.get((world.job.stage.group, place), NOTHING)
        for place in world.job.inputs(partition)
    }
    place = max(told, key=lambda one: told[one].offset)
    return place, told[place].offset


def _append(world: World, place: TopicPartition, records: int) -> None:
    world.broker.append(place, [Data(b"k0", b"n%d" % number) for number in range(records)])


def lost_to_retention(world: World, partition: int) -> Reasons:
    """Retention takes what nobody read."""
    place, at = _next(world, partition)
    _append(world, place, 3)
    world.broker.log(place).cut(max(at, 0) + world.chance.choice((1, 2)))
    return frozenset({Reason.RANGE})


def made_anew(world: World, partition: int) -> Reasons:
    """An input is made anew, and holds less or more than what was read; the group's offsets are still there."""
    place, at = _next(world, partition)
    if not any(record.offset < at for record in world.job.logs[place].readable()):
        return NONE
    world.broker.logs[place] = Log(place)
    _append(world, place, world.chance.choice((at + 2, world.chance.randrange(at))))
    # What comes to it later may make it long enough.
    return frozenset({Reason.ANOTHER_LOG, Reason.RANGE})


def offset_moved(world: World, partition: int) -> Reasons:
    """A tool sets the group's offset. Without a changelog that is believed: nothing to see here."""
    place, at = _next(world, partition)
    if not isinstance(world.job, Count) or at < 1:
        return NONE
    told = NOTHING._replace(offset=at + world.chance.choice((-1, 1)))
    world.broker.offsets[world.job.stage.group, place] = told
    return frozenset({Reason.OFFSET, Reason.RANGE})


def state_gone(world: World, partition: int) -> Reasons:
    """The changelog is made anew, or comes back from an old copy."""
    state = TopicPartition("state", partition)
    if not isinstance(world.job, Count) or _next(world, partition)[1] < 1:
        return NONE
    copied = world.job.logs[state].held()
    world.broker.logs[state] = Log(state)
    if world.chance.random() < 0.5:
        places = [(number, from_state(one.value or b"")) for number, one in enumerate(copied) if one.key == APPLIED]
        # Without the last batch's place: an idle owner may have written the same one again.
        first = min(number for number, place in places if place.offset == places[-1][1].offset)
        copy = [Data(one.key, one.value) for one in copied[: world.chance.randrange(first + 1)]]
        world.broker.append(state, copy)
    # Where the input starts later too, that is told first; a copy may end before any place.
    return frozenset({Reason.OFFSET, Reason.RANGE, Reason.DAMAGED})


def state_damaged(world: World, partition: int) -> Reasons:
    """The changelog comes back without its place."""
    state = TopicPartition("state", partition)
    if not isinstance(world.job, Count):
        return NONE
    world.broker.logs[state] = Log(state)
    world.broker.append(state, [Data(b"k0", b"7")])
    return frozenset({Reason.DAMAGED})


def offsets_forgotten(world: World, partition: int) -> Reasons:
    """The group is forgotten after a week without members: an owner with a changelog does not need it."""
    place, _ = _next(world, partition)
    if isinstance(world.job, Count):
        world.broker.offsets.pop((world.job.stage.group, place), None)
    return NONE


SABOTAGES: Final[Sequence[Callable[[World, int], Reasons]]] = (
    lost_to_retention, made_anew, made_anew, offset_moved, state_gone, state_damaged, offsets_forgotten,
)  # fmt: skip
"""Each says why the partition must not be opened afterwards; nothing where it may be."""
