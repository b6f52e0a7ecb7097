"""What follows from the tickets and is never stored: who is found by what. One rule for the fold and for a draft. Pure.

Places are kept only where a rule of the policy in force asks for them (`Watch`), so a policy that begins or ends a rule
of nearness builds them anew. The grid itself depends on no policy: another radius looks at more or fewer cells.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol, TypeVar

from schemas.codes import Side, Standing
from schemas.commands import Report
from schemas.policy import Policy
from schemas.state import Attached, Ticket
from streams.desk.places import Cell, cell_of, place_of

Key = int
"""The hash of what tickets are found by: a million texts would take more than the tickets. What hashes alike shares an
entry, so whoever finds a ticket asks whether it is the one that is meant."""
LoadKey = tuple[str, str]
"""Area and unit."""
Ids = str | tuple[str, ...]
"""One ticket, nearly always, or several."""
Entry = tuple[int, str]
"""When (opened, or closed), and the ticket. An index holds them in order."""

STRETCH_MS: Final = 1 << 20
"""About 17 minutes: alarms are linked over minutes; those of a whole day at one corner must not be looked at."""

K_contra = TypeVar("K_contra", contravariant=True)
V = TypeVar("V")


class Layer(Protocol[K_contra, V]):
    """A dict, or a draft's view of one; `None` stands for absent."""

    def get(self, key: K_contra, /) -> V | None:
        """The value."""
        ...

    def put(self, key: K_contra, value: V | None, /) -> None:
        """Set it, or with `None` remove it."""
        ...


Places = Layer[Key, tuple[Entry, ...]]
"""An index by place or object."""


class Watch(NamedTuple):
    """What a policy asks of places."""

    near: frozenset[str] = frozenset()
    """Categories with a radius."""
    linking: bool = False
    recurring: bool = False


UNWATCHED: Final = Watch()


def report_key(area: str, source: str, source_id: str) -> Key:
    """What holds a source's report. The area is a part of it: a report that moved to another area is a new one."""
    return hash((area, source, source_id))


def matter_key(like: Ticket | Report, tie: str) -> Key:
    """What is tied to a ticket or report by a reporter's hash or an object's key."""
    return hash((like.area, like.category, tie, like.drill))


def near_key(like: Ticket | Report, cell: Cell) -> Key:
    """What is like a ticket or report in a cell."""
    return hash((like.area, like.category, like.drill, cell))


def police_key(area: str, cell: Cell, stretch: int, *, drill: bool) -> Key:
    """Alarms in a cell that were opened in a stretch of time."""
    return hash((area, drill, cell, stretch))


def watch_of(policy: Policy | None) -> Watch:
    """What the policy in force asks of places; nothing where none is."""
    if policy is None:
        return UNWATCHED
    rules = policy.duplicates
    return Watch(
        near=frozenset(name for name, category in policy.categories.items() if category.near_m > 0),
        linking=rules.link_m > 0 and rules.link_s > 0,
        recurring=rules.recurrence_s > 0,
    )


