"""What stands on `tickets.current`, `assignments`, `reminders`, `candidates`, `replies`: tickets as others read them.

All of it follows from `tickets` alone. The envelope stands in the headers, as there: `ce_causationid` is the id of the
event it was made of. Texts are masked, times milliseconds.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from pydantic import TypeAdapter

from schemas.codec import STRICT, Contract, contract
from schemas.codes import Alarm, Fate, Flag, Level, Refusal, RequestKind, Side, Stage, Standing, Step, Urgency

DAY_MS: Final = 24 * 3600 * 1000
KEEP_CLOSED_MS: Final = 91 * DAY_MS
"""How long a closed or voided ticket stays on `tickets.current`, by the time of its partition's events.

A day longer than a district may keep it at the desk, so that no fact comes of a ticket that has left.
"""


class Status(StrEnum):
    """Open311's two: the short answer to whether anything is still to be done."""

    OPEN = "open"
    CLOSED = "closed"  # 结案 or 作废


class Role(StrEnum):
    """What a unit is in a ticket."""

    LEAD = "lead"  # 主办
    JOINT = "joint"  # 联合处置: leads a second ticket of the same matter
    ASSIST = "assist"  # 协办: helps, the lead answers for it
    COPY = "copy"  # 抄送: is told, and holds nothing


class Because(StrEnum):
    """Why a unit got a ticket, or has it no longer."""

    DISPATCHED = "dispatched"  # 派遣
    REASSIGNED = "reassigned"  # 改派: another unit has it now
    ASSISTED = "assisted"  # 加派
    RETURNED = "returned"  # 退单
    REWORKED = "reworked"  # 返工: the same unit, once more
    MERGED = "merged"  # 并入: its master's unit works on it
    RESTORED = "restored"  # 拆分
    CLOSED = "closed"  # 结案
    VOIDED = "voided"  # 作废


class Reminder(StrEnum):
    """What somebody is reminded of."""

    WARNED = "warned"  # 预警
    PASSED = "passed"  # 超时
    YELLOW = "yellow"  # 督办黄牌
    RED = "red"  # 督办红牌
    ESCALATED = "escalated"  # 升级
    URGED = "urged"  # 催办: the reporter asked again
    REMINDED = "reminded"  # 催办, by an operator
    ALARM = "alarm"  # somebody must look at it now


class Finding(StrEnum):
    """What was found of two tickets."""

    PROPOSED = "proposed"  # 疑似重复: a human decides
    CONFIRMED = "confirmed"  # 确认并案
    REFUSED = "refused"  # 否决并案
    PARTED = "parted"  # 拆分: they were one, and are two again
    LINKED = "linked"  # 关联


class Answer(StrEnum):
    """What the reporter's source is told."""

    REGISTERED = "registered"  # 登记
    JOINED = "joined"  # 并案 or 催办: a ticket has it already
    AMENDED = "amended"  # 补充
    REPEATED = "repeated"  # the same delivery again
    ACCEPTED = "accepted"  # 受理
    DISPATCHED = "dispatched"  # 派遣
    SIGNED = "signed"  # 签收
    CONTACTED = "contacted"  # 先行联系
    ARRIVED = "arrived"  # 到场
    HANDLED = "handled"  # 处置
    VERIFIED = "verified"  # 核查
    REWORKED = "reworked"  # 返工
    CALLED_BACK = "called-back"  # 回访
    CLOSED = "closed"  # 结案
    RATED = "rated"  # 评价
    REOPENED = "reopened"  # 重开
    VOIDED = "voided"  # 作废
    SUSPENDED = "suspended"  # 挂账
    RESUMED = "resumed"  # 挂账恢复
    EXTENDED = "extended"  # 延时
    MERGED = "merged"  # 并入
    SPLIT = "split"  # 拆分
    REFUSED = "refused"  # the command did not hold
    FAILED = "failed"  # our own bug stopped it


@contract
class Limit:
    """A limit that runs on the ticket, or stands still (`halted`), and the steps of the ladder that it has climbed."""

    __pydantic_config__ = STRICT

    limit: str
    due_at: int
    steps: tuple[Step, ...] = ()
    provisional: bool = False
    halted: bool = False


@contract
class Voice:
    """A report in the ticket, by its source's own id; `closed_at` where its source has closed it."""

    __pydantic_config__ = STRICT

    source: str
    source_id: str
    closed_at: int | None = None


