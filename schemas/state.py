"""What stands on `desk.state`: the desk's changelog, internal. One record a ticket; indexes are rebuilt, not stored."""

from typing import Final, Literal

from pydantic import TypeAdapter

from schemas.codec import STRICT, Contract, contract, encode
from schemas.codes import Fate, Flag, Level, Stage, Urgency
from schemas.commands import Feedback
from schemas.policy import Policy


@contract
class Deadline:
    """A limit that runs on a ticket: `overall`, or the stage it must reach next."""

    __pydantic_config__ = STRICT

    limit: str
    started_at: int
    warn_at: int
    due_at: int
    status: Literal["running", "warned", "passed"] = "running"


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
    stage: Stage
    stage_at: int
    unit: str
    level: Level
    opened_at: int
    closed_at: int | None = None
    policy: str
    flags: tuple[Flag, ...] = ()
    reports: tuple[Attached, ...]
    deadlines: tuple[Deadline, ...] = ()


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


TICKET: Final = Contract[Ticket](TypeAdapter(Ticket))
WAITING: Final = Contract[Waiting](TypeAdapter(Waiting))
LOG_TIME: Final = Contract[LogTime](TypeAdapter(LogTime))
POLICY: Final = Contract[Policy](TypeAdapter(Policy))

LOG_TIME_KEY: Final = b"@time"
POLICY_KEY: Final = b"@policy"


def ticket_key(ticket: str) -> bytes:
    """The state key of a ticket."""
    return b"t:" + ticket.encode()


def waiting_key(area: str, source: str, source_id: str) -> bytes:
    """The state key of the feedback that waits for one source's report in one area; JSON keeps the three apart."""
    return b"w:" + encode([area, source, source_id])
