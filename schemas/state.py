"""What stands on `desk.state`: the desk's changelog, internal. One record a ticket; indexes are rebuilt, not stored."""

from typing import Final

from pydantic import TypeAdapter

from schemas.codec import STRICT, Contract, contract, encode
from schemas.codes import Fate, Flag, Level, LimitClock, RequestKind, Side, Stage, Standing, Step, Urgency
from schemas.commands import Feedback
from schemas.packed import Packed
from schemas.policy import Policy


@contract
class Deadline:
    """A limit that runs on a ticket: `overall`, a stage it must reach, or a condition it must meet.

    `length` counts on the deadline's own clock and holds what was granted on top. The ladder's steps fire one after
    the other at `next_at`; `rung` is the place in the ladder of the one that fires next.
    """

    __pydantic_config__ = STRICT

    limit: str
    clock: LimitClock = LimitClock.WALL
    started_at: int
    length: int
    granted: int = 0
    """The part of the length that extensions gave."""
    due_at: int
    rung: int = 0
    next_at: int | None
    """None: nothing is left to fire."""
    provisional: bool = False
    """It lies in a year whose calendar is not announced yet."""
    halted: bool = False
    """It stands still: the stage is reached, and comes back only with a rework."""


@contract
class Attached:
    """A report in a ticket: the one that opened it (first), or one that joined it."""

    __pydantic_config__ = STRICT

    source: str
    source_id: str
    content: str
    fate: Fate
    at: int
    reporter: str | None = None
    object: str | None = None
    closed_at: int | None = None


@contract
class Request:
    """What the handler asked for, until an operator decides."""

    __pydantic_config__ = STRICT

    kind: RequestKind
    at: int
    by: str | None
    seconds: int | None
    note: str


@contract
class Course:
    """What befell a ticket on its way, where anything did (办理经过)."""

    __pydantic_config__ = STRICT

    request: Request | None = None
    extensions: int = 0
    suspended_at: int | None = None
    resume_at: int | None = None
    """When a suspension ends by itself."""
    assisting: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    """Those that are met."""
    diverted_from: Side | None = None
    diverted_unit: str | None = None
    """The unit that a returned diversion goes back to."""
    returns: int = 0
    reworks: int = 0
    reopens: int = 0
    reopened_at: int | None = None
    urges: int = 0
    escalated: Level | None = None
    inferred: tuple[Stage, ...] = ()
    """Stages that passed unreported: whoever worked offline may still tell of them."""
    overall_said: tuple[Step, ...] = ()
    """Steps of `overall` that were said when the ticket changed sides last: a longer limit does not forget them."""


@contract
class Match:
    """Another ticket that may be the same matter, or was found not to be."""

    __pydantic_config__ = STRICT

    other: str
    refused: bool = False


@contract
class Ties:
    """How a ticket hangs together with others, where it does."""

    __pydantic_config__ = STRICT

    merged_into: str | None = None
    children: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    """Tickets of the same matter: linked alarms, joint dispatch."""
    matches: tuple[Match, ...] = ()
    recurrence_of: str | None = None


@contract
class Ticket:
    """One lead unit's obligation (工单), as the desk remembers it."""

    __pydantic_config__ = STRICT

    id: str
    matter: str
    sequence: int
    """Number of the ticket's newest event; they run from 1 without gaps."""
    area: str
    category: str
    urgency: Urgency
    side: Side
    stage: Stage
    stage_at: int
    standing: Standing = Standing.RUNNING
    unit: str
    level: Level
    opened_at: int
    closed_at: int | None = None
    """When it was closed or voided."""
    policy: str
    source: str
    """Of the report that opened it."""
    kind: str | None = None
    drill: bool = False
    grid: str | None = None
    lat: float | None = None
    lon: float | None = None
    text: str = ""
    flags: tuple[Flag, ...] = ()
    reports: tuple[Attached, ...]
    """Empty for the second ticket of a joint dispatch."""
    deadlines: tuple[Deadline, ...] = ()
    course: Course | None = None
    ties: Ties | None = None


NO_COURSE: Final = Course()
NO_TIES: Final = Ties()


def course_of(ticket: Ticket) -> Course:
    """What befell the ticket."""
    return ticket.course or NO_COURSE


def ties_of(ticket: Ticket) -> Ties:
    """How the ticket hangs together with others."""
    return ticket.ties or NO_TIES


@contract
class Held:
    """A feedback that waits for its report, and the command id it came as."""

    __pydantic_config__ = STRICT

    command: str
    until: int
    feedback: Feedback


@contract
class Waiting:
    """All feedback that waits for one source's report."""

    __pydantic_config__ = STRICT

    held: tuple[Held, ...]


@contract
class LogTime:
    """Log time of a partition: the time of its last applied command."""

    __pydantic_config__ = STRICT

    time: int


@contract
class Unfinished:
    """Of the next record's turn so many facts are said already: more was due by then than one transaction takes."""

    __pydantic_config__ = STRICT

    said: int


TICKET: Final = Packed(
    Ticket,
    key="id",
    moving=("sequence", "deadlines"),
    head=("standing", "closed_at", "area", "matter", "unit", "policy", "grid", "drill"),
)
"""Tickets alone are packed: there are a million of them. What moves and the head are what it takes to fire a limit."""
WAITING: Final = Contract[Waiting](TypeAdapter(Waiting))
LOG_TIME: Final = Contract[LogTime](TypeAdapter(LogTime))
POLICY: Final = Contract[Policy](TypeAdapter(Policy))
UNFINISHED: Final = Contract[Unfinished](TypeAdapter(Unfinished))

LOG_TIME_KEY: Final = b"@time"
POLICY_KEY: Final = b"@policy"
"""The policy in force."""
UNFINISHED_KEY: Final = b"@unfinished"


def ticket_key(ticket: str) -> bytes:
    """The state key of a ticket."""
    return b"t:" + ticket.encode()


def waiting_key(area: str, source: str, source_id: str) -> bytes:
    """The state key of the feedback that waits for one source's report in one area; JSON keeps the three apart."""
    return b"w:" + encode([area, source, source_id])


def former_policy_key(version: str) -> bytes:
    """The state key of a policy that is no longer in force, but by which tickets are still judged."""
    return b"p:" + version.encode()
