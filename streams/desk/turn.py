"""One record's turn: whatever is said in it is numbered, and folded into the draft at once. Pure."""

from typing import Any, Final

from schemas.codec import Maker
from schemas.commands import Origin
from schemas.envelope import Envelope, derived_id, numbered_ids
from schemas.events import CommandSettled, Event, Ran, Settlement, TicketEvent, TicketOpened
from schemas.policy import Policy
from schemas.state import TICKET, Ticket
from streams.desk.draft import Draft
from streams.desk.evolve import evolve, evolve_own
from streams.desk.evolve_course import ran_head
from streams.desk.facts import Decision, Entry, Fact
from streams.desk.rules import Rules

_ENVELOPE: Final = Maker(Envelope)
_FACT: Final = Maker(Fact)


_Said = tuple[str, Decision, str]


def own_id(partition: int, offset: int) -> str:
    """The id of the command that a record of the desk's log is."""
    return derived_id(f"desk/{partition}/{offset}")


class Turn:
    """Who speaks (`cause`, a command's id), at which log time, about what; and all that was said so far.

    Ids hash the topic's name without its prefix, so the same log under another prefix says the same.
    """

    __slots__ = ("_ids", "at", "cause", "decision", "draft", "entry")

    def __init__(self, draft: Draft, entry: Entry, at: int, said: _Said | None = None) -> None:
        self.draft = draft
        self.entry = entry
        self.at = at
        if said is None:
            own = own_id(entry.partition, entry.offset)
            said = own, Decision(), numbered_ids(own)
        self.cause, self.decision, self._ids = said

    def speaking(self, *, at: int, cause: str) -> "Turn":
        """The same turn, speaking for another command or at another time; numbers run on."""
        return Turn(self.draft, self.entry, at, (cause, self.decision, self._ids))

    @property
    def rules(self) -> Rules:
        """The policy in force, compiled; raises `LookupError` where there is none."""
        rules = self.draft.rules
        if rules is None:
            msg = "no policy holds yet"
            raise LookupError(msg)
        return rules

    @property
    def policy(self) -> Policy:
        """The policy in force; raises `LookupError` where there is none."""
        return self.rules.policy

    def rules_of(self, ticket: Ticket) -> Rules:
        """The rules a ticket is judged by: those of its own policy where it keeps that, else those in force."""
        return self.draft.former.get(ticket.policy) or self.rules

    @property
    def own_origin(self) -> Origin:
        """Where the record itself stands, for what has no other origin."""
        return Origin(topic=self.entry.topic, partition=self.entry.partition, offset=self.entry.offset)

    def id_of(self, area: str, number: int = 1) -> str:
        """The id of the ticket that this command opens, or opened."""
        subject = f"{area}.{self.cause.replace('-', '')[:16]}"
        return subject if number == 1 else f"{subject}-{number}"

    def open(
        self, area: str, event: TicketOpened, *, drill: bool = False, matter: str | None = None, number: int = 1
    ) -> Ticket:
        """A ticket begins, and with it a matter, unless it belongs to one. Its id begins with the area, for good.

        `number` above 1 is that of a further ticket of the same command, and ends its id.
        """
        subject = self.id_of(area, number)
        fact = _FACT.of(event, self._envelope(event, area, subject, 1, matter or self.cause, drill))
        ticket = evolve(None, fact)
        self.draft.begin(ticket)
        self.decision.facts.append(fact)
        return ticket

    def tell(self, ticket: Ticket, event: TicketEvent | Settlement) -> Ticket:
        """A fact about a ticket takes the next number of its sequence."""
        envelope = self._envelope(event, ticket.area, ticket.id, ticket.sequence + 1, ticket.matter, ticket.drill)
        draft, fact = self.draft, _FACT.of(event, envelope)
        after = evolve_own(ticket, fact) if ticket is draft.own else evolve(ticket, fact)
        if after is not ticket:
            draft.remember(after)
        self.decision.facts.append(fact)
        return after

    def tell_head(self, head: Any, event: Ran) -> None:
        """`tell` of a ticket of which only the head is read: what moves is changed in it. Not of an escalation."""
        envelope = self._envelope(event, head.area, head.id, head.sequence + 1, head.matter, head.drill)
        before = TICKET.front(head)
        ran_head(head, event, envelope)
        self.draft.move(head, before, silent=event.next_at is None)
        self.decision.facts.append(_FACT.of(event, envelope))

    def aside(self, area: str, event: CommandSettled) -> None:
        """A settlement that names no ticket."""
        self.decision.facts.append(_FACT.of(event, self._envelope(event, area, None, None, None, drill=False)))

    def _envelope(
        self, event: Event, area: str, subject: str | None, sequence: int | None, matter: str | None, drill: bool
    ) -> Envelope:
        return _ENVELOPE.of(
            id=f"{self._ids}{self.draft.said + len(self.decision.facts):012x}",
            source=self.draft.speaker,
            type=event.type,
            time=self.at,
            area=area,
            cause=self.cause,
            subject=subject,
            sequence=sequence,
            matter=matter,
            drill=drill,
        )
