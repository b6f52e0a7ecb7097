"""Who sits where in the ledger stage, and what an owner's end means."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from aiokafka.errors import KafkaError

from agents.ledger.deps import LedgerDeps
from agents.ledger.owner import LedgerOwner
from agents.ledger.places import AnotherLog
from streams.ledger.errors import LedgerAway, LedgerError
from streams.ownership.ending import Code, Die, die

_LOG: Final = logging.getLogger(__name__)


async def begun(step: Callable[[], Awaitable[None]], *, die: Die = die) -> None:
    """Open the way to ClickHouse; where that cannot be, its one line ends the process."""
    try:
        await step()
    except LedgerError as error:
        die(_code(error), str(error))


def _code(error: LedgerError | AnotherLog) -> Code:
    return Code.FAILED if isinstance(error, LedgerAway) else Code.REFUSED


class LedgerSeats:
    """The owners of the ledger stage in this process. All its methods are called on the event loop."""

    def __init__(self, deps: LedgerDeps, *, die: Die = die) -> None:
        self._deps = deps
        self._die = die
        self._owners: dict[int, LedgerOwner] = {}
        self._tasks: dict[LedgerOwner, asyncio.Task[None]] = {}
        self._closings: set[asyncio.Task[None]] = set()
        self._closing = False

    @property
    def name(self) -> str:
        """The stage's."""
        return "ledger"

    @property
    def held(self) -> frozenset[int]:
        """The seats that the group last gave to this process."""
        return frozenset(self._owners)

    @property
    def owners(self) -> Sequence[LedgerOwner]:
        """The owners at work or still opening."""
        return list(self._owners.values())

    def hold(self, partitions: Collection[int]) -> None:
        """Own these partitions and no others. Returns at once; owners that stay are not touched."""
        if self._closing:
            return
        for partition in self.held - set(partitions):
            closing = asyncio.create_task(self._close(self._owners.pop(partition)))
            self._closings.add(closing)
            closing.add_done_callback(self._closings.discard)
        for partition in set(partitions) - self.held:
            owner = self._owners[partition] = LedgerOwner(partition, self._deps)
            self._tasks[owner] = asyncio.create_task(self._sit(owner), name=owner.name)

    async def close(self) -> None:
        """Write what is in hand and commit it; at most `close_within_s`, then it is left for the next owner."""
        self._closing = True
        leaving, self._owners = list(self._owners.values()), {}
        await asyncio.gather(*(self._close(owner) for owner in leaving), *self._closings)

    async def _sit(self, owner: LedgerOwner) -> None:
        """An owner's whole life; an error of any kind ends the process."""
        try:
            await owner.run()
        except (AnotherLog, LedgerError) as error:
            self._die(_code(error), f"{owner.name} ends the process: {error}")
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends the process
            if not isinstance(error, KafkaError):
                _LOG.error("%s failed", owner.name, exc_info=error)  # a bug: the line alone would not find it
            self._die(Code.FAILED, f"{owner.name} ends the process: {type(error).__name__}: {error}")
        finally:
            await owner.close()
            del self._tasks[owner]

    async def _close(self, owner: LedgerOwner) -> None:
        task = self._tasks.get(owner)
        if task is None:
            return
        owner.finish()
        if not owner.is_open:
            task.cancel()
        _, late = await asyncio.wait([task], timeout=self._deps.close_within_s)
        if late:
            # Nothing is lost: the offset is not committed, and the same rows written again are the same rows.
            task.cancel()
            await asyncio.wait([task], timeout=1.0)
