"""What stands on `tickets`: facts in the past tense, one type each. The envelope stands in the headers (envelope.py).

Every event of a ticket is folded by `streams.desk.evolve`, so each carries all that the ticket takes from it, and the
few figures that are asked of it in ClickHouse (time spent, limit, stage, unit). Durations in milliseconds.
`deadlines`, where an event has them, are all that the ticket has from here on.
"""

from typing import Annotated, Final, Literal, get_args

from pydantic import Field, TypeAdapter

from schemas.codec import STRICT, contract
from schemas.codes import Alarm, Fate, Flag, Level, Outcome, Refusal, RequestKind, Side, Stage, Step, Urgency
from schemas.commands import Origin
from schemas.state import Deadline
from schemas.tagged import Tagged


@contract
class TicketOpened:
    """A ticket began (立案): what was reported, and the limits that run from here."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.ticket.opened.v1"] = "lianqin.ticket.opened.v1"
    source: str
    source_id: str
    """Empty for a ticket that no report opened: the second one of a joint dispatch."""
    content: str
    category: str
    kind: str | None
    urgency: Urgency
    side: Side
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
    recurrence_of: str | None
    """D5: a ticket of the same place and category that was closed not long ago (回潮)."""
    deadlines: tuple[Deadline, ...]


@contract
class _Moved:
    """A ticket reached a stage. `inferred`: the stages that passed with it, not reported by anybody."""

    __pydantic_config__ = STRICT

    stage: Stage
    inferred: tuple[Stage, ...]
    occurred_at: int
    spent: int
    """Since the ticket's last stage."""
    limit: int | None
    """What the stage limit that ended here allowed, where one did."""
    kept: bool | None
    """Whether that limit was kept, by when the thing is said to have happened."""
    source: str
    by: str | None
    note: str
    deadlines: tuple[Deadline, ...]


@contract
class TicketAccepted(_Moved):
    """受理."""

    type: Literal["lianqin.ticket.accepted.v1"] = "lianqin.ticket.accepted.v1"


@contract
class TicketDispatched(_Moved):
    """派遣: a unit holds it."""

    type: Literal["lianqin.ticket.dispatched.v1"] = "lianqin.ticket.dispatched.v1"
    unit: str
    level: Level
    before: str | None
    """错误派遣: the other unit that had it before; none at a first dispatch."""
    assisting: tuple[str, ...]
    copies: tuple[str, ...]


@contract
class TicketSigned(_Moved):
    """签收."""

    type: Literal["lianqin.ticket.signed.v1"] = "lianqin.ticket.signed.v1"


@contract
class TicketContacted(_Moved):
    """先行联系: whoever reported it was spoken to."""

    type: Literal["lianqin.ticket.contacted.v1"] = "lianqin.ticket.contacted.v1"


@contract
class TicketArrived(_Moved):
    """到场."""

    type: Literal["lianqin.ticket.arrived.v1"] = "lianqin.ticket.arrived.v1"


@contract
class TicketHandled(_Moved):
    """处置, with its evidence; `self_handled`: by whoever reported it, on the spot (自处理)."""

    type: Literal["lianqin.ticket.handled.v1"] = "lianqin.ticket.handled.v1"
    evidence: tuple[str, ...]
    self_handled: bool


@contract
class TicketVerified(_Moved):
    """核查通过."""

    type: Literal["lianqin.ticket.verified.v1"] = "lianqin.ticket.verified.v1"


@contract
class TicketReworked(_Moved):
    """返工: the result did not hold; back to the unit, on its original clock."""

    type: Literal["lianqin.ticket.reworked.v1"] = "lianqin.ticket.reworked.v1"


@contract
class TicketReturned(_Moved):
    """退单: approved, and back to the dispatcher; the overall limit runs on."""

    type: Literal["lianqin.ticket.returned.v1"] = "lianqin.ticket.returned.v1"
    unit: str
    """Who gave it back."""


@contract
class TicketCalledBack(_Moved):
    """回访."""

    type: Literal["lianqin.ticket.called-back.v1"] = "lianqin.ticket.called-back.v1"


@contract
class TicketClosed(_Moved):
    """结案: `took` since it was opened or reopened, and whether that kept the overall limit."""

    type: Literal["lianqin.ticket.closed.v1"] = "lianqin.ticket.closed.v1"
    took: int
    on_time: bool
    flags: tuple[Flag, ...]
    with_master: str | None
    """The master that it was closed with, where it was a child."""


@contract
class TicketRated(_Moved):
    """评价: 1 (worst) to 5."""

    type: Literal["lianqin.ticket.rated.v1"] = "lianqin.ticket.rated.v1"
    score: int


