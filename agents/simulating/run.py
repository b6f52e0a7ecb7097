"""A simulation through a running centre from end to end: send what is not there yet, wait, compare with the truth."""

from dataclasses import dataclass

from agents.errors import UserError
from agents.feeding.ports import Progress, Settled
from agents.feeding.sending import Range, producer
from agents.feeding.tail import Tail, read_tail
from agents.feeding.waiting import wait_settled
from agents.simulating.sending import Sender
from agents.simulating.stream import Simulation, Span, World
from schemas.topics import HISTORY
from streams.ownership.cluster import Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a run came to: all its records, where they stand, and how many of them this run sent."""

    records: int
    sent: int
    place: Range


async def run(world: World, span: Span, *, cluster: Cluster, prefix: str, progress: Progress) -> Ran:
    """Append the simulation to the log; where a run before stopped, go on from there."""
    topic, group = prefix + HISTORY, f"{prefix}intake"
    feed = span.fingerprint(world.policy.version)
    tail = await read_tail(cluster, topic, group)
    _check_time(world, span, tail, feed)
    first, done = tail.first(feed), tail.sent(feed)
    if tail.feed == feed and tail.marker:
        return Ran(records=done, sent=0, place=Range(topic, 0, first, first + done - 1))
    hours = (span.days + 1) * 24
    progress.begin("hours sent", hours)
    async with producer(cluster) as producing:
        sender = Sender(producing, prefix, feed, progress, hours)
        total, marker = await sender.send(Simulation(world, span).records(), done)
    return Ran(records=total, sent=total - done, place=Range(topic, 0, first, marker - 1))


async def settled(ran: Ran, ledger: Settled, progress: Progress) -> None:
    """Return when all of it is settled, in ClickHouse, or held by the desk."""
    await wait_settled([ran.place], ledger, progress)


def _check_time(world: World, span: Span, tail: Tail, feed: str) -> None:
    if tail.feed == feed or tail.time is None:
        return
    first = next(Simulation(world, span).records(), None)
    if first is not None and first.time < tail.time:
        msg = (
            "the log is later than the simulation begins: history goes in the order of its time. "
            "Take a later --begin, or another --data-dir; nothing was sent"
        )
        raise UserError(msg)
