"""Reading an owner's inputs: first ones first, routine ones while the gate is open."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from aiokafka import TopicPartition

from streams.ownership import clients
from streams.ownership.batch import Record
from streams.ownership.settings import OwnerSettings

Limits = Callable[[], Mapping[str, int]]
"""By topic, how many of its records may be read at once; 0: none now. A topic that is not named has no limit."""
Chunk = Mapping[TopicPartition, Sequence[Record]]

_IDLE_MS: Final = 100
_GATE_MS: Final = 20
_PATIENCE: Final = 4
"""So often is an answer waited for by a busy loop, whose timers run out before it reads."""


class Gate(Protocol):
    """What routine records pass on their way to an owner."""

    async def open(self, records: int) -> bool:
        """Whether so many may go on now. They are under way where it says yes; 0 only asks."""
        ...

    def over(self, records: int) -> None:
        """So many are under way no more: committed, or let go of by an owner that was closed."""
        ...


class AlwaysOpen:
    """The gate of a stage without flow control."""

    async def open(self, _: int) -> bool:
        """Yes."""
        return True

    def over(self, _: int) -> None:
        """Nobody counts."""


def no_limits() -> Mapping[str, int]:
    """The limits of a stage whose sources are never paused."""
    return {}


class _Lane:
    """A consumer with one question under way; its answer is kept until somebody takes it."""

    def __init__(self, settings: OwnerSettings, places: Mapping[TopicPartition, int], limits: Limits) -> None:
        self.consumer = clients.make_consumer(settings)
        self._places = list(places)
        self._limits = limits
        self._most = settings.batch_records
        self._refetch_ms = settings.refetch_ms
        self._growing = False
        self._asked: asyncio.Task[dict[TopicPartition, Sequence[Record]]] | None = None

    def ask(self) -> "asyncio.Task[dict[TopicPartition, Sequence[Record]]]":
        """The question under way, or a new one."""
        if self._asked is None:
            limits = self._limits()
            self._asked = asyncio.ensure_future(self._within(limits) if limits else self._grown())
        return self._asked

    async def _grown(self) -> dict[TopicPartition, Sequence[Record]]:
        """What was fetched while the last batch was in hand, with what came after it; else the next that comes.

        A consumer fetches ahead once and then holds what it got, however little. Taken alone it would cost a
        transaction, and all that came since would wait for the one after.
        """
        found = await self._get(0, self._most)
        count = sum(map(len, found.values()))
        if not count:
            return await self._get(_IDLE_MS, self._most)
        if count >= self._most or not self._refetch_ms:
            return found
        self._growing = True
        try:
            more = await self._more(self._most - count)
        finally:
            self._growing = False
        return {place: [*found.get(place, ()), *more.get(place, ())] for place in found.keys() | more.keys()}

    async def _more(self, most: int) -> dict[TopicPartition, Sequence[Record]]:
        """What came since. Where the loop was busy all the while, the answer may lie there unread: once more then."""
        loop = asyncio.get_running_loop()
        for _ in range(_PATIENCE):
            began = loop.time()
            more = await self._get(self._refetch_ms, most)
            if more or (loop.time() - began) * 1000 < 2 * self._refetch_ms:
                break
        return more

    async def _get(self, within_ms: float, most: int) -> dict[TopicPartition, Sequence[Record]]:
        got: dict[TopicPartition, Sequence[Record]] = await self.consumer.getmany(
            timeout_ms=within_ms, max_records=most
        )
        return got

    async def _within(self, limits: Mapping[str, int]) -> dict[TopicPartition, Sequence[Record]]:
        """The few that are here of a topic that has a limit, alone; else what comes of those that have none."""
        for place in self._places:
            if few := limits.get(place.topic):
                found: dict[TopicPartition, Sequence[Record]] = await self.consumer.getmany(place, max_records=few)
                if found:
                    return found
        free = [place for place in self._places if place.topic not in limits]
        if not free:
            await asyncio.sleep(_IDLE_MS / 1000)
            return {}
        got: dict[TopicPartition, Sequence[Record]] = await self.consumer.getmany(
            *free, timeout_ms=_IDLE_MS, max_records=self._most
        )
        return got

    def put_back(self) -> None:
        """Of what waits to be taken, let go what was paused meanwhile: it is read again from there."""
        if (limits := self._limits()) and self._asked is not None and self._asked.done():
            chunk = self._asked.result()
            for place in [place for place in chunk if limits.get(place.topic) == 0]:
                self.consumer.seek(place, chunk.pop(place)[0].offset)

    def take(self) -> Chunk:
        """The answer, if there is one."""
        if self._asked is None or not self._asked.done():
            return {}
        asked, self._asked = self._asked, None
        return asked.result()

    @property
    def held(self) -> int:
        """How many records wait to be taken."""
        return sum(map(len, self._asked.result().values())) if self._asked is not None and self._asked.done() else 0

    @property
    def holds_some(self) -> bool:
        """Whether an answer waits to be taken; the consumer's position is behind it then."""
        return self._growing or (self._asked is not None and self._asked.done())

    async def stop(self) -> None:
        """Stop asking and close."""
        if self._asked is not None:
            self._asked.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._asked
        await clients.stop(self.consumer)


