"""One schedule: records come while faults strike, then it is calm, then all must be well. All is the seed's choice."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.protocol import faults
from tests.protocol.clients import installed
from tests.protocol.log import Data
from tests.protocol.loop import run_virtually
from tests.protocol.network import HERE
from tests.protocol.world import TRANSACTION_S, World

CALM_S: Final = 20.0
"""After the last fault everything is processed within this time."""
_LOOK_S: Final = 0.03


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a seed."""

    seed: int
    wrong: Sequence[str]
    felt: Counter[str]
    trace: Sequence[str]


def play(seed: int, *, traced: bool = False) -> Outcome:
    """Play the schedule of a seed."""
    with installed():
        return run_virtually(lambda: _play(seed, traced=traced))


async def _play(seed: int, *, traced: bool) -> Outcome:
    world = World(seed, traced=traced)
    world.broker.loop.set_task_factory(_owned)
    world.broker.loop.set_exception_handler(lambda _loop, context: _unseen(world, context))
    _set_out(world)
    await asyncio.sleep(world.chance.choice((0.3, 0.6)))
    if world.chance.random() < 0.2:
        await _sabotage(world)
    await _calm(world)
    _judge(world)
    await _end(world)
    world.felt["transaction timed out"] += world.broker.timed_out
    return Outcome(seed, world.wrong, world.felt, world.trace.lines or ())


def _unseen(world: World, context: Mapping[str, Any]) -> None:
    """What nobody asked for. Tasks of a killed process end in the middle of anything; all else is a bug."""
    error = context.get("exception")
    if not isinstance(error, asyncio.CancelledError):
        world.complain(f"{context['message']}: {error!r}")


def _owned(loop: asyncio.AbstractEventLoop, work: Any, **named: Any) -> "asyncio.Task[Any]":
    """A task that ends with the process it belongs to."""
    task = asyncio.Task(work, loop=loop, **named)
    if (link := HERE.get(None)) is not None:
        link.tasks[task] = None
    return task


def _set_out(world: World) -> None:
    """Start the workers, and plan what comes."""
    chance = world.chance
    for worker in world.workers:
        worker.start()
    for number in range(chance.randrange(4, 16)):
        world.later(chance.random() * 0.4, _feed, world, number)
    for _ in range(chance.randrange(0, 7)):
        world.later(chance.random() * 0.4, _strike, world, chance.choice(faults.FAULTS))


def _strike(world: World, fault: Callable[[World], None]) -> None:
    world.felt[f"fault: {fault.__name__}"] += 1
    fault(world)


def _feed(world: World, number: int) -> None:
    """One or several records to one of the inputs."""
    chance = world.chance
    place = chance.choice(world.job.inputs(chance.randrange(world.partitions)))
    records = [
        Data(b"k%d" % chance.randrange(3), b"v%d.%d" % (number, part), (("n", b"%d" % part),))
        for part in range(chance.choice((1, 1, 2, 5)))
    ]
    world.trace("source", "sends", len(records), "to", place.topic, place.partition)
    world.broker.append(place, records)


async def _sabotage(world: World) -> None:
    """Stop all workers, let every transaction end, change something, and start them again."""
    for worker in world.workers:
        worker.stop()
    while not world.broker.quiet():  # noqa: ASYNC110 - the model has no event for it
        await asyncio.sleep(0.1)
    partition = world.chance.randrange(world.partitions)
    sabotage = world.chance.choice(faults.SABOTAGES)
    reasons = sabotage(world, partition)
    world.felt[f"sabotage: {sabotage.__name__}"] += 1
    world.trace(
        "operator", sabotage.__name__, partition, "must be refused:" if reasons else "may open", *sorted(reasons)
    )
    if reasons:
        world.refusals[partition] = reasons
    for worker in world.workers:
        worker.start()


async def _calm(world: World) -> None:
    """No more faults: wait until all is done."""
    loop = world.broker.loop
    # What a fault began ends within this time, but for a stranger's transaction that came late.
    await asyncio.sleep(4 * TRANSACTION_S)
    while world.strangers or not world.broker.quiet("stranger"):  # noqa: ASYNC110 - the model has no event for it
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.05)
    world.calm_at = loop.time()
    deadline = loop.time() + CALM_S
    while not world.is_done:
        if loop.time() > deadline:
            world.complain(f"not done {CALM_S:g} s after the last fault; open: {world.open_seats()}")
            return
        await asyncio.sleep(_LOOK_S)


def _judge(world: World) -> None:
    for partition in range(world.partitions):
        whole = partition not in world.refusals
        for what in world.job.wrong(partition, whole=whole):
            world.complain(what)
        if whole:
            for what in world.job.wrong_memory(partition):
                world.complain(what)


async def _end(world: World) -> None:
    """End all processes and wait for their tasks."""
    for worker in world.workers:
        worker.stop()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left)
