"""What the desk remembers of one partition, as committed. Only the fold and a draft change it. Pure."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from schemas.codes import Stage, Standing
from schemas.state import (
    LOG_TIME,
    LOG_TIME_KEY,
    POLICY,
    POLICY_KEY,
    UNFINISHED,
    UNFINISHED_KEY,
    WAITING,
    Ticket,
    Waiting,
)
from streams.desk.agenda import Agenda
from streams.desk.due import Due, again, holds, next_due, waits
from streams.desk.indexes import UNWATCHED, Entry, Ids, Indexes, Key, LoadKey, is_held, watch_of
from streams.desk.overlay import Committed
from streams.desk.rules import Rules
from streams.desk.tickets import Tickets

_TICKET: Final = b"t:"
STEP: Final = 2_000
"""Tickets that are folded without a pause: some ten milliseconds."""

_WAITING: Final = b"w:"
_FORMER: Final = b"p:"


def _due_of(tickets: Tickets, name: str) -> Due | None:
    head = tickets.head(name)
    if head is not None and head.standing is Standing.SUSPENDED:
        head = tickets.row(name)  # when it is resumed stands further back
    return None if head is None else next_due(head)


def _name_of(entry: Entry) -> str:
    return entry[1]


def _closed_of(tickets: Tickets, name: str) -> Entry | None:
    row = tickets.row(name)
    return None if row is None or row.closed_at is None else (row.closed_at, name)


class DeskMemory:
    """Tickets, waiting feedback, rules and log time; beside them what follows from them and is never stored."""

    def __init__(self) -> None:
        self.tickets = Tickets()
        self.waiting: dict[bytes, Waiting] = {}
        self.rules: Rules | None = None
        """Of the policy in force."""
        self.former: dict[str, Rules] = {}
        """By version: of policies that are no longer in force, but by which tickets are still judged."""
        self.time = 0
        self.said = 0
        """So many facts of the next record's turn are said already."""
        # They hold the tickets and not the memory: a circle of the two would stay when the partition goes.
        self.due: Agenda[Due] = Agenda(again, partial(_due_of, self.tickets))
        self.closed: Agenda[Entry] = Agenda(_name_of, partial(_closed_of, self.tickets))
        """Closed tickets by the time they were closed, for eviction."""
        self.open_by_stage: dict[Stage, int] = dict.fromkeys(Stage, 0)
        """Suspended tickets too; merged ones count with their master."""
        self.deadlines_pending = 0
        """Limits that run and have something left to say."""
        # What Indexes says of each.
        self.reports: dict[Key, Ids] = {}
        self.reporters: dict[Key, Ids] = {}
        self.objects: dict[Key, Ids] = {}
        self.load: dict[LoadKey, int] = {}
        self.judged: dict[str, int] = {}
        self.near: dict[Key, tuple[Entry, ...]] = {}
        self.police: dict[Key, tuple[Entry, ...]] = {}
        self.closed_near: dict[Key, tuple[Entry, ...]] = {}
        self.closed_objects: dict[Key, tuple[Entry, ...]] = {}
        self.watch = UNWATCHED
        self._raw: dict[bytes, bytes] = {}

    def fold(self, key: bytes, value: bytes | None) -> None:
        """Take one state record in log order; `None` is a tombstone. Only the newest of a key is ever decoded."""
        if key.startswith(_TICKET):
            self.tickets.fold(key[len(_TICKET) :].decode(), value)
        elif value is None:
            self._raw.pop(key, None)
        else:
            self._raw[key] = value

    def folded(self) -> None:
        """All records are in: build what follows from them. Raises `ValueError` on a record of no known kind."""
        for _ in self.folding():
            pass

    def folding(self) -> Iterator[None]:
        """The same in steps, between which others may go on; nobody may look at the memory before the last."""
        while self._raw:
            key, value = self._raw.popitem()
            self._know(key, value)
        self.watch = watch_of(None if self.rules is None else self.rules.policy)
        indexes = self._indexes()
        for number, ticket in enumerate(self.tickets.rows(), start=1):
            if number % STEP == 0:
                yield
            self.count(ticket, 1)
            indexes.begin(ticket)
            due = next_due(ticket)
            if due is not None:
                self.due.add_later(due[0], ticket.id)
            if ticket.closed_at is not None:
                self.closed.add_later(ticket.closed_at, ticket.id)
        self.due.add([due for key, waiting in self.waiting.items() for due in waits(key, waiting)])

    def next_due(self) -> int | None:
        """When the next deadline fires, or the next wait or suspension ends, milliseconds since the epoch."""
        first = self.due.first()
        return None if first is None else first[0]

    def count(self, ticket: Ticket | None, sign: int) -> None:
        """Let a ticket count (1) or count no more (-1) in the figures."""
        if ticket is None or not is_held(ticket):
            return
        self.open_by_stage[ticket.stage] += sign
        if ticket.standing is Standing.RUNNING:
            for deadline in ticket.deadlines:
                if deadline.next_at is not None and not deadline.halted:
                    self.deadlines_pending += sign

    def prune(self) -> None:
        """Drop what no longer holds from the front of the agenda, so that the first entry is always a true one."""
        while (first := self.due.first()) is not None and not holds(first, self.tickets.get, self.waiting.get):
            self.due.drop(1)

    def _know(self, key: bytes, value: bytes) -> None:
        if key.startswith(_WAITING):
            self.waiting[key] = WAITING.decode(value)
        elif key == LOG_TIME_KEY:
            self.time = LOG_TIME.decode(value).time
        elif key == UNFINISHED_KEY:
            self.said = UNFINISHED.decode(value).said
        elif key == POLICY_KEY:
            self.rules = Rules(POLICY.decode(value))
        elif key.startswith(_FORMER):
            former = POLICY.decode(value)
            self.former[former.version] = Rules(former)
        else:
            msg = f"a state record of no known kind: {key!r}"
            raise ValueError(msg)

    def _indexes(self) -> Indexes:
        return Indexes(
            reports=Committed(self.reports),
            reporters=Committed(self.reporters),
            objects=Committed(self.objects),
            load=Committed(self.load),
            judged=Committed(self.judged),
            near=Committed(self.near),
            police=Committed(self.police),
            closed_near=Committed(self.closed_near),
            closed_objects=Committed(self.closed_objects),
            watch=self.watch,
        )
