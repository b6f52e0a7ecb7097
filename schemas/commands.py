"""What stands on `desk`: commands, in one canonical shape. This log is the system's memory."""

from dataclasses import field
from typing import Annotated, Final, Literal

import msgspec
from pydantic import Field, TypeAdapter

from schemas.codec import STRICT, Whole, contract
from schemas.codes import Action, Flag, Side, Urgency
from schemas.policy import Policy
from schemas.tagged import Tagged

Millis = Annotated[int, Field(ge=0, lt=253_402_300_800_000), msgspec.Meta(ge=0, lt=253_402_300_800_000)]
"""A time that has a date: 1970 to 9999."""


@contract
class Origin:
    """Where a command's input stands: the intake topic's full name, partition, offset."""

    __pydantic_config__ = STRICT

    topic: str
    partition: Whole
    offset: Whole


@contract
class Report:
    """A report (上报): somebody says that something is the matter. Free of names and numbers of persons."""

    __pydantic_config__ = STRICT

    type: Literal["report"] = "report"
    source: str
    source_id: str
    content: str
    """Hash of all that the source said, to tell a repeat from an amendment."""
    time: Millis
    """The record's own time; it is the command's time under `clock: log` only."""
    occurred_at: Whole
    area: str
    grid: str | None = None
    lat: float | None = None
    lon: float | None = None
    category: str
    urgency: Urgency | None = None
    """The source's own level, where it has one."""
    text: str = ""
    """What people may read, masked."""
    reporter: str | None = None
    """Keyed hash of whoever reports, for D1."""
    object: str | None = None
    """Key of the thing it is about (component, plate, address id), for D2."""
    details: dict[str, str] = field(default_factory=dict)
    side: Side = Side.SERVICE
    """The side of the source: who took the report."""
    kind: str | None = None
    """The source's kind of report, as 12345's 咨询 求助 投诉 举报 建议."""
    related: str | None = None
    """The source's own id of an earlier report that this one belongs to (关联警情)."""
    self_handled: bool = False
    """自处理: whoever reports it has put it right on the spot."""
    drill: bool = False
    """演练: worked on like any other, left out of all figures."""
    flags: tuple[Flag, ...] = ()
    origin: Origin | None = None


@contract
class Feedback:
    """What a handler or an operator did with a ticket, asks for, or decided (处置反馈).

    It names the ticket, or the source's own id of the report together with the area.
    """

    __pydantic_config__ = STRICT

    type: Literal["feedback"] = "feedback"
    source: str
    source_id: str = ""
    ticket: str | None = None
    action: Action
    time: Millis
    occurred_at: Whole
    area: str
    by: str | None = None
    """The unit that says so; where it is named it must hold the ticket or assist."""
    unit: str | None = None
    """For `dispatched`, `return-approved`, `reopened`, `assisted`: the unit it goes to; none: the one that had it."""
    other: str | None = None
    """For `merge-confirmed` and `merge-refused`: the other ticket, the master."""
    seconds: Whole | None = None
    """For `extension-…`: how much longer, on the limit's own clock. For `suspension-…`: at most how long."""
    condition: str | None = None
    """For `condition-met`: its name."""
    score: Whole | None = None
    """For `rated`: 1 (worst) to 5."""
    evidence: tuple[str, ...] = ()
    """Links to photographs and papers, at the source."""
    note: str = ""
    """Why, or with what result; masked."""
    flags: tuple[Flag, ...] = ()
    origin: Origin | None = None


@contract
class Tick:
    """Time passes. Empty under the wall clock; under the log clock it says how late it is. Never settled."""

    __pydantic_config__ = STRICT

    type: Literal["tick"] = "tick"
    time: Millis | None = None


@contract
class PolicyPublished:
    """From here on this policy holds. The first record of every desk partition is one."""

    __pydantic_config__ = STRICT

    type: Literal["policy"] = "policy"
    policy: Policy
    origin: None = None


Command = Report | Feedback | Tick | PolicyPublished

COMMAND: Final = Tagged[Command](TypeAdapter(Annotated[Command, Field(discriminator="type")]), Report, Feedback, Tick)
