"""What `tickets.current` tells of each ticket against what ClickHouse does, while both may go on."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, TypeVar

import orjson
from aiokafka import TopicPartition

from schemas.topics import TICKETS, TICKETS_CURRENT
from streams.ledger.access import Client
from streams.ledger.agreement import Agreement, Told, compare, told_by_ledger
from streams.ownership.changelog import records_of

T = TypeVar("T")
EndsOf = Callable[[Sequence[str]], Awaitable[Mapping[TopicPartition, int]]]
CaughtUp = Callable[[float], Awaitable[None]]
"""Returns once both stages have done all facts that stand now, or when time is up (monotonic seconds)."""


class Ask(Protocol):
    """Puts a question to ClickHouse, off the event loop."""

    async def __call__(self, question: Callable[[Client], T]) -> T:
        """Its answer."""
        ...


class Agreeing:
    """Reads the views as any subscriber would, and asks the ledger of the same tickets."""

    def __init__(self, consumer: Any, ends: EndsOf, caught_up: CaughtUp, ask: Ask, prefix: str) -> None:
        self._consumer = consumer
        self._ends = ends
        self._caught_up = caught_up
        self._ask = ask
        self._topic = prefix + TICKETS
        self._read: dict[TopicPartition, int] = {}
        """Up to where `tickets.current` was read."""
        self._views: dict[str, Told] = {}

    async def agree(self, until: float) -> Agreement:
        """Compare; at the latest when time is up (monotonic seconds).

        What differs may only move, or one of the stages be behind: it is looked at again once both have done all there
        is. What then still stands as it stood does differ.
        """
        await self._read_on()
        found = compare(self._views, await self._ask(partial(told_by_ledger, topic=self._topic)))
        differing = found.differing
        before: Mapping[str, tuple[Told | None, Told | None]] = {}
        while differing and differing != before and time.monotonic() < until:
            before = differing
            await self._caught_up(until)
            await self._read_on()
            ledger = await self._ask(partial(told_by_ledger, topic=self._topic, tickets=list(differing)))
            differing = compare({one: self._views[one] for one in differing if one in self._views}, ledger).differing
        return replace(found, differing=differing)

    async def _read_on(self) -> None:
        ends = await self._ends([TICKETS_CURRENT])
        starts = await self._consumer.beginning_offsets(list(ends)) if ends else {}
        for partition, end in ends.items():
            start = max(starts[partition], self._read.get(partition, 0))
            async for records in records_of(self._consumer, partition, start, end):
                self._take([record for record in records if record.offset < end])
            self._read[partition] = end

    def _take(self, records: Sequence[Any]) -> None:
        """Newer views; a tombstone is one that left."""
        for record in records:
            if record.value is None:
                self._views.pop(record.key.decode(), None)
            else:
                view = orjson.loads(record.value)
                self._views[view["ticket"]] = Told(*(view[name] for name in Told._fields))
