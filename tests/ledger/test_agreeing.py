"""Views and ledger are compared while both go on: what only moves, or is behind, does not differ."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from aiokafka import TopicPartition

from agents.agreeing import Agreeing
from streams.ledger.access import Client
from streams.ledger.agreement import Told

T = TypeVar("T")


class Centre:
    """Two stages, as they are asked: what each tells of one ticket by the number of its newest fact, turn by turn."""

    def __init__(self, views: Sequence[int], ledger: Sequence[int]) -> None:
        self._views = list(views)
        self._ledger = list(ledger)
        self.waits = 0

    async def ends(self, _: Sequence[str]) -> Mapping[TopicPartition, int]:
        """No topic: `views` stand for what is read of it."""
        self.agreeing._views = _told(self._views)  # noqa: SLF001 - instead of a broker
        return {}

    async def ask(self, question: Callable[[Client], T]) -> T:
        """ClickHouse's next answer."""
        return _told(self._ledger)  # type: ignore[return-value]  # the one question that is put here

    async def caught_up(self, _: float) -> None:
        """Both have done all there is."""
        self.waits += 1

    async def differ(self) -> bool:
        """Whether the two are said to differ."""
        self.agreeing = Agreeing(None, self.ends, self.caught_up, self.ask, "p.")
        return not (await self.agreeing.agree(time.monotonic() + 5)).ok


def _told(numbers: list[int]) -> dict[str, Told]:
    number = numbers.pop(0) if len(numbers) > 1 else numbers[0]
    return {"t": Told("open", "signed", "running", "u", number)}


async def test_a_ledger_that_is_behind_is_waited_for() -> None:
    centre = Centre(views=[14], ledger=[13, 14])
    assert (await centre.differ(), centre.waits) == (False, 1)


async def test_a_ticket_that_goes_on_is_looked_at_until_both_tell_the_same() -> None:
    centre = Centre(views=[14, 15, 16], ledger=[13, 14, 16])
    assert (await centre.differ(), centre.waits) == (False, 2)


async def test_what_stands_as_it_stood_when_both_have_done_all_differs() -> None:
    centre = Centre(views=[14], ledger=[13])
    assert (await centre.differ(), centre.waits) == (True, 1)
