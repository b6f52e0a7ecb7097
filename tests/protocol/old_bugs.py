"""Mistakes that were made here once, put back for as long as a `with` lasts: the simulator has to find each."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, Final
from unittest.mock import patch

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streams.ownership import clients, opener
from streams.ownership.batch import Answer, Send
from streams.ownership.clients import Committed
from streams.ownership.owner import Owner
from streams.ownership.place import Place
from streams.ownership.reader import Reader
from streams.ownership.transaction import Fenced, RecordTooLarge, Transactions

Told = Mapping[TopicPartition, Committed | None]
Offsets = Mapping[TopicPartition, tuple[int, str]]


def sends_not_awaited() -> AbstractContextManager[object]:
    """The offsets follow at once; what became of the sends nobody asks."""

    async def send(self: Any, packed: Mapping[TopicPartition, list[Any]]) -> Sequence[object]:
        for partition, batches in packed.items():
            for batch in batches:
                future = await self._producer.send_batch(batch, partition.topic, partition=partition.partition)
                future.add_done_callback(asyncio.Future.exception)
        return ()

    return patch.object(Transactions, "_send", send)


def memory_before_commit() -> AbstractContextManager[object]:
    """Memory takes the change, and then it is committed, or not."""
    commit = Owner._commit  # noqa: SLF001 - it is this that was wrong

    async def early(self: Owner[Any], answer: Answer, places: Mapping[TopicPartition, Place]) -> None:
        answer.take()
        await commit(self, answer, places)

    return patch.object(Owner, "_commit", early)


def no_checks() -> AbstractContextManager[object]:
    """Open whatever is there."""
    return patch.object(opener, "check", lambda _: None)


@contextmanager
def offset_before_fence() -> Iterator[None]:
    """The group's offsets are read, and then the former owner is fenced: it may commit in between."""
    told: ContextVar[Told] = ContextVar("told")
    ask, open_ = clients.committed_offsets, Owner._open  # noqa: SLF001 - it is this that was wrong

    async def open_late(self: Owner[Any]) -> None:
        admin = clients.make_admin(self._deps.settings)
        told.set(await ask(admin, self.stage.group, list(self.inputs), within_s=10.0))
        await open_(self)

    async def told_before(*_: object, **__: object) -> Told:
        return told.get()

    with patch.object(clients, "committed_offsets", told_before), patch.object(Owner, "_open", open_late):
        yield


def producer_used_again() -> AbstractContextManager[object]:
    """After an error the batch is aborted and tried again, with the same producer."""
    commit: Callable[..., Awaitable[None]] = Transactions.commit

    async def stubborn(self: Any, sends: Iterable[Send], offsets: Offsets) -> None:
        sends = list(sends)
        while True:
            try:
                await commit(self, sends, offsets)
            except Fenced:
                raise
            except (KafkaError, RecordTooLarge):
                await self._producer.abort_transaction()
                await asyncio.sleep(0.05)
            else:
                return

    return patch.object(Transactions, "commit", stubborn)


def gate_never_told() -> AbstractContextManager[object]:
    """An owner that is closed keeps what it was let through: the gate waits for it, and intake with it."""

    async def stop(self: Reader) -> None:
        await asyncio.gather(*(lane.stop() for lane in set(self._lane_of.values())))

    return patch.object(Reader, "stop", stop)


OLD_BUGS: Final[Mapping[str, Callable[[], AbstractContextManager[object]]]] = {
    "sends-not-awaited": sends_not_awaited,
    "memory-before-commit": memory_before_commit,
    "no-checks": no_checks,
    "offset-before-fence": offset_before_fence,
    "producer-used-again": producer_used_again,
    "gate-never-told": gate_never_told,
}