class Indexes:
    """All of them. `watch` is what their places were built for."""

    __slots__ = (
        "closed_near",
        "closed_objects",
        "judged",
        "load",
        "near",
        "objects",
        "police",
        "reporters",
        "reports",
        "watch",
    )

    def __init__(  # noqa: PLR0913 - there are as many as there are
        self,
        *,
        reports: Layer[Key, Ids],
        reporters: Layer[Key, Ids],
        objects: Layer[Key, Ids],
        load: Layer[LoadKey, int],
        judged: Layer[str, int],
        near: Layer[Key, tuple[Entry, ...]],
        police: Layer[Key, tuple[Entry, ...]],
        closed_near: Layer[Key, tuple[Entry, ...]],
        closed_objects: Layer[Key, tuple[Entry, ...]],
        watch: Watch,
    ) -> None:
        self.reports = reports
        self.reporters = reporters
        """Open tickets only, merged ones too, as are `objects`: nothing joins a closed one."""
        self.objects = objects
        self.load = load
        """How many open tickets, merged ones apart, a unit has."""
        self.judged = judged
        """How many open tickets are judged by a policy, by its version; merged ones too."""
        self.near = near
        """Open tickets, merged ones apart, of the categories that have a radius."""
        self.police = police
        """Tickets of the police's side, open or closed, while alarms are linked."""
        self.closed_near = closed_near
        """Closed and not voided ones, while recurrence is asked for; as `closed_objects`."""
        self.closed_objects = closed_objects
        self.watch = watch

    def begin(self, ticket: Ticket) -> None:
        """A ticket is here that was not."""
        for attached in ticket.reports:
            self._name(ticket, attached)
            if ticket.closed_at is None:
                self._tie(ticket, attached)
        if is_held(ticket):
            self._carry(ticket, 1)
        if ticket.closed_at is None:
            self._judge(ticket, 1)
        if self._may_have_places(ticket):
            self.settle(ticket)

    def change(self, old: Ticket, ticket: Ticket) -> None:
        """A ticket is not what it was."""
        if old.reports is not ticket.reports or old.closed_at != ticket.closed_at:
            self._rename(old, ticket)
        if old.unit != ticket.unit or is_held(old) is not is_held(ticket):
            if is_held(old):
                self._carry(old, -1)
            if is_held(ticket):
                self._carry(ticket, 1)
        if old.policy != ticket.policy or old.closed_at != ticket.closed_at:
            self._judge_anew(old, ticket)
        if self.watch is not UNWATCHED:
            self._move(old, ticket)

    def leave(self, ticket: Ticket) -> None:
        """A closed ticket is forgotten, and with it what its sources called its reports."""
        for attached in ticket.reports:
            self._unname(ticket, attached)
        if self.watch is not UNWATCHED:
            self.unsettle(ticket)

    def settle(self, ticket: Ticket) -> None:
        """Enter a ticket at its places."""
        for index, key, entry in self._places(ticket):
            _enter(index, key, entry)

    def unsettle(self, ticket: Ticket) -> None:
        """Strike a ticket out at its places; `ticket` as it was when it was entered."""
        for index, key, entry in self._places(ticket):
            _strike(index, key, entry)

    def _places(self, ticket: Ticket) -> Iterator[tuple[Places, Key, Entry]]:
        watch = self.watch
        place = place_of(ticket.lat, ticket.lon)
        cell = None if place is None else cell_of(place)
        if cell is not None and ticket.category in watch.near and is_held(ticket):
            yield self.near, near_key(ticket, cell), (ticket.opened_at, ticket.id)
        if cell is not None and watch.linking and ticket.side is Side.POLICE:
            stretch = ticket.opened_at // STRETCH_MS
            key = police_key(ticket.area, cell, stretch, drill=ticket.drill)
            yield self.police, key, (ticket.opened_at, ticket.id)
        if watch.recurring and ticket.closed_at is not None and ticket.standing is not Standing.VOIDED:
            entry = (ticket.closed_at, ticket.id)
            if cell is not None and ticket.category in watch.near:
                yield self.closed_near, near_key(ticket, cell), entry
            for attached in ticket.reports:
                if attached.object is not None:
                    yield self.closed_objects, matter_key(ticket, attached.object), entry

    def _move(self, old: Ticket, ticket: Ticket) -> None:
        if (
            is_held(old) is not is_held(ticket)
            or old.side is not ticket.side
            or old.closed_at != ticket.closed_at
            or (old.reports is not ticket.reports and ticket.closed_at is not None)
        ):
            if self._may_have_places(old):
                self.unsettle(old)
            if self._may_have_places(ticket):
                self.settle(ticket)

    def _may_have_places(self, ticket: Ticket) -> bool:
        """Whether it is worth while to look where a ticket lies."""
        watch = self.watch
        return (
            ticket.category in watch.near
            or ticket.side is Side.POLICE
            or (watch.recurring and ticket.closed_at is not None)
        )

    def _rename(self, old: Ticket, ticket: Ticket) -> None:
        if old.closed_at is None and ticket.closed_at is None and _only_joined(old.reports, ticket.reports):
            for attached in ticket.reports[len(old.reports) :]:
                self._name(ticket, attached)
                self._tie(ticket, attached)
            return
        if old.reports is not ticket.reports:
            for attached in old.reports:
                self._unname(old, attached)
            for attached in ticket.reports:
                self._name(ticket, attached)
        for attached in old.reports if old.closed_at is None else ():
            self._untie(old, attached)
        for attached in ticket.reports if ticket.closed_at is None else ():
            self._tie(ticket, attached)

    def _name(self, ticket: Ticket, attached: Attached) -> None:
        if attached.source_id:
            key = report_key(ticket.area, attached.source, attached.source_id)
            self.reports.put(key, with_id(self.reports.get(key), ticket.id))

    def _unname(self, ticket: Ticket, attached: Attached) -> None:
        key = report_key(ticket.area, attached.source, attached.source_id)
        self.reports.put(key, without_id(self.reports.get(key), ticket.id))

    def _tie(self, ticket: Ticket, attached: Attached) -> None:
        if attached.reporter is not None:
            key = matter_key(ticket, attached.reporter)
            self.reporters.put(key, with_id(self.reporters.get(key), ticket.id))
        if attached.object is not None:
            key = matter_key(ticket, attached.object)
            self.objects.put(key, with_id(self.objects.get(key), ticket.id))

    def _untie(self, ticket: Ticket, attached: Attached) -> None:
        if attached.reporter is not None:
            key = matter_key(ticket, attached.reporter)
            self.reporters.put(key, without_id(self.reporters.get(key), ticket.id))
        if attached.object is not None:
            key = matter_key(ticket, attached.object)
            self.objects.put(key, without_id(self.objects.get(key), ticket.id))

    def _carry(self, ticket: Ticket, more: int) -> None:
        key = (ticket.area, ticket.unit)
        self.load.put(key, (self.load.get(key) or 0) + more or None)

    def _judge_anew(self, old: Ticket, ticket: Ticket) -> None:
        if old.closed_at is None:
            self._judge(old, -1)
        if ticket.closed_at is None:
            self._judge(ticket, 1)

    def _judge(self, ticket: Ticket, more: int) -> None:
        self.judged.put(ticket.policy, (self.judged.get(ticket.policy) or 0) + more or None)


