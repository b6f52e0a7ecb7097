"""The places of the ledger's inputs: where to read on, what the group has not been told, whether it is the same log."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiokafka import ConsumerRecord, TopicPartition

from streams.ledger.newest import Newest
from streams.ledger.rows import Record, Row

_LOG: Final = logging.getLogger(__name__)
_POLL_MS: Final = 100


class AnotherLog(Exception):
    """The topic was made anew, and is another log: its rows would replace those that are there."""

    def __init__(self, one: TopicPartition, found: str) -> None:
        super().__init__(
            f"{one.topic}-{one.partition} {found}: the topic was made anew; take another database or data folder, or "
            "another LIANQIN_KAFKA__PREFIX"
        )


def start_of(one: TopicPartition, committed: int | None, first: int, end: int) -> int:
    """Where to read on: the committed offset, or the log's start where there is none or retention passed it."""
    if committed is None:
        return first
    if committed > end:
        raise AnotherLog(one, f"ends at {end}, but the ledger has read it up to {committed}")
    if committed < first:
        _LOG.error(
            "%s-%d: retention took %d offsets before the ledger read them", one.topic, one.partition, first - committed
        )
    return max(committed, first)


def behind(
    committed: Mapping[TopicPartition, int | None], written: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """Of what is written, the places that the group has not reached, or forgot; it may be further, but not back."""
    return {one: place for one, place in written.items() if (committed[one] or 0) < place}


async def know_again(consumer: Any, one: TopicPartition, newest: Newest, row_of: Callable[[Record], Row]) -> None:
    """See that an input is the log of which ClickHouse has this newest row; raises AnotherLog where it is not."""
    start = (await consumer.beginning_offsets([one]))[one]
    end = (await consumer.end_offsets([one]))[one]
    if newest.offset >= end:
        raise AnotherLog(one, f"ends at {end}, but ClickHouse holds its offset {newest.offset}")
    if newest.offset < start:
        return  # retention took the record: there is nothing to compare
    record = await _record_at(consumer, one, newest.offset, end)
    if record is None or not newest.is_of(row_of(record)):
        raise AnotherLog(one, f"has another record at offset {newest.offset} than ClickHouse holds")


async def _record_at(consumer: Any, one: TopicPartition, offset: int, end: int) -> ConsumerRecord | None:
    """What the log has at an offset; None where that is a marker. Reading goes on where it was."""
    reads_on = await consumer.position(one)
    consumer.seek(one, offset)
    found: ConsumerRecord | None = None
    while found is None and await consumer.position(one) < end:
        got = await consumer.getmany(one, timeout_ms=_POLL_MS, max_records=1)
        found = got[one][0] if got else None
    consumer.seek(one, reads_on)
    return found if found is not None and found.offset == offset else None
