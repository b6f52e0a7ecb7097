"""What the desk remembers of one partition, as committed. Only the fold and a draft change it. Pure."""

from collections.abc import Iterable
from heapq import heapify, heappop
from typing import Final

from schemas.codes import Stage
from schemas.policy import Policy
from schemas.state import LOG_TIME, LOG_TIME_KEY, POLICY, POLICY_KEY, TICKET, WAITING, Ticket, Waiting
from streams.desk.due import DEADLINE, Due, deadline_of, dues, held_of, waits
from streams.desk.routing import Routes

ReportKey = tuple[str, str, str]
"""Area, source, the source's own id. The area is a part of it: a report that moved to another area is a new one."""
MatterKey = tuple[str, str, str]
"""Area, category, and what ties reports together: a reporter's hash or an object's key."""

_TICKET: Final = b"t:"
_WAITING: Final = b"w:"


class DeskMemory:
    """Tickets, waiting feedback, policy and log time; beside them what follows from them and is never stored."""

    def __init__(self) -> None:
        self.tickets: dict[str, Ticket] = {}
        self.waiting: dict[bytes, Waiting] = {}
        self.policy: Policy | None = None
        self.routes: Routes | None = None
        self.time = 0
        self.reports: dict[ReportKey, str] = {}
        self.reporters: dict[MatterKey, tuple[str, ...]] = {}
        """Open tickets only, as are `objects`: nothing joins a closed one."""
        self.objects: dict[MatterKey, tuple[str, ...]] = {}
        self.due: list[Due] = []
        self.closed: list[tuple[int, str]] = []
        """Closed tickets by the time they were closed, for eviction."""
        self.open_by_stage: dict[Stage, int] = dict.fromkeys(Stage, 0)
        self.deadlines_pending = 0
        self._raw: dict[bytes, bytes] = {}

    def fold(self, key: bytes, value: bytes | None) -> None:
        """Take one state record in log order; `None` is a tombstone. Only the newest of a key is ever decoded."""
        if value is None:
            self._raw.pop(key, None)
        else:
            self._raw[key] = value

    def folded(self) -> None:
        """All records are in: decode them and build the indexes. Raises `ValueError` on a record of no known kind."""
        while self._raw:
            key, value = self._raw.popitem()
            self._know(key, value)
        for ticket in self.tickets.values():
            self._index(ticket)
        for key, waiting in self.waiting.items():
            self.due.extend(waits(key, waiting))
        heapify(self.due)
        heapify(self.closed)

    def next_due(self) -> int | None:
        """When the next deadline fires or the next wait ends, milliseconds since the epoch."""
        return self.due[0][0] if self.due else None

    def count(self, ticket: Ticket | None, sign: int) -> None:
        """Let a ticket count (1) or count no more (-1) in the figures."""
        if ticket is None or ticket.closed_at is not None:
            return
        self.open_by_stage[ticket.stage] += sign
        for deadline in ticket.deadlines:
            if deadline.status != "passed":
                self.deadlines_pending += sign

    def prune(self) -> None:
        """Drop what no longer holds from the front of the agenda, so that the first entry is always a true one."""
        while self.due and not self._holds(self.due[0]):
            heappop(self.due)

    def _holds(self, due: Due) -> bool:
        if due[1] == DEADLINE:
            return deadline_of(self.tickets.get(due[2]), due) is not None
        return held_of(self.waiting.get(due[2].encode()), due) is not None

    def _know(self, key: bytes, value: bytes) -> None:
        if key.startswith(_TICKET):
            ticket = TICKET.decode(value)
            self.tickets[ticket.id] = ticket
        elif key.startswith(_WAITING):
            self.waiting[key] = WAITING.decode(value)
        elif key == LOG_TIME_KEY:
            self.time = LOG_TIME.decode(value).time
        elif key == POLICY_KEY:
            self.policy = POLICY.decode(value)
            self.routes = Routes(self.policy)
        else:
            msg = f"a state record of no known kind: {key!r}"
            raise ValueError(msg)

    def _index(self, ticket: Ticket) -> None:
        self.count(ticket, 1)
        for attached in ticket.reports:
            self.reports[ticket.area, attached.source, attached.source_id] = ticket.id
        if ticket.closed_at is not None:
            self.closed.append((ticket.closed_at, ticket.id))
            return
        self.due.extend(dues(ticket.id, ticket.deadlines))
        for attached in ticket.reports:
            _add(self.reporters, ticket, attached.reporter)
            _add(self.objects, ticket, attached.object)


def _add(index: dict[MatterKey, tuple[str, ...]], ticket: Ticket, tie: str | None) -> None:
    if tie is not None:
        key = (ticket.area, ticket.category, tie)
        index[key] = with_id(index.get(key), ticket.id)


def with_id(ids: tuple[str, ...] | None, ticket: str) -> tuple[str, ...]:
    """An index entry with a ticket in it, once."""
    known = ids or ()
    return known if ticket in known else (*known, ticket)


def without_id(ids: Iterable[str] | None, ticket: str) -> tuple[str, ...] | None:
    """An index entry without a ticket; none where that leaves nothing."""
    return tuple(known for known in ids or () if known != ticket) or None
