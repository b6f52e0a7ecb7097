"""What a decision consists of: facts in their order, letters for what could not be decided, how late deadlines were."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from schemas.dead_letter import DeadLetter
from schemas.envelope import Envelope
from schemas.events import Event

NOWHERE: Final = "-"
"""The area of what belongs to none: policies, and records that cannot be read."""


class Entry(NamedTuple):
    """One record of the desk's log, as far as deciding depends on it."""

    topic: str
    """Full name; it goes into origins, never into ids."""
    partition: int
    offset: int
    appended_at: int
    """The broker's time, milliseconds."""
    raw: bytes


class Fact(NamedTuple):
    """An event and its envelope."""

    event: Event
    envelope: Envelope


class Letter(NamedTuple):
    """A dead letter and the bytes it is about."""

    letter: DeadLetter
    raw: bytes


@dataclass(slots=True)
class Decision:
    """All that one record of the log leads to, in order."""

    facts: list[Fact] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    late: list[int] = field(default_factory=list)
    """For each deadline that fired: log time less its due time, milliseconds."""
    unfinished: bool = False
    """More is due than the draft may hold: the same record is to be decided again, over the next one."""
