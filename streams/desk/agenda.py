"""What is to happen when, in order: soon entry by entry, later by slices of time. Pure; milliseconds.

A million tickets have something to come, and nearly all of it is days away. So what is later than the slice in hand is
kept as a name in its slice, and becomes an entry again when its slice comes: that takes a tenth of the memory, and what
is due at once is sorted once.

An entry that no longer holds (the stage moved on, the ticket closed) is not looked for and taken out: whoever meets it
asks the ticket, and passes it over. That makes every change of a deadline one addition, and a rollback nothing at all.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Any, Final, Generic, TypeVar

E = TypeVar("E", bound=tuple[Any, ...])
"""When, and what; they happen in the order they sort."""

SLICE_MS: Final = 1 << 20
"""About 17 minutes."""
_FEW: Final = 32
"""So many are put in their places one by one; where there are more, all are sorted."""
_READ: Final = 4_096


class Agenda(Generic[E]):
    """What is committed. By the `name_of` an entry `entry_of` finds it again, as it is by then; None: it cannot."""

    __slots__ = ("_begin", "_entry_of", "_later", "_name_of", "_soon", "_until")

    def __init__(self, name_of: Callable[[E], str | None], entry_of: Callable[[str], E | None]) -> None:
        self._name_of = name_of
        self._entry_of = entry_of
        self._soon: list[E] = []
        self._begin = 0
        """So many of them are over."""
        self._later: dict[int, list[str]] = {}
        self._until = 0
        """All that comes before it stands in `_soon`; a slice begins there."""

    def first(self) -> E | None:
        """The first entry, if there is one."""
        return self.after(0)

    def after(self, read: int) -> E | None:
        """The first entry behind so many, which must have been read one by one."""
        while True:
            at = self._begin + read
            entry = self._soon[at] if at < len(self._soon) else None
            if (entry is not None and entry[0] < self._until) or not self._open(entry):
                return entry

    def drop(self, count: int) -> None:
        """The first so many are over."""
        self._begin += count
        if self._begin > _READ and self._begin * 2 > len(self._soon):
            del self._soon[: self._begin]
            self._begin = 0

    def add(self, entries: Sequence[E]) -> None:
        """Add entries."""
        near = []
        for entry in entries:
            name = self._name_of(entry) if entry[0] >= self._until else None
            if name is None:
                near.append(entry)
            else:
                self.add_later(entry[0], name)
        if len(near) > _FEW:
            self._merge(near)
            return
        for entry in near:
            insort(self._soon, entry, lo=self._begin)

    def add_later(self, when: int, name: str) -> None:
        """Add the entry of that name by its time alone, while nothing of its slice or a later one was asked for."""
        names = self._later.get(when // SLICE_MS)
        if names is None:
            self._later[when // SLICE_MS] = [name]
        else:
            names.append(name)

    def _open(self, before: E | None) -> bool:
        """Let the next slice be entries; not while one stands before it."""
        if not self._later:
            return False
        number = min(self._later)
        if before is not None and before[0] < number * SLICE_MS:
            self._until = number * SLICE_MS
            return False
        found = map(self._entry_of, dict.fromkeys(self._later.pop(number)))
        self._merge([entry for entry in found if entry is not None and entry[0] // SLICE_MS == number])
        self._until = (number + 1) * SLICE_MS
        return True

    def _merge(self, entries: list[E]) -> None:
        """Put entries where they belong; in a flood most belong behind it."""
        at = bisect_left(self._soon, min(entries), lo=self._begin) if entries else len(self._soon)
        self._soon[at:] = sorted(self._soon[at:] + entries)


class Coming(Generic[E]):
    """A batch's view of an agenda: reads in order, remembers how far, adds beside it. The agenda stays until `take`."""

    __slots__ = ("_added", "_base", "_ours", "_read")

    def __init__(self, base: Agenda[E]) -> None:
        self._base: Final = base
        self._read = 0
        self._added: list[E] = []
        self._ours = False
        """Whether what was looked at last was added here."""

    def peek(self) -> E | None:
        """The first entry, if there is one."""
        theirs = self._base.after(self._read)
        if not self._added:
            self._ours = False
            return theirs
        ours = self._added[0]
        self._ours = theirs is None or ours < theirs
        return ours if self._ours else theirs

    def pop(self) -> None:
        """Pass the entry that was looked at last, and since when none was added."""
        if self._ours:
            heappop(self._added)
        else:
            self._read += 1

    def push(self, entry: E) -> None:
        """Add an entry."""
        heappush(self._added, entry)

    def take(self) -> None:
        """Make the agenda what this view is."""
        self._base.drop(self._read)
        self._base.add(self._added)
