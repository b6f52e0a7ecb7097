"""Closed lists that stand on the wire. A new entry is a new contract; an entry is never given a second meaning."""

from enum import StrEnum


class Stage(StrEnum):
    """Where a ticket (工单) stands in the closed loop, in order."""

    OPENED = "opened"  # 登记
    ACCEPTED = "accepted"  # 受理
    DISPATCHED = "dispatched"  # 派遣
    SIGNED = "signed"  # 签收
    CONTACTED = "contacted"  # 先行联系
    ARRIVED = "arrived"  # 到场
    HANDLED = "handled"  # 处置
    VERIFIED = "verified"  # 核查
    CALLED_BACK = "called-back"  # 回访
    CLOSED = "closed"  # 结案
    RATED = "rated"  # 评价


class Standing(StrEnum):
    """Whether a ticket goes on, beside the stage it has reached."""

    RUNNING = "running"  # 办理中
    SUSPENDED = "suspended"  # 挂账: its limits stand still
    MERGED = "merged"  # 并入: a child; its master is worked on, and answers for it
    VOIDED = "voided"  # 作废


class Action(StrEnum):
    """What a handler or an operator says was done, asked for or decided: the claim of a feedback."""

    ACCEPTED = "accepted"  # 受理
    DISPATCHED = "dispatched"  # 派遣; of a ticket that has a unit: 改派
    SIGNED = "signed"  # 签收
    CONTACTED = "contacted"  # 先行联系
    ARRIVED = "arrived"  # 到场
    HANDLED = "handled"  # 处置
    VERIFIED = "verified"  # 核查通过
    REWORKED = "reworked"  # 核查不通过, 返工
    CALLED_BACK = "called-back"  # 回访
    CLOSED = "closed"  # 结案
    RATED = "rated"  # 评价
    REOPENED = "reopened"  # 重开
    VOIDED = "voided"  # 作废
    RETURN_REQUESTED = "return-requested"  # 申请退单
    RETURN_APPROVED = "return-approved"
    RETURN_REFUSED = "return-refused"
    EXTENSION_REQUESTED = "extension-requested"  # 申请延时
    EXTENSION_APPROVED = "extension-approved"
    EXTENSION_REFUSED = "extension-refused"
    SUSPENSION_REQUESTED = "suspension-requested"  # 申请挂账
    SUSPENSION_APPROVED = "suspension-approved"
    SUSPENSION_REFUSED = "suspension-refused"
    RESUMED = "resumed"  # 挂账恢复
    ASSISTED = "assisted"  # 加派: a further unit helps the lead
    CONDITION_MET = "condition-met"  # 阶段性条件完成
    DIVERTED = "diverted"  # 分流: to the other side
    DIVERSION_RETURNED = "diversion-returned"  # 分流退回
    URGED = "urged"  # 催办, by an operator
    MERGE_CONFIRMED = "merge-confirmed"  # 确认并案
    MERGE_REFUSED = "merge-refused"  # 否决并案
    UNMERGED = "unmerged"  # 拆分


class RequestKind(StrEnum):
    """What a handler may ask an operator for."""

    RETURN = "return"  # 退单
    EXTENSION = "extension"  # 延时
    SUSPENSION = "suspension"  # 挂账


class Side(StrEnum):
    """Whose matter it is (警务 / 非警务)."""

    POLICE = "police"  # 110
    SERVICE = "service"  # 12345 and the grid


class Step(StrEnum):
    """A step of the ladder that a limit climbs."""

    WARNED = "warned"  # 预警
    PASSED = "passed"  # 超时, with 催办
    YELLOW = "yellow"  # 督办黄牌
    RED = "red"  # 督办红牌
    ESCALATED = "escalated"  # 升级: the next level up is told


class LimitClock(StrEnum):
    """What a limit counts."""

    WALL = "wall"  # 自然时间
    WORKING = "working"  # 工作时间


class Alarm(StrEnum):
    """What somebody must look at now."""

    NO_OWNER = "no-owner"  # no route fits: the catch-all has it
    PROVISIONAL = "provisional"  # a deadline lies in a year whose calendar is not announced


