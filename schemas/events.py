"""What stands on `tickets`: facts in the past tense, one type each. The envelope stands in the headers (envelope.py).

Every event of a ticket is folded by `streams.desk.evolve`, so each carries all that the ticket takes from it, and the
few figures that are asked of it in ClickHouse (time spent, limit, stage, unit). Durations in milliseconds.
"""

from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter

from schemas.codec import STRICT, Contract, passing_contract
from schemas.codes import Fate, Flag, Level, Outcome, Refusal, Stage, Urgency
from schemas.commands import Origin
from schemas.state import Deadline


@passing_contract
class TicketOpened:
    """A ticket began (立案): what was reported, and the limits that run from here."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.ticket.opened.v1"] = "lianqin.ticket.opened.v1"
    source: str
    source_id: str
    content: str
    category: str
    urgency: Urgency
    occurred_at: int
    grid: str | None
    lat: float | None
    lon: float | None
    text: str
    details: dict[str, str]
    reporter: str | None
    object: str | None
    flags: tuple[Flag, ...]
    unit: str
    level: Level
    policy: str
    deadlines: tuple[Deadline, ...]


@passing_contract
class _Moved:
    """A ticket reached a stage. `inferred`: the stages that passed with it, not reported by anybody."""

    __pydantic_config__ = STRICT

    stage: Stage
    inferred: tuple[Stage, ...]
    occurred_at: int
    spent: int
    """Since the ticket's last stage."""
    limit: int | None
    """What the stage limit that ran until now allowed, where one ran."""
    source: str
    note: str
    deadlines: tuple[Deadline, ...]
    """All that run on from here."""


@passing_contract
class TicketAccepted(_Moved):
    """受理."""

    type: Literal["lianqin.ticket.accepted.v1"] = "lianqin.ticket.accepted.v1"


@passing_contract
class TicketDispatched(_Moved):
    """派遣: a unit holds it."""

    type: Literal["lianqin.ticket.dispatched.v1"] = "lianqin.ticket.dispatched.v1"
    unit: str
    level: Level


@passing_contract
class TicketSigned(_Moved):
    """签收."""

    type: Literal["lianqin.ticket.signed.v1"] = "lianqin.ticket.signed.v1"


@passing_contract
class TicketHandled(_Moved):
    """处置."""

    type: Literal["lianqin.ticket.handled.v1"] = "lianqin.ticket.handled.v1"


@passing_contract
class TicketVerified(_Moved):
    """核查."""

    type: Literal["lianqin.ticket.verified.v1"] = "lianqin.ticket.verified.v1"


@passing_contract
class TicketClosed(_Moved):
    """结案: `took` since it was opened, and whether that kept the overall limit."""

    type: Literal["lianqin.ticket.closed.v1"] = "lianqin.ticket.closed.v1"
    took: int
    on_time: bool
    flags: tuple[Flag, ...]


@passing_contract
class TicketRated(_Moved):
    """评价: 1 (worst) to 5."""

    type: Literal["lianqin.ticket.rated.v1"] = "lianqin.ticket.rated.v1"
    score: int


@passing_contract
class TicketAmended:
    """补充: the source said something else about a report that the ticket holds."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.ticket.amended.v1"] = "lianqin.ticket.amended.v1"
    source: str
    source_id: str
    content: str
    occurred_at: int
    category: str
    """As the source has it now; the ticket keeps the category it was routed by."""
    text: str
    details: dict[str, str]


@passing_contract
class _Joined:
    """A report joined an open ticket."""

    __pydantic_config__ = STRICT

    source: str
    source_id: str
    content: str
    occurred_at: int
    text: str
    details: dict[str, str]
    reporter: str | None
    object: str | None
    flags: tuple[Flag, ...]


@passing_contract
class TicketUrged(_Joined):
    """催办: the same reporter asked again about the same matter (D1)."""

    type: Literal["lianqin.ticket.urged.v1"] = "lianqin.ticket.urged.v1"


@passing_contract
class TicketMerged(_Joined):
    """并案: another report of the same object (D2)."""

    type: Literal["lianqin.ticket.merged.v1"] = "lianqin.ticket.merged.v1"


@passing_contract
class ReportClosed:
    """The source closed a report that had joined the ticket: it counts for the report, the ticket goes on."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.report.closed.v1"] = "lianqin.report.closed.v1"
    source: str
    source_id: str
    occurred_at: int
    flags: tuple[Flag, ...]


@passing_contract
class _Ran:
    """A deadline fired; the event's time is its due time. `limit`: `overall` or a stage."""

    __pydantic_config__ = STRICT

    limit: str
    allowed: int
    unit: str


@passing_contract
class LimitWarned(_Ran):
    """预警: most of the limit is spent."""

    type: Literal["lianqin.limit.warned.v1"] = "lianqin.limit.warned.v1"


@passing_contract
class LimitPassed(_Ran):
    """超时: the limit is over."""

    type: Literal["lianqin.limit.passed.v1"] = "lianqin.limit.passed.v1"


@passing_contract
class ReportSettled:
    """What became of a report; each has exactly one."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.report.settled.v1"] = "lianqin.report.settled.v1"
    fate: Fate
    source: str
    source_id: str
    ticket: str
    flags: tuple[Flag, ...]
    origin: Origin | None


@passing_contract
class CommandSettled:
    """What became of any other command; each has exactly one."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.command.settled.v1"] = "lianqin.command.settled.v1"
    outcome: Outcome
    reason: Refusal | None
    command: str
    """Its type; for feedback the stage it claimed."""
    source: str
    source_id: str
    ticket: str | None
    flags: tuple[Flag, ...]
    origin: Origin | None


Moved = TicketAccepted | TicketDispatched | TicketSigned | TicketHandled | TicketVerified | TicketClosed | TicketRated
TicketEvent = (
    TicketOpened | Moved | TicketAmended | TicketUrged | TicketMerged | ReportClosed | LimitWarned | LimitPassed
)
Settlement = ReportSettled | CommandSettled
Event = TicketEvent | Settlement

EVENT: Final = Contract[Event](TypeAdapter(Annotated[Event, Field(discriminator="type")]))
