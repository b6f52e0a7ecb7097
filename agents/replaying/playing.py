"""One partition's log through the core: the same turns that the desk's owner took, and nothing written anywhere."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from schemas.commands import Command
from streams.desk.clock import time_of
from streams.desk.decide import decide
from streams.desk.draft import Draft
from streams.desk.facts import Decision, Entry
from streams.desk.memory import DeskMemory

AT_ONCE: Final = 500
"""Turns that share a draft; what is said does not depend on it."""


class Turned(NamedTuple):
    """When a record's turn was, and what was decided."""

    at: int
    decision: Decision


class Player:
    """The desk of one partition. `keeps_state`: the changelog's records are kept, as a compacted topic keeps them."""

    def __init__(self, memory: DeskMemory, *, keeps_state: bool = False, at_once: int = AT_ONCE) -> None:
        self.state: dict[bytes, bytes] = {}
        self.draft = Draft(memory)
        """The desk as it is after the last turn."""
        self._memory = memory
        self._keeps_state = keeps_state
        self._at_once = at_once
        self._turns = 0

    def time_of(self, entry: Entry, command: Command | None) -> int:
        """When that record's turn is, if it is the next."""
        return time_of(self.draft, entry, command)

    def turn(self, entry: Entry, command: Command | None) -> Turned:
        """The next record's turn."""
        if self._turns == self._at_once:
            self.commit()
        self._turns += 1
        decision = decide(self.draft, entry, command)
        return Turned(self.draft.time, decision)

    def commit(self) -> None:
        """Make the memory what has been decided so far."""
        if self._keeps_state:
            self._keep(self.draft.state())
        self.draft.take()
        self.draft = Draft(self._memory)
        self._turns = 0

    def _keep(self, changes: dict[bytes, bytes | None]) -> None:
        for key, value in changes.items():
            if value is None:
                self.state.pop(key, None)
            else:
                self.state[key] = value


def remembered(state: Iterable[tuple[bytes, bytes | None]]) -> DeskMemory:
    """The memory that a changelog's records give."""
    memory = DeskMemory()
    for key, value in state:
        memory.fold(key, value)
    memory.folded()
    return memory
