"""What stands on the agenda, and whether it still holds: steps of limits, waits, ends of suspensions. Pure."""

from collections.abc import Callable, Iterator
from typing import Final

from schemas.codes import Standing
from schemas.state import Deadline, Held, Ticket, Waiting

Due = tuple[int, int, str, str]
"""When; which kind; ticket or waiting key; limit, command or nothing. They fire in the order they sort."""

DEADLINE: Final = 0
WAIT: Final = 1
"""After the deadlines of the same millisecond."""
RESUME: Final = 2
"""After both."""


def dues(ticket: Ticket) -> Iterator[Due]:
    """What a ticket has to come, as it is: nothing fires on one that is closed, voided or merged, or stands still."""
    if ticket.closed_at is not None:
        return
    if ticket.standing is Standing.RUNNING:
        for deadline in ticket.deadlines:
            if deadline.next_at is not None:
                yield deadline.next_at, DEADLINE, ticket.id, deadline.limit
    elif ticket.standing is Standing.SUSPENDED and ticket.course is not None and ticket.course.resume_at is not None:
        yield ticket.course.resume_at, RESUME, ticket.id, ""


def next_due(ticket: Ticket) -> Due | None:
    """The first of a ticket's entries: it alone stands on the agenda, and the next one follows when it has fired."""
    if ticket.closed_at is not None or ticket.standing is not Standing.RUNNING:
        return next(dues(ticket), None)
    first, at = None, 0
    for deadline in ticket.deadlines:
        when = deadline.next_at
        if when is not None and (first is None or when < at or (when == at and deadline.limit < first.limit)):
            first, at = deadline, when
    return None if first is None else (at, DEADLINE, ticket.id, first.limit)


def again(due: Due) -> str | None:
    """The ticket that an entry follows from; none where feedback waits."""
    return None if due[1] == WAIT else due[2]


def waits(key: bytes, waiting: Waiting) -> Iterator[Due]:
    """The entries of feedback that waits for one report."""
    for held in waiting.held:
        yield held.until, WAIT, key.decode(), held.command


def holds(due: Due, ticket_of: Callable[[str], Ticket | None], waiting_of: Callable[[bytes], Waiting | None]) -> bool:
    """Whether an entry still means something."""
    _, kind, name, _ = due
    if kind == WAIT:
        return held_of(waiting_of(name.encode()), due) is not None
    ticket = ticket_of(name)
    return ticket is not None and due in dues(ticket)


def deadline_of(ticket: Ticket | None, due: Due) -> Deadline | None:
    """The deadline that an entry means; none where it no longer holds."""
    if ticket is None or ticket.closed_at is not None or ticket.standing is not Standing.RUNNING:
        return None
    for deadline in ticket.deadlines:
        if deadline.limit == due[3] and deadline.next_at == due[0]:
            return deadline
    return None


def held_of(waiting: Waiting | None, due: Due) -> Held | None:
    """The feedback that an entry means; none where it no longer waits."""
    _, _, _, command = due
    for held in () if waiting is None else waiting.held:
        if held.command == command:
            return held
    return None
