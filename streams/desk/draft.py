"""What a batch makes of the desk's memory before it is committed: a draft, to be taken or to be thrown away. Pure."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from schemas.codec import encode
from schemas.codes import Standing
from schemas.commands import Report
from schemas.policy import Policy
from schemas.state import (
    LOG_TIME_KEY,
    POLICY_KEY,
    TICKET,
    UNFINISHED_KEY,
    LogTime,
    Ticket,
    Unfinished,
    Waiting,
    former_policy_key,
    ticket_key,
)
from streams.desk.agenda import Coming
from streams.desk.due import Due, next_due, waits
from streams.desk.facts import NOWHERE
from streams.desk.indexes import (
    STRETCH_MS,
    Entry,
    Ids,
    Indexes,
    all_of,
    matter_key,
    near_key,
    police_key,
    report_key,
    watch_of,
)
from streams.desk.memory import DeskMemory
from streams.desk.overlay import Overlay, Undo
from streams.desk.places import Cell, cell_of, place_of
from streams.desk.rules import Rules
from streams.desk.tickets import Drafted

LOOKED_AT: Final = 64
"""Of one cell, or of one object's past, only so many are looked at, the newest: a flood at one corner must not cost
each report a look at the whole flood."""


def speaker(policy: Policy | None) -> str:
    """Who speaks, as `ce_source`: the desk of the policy's district."""
    return f"/lianqin/{NOWHERE if policy is None else policy.district}/desk"