def _only_joined(before: tuple[Attached, ...], after: tuple[Attached, ...]) -> bool:
    """Whether reports were added behind those there are: a ticket of a thousand takes one more."""
    return 0 < len(before) < len(after) and after[len(before) - 1] is before[-1]


def is_held(ticket: Ticket) -> bool:
    """Whether a unit has it to do, now or when it is resumed: it is open, and no master answers for it."""
    return ticket.closed_at is None and ticket.standing is not Standing.MERGED


def _enter(index: Places, key: Key, entry: Entry) -> None:
    entries = index.get(key) or ()
    at = bisect_left(entries, entry)
    if at == len(entries) or entries[at] != entry:
        index.put(key, (*entries[:at], entry, *entries[at:]))


def _strike(index: Places, key: Key, entry: Entry) -> None:
    entries = index.get(key) or ()
    at = bisect_left(entries, entry)
    if at < len(entries) and entries[at] == entry:
        index.put(key, (*entries[:at], *entries[at + 1 :]) or None)


def all_of(ids: Ids | None) -> tuple[str, ...]:
    """The tickets of an index entry."""
    if ids is None:
        return ()
    return (ids,) if isinstance(ids, str) else ids


def with_id(ids: Ids | None, ticket: str) -> Ids:
    """An index entry with a ticket in it, once."""
    if ids is None:
        return ticket
    known = all_of(ids)
    return ids if ticket in known else (*known, ticket)


def without_id(ids: Ids | None, ticket: str) -> Ids | None:
    """An index entry without a ticket; none where that leaves nothing."""
    left = tuple([known for known in all_of(ids) if known != ticket])
    return left if len(left) > 1 else next(iter(left), None)
