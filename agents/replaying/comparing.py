"""What a replay says against what stands on `tickets`: event by event, and where they part, until they meet again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Final

from streams.ownership.batch import Headers

MOST_NAMED: Final = 10
"""So many differences of a partition are told in full."""
_AHEAD: Final = 2000
"""So many events are looked through for where two logs begin to be the same."""


class Told:
    """One event as it stands on the topic, or would; as bytes.

    `at`: its offset; of a replayed one that of the record it follows from.
    """

    __slots__ = ("at", "headers", "key", "value")

    def __init__(self, at: int, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        self.at = at
        self.key = key
        self.value = value
        self.headers = tuple(headers)

    @property
    def id(self) -> bytes:
        """Its CloudEvents id, else its place."""
        return next((value for name, value in self.headers if name == "ce_id"), b"@%d" % self.at)

    def same(self, other: "Told | None") -> bool:
        """Whether all bytes are the same."""
        return (
            other is not None and self.value == other.value and self.headers == other.headers and self.key == other.key
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """Two events of one id that are not the same, or one that has no counterpart."""

    replayed: Told | None
    stands: Told | None


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a comparison came to."""

    equal: int = 0
    changed: int = 0
    """The same id, other bytes."""
    missing: int = 0
    """Replayed, and not on `tickets`."""
    extra: int = 0
    """On `tickets`, and not replayed."""
    gone: int = 0
    """Replayed, from before `tickets` begins: retention has taken them."""
    pending: int = 0
    """Replayed, of commands that the desk has not done yet."""
    first: list[Difference] = field(default_factory=list)

    @property
    def different(self) -> int:
        """In all."""
        return self.changed + self.missing + self.extra


class Comparison:
    """Compares one partition. Events are replayed one after the other; what stands is read alongside.

    `from_middle`: what stands may begin before the replay; `cut`: after it. Records from `applied` on the desk may not
    have done yet.
    """

    def __init__(self, stands: Callable[[], Iterator[Told]], *, from_middle: bool, cut: bool, applied: int) -> None:
        self.tally = Tally()
        self._open = stands
        self._stands = stands()
        self._applied = applied
        self._from_middle = from_middle
        self._head: list[Told] | None = [] if from_middle else None
        """Replayed, while it is not known where among what stands that is."""
        self._kept: frozenset[bytes] | None = None
        """The first that stand, while what is replayed lies before them."""
        self._may_be_cut = cut
        if cut and not from_middle:
            self._cut()
        self._ours: dict[bytes, Told] = {}
        """Replayed, without a counterpart yet; in order."""
        self._theirs: dict[bytes, Told] = {}

    def replayed(self, event: Told) -> None:
        """The next event of the replay."""
        if self._head is None:
            self._after_the_cut(event)
            return
        self._head.append(event)
        if len(self._head) == _AHEAD:
            self._find_head()

    def ended(self, *, beyond: bool) -> Tally:
        """Nothing more is replayed. `beyond`: what else stands is of later commands."""
        if self._head is not None:
            self._find_head()
        while self._ours and self._look():
            pass
        for one in self._ours.values():
            self._miss(one)
        for one in self._theirs.values():
            self._extra(one)
        if not beyond and not (self._from_middle and self._kept is not None):
            for left in self._stands:
                self._extra(left)
        return self.tally

    def _find_head(self) -> None:
        """Pass what stands before the replay began; where nothing of it stands, it may have been cut off."""
        head, self._head = self._head or [], None
        ours = {event.id for event in head}
        for passed, one in enumerate(self._stands):
            if one.id in ours:
                self._stands = chain((one,), self._stands)
                if self._may_be_cut and not passed:
                    self._cut()
                break
        else:
            self._nothing_met(anything=bool(head))
        for event in head:
            self._after_the_cut(event)

    def _nothing_met(self, *, anything: bool) -> None:
        """What stands is all of earlier commands; or, where its beginning is gone, perhaps of later ones."""
        self._stands = self._open() if self._may_be_cut and anything else iter(())
        if self._may_be_cut and anything:
            self._cut()

    def _cut(self) -> None:
        first = list(islice(self._stands, _AHEAD))
        self._stands = chain(first, self._stands)
        self._kept = frozenset(one.id for one in first)

    def _after_the_cut(self, event: Told) -> None:
        if self._kept is not None and event.id not in self._kept:
            self.tally.gone += 1
            return
        self._kept = None
        self._follow(event)

    def _follow(self, event: Told) -> None:
        if not self._ours and not self._theirs:
            stands = next(self._stands, None)
            if event.same(stands):
                self.tally.equal += 1
                return
            if stands is not None:
                self._theirs[stands.id] = stands
        self._ours[event.id] = event
        self._meet(event.id)
        if self._ours:
            self._look()
        while self._ours and not self._theirs and self._look():
            pass

    def _look(self) -> bool:
        """Take one more of what stands; whether there was one."""
        stands = next(self._stands, None)
        if stands is None:
            return False
        self._theirs[stands.id] = stands
        self._meet(stands.id)
        return True

    def _meet(self, name: bytes) -> None:
        """Where both have that event, what came before it on either side has no counterpart."""
        if name not in self._ours or name not in self._theirs:
            return
        ours, theirs = _taken(self._ours, name), _taken(self._theirs, name)
        for one in ours[:-1]:
            self._miss(one)
        for one in theirs[:-1]:
            self._extra(one)
        if ours[-1].same(theirs[-1]):
            self.tally.equal += 1
        else:
            self.tally.changed += 1
            self._name(Difference(ours[-1], theirs[-1]))

    def _miss(self, one: Told) -> None:
        if one.at >= self._applied:
            self.tally.pending += 1
            return
        self.tally.missing += 1
        self._name(Difference(one, None))

    def _extra(self, one: Told) -> None:
        self.tally.extra += 1
        self._name(Difference(None, one))

    def _name(self, difference: Difference) -> None:
        if len(self.tally.first) < MOST_NAMED:
            self.tally.first.append(difference)


def _taken(waiting: dict[bytes, Told], upto: bytes) -> Sequence[Told]:
    """The first of them, up to that one, taken out."""
    found = []
    for name in list(waiting):
        found.append(waiting.pop(name))
        if name == upto:
            break
    return found
