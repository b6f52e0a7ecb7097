"""One side hands a ticket to the other (分流), and gets it back where it was wrong to (退回). Pure.

Who takes what is a list with a version, for each way; nobody diverts by hand what no list names. Its clock runs on all
the while: whoever gets it back gets it with what has elapsed. How long each side may take is its own.
"""

from schemas.codec import replace
from schemas.codes import Alarm, Refusal, Side
from schemas.commands import Feedback
from schemas.events import AlarmRaised, TicketDiverted
from schemas.state import Ticket, course_of
from streams.desk.handling import Answered, dispatched, said_of, sent_to, unit_of
from streams.desk.matching import has_alarm
from streams.desk.routing import Placed, Routed
from streams.desk.sides import Handed
from streams.desk.taking import handed_over, overall_said
from streams.desk.turn import Turn


def diverted(turn: Turn, ticket: Ticket, handed: Handed, note: str) -> Ticket:
    """The ticket is the other side's from now on; who handles it there is said next."""
    event = TicketDiverted(
        from_side=ticket.side,
        to_side=handed.side,
        list=handed.list,
        returned=False,
        unit=ticket.unit,
        elapsed=turn.at - ticket.opened_at,
        note=note,
        said=overall_said(turn.rules_of(ticket), ticket),
    )
    return _taken(turn, turn.tell(ticket, event))


def divert(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """分流 by an operator: to the other side, where a list holds the category."""
    handed = turn.rules.sides.handed(ticket.side, ticket.category)
    if handed is None:
        return ticket, Refusal.NO_DIVERSION
    if _makes_two(turn, ticket, handed.side):
        return ticket, Refusal.NOT_LEGAL_NOW
    routed, before = _routed(turn, ticket, handed.side), ticket
    ticket = diverted(turn, ticket, handed, feedback.note)
    if not routed.owned:
        ticket = unowned(turn, ticket, routed)
    said, same = said_of(turn, ticket, feedback), routed.unit.name == ticket.unit
    ticket = dispatched(
        turn,
        ticket,
        routed.unit,
        source=said.source,
        by=said.by,
        note=said.note,
        occurred_at=said.occurred_at,
        before=None if same else ticket.unit,
        assisting=course_of(ticket).assisting if same else routed.assisting,
        copies=routed.copies,
    )
    return _looked_at(turn, before, ticket), None


def give_back(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """分流退回: to the side and the unit that it came from, with the reason and its elapsed clock."""
    course = course_of(ticket)
    if course.diverted_from is None:
        return ticket, Refusal.NO_DIVERSION
    if _makes_two(turn, ticket, course.diverted_from):
        return ticket, Refusal.NOT_LEGAL_NOW
    event = TicketDiverted(
        from_side=ticket.side,
        to_side=course.diverted_from,
        list="",
        returned=True,
        unit=ticket.unit,
        elapsed=turn.at - ticket.opened_at,
        note=feedback.note,
        said=overall_said(turn.rules_of(ticket), ticket),
    )
    back = _taken(turn, turn.tell(ticket, event))
    back = sent_to(turn, back, unit_of(turn, back, course.diverted_unit), said_of(turn, back, feedback))
    return _looked_at(turn, ticket, back), None


def unowned(turn: Turn, ticket: Ticket, routed: Routed) -> Ticket:
    """No route fits: the catch-all has it (兜底), and somebody must look at the table."""
    return turn.tell(ticket, AlarmRaised(alarm=Alarm.NO_OWNER, about=routed.unit.name))


def undated(turn: Turn, ticket: Ticket) -> Ticket:
    """Nobody knows yet when it is due: it is said once, of the first of its limits that is provisional."""
    for deadline in ticket.deadlines:
        if deadline.provisional:
            return turn.tell(ticket, AlarmRaised(alarm=Alarm.PROVISIONAL, about=deadline.limit))
    return ticket


def _makes_two(turn: Turn, ticket: Ticket, side: Side) -> bool:
    """Whether it would be a second alarm in one tree: what runs is a root, so all the others hang on it."""
    return side is Side.POLICE and has_alarm(turn.draft, ticket)


def _looked_at(turn: Turn, before: Ticket, ticket: Ticket) -> Ticket:
    # Once it is dispatched: only then it is known which goal it has on this side.
    known = any(deadline.provisional for deadline in before.deadlines)
    return ticket if known else undated(turn, ticket)


def _taken(turn: Turn, ticket: Ticket) -> Ticket:
    """The ticket with the limits of the side that has it now: the dispatch, which is said next, says them."""
    deadlines = handed_over(turn.rules_of(ticket), ticket, turn.at)
    return ticket if deadlines == ticket.deadlines else replace(ticket, deadlines=deadlines)


def _routed(turn: Turn, ticket: Ticket, side: Side) -> Routed:
    place = Placed(ticket.category, ticket.area, ticket.grid, ticket.source, side, ticket.urgency)
    return turn.rules.routes.route(place, turn.at, turn.draft.load)
