"""What stands on `desk`: commands, in one canonical shape. This log is the system's memory."""

from dataclasses import field
from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter

from schemas.codec import STRICT, Contract, passing_contract
from schemas.codes import Flag, Stage, Urgency
from schemas.policy import Policy

Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""What a JSON writer can write back: a larger one would be read and then stop the desk."""
Millis = Annotated[int, Field(ge=0, lt=253_402_300_800_000)]
"""A time that has a date: 1970 to 9999."""


@passing_contract
class Origin:
    """Where a command's input stands: the intake topic's full name, partition, offset."""

    __pydantic_config__ = STRICT

    topic: str
    partition: Whole
    offset: Whole


@passing_contract
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
    flags: tuple[Flag, ...] = ()
    origin: Origin | None = None


@passing_contract
class Feedback:
    """What a handler or an operator did with a ticket (处置反馈): it has reached `stage`.

    It names the ticket, or the source's own id of the report together with the area.
    """

    __pydantic_config__ = STRICT

    type: Literal["feedback"] = "feedback"
    source: str
    source_id: str = ""
    ticket: str | None = None
    stage: Stage
    time: Millis
    occurred_at: Whole
    area: str
    unit: str | None = None
    """For `dispatched`: the unit it goes to; none means the unit the routing table names."""
    score: Whole | None = None
    """For `rated`: 1 (worst) to 5."""
    note: str = ""
    flags: tuple[Flag, ...] = ()
    origin: Origin | None = None


@passing_contract
class Tick:
    """Time passes. Empty under the wall clock; under the log clock it says how late it is. Never settled."""

    __pydantic_config__ = STRICT

    type: Literal["tick"] = "tick"
    time: Millis | None = None


@passing_contract
class PolicyPublished:
    """From here on this policy holds. The first record of every desk partition is one."""

    __pydantic_config__ = STRICT

    type: Literal["policy"] = "policy"
    policy: Policy
    origin: None = None


Command = Report | Feedback | Tick | PolicyPublished

COMMAND: Final = Contract[Command](TypeAdapter(Annotated[Command, Field(discriminator="type")]))
