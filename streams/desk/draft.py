"""What a batch makes of the desk's memory before it is committed: a draft, to be taken or to be thrown away. Pure."""

from schemas.codec import encode
from schemas.policy import Policy
from schemas.state import LOG_TIME_KEY, POLICY_KEY, LogTime, Ticket, Waiting, ticket_key
from streams.desk.agenda import Agenda
from streams.desk.due import dues, waits
from streams.desk.facts import NOWHERE
from streams.desk.memory import DeskMemory, MatterKey, with_id, without_id
from streams.desk.overlay import Overlay
from streams.desk.routing import Routes


def speaker(policy: Policy | None) -> str:
    """Who speaks, as `ce_source`: the desk of the policy's district."""
    return f"/lianqin/{NOWHERE if policy is None else policy.district}/desk"


class Draft:
    """A view of the memory that changes; the memory itself does not until `take`, which comes after the commit."""

    def __init__(self, memory: DeskMemory) -> None:
        self.time = memory.time
        self.policy = memory.policy
        self.routes = memory.routes
        self.speaker = speaker(memory.policy)
        self.waiting = Overlay(memory.waiting)
        self.due = Agenda(memory.due)
        self.closed = Agenda(memory.closed)
        self._memory = memory
        self._marked = (self.policy, self.routes)
        self._tickets = Overlay(memory.tickets)
        self._reports = Overlay(memory.reports)
        self._reporters = Overlay(memory.reporters)
        self._objects = Overlay(memory.objects)
        self._layers = (self._tickets, self.waiting, self._reports, self._reporters, self._objects)

    def ticket(self, ticket: str) -> Ticket | None:
        """The ticket of that id."""
        return self._tickets.get(ticket)

    def by_report(self, area: str, source: str, source_id: str) -> Ticket | None:
        """The ticket that holds a source's report, open or closed."""
        found = self._reports.get((area, source, source_id))
        return None if found is None else self._tickets.get(found)

    def by_reporter(self, key: MatterKey) -> list[Ticket]:
        """Open tickets that a reporter reported, of one area and category; oldest first."""
        return self._oldest_first(self._reporters.get(key))

    def by_object(self, key: MatterKey) -> list[Ticket]:
        """Open tickets about an object, of one area and category; oldest first."""
        return self._oldest_first(self._objects.get(key))

    def remember(self, ticket: Ticket) -> None:
        """A ticket as it is from now on."""
        old = self._tickets.get(ticket.id)
        self._tickets.put(ticket.id, ticket)
        if old is None or old.reports is not ticket.reports:
            self._index(ticket, 0 if old is None else len(old.reports))
        known = () if old is None else old.deadlines
        if ticket.deadlines is not known:
            for due in dues(ticket.id, (deadline for deadline in ticket.deadlines if deadline not in known)):
                self.due.push(due)
        if ticket.closed_at is not None and (old is None or old.closed_at is None):
            self.closed.push((ticket.closed_at, ticket.id))
            self._close(ticket)

    def forget(self, ticket: Ticket) -> None:
        """A closed ticket leaves, and with it what its sources called its reports."""
        self._tickets.put(ticket.id, None)
        for attached in ticket.reports:
            self._reports.put((ticket.area, attached.source, attached.source_id), None)

    def wait(self, key: bytes, waiting: Waiting) -> None:
        """Feedback waits, the newest last."""
        self.waiting.put(key, waiting)
        *_, newest = waits(key, waiting)
        self.due.push(newest)

    def adopt(self, policy: Policy) -> None:
        """A policy holds from now on."""
        self.policy = policy
        self.routes = Routes(policy)
        self.speaker = speaker(policy)

    def mark(self) -> None:
        """Whatever follows can be rolled back to here."""
        self._marked = (self.policy, self.routes)
        for layer in self._layers:
            layer.mark()

    def rollback(self) -> None:
        """Forget all that was changed since the mark. What was put on the agenda stays: it no longer holds."""
        self.policy, self.routes = self._marked
        self.speaker = speaker(self.policy)
        for layer in self._layers:
            layer.rollback()

    def state(self) -> dict[bytes, bytes | None]:
        """The changelog's records, by key; `None` is a tombstone."""
        state: dict[bytes, bytes | None] = {
            ticket_key(key): None if ticket is None else encode(ticket) for key, ticket in self._tickets.changes.items()
        }
        for key, waiting in self.waiting.changes.items():
            state[key] = None if waiting is None else encode(waiting)
        if self.time != self._memory.time:
            state[LOG_TIME_KEY] = encode(LogTime(time=self.time))
        if self.policy is not self._memory.policy:
            state[POLICY_KEY] = encode(self.policy)
        return state

    def take(self) -> None:
        """The batch is committed: the memory becomes what the draft is. A draft is taken once, or never."""
        memory = self._memory
        for key, ticket in self._tickets.changes.items():
            memory.count(memory.tickets.get(key), -1)
            memory.count(ticket, 1)
        for layer in self._layers:
            layer.take()
        self.due.take()
        self.closed.take()
        memory.time, memory.policy, memory.routes = self.time, self.policy, self.routes
        memory.prune()

    def _oldest_first(self, ids: tuple[str, ...] | None) -> list[Ticket]:
        if not ids:
            return []
        found = [ticket for ticket in map(self._tickets.get, ids) if ticket is not None]
        return sorted(found, key=lambda ticket: (ticket.opened_at, ticket.id))

    def _index(self, ticket: Ticket, known: int) -> None:
        for attached in ticket.reports[known:]:
            self._reports.put((ticket.area, attached.source, attached.source_id), ticket.id)
            for index, tie in ((self._reporters, attached.reporter), (self._objects, attached.object)):
                if tie is not None:
                    key = (ticket.area, ticket.category, tie)
                    index.put(key, with_id(index.get(key), ticket.id))

    def _close(self, ticket: Ticket) -> None:
        for attached in ticket.reports:
            for index, tie in ((self._reporters, attached.reporter), (self._objects, attached.object)):
                if tie is not None:
                    key = (ticket.area, ticket.category, tie)
                    index.put(key, without_id(index.get(key), ticket.id))
