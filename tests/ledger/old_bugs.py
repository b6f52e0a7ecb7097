"""Old bugs of the ledger, put back one by one: the tests that own the promises must notice each."""

from collections.abc import Callable

from aiokafka import TopicPartition

from agents.ledger.owner import LedgerOwner

Start = Callable[[TopicPartition, int | None, int, int], int]

_flush = LedgerOwner._flush  # noqa: SLF001 - what the bug calls


def start_behind(newest: Callable[[str, int], int]) -> Start:
    """`start_of` of the ledger: read on behind the newest row that stands (`max(_offset)`), whatever the group says."""
    return lambda one, _committed, start, _end: max(start, newest(one.topic, one.partition) + 1)


async def commit_before_the_insert(self: LedgerOwner) -> None:
    """`LedgerOwner._flush`: the place is committed first, and the rows may never come."""
    done = {one: records[-1].offset + 1 for one, records in self._pending.items() if records}
    if done:
        await self._consumer.commit(done)
    await _flush(self)
