"""A human decides what is one matter (并案, 否决, 拆分): merged, refused, or taken apart again. Pure.

Every decision is made between roots, so two operators who merge in opposite directions make one merge and one refusal,
never two closed tickets.
"""

from schemas.codes import Flag, Refusal, Side, Standing
from schemas.commands import Feedback
from schemas.events import (
    MatchRefused,
    TicketAbsorbed,
    TicketAdopted,
    TicketOpened,
    TicketReleased,
    TicketRestored,
)
from schemas.policy import Unit
from schemas.state import Attached, Ticket, ties_of
from streams.desk.clock import dated
from streams.desk.dedup import attached_as
from streams.desk.draft import Draft
from streams.desk.handling import Answered, dispatched
from streams.desk.limit_table import LimitFacts
from streams.desk.limits import at_opening, caught_up, restored
from streams.desk.near import refused
from streams.desk.turn import Turn


def confirm(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """The ticket is merged into the other: from now on that one is worked on and answers for both."""
    child, other = turn.draft.root(ticket), _other(turn, ticket, feedback)
    if child.closed_at is not None:
        return ticket, Refusal.NOT_LEGAL_NOW
    master = None if other is None else turn.draft.root(other)
    if master is None or master.closed_at is not None:
        return ticket, Refusal.OTHER_UNKNOWN
    if master.id == child.id:
        return ticket, Refusal.SAME_TICKET
    if master.drill is not child.drill or (has_alarm(turn.draft, master) and has_alarm(turn.draft, child)):
        return ticket, Refusal.NOT_LEGAL_NOW
    _absorb(turn, child, master, feedback)
    return _now(turn, ticket), None


def refuse(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """The two are not one matter, and it is not asked again, from whichever side."""
    other = _other(turn, ticket, feedback)
    if other is None:
        return ticket, Refusal.OTHER_UNKNOWN
    if turn.draft.root(other).id == turn.draft.root(ticket).id or refused(ticket, other):
        return ticket, Refusal.SAME_TICKET
    return turn.tell(ticket, MatchRefused(other=other.id, by=feedback.by, note=feedback.note)), None


def part(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """A child is a ticket of its own again; or a report that had joined a ticket gets one."""
    if feedback.ticket is None and not _is_first(ticket, feedback):
        return _split(turn, ticket, feedback), None
    if ticket.standing is not Standing.MERGED:
        return ticket, Refusal.NOT_LEGAL_NOW
    return _restore(turn, ticket, feedback), None


def has_alarm(draft: Draft, root: Ticket) -> bool:
    """Whether the ticket, or anything that hangs on it, is the police's (警情): two such are linked, never merged.

    The roots alone do not tell: a ticket of the other side may have an alarm below it.
    """
    asked = [root]
    while asked:
        ticket = asked.pop()
        if ticket.side is Side.POLICE:
            return True
        children = (draft.ticket(name) for name in ties_of(ticket).children)
        asked += (child for child in children if child is not None)  # one that is long closed may be forgotten
    return False


def _absorb(turn: Turn, child: Ticket, master: Ticket, feedback: Feedback) -> None:
    absorbed = TicketAbsorbed(
        occurred_at=dated(turn.rules_of(child).policy, feedback.occurred_at, turn.at),
        source=feedback.source,
        by=feedback.by,
        note=feedback.note,
        deadlines=child.deadlines,
        into=master.id,
    )
    turn.tell(child, absorbed)
    turn.tell(master, TicketAdopted(child=child.id))


def _restore(turn: Turn, child: Ticket, feedback: Feedback) -> Ticket:
    rules = turn.rules_of(child)
    master = None if child.ties is None or child.ties.merged_into is None else turn.draft.ticket(child.ties.merged_into)
    if master is None:
        msg = f"{child.id} is merged into a ticket that is not there"
        raise LookupError(msg)
    back = TicketRestored(
        occurred_at=dated(rules.policy, feedback.occurred_at, turn.at),
        source=feedback.source,
        by=feedback.by,
        note=feedback.note,
        deadlines=restored(rules, child, turn.at),
        master=master.id,
    )
    child = turn.tell(child, back)
    turn.tell(master, TicketReleased(child=child.id, source="", source_id=""))
    return child


def _split(turn: Turn, ticket: Ticket, feedback: Feedback) -> Ticket:
    attached = attached_as(ticket, feedback.source, feedback.source_id)
    # It leaves before it begins anew: at no moment do two tickets hold one report.
    ticket = turn.tell(
        ticket, TicketReleased(child=turn.id_of(ticket.area), source=attached.source, source_id=attached.source_id)
    )
    own = turn.open(ticket.area, _opened(turn, ticket, attached), drill=ticket.drill)
    dispatched(
        turn,
        own,
        Unit(name=own.unit, level=own.level, side=own.side),
        source=feedback.source,
        by=feedback.by,
        note=feedback.note,
        occurred_at=turn.at,
        before=None,
    )
    return ticket


def _opened(turn: Turn, ticket: Ticket, attached: Attached) -> TicketOpened:
    rules = turn.rules
    facts = LimitFacts(ticket.category, ticket.urgency, ticket.area, attached.source, ticket.kind, ticket.side)
    return TicketOpened(
        source=attached.source,
        source_id=attached.source_id,
        content=attached.content,
        category=ticket.category,
        kind=ticket.kind,
        urgency=ticket.urgency,
        side=ticket.side,
        occurred_at=attached.at,
        grid=ticket.grid,
        lat=ticket.lat,
        lon=ticket.lon,
        text="",
        details={},
        reporter=attached.reporter,
        object=attached.object,
        flags=(Flag.SPLIT,),
        unit=ticket.unit,
        level=ticket.level,
        policy=rules.policy.version,
        recurrence_of=None,
        deadlines=caught_up(at_opening(rules, facts, attached.at), turn.at),
    )


def _other(turn: Turn, ticket: Ticket, feedback: Feedback) -> Ticket | None:
    other = None if feedback.other is None else turn.draft.ticket(feedback.other)
    return other if other is not None and other.area == ticket.area else None


def _is_first(ticket: Ticket, feedback: Feedback) -> bool:
    if not ticket.reports:
        return True
    first = ticket.reports[0]
    return (first.source, first.source_id) == (feedback.source, feedback.source_id)


def _now(turn: Turn, ticket: Ticket) -> Ticket:
    """The ticket as it is after what was said."""
    return turn.draft.ticket(ticket.id) or ticket