@contract
class TicketReopened(_Moved):
    """重开: whoever reported it is not satisfied, or it is not done. Limits begin anew."""

    type: Literal["lianqin.ticket.reopened.v1"] = "lianqin.ticket.reopened.v1"


@contract
class StageRecorded:
    """补记: a stage that had passed unreported was told of after all. Nothing else changes."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.stage.recorded.v1"] = "lianqin.stage.recorded.v1"
    stage: Stage
    occurred_at: int
    source: str
    by: str | None
    note: str


@contract
class _Stood:
    """A ticket's standing changed; its stage did not."""

    __pydantic_config__ = STRICT

    occurred_at: int
    source: str
    by: str | None
    note: str
    deadlines: tuple[Deadline, ...]


@contract
class TicketVoided(_Stood):
    """作废."""

    type: Literal["lianqin.ticket.voided.v1"] = "lianqin.ticket.voided.v1"


@contract
class TicketSuspended(_Stood):
    """挂账: the limits stand still until it is resumed, at the latest at `resume_at`."""

    type: Literal["lianqin.ticket.suspended.v1"] = "lianqin.ticket.suspended.v1"
    resume_at: int | None


@contract
class TicketResumed(_Stood):
    """挂账恢复: each limit has moved by the pause."""

    type: Literal["lianqin.ticket.resumed.v1"] = "lianqin.ticket.resumed.v1"
    paused: int


@contract
class TicketExtended(_Stood):
    """延时: the overall limit and the running one are `granted` longer, on their own clocks."""

    type: Literal["lianqin.ticket.extended.v1"] = "lianqin.ticket.extended.v1"
    granted: int
    automatic: bool


@contract
class TicketAssisted:
    """加派: a further unit helps the lead."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.ticket.assisted.v1"] = "lianqin.ticket.assisted.v1"
    unit: str
    source: str
    by: str | None
    note: str


@contract
class RequestMade:
    """A handler asks an operator: the limits run on meanwhile."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.request.made.v1"] = "lianqin.request.made.v1"
    request: RequestKind
    seconds: int | None
    by: str | None
    note: str


@contract
class RequestRefused:
    """The operator refused: the original clock has never stopped."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.request.refused.v1"] = "lianqin.request.refused.v1"
    request: RequestKind
    waited: int
    by: str | None
    note: str


@contract
class TicketDiverted:
    """分流: handed to the other side, or, `returned`, back again with the reason and its elapsed clock."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.ticket.diverted.v1"] = "lianqin.ticket.diverted.v1"
    from_side: Side
    to_side: Side
    list: str
    """Name and version of the list that says so; empty for a return."""
    returned: bool
    unit: str
    """Who had it, or would have had it, on the side it leaves."""
    elapsed: int
    """Since it was opened."""
    note: str
    said: tuple[Step, ...] = ()
    """The steps of `overall` that were said until now, on either side; none in the logs of earlier builds."""


@contract
class ConditionMet:
    """阶段性条件完成: the next one's limit begins, where there is one."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.condition.met.v1"] = "lianqin.condition.met.v1"
    condition: str
    occurred_at: int
    spent: int
    limit: int | None
    kept: bool | None
    source: str
    by: str | None
    note: str
    deadlines: tuple[Deadline, ...]


@contract
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


@contract
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


@contract
class TicketUrged(_Joined):
    """催办: the same reporter asked again about the same matter (D1)."""

    type: Literal["lianqin.ticket.urged.v1"] = "lianqin.ticket.urged.v1"


@contract
class TicketMerged(_Joined):
    """并案: another report of the same object (D2)."""

    type: Literal["lianqin.ticket.merged.v1"] = "lianqin.ticket.merged.v1"


@contract
class TicketReminded:
    """催办 by an operator."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.ticket.reminded.v1"] = "lianqin.ticket.reminded.v1"
    unit: str
    source: str
    by: str | None
    note: str


@contract
class MatchProposed:
    """疑似重复 (D3): the two may be one matter; a human decides. Distance in metres, score in hundredths."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.match.proposed.v1"] = "lianqin.match.proposed.v1"
    other: str
    """The older ticket."""
    score: int
    distance_m: int
    gap: int
    likeness: int
    """Of the texts, in hundredths."""


@contract
class MatchRefused:
    """否决并案: the two are not one matter, and it is not asked again."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.match.refused.v1"] = "lianqin.match.refused.v1"
    other: str
    by: str | None
    note: str


@contract
class TicketLinked:
    """关联警情: the two belong to one matter, and stay two tickets. `why`: near, related or joint."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.ticket.linked.v1"] = "lianqin.ticket.linked.v1"
    other: str
    why: Literal["near", "related", "joint"]
    distance_m: int | None


@contract
class TicketAbsorbed(_Stood):
    """并入: from now on its master is worked on and answers for it."""

    type: Literal["lianqin.ticket.absorbed.v1"] = "lianqin.ticket.absorbed.v1"
    into: str


@contract
class TicketAdopted:
    """A master took a child in."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.ticket.adopted.v1"] = "lianqin.ticket.adopted.v1"
    child: str


