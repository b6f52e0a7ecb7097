"""A log that stands on a broker: how far it goes, and its records, read without a group and without a trace."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import TopicPartition

from agents.brokers import cluster_at
from agents.errors import UserError
from agents.logs import Logs
from agents.replaying.source import Bounds
from agents.settings import SecuritySettings
from schemas.topics import DESK, TICKETS
from streams.ownership import clients
from streams.ownership.batch import Record
from streams.ownership.cluster import Cluster
from streams.ownership.settings import OwnerSettings

_ANSWER_WITHIN_S: Final = 10.0
_HIDDEN_S: Final = 30.0
"""How long transactions that are open may take to end."""
_LOOK_EVERY_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class BrokerLog:
    """The log on a broker, up to fixed ends."""

    bootstrap: str
    security: SecuritySettings
    prefix: str
    bounds: Mapping[int, Bounds]

    def desk(self, partition: int, first: int) -> Iterator[Record]:
        """The commands from an offset on."""
        place = TopicPartition(self.prefix + DESK, partition)
        return read(cluster_at(self.bootstrap, self.security), place, first, self.bounds[partition].desk_end)

    def tickets(self, partition: int) -> Iterator[Record]:
        """The facts."""
        place, known = TopicPartition(self.prefix + TICKETS, partition), self.bounds[partition]
        return read(cluster_at(self.bootstrap, self.security), place, known.tickets_first, known.tickets_end)


def read(cluster: Cluster, place: TopicPartition, first: int, end: int) -> Iterator[Record]:
    """What a partition holds from `first` up to `end`, `read_committed`, as a plain iterator."""
    if first >= end:
        return
    loop = asyncio.new_event_loop()
    try:
        consumer: Any = loop.run_until_complete(_reading(cluster, place, first))
        try:
            while loop.run_until_complete(consumer.position(place)) < end:
                for record in loop.run_until_complete(consumer.getmany(place, timeout_ms=200)).get(place, ()):
                    if record.offset < end:
                        yield record
        finally:
            loop.run_until_complete(consumer.stop())
    finally:
        loop.close()


async def _reading(cluster: Cluster, place: TopicPartition, first: int) -> Any:
    consumer = clients.log_reader(cluster)
    await clients.start(consumer)
    consumer.assign([place])
    consumer.seek(place, first)
    return consumer


def log_at(logs: Logs) -> BrokerLog:
    """The log as it is now; `UserError` where there is none."""
    bounds = {one.partition: one for one in asyncio.run(_bounds(logs))}
    return BrokerLog(logs.cluster.bootstrap, logs.security, logs.prefix, bounds)


async def _bounds(logs: Logs) -> list[Bounds]:
    settings = OwnerSettings(bootstrap=logs.cluster.bootstrap, prefix=logs.prefix, security=logs.cluster.security)
    committed = clients.make_consumer(settings)
    uncommitted = clients.make_consumer(settings, isolation="read_uncommitted")
    admin = clients.make_admin(settings)
    try:
        await clients.start(committed, uncommitted, admin)
        asked = _Asked(logs, committed, uncommitted, admin)
        return await asked.bounds()
    finally:
        await clients.stop(committed, uncommitted, admin)


@dataclass(frozen=True, slots=True)
class _Asked:
    logs: Logs
    committed: Any
    uncommitted: Any
    admin: Any

    async def bounds(self) -> list[Bounds]:
        desk, tickets = await self._partitions(DESK), await self._partitions(TICKETS)
        # In this order: all that the desk had committed stands before the facts' end, and whatever stands before that
        # was made of a record before the commands' end.
        told = await clients.committed_offsets(self.admin, f"{self.logs.prefix}desk", desk, within_s=_ANSWER_WITHIN_S)
        facts = await self._settled_ends(tickets)
        ends = await self.committed.end_offsets(desk)
        starts = await self.committed.beginning_offsets([*desk, *tickets])
        found = []
        for one, facts_of in zip(desk, tickets, strict=True):
            at = told[one]
            found.append(
                Bounds(
                    partition=one.partition,
                    desk_first=starts[one],
                    desk_end=ends[one],
                    tickets_first=starts[facts_of],
                    tickets_end=facts[facts_of],
                    applied=ends[one] if at is None else at.offset,
                )
            )
        return found

    async def _partitions(self, topic: str) -> list[TopicPartition]:
        name = self.logs.prefix + topic
        if name not in await self.admin.list_topics():
            where = self.logs.cluster.bootstrap
            msg = f"{where} has no topic {name}: correct LIANQIN_KAFKA__PREFIX, or start `lianqin up`"
            raise UserError(msg)
        (found,) = await self.admin.describe_topics([name])
        return sorted(TopicPartition(name, one["partition"]) for one in found["partitions"])

    async def _settled_ends(self, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The ends as they are, once no transaction that is open now hides a part before them."""
        ends: Mapping[TopicPartition, int] = await self.uncommitted.end_offsets(places)
        until = time.monotonic() + _HIDDEN_S
        while True:
            seen = await self.committed.end_offsets(places)
            if all(seen[one] >= end for one, end in ends.items()):
                return ends
            if time.monotonic() > until:
                msg = f"a transaction on {places[0].topic} does not end: is a worker frozen? Try again"
                raise UserError(msg)
            await asyncio.sleep(_LOOK_EVERY_S)
