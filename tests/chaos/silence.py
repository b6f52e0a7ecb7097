"""How long each partition said nothing: the longest pause between two outputs, and after which fault it was.

Records must flow for a pause to mean anything: one that began when the sending stood at its gate is not counted.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import KafkaException

from tests.chaos.kafka import Ends, Partition
from tests.chaos.sending import Sent
from tests.watching import Watching

LOOK_EVERY_S: Final = 0.1
STARVED_S: Final = 1.0
"""What was sent so short before the gate closed is out by then; later outputs end a pause that has no fault."""
NOTED_S: Final = 1.0
"""Shorter pauses are none."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A partition said nothing."""

    partition: int
    seconds: float
    after: str
    """The last fault before its end."""


@dataclass(slots=True)
class Pauses:
    """All pauses of a run."""

    found: list[Pause] = field(default_factory=list)

    def longest(self) -> Mapping[int, Pause]:
        """By partition."""
        return {one.partition: one for one in sorted(self.found, key=lambda one: one.seconds)}

    def worst(self, *kinds: str) -> float | None:
        """Seconds, after faults of these kinds (first words)."""
        return max((one.seconds for one in self.found if one.after.split()[0] in kinds), default=None)

    def lines(self) -> Iterator[str]:
        """What is to be told."""
        for partition, one in sorted(self.longest().items()):
            yield f"longest silence of partition {partition}: {one.seconds:.1f} s, after {one.after}"


class Silence(Watching):
    """Watches the output's ends from a thread of its own, while the context lasts."""

    every_s = LOOK_EVERY_S

    def __init__(self, bootstrap: str, topic: str, sent: Sent) -> None:
        super().__init__()
        self._output = Ends(bootstrap, [topic])
        self._sent = sent
        self._moved: dict[Partition, float] = {}
        self._before: Mapping[Partition, int] = {}
        self.pauses = Pauses()
        self.after = "the start"

    def look(self) -> None:
        """Note who said nothing until now."""
        try:
            ends = self._output.now()
        except (KafkaException, TimeoutError):
            return  # the pause goes on
        now = time.monotonic()
        for one, end in ends.items():
            if end > self._before.get(one, 0):
                self._note(one[1], self._moved.get(one, now), now)
                self._moved[one] = now
        self._before = ends

    def _note(self, partition: int, since: float, now: float) -> None:
        starved = stood_at(since, now, self._sent.stood_since, self._sent.stood_until)
        if now - since >= NOTED_S and not starved:
            self.pauses.found.append(Pause(partition, now - since, self.after))


def stood_at(since: float, now: float, stood_since: float | None, stood_until: float | None) -> bool:
    """Whether the sending stood when a pause began, or was about to; `stood_until` none: it stands still."""
    until = now if stood_until is None else stood_until
    return stood_since is not None and stood_since - STARVED_S < since < until
