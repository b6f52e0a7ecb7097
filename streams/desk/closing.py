"""A ticket ends (结案, 评价), and begins again where it was not done (重开). Pure."""

from typing import Final

from schemas.codec import Maker
from schemas.codes import Flag, Refusal, Stage
from schemas.commands import Feedback
from schemas.events import TicketClosed, TicketRated, TicketReleased, TicketReopened
from schemas.state import Ticket, course_of, ties_of
from streams.desk.draft import Draft
from streams.desk.handling import Answered, Said, move_to, said_of, sent_to, unit_of
from streams.desk.limits import on_time, reopened
from streams.desk.near import propose
from streams.desk.policies import judged_anew
from streams.desk.turn import Turn

_CLOSED: Final = Maker(TicketClosed)


def close(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """结案, of its children with it. A child that its own source closes leaves its master; the master goes on."""
    said = said_of(turn, ticket, feedback)
    master = ties_of(ticket).merged_into
    ticket = _closed(turn, ticket, said, feedback.flags, None)
    for child in _children(turn.draft, ticket):
        _closed(turn, child, said, feedback.flags, ticket.id)
    left = None if master is None else turn.draft.ticket(master)
    if left is not None:
        turn.tell(left, TicketReleased(child=ticket.id, source="", source_id=""))
    return ticket, None


def rate(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """评价: 1 to 5; whoever is not satisfied has it opened again."""
    score = feedback.score
    if score is None or not 1 <= score <= 5:
        return ticket, Refusal.BAD_SCORE
    move = move_to(turn, ticket, Stage.RATED, said_of(turn, ticket, feedback), ())
    ticket = turn.tell(ticket, TicketRated(**move, score=score))
    if score > turn.rules_of(ticket).policy.reopen_score:
        return ticket, None
    return reopen(turn, ticket, feedback)


def reopen(turn: Turn, ticket: Ticket, feedback: Feedback) -> Answered:
    """重开: all limits begin anew, by the policy in force, and a unit has it again."""
    ticket = judged_anew(turn, ticket)
    said = said_of(turn, ticket, feedback)
    unit = unit_of(turn, ticket, feedback.unit)
    move = move_to(turn, ticket, Stage.ACCEPTED, said, reopened(turn.rules_of(ticket), ticket, turn.at))
    ticket = sent_to(turn, turn.tell(ticket, TicketReopened(**move)), unit, said)
    return propose(turn, ticket), None


def _closed(turn: Turn, ticket: Ticket, said: Said, flags: tuple[Flag, ...], with_master: str | None) -> Ticket:
    begun = course_of(ticket).reopened_at or ticket.opened_at
    closed = _CLOSED.of(
        **move_to(turn, ticket, Stage.CLOSED, said, ()),
        took=turn.at - begun,
        on_time=on_time(ticket, turn.at),
        flags=flags,
        with_master=with_master,
    )
    return turn.tell(ticket, closed)


def _children(draft: Draft, ticket: Ticket) -> list[Ticket]:
    """All that hang on it and are still open, by id: its children, and theirs."""
    if ticket.ties is None:
        return []
    found: dict[str, Ticket] = {}
    asked = [ticket]
    while asked:
        for name in ties_of(asked.pop()).children:
            child = draft.ticket(name)
            if child is not None and child.closed_at is None:
                found[name] = child
                asked.append(child)
    return [found[name] for name in sorted(found)]