class Reader:
    """The next records of an owner. Between two calls all that was handed out must be committed."""

    def __init__(self, settings: OwnerSettings, gate: Gate, limits: Limits = no_limits) -> None:
        self._settings = settings
        self._gate = gate
        self._limits = limits
        self._first: _Lane | None = None
        self._routine: _Lane | None = None
        self._lane_of: dict[TopicPartition, _Lane] = {}
        self._under_way = 0
        """Routine records handed out, and not over."""

    async def open(self, first: Mapping[TopicPartition, int], routine: Mapping[TopicPartition, int]) -> None:
        """Start to read each partition at its offset."""
        self._first = await self._lane(first, no_limits)
        self._routine = await self._lane(routine, self._limits)

    async def _lane(self, places: Mapping[TopicPartition, int], limits: Limits) -> _Lane | None:
        if not places:
            return None
        lane = _Lane(self._settings, places, limits)
        # Known before it starts, so that a failed start leaves nothing open.
        self._lane_of.update(dict.fromkeys(places, lane))
        await clients.start(lane.consumer)
        lane.consumer.assign(list(places))
        for partition, offset in places.items():
            lane.consumer.seek(partition, offset)
        return lane

    async def next(self) -> Chunk:
        """The next records, of first inputs alone or of routine ones alone; nothing after about 0.1 s without any."""
        lanes = [lane for lane in (self._first, await self._routine_if_open()) if lane is not None]
        if lanes:
            await asyncio.wait([lane.ask() for lane in lanes], return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(_GATE_MS / 1000)
        for lane in lanes:
            lane.put_back()
            if lane is self._routine and not await self._passed(lane.held):
                continue
            if chunk := lane.take():
                return chunk
        return {}

    async def _routine_if_open(self) -> _Lane | None:
        return self._routine if self._routine is not None and await self._gate.open(0) else None

    async def _passed(self, records: int) -> bool:
        """Asked again when they are here: whoever else passed meanwhile may have filled what is behind the gate."""
        if passed := await self._gate.open(records):
            self._under_way = records
        return passed

    def over(self) -> None:
        """What was handed out last is committed, or never will be."""
        self._gate.over(self._under_way)
        self._under_way = 0

    async def position(self, partition: TopicPartition) -> int | None:
        """Where reading goes on, past markers; None while records wait here that `next` has not handed out."""
        lane = self._lane_of[partition]
        return None if lane.holds_some else int(await lane.consumer.position(partition))

    async def stop(self) -> None:
        """Close both lanes, whatever their state."""
        self.over()
        await asyncio.gather(*(lane.stop() for lane in set(self._lane_of.values())))