@contract
class TicketRestored(_Stood):
    """拆分: a child is a ticket of its own again, with its own clocks."""

    type: Literal["lianqin.ticket.restored.v1"] = "lianqin.ticket.restored.v1"
    master: str


@contract
class TicketReleased:
    """A master let a child go; or, `source_id` not empty, a report that had joined it."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.ticket.released.v1"] = "lianqin.ticket.released.v1"
    child: str
    source: str
    source_id: str


@contract
class ReportClosed:
    """The source closed a report that had joined the ticket: it counts for the report, the ticket goes on."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.report.closed.v1"] = "lianqin.report.closed.v1"
    source: str
    source_id: str
    occurred_at: int
    flags: tuple[Flag, ...]


@contract
class _Ran:
    """A limit reached a step of the ladder; the event's time is when. `limit`: `overall`, a stage or a condition."""

    __pydantic_config__ = STRICT

    limit: str
    allowed: int
    """The limit's length on its own clock."""
    unit: str
    recipients: tuple[str, ...]
    rung: int
    """Which rung fires next, and when; -1 and none where nothing is left."""
    next_at: int | None


@contract
class LimitWarned(_Ran):
    """预警: most of the limit is spent."""

    type: Literal["lianqin.limit.warned.v1"] = "lianqin.limit.warned.v1"


@contract
class LimitPassed(_Ran):
    """超时 and 催办: the limit is over."""

    type: Literal["lianqin.limit.passed.v1"] = "lianqin.limit.passed.v1"


@contract
class LimitCarded(_Ran):
    """督办: a yellow or a red card."""

    type: Literal["lianqin.limit.carded.v1"] = "lianqin.limit.carded.v1"
    card: Literal[Step.YELLOW, Step.RED]


@contract
class LimitEscalated(_Ran):
    """升级: the next level up is told."""

    type: Literal["lianqin.limit.escalated.v1"] = "lianqin.limit.escalated.v1"
    level: Level


@contract
class LimitsChanged:
    """The rules of a ticket changed: another policy, or a year's calendar. `policy` judges from here on.

    Of a closed one, without deadlines, right before it is opened again under another policy than it had.
    """

    __pydantic_config__ = STRICT

    type: Literal["lianqin.limits.changed.v1"] = "lianqin.limits.changed.v1"
    policy: str
    deadlines: tuple[Deadline, ...]
    said: dict[str, tuple[Step, ...]] | None = None
    """By limit, the steps of its ladder that count as said and lie behind; none in the logs of earlier builds."""


@contract
class AlarmRaised:
    """Somebody must look at it now."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.alarm.raised.v1"] = "lianqin.alarm.raised.v1"
    alarm: Alarm
    about: str
    """What it concerns: a unit, a limit."""


@contract
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


@contract
class CommandSettled:
    """What became of any other command; each has exactly one."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.command.settled.v1"] = "lianqin.command.settled.v1"
    outcome: Outcome
    reason: Refusal | None
    command: str
    """Its type; for feedback the action it claimed."""
    source: str
    source_id: str
    ticket: str | None
    flags: tuple[Flag, ...]
    origin: Origin | None


Moved = (
    TicketAccepted
    | TicketDispatched
    | TicketSigned
    | TicketContacted
    | TicketArrived
    | TicketHandled
    | TicketVerified
    | TicketReworked
    | TicketReturned
    | TicketCalledBack
    | TicketClosed
    | TicketRated
    | TicketReopened
)
Stood = TicketVoided | TicketSuspended | TicketResumed | TicketExtended | TicketAbsorbed | TicketRestored
Ran = LimitWarned | LimitPassed | LimitCarded | LimitEscalated
Told = (
    StageRecorded
    | TicketAssisted
    | RequestMade
    | RequestRefused
    | TicketDiverted
    | ConditionMet
    | TicketAmended
    | TicketUrged
    | TicketMerged
    | TicketReminded
    | MatchProposed
    | MatchRefused
    | TicketLinked
    | TicketAdopted
    | TicketReleased
    | ReportClosed
    | LimitsChanged
    | AlarmRaised
)
TicketEvent = TicketOpened | Moved | Stood | Ran | Told
Settlement = ReportSettled | CommandSettled
Event = TicketEvent | Settlement

EVENT: Final = Tagged[Event](
    TypeAdapter(Annotated[Event, Field(discriminator="type")]),
    # All but cards, of which some steps are none: that only pydantic knows.
    *[one for one in get_args(Event) if one is not LimitCarded],
)