class Urgency(StrEnum):
    """How urgent a matter is, most urgent first."""

    CRITICAL = "critical"  # 特急
    URGENT = "urgent"  # 紧急
    ROUTINE = "routine"  # 一般


class Level(StrEnum):
    """The level of the unit that holds a ticket (三级平台 + 网格)."""

    DISTRICT = "district"  # 区
    STREET = "street"  # 街道
    COMMUNITY = "community"  # 社区
    GRID = "grid"  # 网格


class Fate(StrEnum):
    """What became of a report: each has exactly one."""

    TICKETED = "ticketed"  # a ticket of its own
    MERGED = "merged"  # 并案: same object, joined an open ticket
    URGED = "urged"  # 催办: same reporter and matter, joined an open ticket
    AMENDED = "amended"  # 补充: same source and id, other content
    REPEAT = "repeat"  # the same delivery again


class Outcome(StrEnum):
    """What became of a command that is not a report, and of a report that our own bug stopped (`failed`)."""

    APPLIED = "applied"
    REFUSED = "refused"
    FAILED = "failed"


class Refusal(StrEnum):
    """Why a command was refused or failed. Nothing changed; the sender is answered."""

    UNKNOWN = "unknown"  # no such ticket or report, also after the wait
    NOT_LEGAL_NOW = "not-legal-now"  # the ticket's stage or standing does not allow it
    NO_REQUEST = "no-request"  # nothing of that kind is asked for
    REQUEST_PENDING = "request-pending"  # something is asked for already
    BAD_AMOUNT = "bad-amount"  # an extension without hours, or with too many
    NOT_YOURS = "not-yours"  # another unit holds the ticket
    NO_UNIT = "no-unit"  # a dispatch that names no unit, or the one that has it
    NO_SUCH_CONDITION = "no-such-condition"  # the category has none of that name, or it is met
    NO_DIVERSION = "no-diversion"  # no list diverts the category, or nothing was diverted
    SAME_TICKET = "same-ticket"  # the two are one already
    OTHER_UNKNOWN = "other-unknown"  # the other ticket is not open in this area
    BAD_SCORE = "bad-score"  # a rating outside 1 to 5, or none
    BAD_COMMAND = "bad-command"  # the record on `desk` cannot be read
    WRONG_CLOCK = "wrong-clock"  # a policy that would change the log's clock
    BUG = "bug"  # deciding raised


class Flag(StrEnum):
    """What is doubtful about a report; it stays with the ticket."""

    NO_PLACE = "no-place"  # neither coordinates nor another place: catch-all area
    OUTSIDE = "outside"  # coordinates outside the district: catch-all area
    UNKNOWN_CATEGORY = "unknown-category"
    TIME_CLAMPED = "time-clamped"  # a closing dated before its report
    UNREADABLE = "unreadable"  # a bare ticket that points at a dead letter
    BY_ADDRESS = "by-address"  # located by the gazetteer, not by coordinates
    SPLIT = "split"  # taken out of another ticket again: its text stands there


class Reject(StrEnum):
    """Why an input became a dead letter."""

    NOT_UTF8 = "not-utf8"
    BROKEN = "broken"  # not JSON, or a line with the wrong number of fields
    MISSING_FIELD = "missing-field"
    WRONG_TYPE = "wrong-type"
    UNKNOWN_SOURCE = "unknown-source"
    UNKNOWN_VERSION = "unknown-version"
    TIME_WENT_BACK = "time-went-back"  # on `intake.history`: older than log time
    TOO_LARGE = "too-large"  # the command made of it would not fit on `desk`
    DESK_FAILED = "desk-failed"  # deciding it raised: settled `failed`
    DESK_UNREADABLE = "desk-unreadable"  # a record on `desk` that is no command


class Clock(StrEnum):
    """Whose time the log tells: the broker's (`wall`), or each record's own (`log`, for history)."""

    WALL = "wall"
    LOG = "log"