class Draft:
    """A view of the memory that changes; the memory itself does not until `take`, which comes after the commit."""

    said: int
    """So many facts of the next record's turn were said in drafts before this one."""
    fires: int | None
    """So much that is due may still happen in this draft; where not all may, the turn goes on in the next one."""
    own: Ticket | None
    """The ticket that was remembered last, while nothing follows from it yet: its maker may still change it."""
    _written: dict[str, bytes]
    """Tickets that changed, as the changelog and the memory keep them."""

    def __init__(self, memory: DeskMemory, *, fires: int | None = None) -> None:
        undo = Undo()
        self.time = memory.time
        self.said = memory.said
        self.fires = fires
        self.rules = memory.rules
        """Of the policy in force."""
        self.former = Overlay(memory.former, undo)
        """By version: of policies that are no longer in force, but by which tickets are still judged."""
        self.speaker = speaker(self.policy)
        self.waiting = Overlay(memory.waiting, undo)
        self._memory = memory
        self._undo = undo
        self._due = Coming(memory.due)
        self._closed = Coming(memory.closed)
        self.own = None
        self._behind: dict[str, Ticket | None] = {}
        """Tickets that changed since the indexes were last asked, as these know them."""
        self._tickets = Drafted(memory.tickets, undo)
        self._written = {}
        self._reports = Overlay(memory.reports, undo)
        self._reporters = Overlay(memory.reporters, undo)
        self._objects = Overlay(memory.objects, undo)
        self._load = Overlay(memory.load, undo)
        self._judged = Overlay(memory.judged, undo)
        self._near = Overlay(memory.near, undo)
        self._police = Overlay(memory.police, undo)
        self._closed_near = Overlay(memory.closed_near, undo)
        self._closed_objects = Overlay(memory.closed_objects, undo)
        self._indexes = Indexes(
            reports=self._reports,
            reporters=self._reporters,
            objects=self._objects,
            load=self._load,
            judged=self._judged,
            near=self._near,
            police=self._police,
            closed_near=self._closed_near,
            closed_objects=self._closed_objects,
            watch=memory.watch,
        )
        self._marked = (self.rules, memory.watch)

    @property
    def policy(self) -> Policy | None:
        """The policy in force."""
        return None if self.rules is None else self.rules.policy

    @property
    def due(self) -> Coming[Due]:
        """What is to happen when."""
        self.catch_up()
        return self._due

    @property
    def closed(self) -> Coming[tuple[int, str]]:
        """Closed tickets by the time they were closed."""
        self.catch_up()
        return self._closed

    def ticket(self, ticket: str) -> Ticket | None:
        """The ticket of that id."""
        return self._tickets.get(ticket)

    def head(self, ticket: str) -> Any:
        """A row with the ticket's head; none where a command of this batch has changed the ticket, or there is none."""
        return self._tickets.head(ticket)

    def move(self, head: Any, before: bytes, *, silent: bool) -> None:
        """A limit fired, and is `silent` from now on or not; `before` is the front of the ticket's head before that."""
        self._tickets.move(head, before, silent=silent)
        due = next_due(head)
        if due is not None:
            self._due.push(due)

    def tickets(self) -> list[Ticket]:
        """All of them, in no promised order."""
        return self._tickets.values()

    def root(self, ticket: Ticket) -> Ticket:
        """The ticket that answers for this one: its master's master, and so on; itself where it is not merged."""
        while ticket.standing is Standing.MERGED and ticket.ties is not None and ticket.ties.merged_into is not None:
            master = self._tickets.get(ticket.ties.merged_into)
            if master is None:
                return ticket
            ticket = master
        return ticket

    def by_report(self, area: str, source: str, source_id: str) -> Ticket | None:
        """The ticket that holds a source's report, open or closed."""
        self.catch_up()
        for name in all_of(self._reports.get(report_key(area, source, source_id))):
            ticket = self._tickets.get(name)
            if ticket is not None and ticket.area == area and _holds_report(ticket, source, source_id):
                return ticket
        return None

    def by_reporter(self, report: Report) -> list[Ticket]:
        """Open tickets like a report, merged ones too, that its reporter reported; oldest first."""
        if report.reporter is None:
            return []
        self.catch_up()
        found = self._oldest_first(self._reporters.get(matter_key(report, report.reporter)))
        known = [(ticket, [one.reporter for one in ticket.reports]) for ticket in found if _is_like(ticket, report)]
        return [ticket for ticket, reporters in known if report.reporter in reporters]

    def by_object(self, report: Report) -> list[Ticket]:
        """Open tickets like a report, merged ones too, about its object; oldest first."""
        if report.object is None:
            return []
        self.catch_up()
        found = self._oldest_first(self._objects.get(matter_key(report, report.object)))
        return [ticket for ticket in found if _is_about(ticket, report)]

    def load(self, area: str, unit: str) -> int:
        """How many open tickets a unit has in an area; merged ones count with their master."""
        self.catch_up()
        return self._load.get((area, unit)) or 0

    def judges_some(self, version: str) -> bool:
        """Whether an open ticket is judged by that policy."""
        self.catch_up()
        return self._judged.get(version) is not None

    def near(self, like: Ticket, cell: Cell, since: int) -> Sequence[Ticket]:
        """Open tickets, not merged, of the same area, category and drill mark in a cell, opened since then.

        For categories with a radius; newest first. Whoever asks looks where they lie: an entry may be shared with
        another cell that hashes alike.
        """
        self.catch_up()
        entries = self._near.get(near_key(like, cell))
        if entries is None:
            return ()  # as nearly all are
        # Written out: a flood at one corner has each report look at dozens.
        get, category, area, drill = self._tickets.get, like.category, like.area, like.drill
        found = []
        for when, name in entries[: -LOOKED_AT - 1 : -1]:
            if when < since:
                break
            ticket = get(name)
            if ticket is not None and ticket.category == category and ticket.area == area and ticket.drill is drill:
                found.append(ticket)
        return found

    def police_near(self, area: str, cell: Cell, since: int, *, drill: bool) -> Iterator[Ticket]:
        """Tickets of the police's side in a cell, open or closed, opened since then; newest first.

        While the policy links alarms.
        """
        self.catch_up()
        for stretch in range(self.time // STRETCH_MS, since // STRETCH_MS - 1, -1):
            for ticket in self._newest_first(self._police.get(police_key(area, cell, stretch, drill=drill)), since):
                if (ticket.area, ticket.drill) == (area, drill) and _lies_in(ticket, cell):
                    yield ticket

    def closed_near(self, report: Report, cell: Cell, since: int) -> Iterator[Ticket] | None:
        """Tickets like a report in a cell, closed since then and not voided; closed last first.

        While the policy asks for recurrence, for categories with a radius. None where the cell is empty.
        """
        self.catch_up()
        entries = self._closed_near.get(near_key(report, cell))
        if entries is None:
            return None
        found = self._newest_first(entries, since)
        return (ticket for ticket in found if _is_like(ticket, report) and _lies_in(ticket, cell))

    def closed_about(self, report: Report, since: int) -> Iterator[Ticket]:
        """Tickets about the report's object, closed since then and not voided; closed last first.

        While the policy asks for recurrence.
        """
        if report.object is None:
            return iter(())
        self.catch_up()
        found = self._newest_first(self._closed_objects.get(matter_key(report, report.object)), since)
        return (ticket for ticket in found if _is_about(ticket, report))

    def begin(self, ticket: Ticket) -> None:
        """A ticket is here that never was."""
        self.own = ticket
        self._behind[ticket.id] = None
        self._tickets.put(ticket.id, ticket)

    def remember(self, ticket: Ticket) -> None:
        """A ticket as it is from now on. By what it is found follows later, once for all that a command says of it."""
        self.own = ticket
        name, tickets, behind = ticket.id, self._tickets, self._behind
        if name in behind:
            tickets.put_again(name, ticket)
        else:
            behind[name] = tickets.get(name)
            tickets.put(name, ticket)

    def catch_up(self) -> None:
        """Let the indexes and the agenda follow what was remembered; whoever asks one of them sees to it first."""
        self.own = None
        behind = self._behind
        if behind:
            self._behind = {}
            for name, old in behind.items():
                ticket = self._tickets.get(name)
                if ticket is not None:
                    self._index(old, ticket)

    def _index(self, old: Ticket | None, ticket: Ticket) -> None:
        if old is None:
            self._indexes.begin(ticket)
        elif (
            old.reports is not ticket.reports
            or old.closed_at != ticket.closed_at
            or old.standing is not ticket.standing
            or old.unit != ticket.unit
            or old.side is not ticket.side
            or old.policy != ticket.policy
        ):
            self._indexes.change(old, ticket)
        if old is None or old.deadlines is not ticket.deadlines or old.standing is not ticket.standing:
            due = next_due(ticket)
            # What was due has been popped, and may be due again.
            if due is not None and (due[0] <= self.time or old is None or due != next_due(old)):
                self._due.push(due)
        if ticket.closed_at is not None and (old is None or old.closed_at != ticket.closed_at):
            self._closed.push((ticket.closed_at, ticket.id))

    def forget(self, ticket: Ticket) -> None:
        """A closed ticket leaves, and with it what its sources called its reports."""
        self.catch_up()
        self._tickets.put(ticket.id, None)
        self._indexes.leave(ticket)

    def wait(self, key: bytes, waiting: Waiting) -> None:
        """Feedback waits, the newest last."""
        self.waiting.put(key, waiting)
        *_, newest = waits(key, waiting)
        self._due.push(newest)

    def adopt(self, rules: Rules) -> None:
        """A policy holds from now on. Where it asks for other places than the one before, they are found anew."""
        self.catch_up()
        self.rules = rules
        self.speaker = speaker(rules.policy)
        watch = watch_of(rules.policy)
        if watch == self._indexes.watch:
            return
        tickets = self.tickets()
        for ticket in tickets:
            self._indexes.unsettle(ticket)
        self._indexes.watch = watch
        for ticket in tickets:
            self._indexes.settle(ticket)

    def mark(self) -> None:
        """Whatever follows can be rolled back to here."""
        self.catch_up()
        self._marked = (self.rules, self._indexes.watch)
        self._undo.mark()

    def rollback(self) -> None:
        """Forget all that was changed since the mark. What was put on the agenda stays: it no longer holds."""
        self.rules, self._indexes.watch = self._marked
        self.speaker = speaker(self.policy)
        self.own, self._behind = None, {}
        self._undo.rollback()

    def state(self) -> dict[bytes, bytes | None]:
        """The changelog's records, by key; `None` is a tombstone. After it nothing changes but by `take`."""
        changed, packed = self._tickets.changes, self._tickets.packed
        written = self._written = {name: TICKET.pack(ticket) for name, ticket in changed.items() if ticket is not None}
        state: dict[bytes, bytes | None] = {ticket_key(name): written.get(name) for name in changed}
        state |= {ticket_key(name): raw for name, raw in packed.items()}
        for key, waiting in self.waiting.changes.items():
            state[key] = None if waiting is None else encode(waiting)
        for version, rules in self.former.changes.items():
            state[former_policy_key(version)] = None if rules is None else encode(rules.policy)
        if self.time != self._memory.time:
            state[LOG_TIME_KEY] = encode(LogTime(time=self.time))
        if self.said != self._memory.said:
            state[UNFINISHED_KEY] = encode(Unfinished(said=self.said)) if self.said else None
        if self.rules is not self._memory.rules:
            state[POLICY_KEY] = encode(self.policy)
        return state

    def take(self) -> None:
        """The batch is committed: the memory becomes what the draft is. A draft is taken once, or never."""
        self.catch_up()
        memory = self._memory
        for name, ticket in self._tickets.changes.items():
            memory.count(memory.tickets.get(name), -1)
            memory.count(ticket, 1)
            if ticket is None:
                memory.tickets.pop(name, None)
            else:
                memory.tickets.put(name, ticket, self._written.get(name) or TICKET.pack(ticket))
        packed = self._tickets.packed
        for name, raw in packed.items():
            memory.tickets.put_packed(name, raw)
        memory.deadlines_pending -= sum(name in packed for name in self._tickets.silent)
        self.waiting.take()
        self.former.take()
        self._reports.take()
        for counts in (self._load, self._judged):
            counts.take()
        for ties in (self._reporters, self._objects):
            ties.take()
        for places in (self._near, self._closed_near):
            places.take()
        self._police.take()
        self._closed_objects.take()
        self._due.take()
        self._closed.take()
        memory.time, memory.rules, memory.watch = self.time, self.rules, self._indexes.watch
        memory.said = self.said
        memory.prune()

    def _oldest_first(self, ids: Ids | None) -> list[Ticket]:
        found = [ticket for ticket in map(self._tickets.get, all_of(ids)) if ticket is not None]
        return sorted(found, key=lambda ticket: (ticket.opened_at, ticket.id))

    def _newest_first(self, entries: tuple[Entry, ...] | None, since: int) -> Iterator[Ticket]:
        for when, name in islice(reversed(entries or ()), LOOKED_AT):
            if when < since:
                return
            ticket = self._tickets.get(name)
            if ticket is not None:
                yield ticket


# What an index finds may be another that hashes alike.
def _holds_report(ticket: Ticket, source: str, source_id: str) -> bool:
    return any(one.source_id == source_id and one.source == source for one in ticket.reports)


def _is_like(ticket: Ticket, like: Ticket | Report) -> bool:
    return ticket.category == like.category and ticket.area == like.area and ticket.drill is like.drill


def _is_about(ticket: Ticket, report: Report) -> bool:
    return _is_like(ticket, report) and any(one.object == report.object for one in ticket.reports)


def _lies_in(ticket: Ticket, cell: Cell) -> bool:
    place = place_of(ticket.lat, ticket.lon)
    return place is not None and cell_of(place) == cell
