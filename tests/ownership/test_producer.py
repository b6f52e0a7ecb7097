"""How an owner's producer numbers its records."""

from collections.abc import Sequence

import pytest
from aiokafka import TopicPartition

from streams.ownership.producer import Producer
from streams.ownership.settings import OwnerSettings

PLACE, OTHER = TopicPartition("out", 0), TopicPartition("out", 1)
MOST = 2**31 - 1
"""The largest number that Kafka knows; the next one is 0."""


class Sending:
    """A batch of so many records, and which number it was given."""

    def __init__(self, records: int) -> None:
        self.batch = self
        self._records = records
        self.numbered = -1

    def record_count(self) -> int:
        """So many."""
        return self._records

    def number(self, _producer_id: int, _epoch: int, sequence: int) -> None:
        """The number of its first record."""
        self.numbered = sequence


@pytest.mark.parametrize(
    ("records", "numbers"),
    [
        ([3, 2, 1], [0, 3, 5]),
        ([MOST - 1, 1, 1], [0, MOST - 1, MOST]),
        ([MOST, 1, 1, 2], [0, MOST, 0, 1]),
        ([MOST - 1, 2, 1], [0, MOST - 1, 0]),
        ([MOST - 1, 5, 1], [0, MOST - 1, 3]),
        ([MOST, MOST, MOST, 1], [0, MOST, MOST - 1, MOST - 2]),
    ],
)
async def test_behind_the_largest_number_comes_0_again(records: Sequence[int], numbers: Sequence[int]) -> None:
    producer = Producer(OwnerSettings(bootstrap="nowhere"), "p")
    sendings = [Sending(one) for one in records]
    for sending in sendings:
        producer._number({PLACE: sending})  # type: ignore[dict-item] # noqa: SLF001 - so many would take hours
    assert [sending.numbered for sending in sendings] == numbers
    other = Sending(1)
    producer._number({OTHER: other})  # type: ignore[dict-item] # noqa: SLF001
    assert other.numbered == 0
