"""What stands on the agenda, and whether it still holds: deadlines of tickets, and feedback whose wait ends. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from schemas.state import Deadline, Held, Ticket, Waiting
from streams.desk.limits import next_at

Due = tuple[int, int, str, str]
"""When; which kind; ticket or waiting key; limit or command. Sorted, this is the order in which things fire."""

DEADLINE: Final = 0
WAIT: Final = 1
"""After the deadlines of the same millisecond."""


def dues(ticket: str, deadlines: Iterable[Deadline]) -> Iterator[Due]:
    """The entries of a ticket's deadlines."""
    for deadline in deadlines:
        at = next_at(deadline)
        if at is not None:
            yield at, DEADLINE, ticket, deadline.limit


def waits(key: bytes, waiting: Waiting) -> Iterator[Due]:
    """The entries of feedback that waits for one report."""
    for held in waiting.held:
        yield held.until, WAIT, key.decode(), held.command


def deadline_of(ticket: Ticket | None, due: Due) -> Deadline | None:
    """The deadline that an entry means; none where it no longer holds."""
    at, _, _, limit = due
    for deadline in () if ticket is None else ticket.deadlines:
        if deadline.limit == limit and next_at(deadline) == at:
            return deadline
    return None


def held_of(waiting: Waiting | None, due: Due) -> Held | None:
    """The feedback that an entry means; none where it no longer waits."""
    _, _, _, command = due
    for held in () if waiting is None else waiting.held:
        if held.command == command:
            return held
    return None
