"""What is to happen when, in order: a heap that a batch reads without changing it. Pure.

An entry that no longer holds (the stage moved on, the ticket closed) is not looked for and taken out: whoever meets it
asks the ticket, and passes it over. That makes every change of a deadline one push, and a rollback nothing at all.
"""

from heapq import heapify, heappop, heappush
from typing import Final, Generic, TypeVar

E = TypeVar("E", bound=tuple[object, ...])


class Agenda(Generic[E]):
    """A batch's view of a committed heap: reads in order, remembers how far, adds beside it.

    The committed heap is read through a frontier: its root first, then the children of each entry that was read. So
    the k entries read are the heap's k smallest, and `take` has only to pop k times. The heap must not change between
    making the view and taking it.
    """

    __slots__ = ("_added", "_base", "_frontier", "_read")

    def __init__(self, base: list[E]) -> None:
        self._base: Final = base
        self._frontier: list[tuple[E, int]] = [(base[0], 0)] if base else []
        self._read = 0
        self._added: list[E] = []

    def peek(self) -> E | None:
        """The first entry, if there is one."""
        ours = self._added[0] if self._added else None
        theirs = self._frontier[0][0] if self._frontier else None
        if ours is None or theirs is None:
            return ours or theirs
        return min(ours, theirs)

    def pop(self) -> None:
        """Pass the first entry; there must be one."""
        if self._added and (not self._frontier or self._added[0] <= self._frontier[0][0]):
            heappop(self._added)
            return
        _, index = heappop(self._frontier)
        self._read += 1
        for child in (2 * index + 1, 2 * index + 2):
            if child < len(self._base):
                heappush(self._frontier, (self._base[child], child))

    def push(self, entry: E) -> None:
        """Add an entry."""
        heappush(self._added, entry)

    def take(self) -> None:
        """Make the committed heap what this view is."""
        for _ in range(self._read):
            heappop(self._base)
        if len(self._added) * 4 > len(self._base):
            self._base.extend(self._added)
            heapify(self._base)
            return
        for entry in self._added:
            heappush(self._base, entry)
