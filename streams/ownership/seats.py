"""Who sits where: opens and closes owners as the group assigns seats, and decides what their ends mean."""

import asyncio
import logging
import time
from collections.abc import Collection, Coroutine, Sequence
from typing import Any, Final

from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from streams.ownership.ending import Code, Die, die
from streams.ownership.membership import Told
from streams.ownership.opening import OpenRefused
from streams.ownership.owner import Owner, OwnerDeps
from streams.ownership.stage import Stage
from streams.ownership.transaction import Fenced, RecordTooLarge

_LOG: Final = logging.getLogger(__name__)
_ASK_EVERY_S: Final = 0.5
_TOLD_WITHIN_S: Final = 3.0
_DENIED: Final = (TopicAuthorizationFailedError, GroupAuthorizationFailedError, TransactionalIdAuthorizationFailed)
"""Started again, the process would be told the same."""


class Seats:
    """The owners that this process has of one stage. All its methods are called on the event loop.

    `told` asks the group itself, after a fence, whose seat it is; without it only time tells.
    """

    def __init__(self, stage: Stage[Any], deps: OwnerDeps, *, told: Told | None = None, die: Die = die) -> None:
        self.stage = stage
        self._deps = deps
        self._told = told
        self._die = die
        self._owners: dict[int, Owner[Any]] = {}
        self._tasks: dict[Owner[Any], asyncio.Task[None]] = {}
        self._closings: set[asyncio.Task[None]] = set()
        self._graces: set[asyncio.Task[None]] = set()
        self._closing = False

    @property
    def name(self) -> str:
        """The stage's."""
        return self.stage.name

    @property
    def held(self) -> frozenset[int]:
        """The seats that the group last gave to this process."""
        return frozenset(self._owners)

    @property
    def owners(self) -> Sequence[Owner[Any]]:
        """The owners at work or still opening; those that were fenced or are being closed are not among them."""
        return [owner for owner in self._owners.values() if owner in self._tasks]

    def hold(self, partitions: Collection[int]) -> None:
        """Own these partitions and no others. Returns at once; owners that stay are not touched.

        An owner that was fenced is over: if its seat is given again, a new one opens.
        """
        if self._closing:
            return
        for partition in self.held - set(partitions):
            _go(self._close(self._owners.pop(partition)), self._closings)
        for partition in partitions:
            owner = self._owners.get(partition)
            if owner is None or owner not in self._tasks:
                self._owners[partition] = self._open(partition)

    async def close(self) -> None:
        """Finish the batches in hand and commit them; takes at most `close_within_s`, else the process ends."""
        self._closing = True
        leaving, self._owners = list(self._owners.values()), {}
        await asyncio.gather(*(self._close(owner) for owner in leaving))
        for task in self._graces:
            task.cancel()
        await asyncio.gather(*self._graces, *self._closings, *self._tasks.values(), return_exceptions=True)

    def _open(self, partition: int) -> Owner[Any]:
        before = [task for owner, task in self._tasks.items() if owner.partition == partition]
        owner: Owner[Any] = Owner(self.stage, partition, self._deps)
        self._tasks[owner] = asyncio.create_task(self._sit(owner, before), name=owner.name)
        return owner

    async def _sit(self, owner: Owner[Any], before: Sequence[asyncio.Task[None]]) -> None:
        """An owner's whole life, and what its end means."""
        try:
            if before:
                # The same seat came back before its last owner here was done; and it may go again before that.
                await asyncio.wait(before)
            await owner.run()
        except Fenced:
            self._deps.metrics.fenced(self.stage.name)
            _go(self._see_whether_replaced(owner), self._graces)
        except OpenRefused as refused:
            self._deps.metrics.refused(self.stage.name, refused.reason)
            self._die(Code.REFUSED, f"{owner.name} does not open ({refused.reason}): {refused}")
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends the process
            self._fail(owner, error)
        finally:
            try:
                await owner.close()
            finally:
                del self._tasks[owner]

    def _fail(self, owner: Owner[Any], error: Exception) -> None:
        if not isinstance(error, KafkaError | RecordTooLarge | TimeoutError):
            # A bug, ours or an agent's: the line alone would not find it.
            _LOG.error("%s failed", owner.name, exc_info=error)
        code = Code.REFUSED if isinstance(error, _DENIED) else Code.FAILED
        self._die(code, f"{owner.name} ends the process: {type(error).__name__}: {error}")

    async def _see_whether_replaced(self, owner: Owner[Any]) -> None:
        """A fence without a successor would leave the partition to nobody.

        It comes when a transaction took too long: brokers were away meanwhile. Where the group itself says that the
        seat is still ours, nobody else has it, and a new owner opens at once.
        """
        grace_s, partition = self._deps.settings.fenced_grace_s, owner.partition
        until = time.monotonic() + grace_s
        while self._owners.get(partition) is owner:
            if await self._is_given(partition):
                if self._owners.get(partition) is owner:
                    self._owners[partition] = self._open(partition)
            elif time.monotonic() > until:
                self._die(
                    Code.FAILED,
                    f"{owner.name} was fenced {grace_s:g} s ago, but the group still gives it to this worker",
                )
                return
            else:
                await asyncio.sleep(_ASK_EVERY_S)

    async def _is_given(self, partition: int) -> bool:
        """What the group says, not what this worker remembers: it may have been frozen."""
        if self._told is None:
            return False
        try:
            async with asyncio.timeout(_TOLD_WITHIN_S):
                seats = await self._told()
        except (KafkaError, OSError, TimeoutError):
            return False
        return seats is not None and partition in seats

    async def _close(self, owner: Owner[Any]) -> None:
        task = self._tasks.get(owner)
        if task is None:
            return
        owner.finish()
        if not owner.is_open:
            task.cancel()
        within_s = self._deps.settings.close_within_s
        _, late = await asyncio.wait([task], timeout=within_s)
        if late:
            self._die(Code.FAILED, f"{owner.name} did not finish its batch in {within_s:g} s")
            task.cancel()


def _go(work: Coroutine[Any, Any, None], among: set[asyncio.Task[None]]) -> None:
    """Start work in the background and remember it until it is done."""
    task = asyncio.create_task(work)
    among.add(task)
    task.add_done_callback(among.discard)
