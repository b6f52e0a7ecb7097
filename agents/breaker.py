"""The breaker: a source that sends mostly what cannot be used is paused, instead of filling the dead letters.

By topic, for one topic is one source's. Nothing is lost: the records stay on the intake topic, and after a while a few
are tried again. If most of those can be used the source goes on. Alarms and what is urgent are never paused, history
neither: whoever feeds it stands beside it. All of it is in memory: a worker that starts anew finds out anew.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

_LOG: Final = logging.getLogger(__name__)

IN_A_ROW: Final = 100
"""So many without a usable one between them, batch by batch, are too many."""
WINDOW: Final = 500
"""Of the last so many records, or some more, ..."""
SHARE: Final = 0.5
"""... more than this share is too much."""
FEW: Final = 50
"""On trial: so many usable ones let it go on, so many others pause it again."""
QUIET_S: Final = 60.0
"""A source on trial from which nothing comes for so long has no queue any more: it goes on."""
EVERY_S: Final = 0.1


class BreakerMetrics(Protocol):
    """Who wants to know."""

    def source_paused(self, topic: str, *, paused: bool) -> None:
        """A topic's reading stops, or goes on. The name is without prefix."""
        ...


@dataclass(slots=True)
class _Source:
    """What was seen of one topic."""

    in_a_row: int = 0
    """Refused since a batch that held a usable record."""
    window: deque[tuple[int, int]] = field(default_factory=deque)
    """Records and refused ones of the last batches."""
    seen: int = 0
    refused: int = 0
    """Both of the window; on trial, of the trial."""
    paused_at: float | None = None
    tried_at: float = 0.0
    """When it was put on trial, or last sent something since."""

    def take(self, seen: int, refused: int) -> None:
        """A batch of a source that is not paused."""
        self.in_a_row = self.in_a_row + refused if refused == seen else 0
        self.window.append((seen, refused))
        self.seen, self.refused = self.seen + seen, self.refused + refused
        while self.seen - self.window[0][0] >= WINDOW:
            old_seen, old_refused = self.window.popleft()
            self.seen, self.refused = self.seen - old_seen, self.refused - old_refused

    @property
    def too_bad(self) -> bool:
        """Whether it is to be paused."""
        return self.in_a_row >= IN_A_ROW or (self.seen >= WINDOW and self.refused > SHARE * self.seen)

    def forget(self) -> None:
        """Begin to look anew."""
        self.in_a_row = self.seen = self.refused = 0
        self.window.clear()


class Breaker:
    """The topics that may be paused, by full name. `limits` is what the readers go by: empty while all is well."""

    def __init__(
        self,
        topics: Collection[str],
        metrics: BreakerMetrics,
        *,
        prefix: str = "",
        cool_down_s: float = 10.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits: dict[str, int] = {}
        """By topic, how many records may be read at once: 0 while it is paused, a few on trial."""
        self._sources = {topic: _Source() for topic in topics}
        self._metrics = metrics
        self._prefix = prefix
        self._cool_down_s = cool_down_s
        self._now = now

    def judged(self, seen: Mapping[str, int], refused: Mapping[str, int]) -> None:
        """A batch is committed: so many records of each topic were in it, so many of them are dead letters."""
        for topic, count in seen.items():
            source = self._sources.get(topic)
            if source is not None:
                self._judge(topic, source, count, refused.get(topic, 0))

    def look(self) -> None:
        """Try a few records of whatever was paused for long enough; let go on whatever sends nothing any more."""
        now = self._now()
        for topic, source in self._sources.items():
            if source.paused_at is not None and now - source.paused_at >= self._cool_down_s:
                source.paused_at, source.tried_at = None, now
                source.forget()
                self.limits[topic] = FEW
            elif self.limits.get(topic) and now - source.tried_at >= QUIET_S:
                self._go_on(topic, source, "nothing comes any more")

    async def run(self) -> None:
        """Look again and again, until cancelled.

        Told first is what is not paused: Prometheus sees how far a counter grew, never that it came with a 1.
        """
        for topic in self._sources.keys() - self.limits.keys():
            self._metrics.source_paused(topic.removeprefix(self._prefix), paused=False)
        while True:
            await asyncio.sleep(EVERY_S)
            self.look()

    def _judge(self, topic: str, source: _Source, seen: int, refused: int) -> None:
        limit = self.limits.get(topic)
        if limit is None:
            source.take(seen, refused)
            if source.too_bad:
                self._tell_paused(topic, source)
                self._pause(topic, source)
        elif limit > 0:
            source.seen, source.refused, source.tried_at = source.seen + seen, source.refused + refused, self._now()
            if source.refused >= FEW:
                self._pause(topic, source)
            elif source.seen - source.refused >= FEW:
                self._go_on(topic, source, "its records can be used again")
        # Else the batch was under way when the source was paused: it says nothing new.

    def _pause(self, topic: str, source: _Source) -> None:
        source.paused_at = self._now()
        self.limits[topic] = 0

    def _go_on(self, topic: str, source: _Source, why: str) -> None:
        source.forget()
        del self.limits[topic]
        self._metrics.source_paused(topic.removeprefix(self._prefix), paused=False)
        _LOG.warning("%s goes on: %s", topic, why)

    def _tell_paused(self, topic: str, source: _Source) -> None:
        self._metrics.source_paused(topic.removeprefix(self._prefix), paused=True)
        _LOG.warning(
            "%s is paused: of its last %d records %d could not be used. They stay on the topic; a few are tried every "
            "%g s, and it goes on by itself once they can be used. The reasons stand on dead-letter: tell whoever "
            "sends. To let all of it through as dead letters: start the workers with LIANQIN_INTAKE__BREAKER=false",
            topic,
            source.seen,
            source.refused,
            self._cool_down_s,
        )
