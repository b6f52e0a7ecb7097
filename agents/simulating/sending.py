"""A simulation into `intake.history`: in order, resumed where it stopped, with its end marked."""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Final

from aiokafka import AIOKafkaProducer

from agents.feeding.ports import Progress
from agents.simulating.rhythm import HOUR_MS
from agents.simulating.stream import Record
from schemas.intake import IntakeHeaders
from schemas.topics import HISTORY

IN_FLIGHT: Final = 16
"""Batches sent and not yet acknowledged."""


class Sender:
    """Appends the records of one simulation. `feed`: its fingerprint, by which it resumes.

    `hours` are those of its days; what comes of these goes on for weeks, a few records a day.
    """

    def __init__(self, producer: AIOKafkaProducer, prefix: str, feed: str, progress: Progress, hours: int) -> None:
        self._producer = producer
        self._topic = prefix + HISTORY
        self._feed = feed
        self._progress = progress
        self._hours = hours
        self._batch = producer.create_batch()
        self._waiting: deque[asyncio.Future[object]] = deque()

    async def send(self, records: Iterable[Record], start: int) -> tuple[int, int]:
        """Append the records from row `start` on, then the end marker: how many there are, and the marker's offset."""
        row, time, begin = -1, 0, None
        for row, record in enumerate(records):
            time = record.time
            begin = time if begin is None else begin
            if row >= start and not self._append(row, record):
                await self._flush()
                self._progress.reach(min((time - begin) // HOUR_MS, self._hours))
                self._append(row, record)
        await self._flush()
        await self._acknowledged(0)
        headers = IntakeHeaders(time=time, feed=self._feed, row=row + 1, marker="end").to_kafka()
        marker = await self._producer.send_and_wait(self._topic, value=b"", partition=0, headers=headers)
        return row + 1, marker.offset

    def _append(self, row: int, record: Record) -> bool:
        headers = IntakeHeaders(
            source=record.source, part=record.part, time=record.time, feed=self._feed, row=row
        ).to_kafka()
        key, line = record.key.encode(), record.line
        return self._batch.append(timestamp=None, key=key, value=line, headers=headers) is not None

    async def _flush(self) -> None:
        if self._batch.record_count() == 0:
            return
        self._batch.close()
        self._waiting.append(await self._producer.send_batch(self._batch, self._topic, partition=0))
        self._batch = self._producer.create_batch()
        await self._acknowledged(IN_FLIGHT)

    async def _acknowledged(self, most: int) -> None:
        while len(self._waiting) > most:
            await self._waiting.popleft()
