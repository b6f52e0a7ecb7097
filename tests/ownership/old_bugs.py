"""Old bugs of the owner, put back one by one: the tests that own the promises must notice each.

They live here alone: a test patches one in, runs another test, and wants it to fail.
"""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from aiokafka import TopicPartition

from streams.ownership.batch import Answer
from streams.ownership.opening import Found
from streams.ownership.owner import Owner
from streams.ownership.place import Place
from streams.ownership.transaction import Transactions

_commit = Owner._commit  # noqa: SLF001 - what the bug calls


async def sends_not_awaited(self: Transactions, packed: Mapping[TopicPartition, list[Any]]) -> Sequence[Any]:
    """`Transactions._send`: hand all batches over and go on to the commit, which succeeds although a send fails."""
    for batches in zip_longest(*packed.values()):
        for partition, batch in zip(packed, batches, strict=True):
            if batch is not None:
                future = await self._producer.send_batch(batch, partition.topic, partition=partition.partition)
                future.add_done_callback(lambda done: done.cancelled() or done.exception())
    return ()


async def memory_before_the_commit(self: Owner[Any], answer: Answer, places: Mapping[TopicPartition, Place]) -> None:
    """`Owner._commit`: memory takes what may never be committed."""
    answer.take()
    await _commit(self, answer, places)


def no_check_at_open(found: Found) -> None:
    """`opening.check`: go on from wherever the group says."""
