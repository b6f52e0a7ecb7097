"""A simulation is sent in batches, and how far it is never passes its end."""

import asyncio
from types import SimpleNamespace
from typing import Any

from agents.simulating.rhythm import HOUR_MS
from agents.simulating.sending import Sender
from agents.simulating.stream import Record, Truth
from schemas.codes import Fate


class Batch:
    """Takes one record."""

    def __init__(self) -> None:
        self.rows: list[Any] = []

    def append(self, **row: Any) -> bool | None:
        """Whether there is room."""
        if self.rows:
            return None
        self.rows.append(row)
        return True

    def record_count(self) -> int:
        """So many."""
        return len(self.rows)

    def close(self) -> None:
        """Nothing."""


class Producer:
    """Takes batches and acknowledges each."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def create_batch(self) -> Batch:
        """A new one."""
        return Batch()

    async def send_batch(self, batch: Batch, *_: object, **__: object) -> asyncio.Future[None]:
        """Taken."""
        self.sent += batch.rows
        (done := asyncio.get_running_loop().create_future()).set_result(None)
        return done

    async def send_and_wait(self, *_: object, **__: object) -> SimpleNamespace:
        """The marker."""
        return SimpleNamespace(offset=len(self.sent))


class Heard:
    """How far it was."""

    def __init__(self) -> None:
        self.reached: list[int] = []

    def say(self, text: str) -> None:
        """Nothing."""

    def begin(self, what: str, total: int) -> None:
        """Nothing."""

    def reach(self, done: int) -> None:
        """So far."""
        self.reached.append(done)


async def test_what_comes_weeks_later_is_not_more_than_all() -> None:
    truth = Truth(fate=Fate.TICKETED)
    hours = (0, 1, 47, 49, 900)
    records = [Record(time=at * HOUR_MS, source="s", part="report", key="k", line=b"", truth=truth) for at in hours]
    producer, heard = Producer(), Heard()
    sender = Sender(producer, "l.", "f", heard, hours=48)
    assert await sender.send(records, 0) == (5, 5)
    assert heard.reached == [1, 47, 48, 48]