@dataclass(slots=True, kw_only=True)
class CurrentTicket:
    """The newest public view of one ticket: a record of `tickets.current`, whose key is its id.

    Unlike other contracts it is written in place: the fold copies it once a batch, and a copy an event would cost more
    than all the rest of it.
    """

    __pydantic_config__ = STRICT

    ticket: str
    matter: str
    sequence: int
    """Number of the newest event that is in it."""
    status: Status
    stage: Stage
    standing: Standing
    unit: str
    level: Level
    assisting: tuple[str, ...]
    side: Side
    urgency: Urgency
    category: str
    kind: str | None
    area: str
    grid: str | None
    lat: float | None
    lon: float | None
    text: str
    source: str
    """Of the report that opened it; `source_id` is empty for the second ticket of a joint dispatch."""
    source_id: str
    opened_at: int
    updated_at: int
    stage_at: int
    closed_at: int | None
    """When it was closed or voided."""
    reopened_at: int | None
    on_time: bool | None
    """Whether the closing kept the overall limit."""
    score: int | None
    """The newest rating, 1 to 5."""
    due_at: int | None
    """Of the overall limit, where one runs."""
    step: Step | None
    """How late it is: the highest step that a running limit has climbed; none where all are in time."""
    limits: tuple[Limit, ...]
    escalated: Level | None
    request: RequestKind | None
    """What the handler asked for and nobody has decided yet."""
    resume_at: int | None
    """When a suspension ends by itself."""
    conditions: tuple[str, ...]
    """The staged conditions that are met."""
    diverted_from: Side | None
    returns: int
    reworks: int
    reopens: int
    urges: int
    reports: tuple[Voice, ...]
    merged_into: str | None
    children: tuple[str, ...]
    links: tuple[str, ...]
    recurrence_of: str | None
    flags: tuple[Flag, ...]
    policy: str
    drill: bool


@contract
class Assignment:
    """派单: a unit got a ticket (`given`), or has it no longer. With what it needs to begin."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.assignment.v1"] = "lianqin.assignment.v1"
    ticket: str
    matter: str
    given: bool
    role: Role
    because: Because
    unit: str
    at: int
    by: str | None
    note: str
    category: str
    urgency: Urgency
    area: str
    grid: str | None
    lat: float | None
    lon: float | None
    text: str
    source: str
    """Whoever must call asks this source, by this id."""
    source_id: str
    due_at: int | None
    drill: bool


@contract
class Reminded:
    """催办督办: a limit reached a step, the reporter or an operator urges, or somebody must look."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.reminder.v1"] = "lianqin.reminder.v1"
    ticket: str
    matter: str
    what: Reminder
    recipients: tuple[str, ...]
    """The unit that holds the ticket by its name, the others as the district's ladder calls them."""
    unit: str
    """Who holds the ticket."""
    at: int
    limit: str | None = None
    allowed: int | None = None
    level: Level | None = None
    """For `escalated`: who is told now."""
    alarm: Alarm | None = None
    about: str = ""
    urges: int
    note: str = ""
    category: str
    urgency: Urgency
    area: str
    drill: bool


@contract
class Candidate:
    """Two tickets that may be, are, or are not one matter. Score and likeness in hundredths, distance in metres."""

    __pydantic_config__ = STRICT

    type: Literal["lianqin.candidate.v1"] = "lianqin.candidate.v1"
    ticket: str
    other: str
    """Of `confirmed` and `parted` the master, else the older one."""
    what: Finding
    at: int
    score: int | None = None
    distance_m: int | None = None
    gap: int | None = None
    likeness: int | None = None
    why: Literal["near", "related", "joint"] | None = None
    """For `linked`."""
    by: str | None = None
    note: str = ""
    matter: str
    category: str
    area: str
    drill: bool


@contract
class Reply:
    """What the source of a report is to be told, or whoever sent a command that did not hold (处置反馈).

    `text` may be shown to the reporter as it is: it names no person.
    """

    __pydantic_config__ = STRICT

    type: Literal["lianqin.reply.v1"] = "lianqin.reply.v1"
    source: str
    source_id: str
    ticket: str | None
    what: Answer
    stage: Stage | None = None
    """Of the ticket."""
    fate: Fate | None = None
    """Of a report that was settled."""
    command: str | None = None
    """Of what was refused or failed: its type, for feedback the action it claimed."""
    reason: Refusal | None = None
    text: str
    at: int
    drill: bool


@contract
class ViewsTime:
    """The largest event time of a partition."""

    __pydantic_config__ = STRICT

    time: int


VIEW_TYPE: Final = "lianqin.ticket.v1"
"""`ce_type` of a record of `tickets.current`."""
CURRENT: Final = Contract[CurrentTicket](TypeAdapter(CurrentTicket))
ASSIGNMENT: Final = Contract[Assignment](TypeAdapter(Assignment))
REMINDED: Final = Contract[Reminded](TypeAdapter(Reminded))
CANDIDATE: Final = Contract[Candidate](TypeAdapter(Candidate))
REPLY: Final = Contract[Reply](TypeAdapter(Reply))
VIEWS_TIME: Final = Contract[ViewsTime](TypeAdapter(ViewsTime))

VIEWS_TIME_KEY: Final = b"@time"


def view_key(ticket: str) -> bytes:
    """The state key of a ticket's view."""
    return b"v:" + ticket.encode()
