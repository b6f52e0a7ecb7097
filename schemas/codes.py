"""Closed lists that stand on the wire. A new entry is a new contract; an entry is never given a second meaning."""

from enum import StrEnum


class Stage(StrEnum):
    """Where a ticket (工单) stands in the closed loop, in order."""

    OPENED = "opened"  # 登记
    ACCEPTED = "accepted"  # 受理
    DISPATCHED = "dispatched"  # 派遣
    SIGNED = "signed"  # 签收
    HANDLED = "handled"  # 处置
    VERIFIED = "verified"  # 核查
    CLOSED = "closed"  # 结案
    RATED = "rated"  # 评价


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
    NOT_LEGAL_NOW = "not-legal-now"  # the ticket's stage does not allow it
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
