"""What a replay says against what stands on `tickets`: event by event, and where they part, until they meet again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Final

from schemas.envelope import OF_THE_CAUSE
from streams.ownership.batch import Headers

MOST_NAMED: Final = 10
"""So many differences of a partition are told in full."""
_AHEAD: Final = 2000
"""So many events are looked through for where two logs begin to be the same, or cease to be."""


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

    @property
    def record(self) -> bytes:
        """The name of the record it follows from: what its id begins with."""
        return self.id[:OF_THE_CAUSE]

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


@dataclass(frozen=True, slots=True)
class Records:
    """The desk's records from the first that is replayed up to, but without, the log's end: their offsets and names."""

    first: int
    end: int
    name: Callable[[int], bytes]
    """What the ids of a record's events begin with, by its offset."""

    def names(self, since: int, until: int) -> frozenset[bytes]:
        """Of those among them that lie in between."""
        return frozenset(map(self.name, range(max(since, self.first), min(until, self.end))))

    def first_of(self, names: frozenset[bytes]) -> int | None:
        """The offset of the first that is named; none where none of them is."""
        return next((at for at in range(self.first, self.end) if self.name(at) in names), None)


class Comparison:
    """Compares one partition. Events are replayed one after the other; what stands is read alongside.

    Both follow the order of the desk's log, and an event's id tells its record: so it is known which of what stands
    lies before the replay, and which behind. `from_middle`: what stands may begin before it; `cut`: retention
    has taken its beginning. Records from `applied` on the desk may not have done yet.
    """

    def __init__(
        self, stands: Callable[[], Iterator[Told]], records: Records, *, from_middle: bool, cut: bool, applied: int
    ) -> None:
        self.tally = Tally()
        self._open = stands
        self._stands = stands()
        self._records = records
        self._applied = applied
        self._head: list[Told] | None = [] if from_middle else None
        """Replayed, while it is not known where among what stands that is."""
        self._begins: tuple[int, bytes] | None = None
        """Record and id of the first that stands, while what is replayed lies before it."""
        self._may_be_cut = cut
        if cut and not from_middle:
            self._cut(_AHEAD)
        self._met = records.first
        """The record of the last that stands and was replayed."""
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

    def ended(self, *, end: int | None) -> Tally:
        """Nothing more is replayed. `end`: the record before which the span ended; none: it goes as far as the log."""
        if self._head is not None:
            self._find_head()
        left = self._left() if end is None else self._left_until(end)
        for one in self._ours.values():
            self._miss(one)
        for one in left:
            self._extra(one)
        return self.tally

    def _left(self) -> Iterator[Told]:
        while self._ours and self._look():
            pass
        return chain(self._theirs.values(), self._stands)

    def _left_until(self, end: int) -> Iterator[Told]:
        """What stands behind the span is nobody's to replay: once it has come to that, no more is looked at."""
        names = self._records.names(self._met, end)
        behind = 0
        while behind < _AHEAD and (stands := self._look()) is not None:
            behind += stands.record not in names
        return (one for one in self._theirs.values() if one.record in names)

    def _find_head(self) -> None:
        """Pass what stands before the replay began.

        Where nothing stands of the first that were replayed, it is gone if all that stands begins later, else lost.
        """
        head, self._head = self._head or [], None
        records = self._records
        if not head or not self._pass(records.names(records.first, head[-1].at + 1)):
            self._stands = self._open()
            if not (self._may_be_cut and self._cut(1)):
                self._pass(records.names(records.first, records.end))
        for event in head:
            self._after_the_cut(event)

    def _pass(self, names: frozenset[bytes]) -> bool:
        """Pass what stands up to the first event of these records; whether there is one."""
        for passed, one in enumerate(self._stands):
            if one.record in names:
                self._stands = chain((one,), self._stands)
                if self._may_be_cut and not passed:
                    self._cut(1)
                return True
        return False

    def _cut(self, most: int) -> bool:
        """Find where what stands begins, by the first few; whether that is in the replay, or nothing stands at all."""
        first = list(islice(self._stands, most))
        self._stands = chain(first, self._stands)
        if not first:
            self._begins = self._records.end, b""
            return True
        at = self._records.first_of(frozenset(one.record for one in first))
        if at is None:
            return False
        name = self._records.name(at)
        self._begins = at, next(one.id for one in first if one.record == name)
        return True

    def _after_the_cut(self, event: Told) -> None:
        # By place, not by which ids stand: where these are others than are replayed, that is a difference.
        if self._begins is not None and (event.at, event.id) < self._begins:
            self.tally.gone += 1
            return
        self._begins = None
        self._follow(event)

    def _follow(self, event: Told) -> None:
        if not self._ours and not self._theirs:
            stands = next(self._stands, None)
            if event.same(stands):
                self.tally.equal += 1
                self._met = event.at
                return
            if stands is not None:
                self._theirs[stands.id] = stands
        self._ours[event.id] = event
        self._meet(event.id)
        if self._ours:
            self._look()
        while self._ours and not self._theirs and self._look():
            pass

    def _look(self) -> Told | None:
        """Take one more of what stands, if there is one."""
        stands = next(self._stands, None)
        if stands is not None:
            self._theirs[stands.id] = stands
            self._meet(stands.id)
        return stands

    def _meet(self, name: bytes) -> None:
        """Where both have that event, what came before it on either side has no counterpart."""
        if name not in self._ours or name not in self._theirs:
            return
        ours, theirs = _taken(self._ours, name), _taken(self._theirs, name)
        self._met = ours[-1].at
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
