"""What stands on the agenda, and whether it still holds: limits, waits, and suspensions that end. Pure."""

from collections.abc import Callable, Iterator
from typing import Final

from schemas.codes import Standing
from schemas.state import Deadline, Held, Ticket, Waiting

Due = tuple[int, int, str, str]
"""When; which kind; ticket or waiting key; limit or command. Sorted, this is the order in which things fire."""

DEADLINE: Final = 0
WAIT: Final = 1
"""After the deadlines of the same millisecond."""
RESUMPTION: Final = 2
"""A suspension that ends by itself."""


def dues(ticket: Ticket) -> Iterator[Due]:
    """A ticket's entries: its limits while it runs, its resumption while it is suspended."""
    if ticket.standing is Standing.RUNNING:
        for deadline in ticket.deadlines:
            if deadline.next_at is not None and not deadline.halted:
                yield deadline.next_at, DEADLINE, ticket.id, deadline.limit
    elif ticket.standing is Standing.SUSPENDED and ticket.course is not None and ticket.course.resume_at is not None:
        yield ticket.course.resume_at, RESUMPTION, ticket.id, ""


def waits(key: bytes, waiting: Waiting) -> Iterator[Due]:
    """The entries of feedback that waits for one report."""
    for held in waiting.held:
        yield held.until, WAIT, key.decode(), held.command


def deadline_of(ticket: Ticket | None, due: Due) -> Deadline | None:
    """The deadline that an entry means; none where it no longer holds."""
    if ticket is None or ticket.standing is not Standing.RUNNING:
        return None
    at, _, _, limit = due
    for deadline in ticket.deadlines:
        if deadline.limit == limit:
            return deadline if deadline.next_at == at and not deadline.halted else None
    return None


def resumes(ticket: Ticket | None, due: Due) -> bool:
    """Whether an entry still ends the ticket's suspension."""
    return ticket is not None and due in dues(ticket)


def held_of(waiting: Waiting | None, due: Due) -> Held | None:
    """The feedback that an entry means; none where it no longer waits."""
    _, _, _, command = due
    for held in () if waiting is None else waiting.held:
        if held.command == command:
            return held
    return None


def holds(due: Due, ticket: Callable[[str], Ticket | None], waiting: Callable[[bytes], Waiting | None]) -> bool:
    """Whether an entry is still true."""
    kind, name = due[1], due[2]
    if kind == DEADLINE:
        return deadline_of(ticket(name), due) is not None
    if kind == WAIT:
        return held_of(waiting(name.encode()), due) is not None
    return resumes(ticket(name), due)
