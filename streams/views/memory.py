"""The views of one partition, and what a batch makes of them before it is committed. Pure.

A view leaves when its ticket has been closed for `KEEP_CLOSED_MS`, by the largest event time of the partition: the desk
says nothing when it forgets a ticket, so the views go by a rule of their own.
"""

from collections import deque
from collections.abc import Mapping
from itertools import islice
from operator import attrgetter
from typing import Final

from schemas.codec import encode
from schemas.envelope import Envelope
from schemas.views import CURRENT, KEEP_CLOSED_MS, VIEWS_TIME, VIEWS_TIME_KEY, CurrentTicket, ViewsTime, view_key

_FIELDS: Final = tuple(CurrentTicket.__slots__)
_VALUES: Final = attrgetter(*_FIELDS)

Leaving = tuple[int, str]
"""When a ticket was closed, and which."""


class ViewsMemory:
    """All views of a partition, as committed."""

    def __init__(self) -> None:
        self.views: dict[str, CurrentTicket] = {}
        self.time = 0
        """The largest event time."""
        self.leaving: deque[Leaving] = deque()
        """Closed tickets, first closed first. An entry of a ticket that was opened again is passed over."""
        self._raw: dict[bytes, bytes] = {}

    def fold(self, key: bytes, value: bytes | None) -> None:
        """Take one state record in log order; `None` is a tombstone. Only the newest of a key is ever decoded."""
        if value is None:
            self._raw.pop(key, None)
        else:
            self._raw[key] = value

    def folded(self) -> None:
        """All records are in."""
        if (time := self._raw.pop(VIEWS_TIME_KEY, None)) is not None:
            self.time = VIEWS_TIME.decode(time).time
        while self._raw:
            view = CURRENT.decode(self._raw.popitem()[1])
            self.views[view.ticket] = view
        closed = ((view.closed_at, view.ticket) for view in self.views.values() if view.closed_at is not None)
        self.leaving = deque(sorted(closed))


class ViewsDraft:
    """The views as a batch sees them; the memory stays as it is until `take`, which comes after the commit."""

    def __init__(self, memory: ViewsMemory) -> None:
        self.time = memory.time
        self._memory = memory
        self._changed: dict[str, CurrentTicket | None] = {}
        self._last: dict[str, Envelope] = {}
        self._closed: list[Leaving] = []
        self._passed = 0

    def view(self, ticket: str) -> CurrentTicket | None:
        """A ticket's view, to be read."""
        if ticket in self._changed:
            return self._changed[ticket]
        return self._memory.views.get(ticket)

    def own(self, ticket: str, envelope: Envelope) -> CurrentTicket | None:
        """A ticket's view, to be written because of an event: a copy, once a batch."""
        view = self._changed.get(ticket)
        if view is None and ticket not in self._changed:
            committed = self._memory.views.get(ticket)
            if committed is not None:
                view = self._changed[ticket] = _copy(committed)
        self._last[ticket] = envelope
        return view

    def begin(self, view: CurrentTicket, envelope: Envelope) -> None:
        """A new ticket's view."""
        self._changed[view.ticket] = view
        self._last[view.ticket] = envelope

    def closed(self, view: CurrentTicket) -> None:
        """It was closed or voided just now."""
        self._closed.append((view.closed_at or 0, view.ticket))

    def advance(self, envelope: Envelope) -> None:
        """Time is at least an event's: what was closed long enough ago leaves."""
        self.time = max(self.time, envelope.time)
        while (oldest := self._oldest()) is not None and oldest[0] + KEEP_CLOSED_MS <= self.time:
            self._passed += 1
            closed_at, ticket = oldest
            view = self.view(ticket)
            if view is not None and view.closed_at == closed_at:
                self._changed[ticket] = None
                self._last[ticket] = envelope

    def changes(self) -> Mapping[str, tuple[CurrentTicket | None, Envelope]]:
        """What the batch changed, by ticket: the view, none where it left, and the last event that touched it."""
        return {ticket: (view, self._last[ticket]) for ticket, view in self._changed.items()}

    def state(self, values: Mapping[str, bytes | None]) -> dict[bytes, bytes | None]:
        """The changelog's records; `values` are the changed views as they are sent."""
        state = {view_key(ticket): value for ticket, value in values.items()}
        if self.time != self._memory.time:
            state[VIEWS_TIME_KEY] = encode(ViewsTime(time=self.time))
        return state

    def take(self) -> None:
        """Make the memory what this draft is."""
        memory = self._memory
        for ticket, view in self._changed.items():
            if view is None:
                memory.views.pop(ticket, None)
            else:
                memory.views[ticket] = view
        memory.leaving.extend(self._closed)
        for _ in range(self._passed):
            memory.leaving.popleft()
        memory.time = self.time

    def _oldest(self) -> Leaving | None:
        """The first that was closed of those that are not passed; log time never goes back, so they lie in order."""
        known = len(self._memory.leaving)
        if self._passed < known:
            return next(islice(self._memory.leaving, self._passed, None))
        return self._closed[self._passed - known] if self._passed - known < len(self._closed) else None


def _copy(view: CurrentTicket) -> CurrentTicket:
    return CurrentTicket(**dict(zip(_FIELDS, _VALUES(view), strict=True)))
