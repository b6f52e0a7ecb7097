"""The rules of a district, as one value: published to the desk as a command, remembered by each ticket as a version."""

from dataclasses import dataclass, field

from schemas.codec import STRICT
from schemas.codes import Clock, Level, Stage, Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Time limits (限时办理) of one urgency, in seconds on the wall clock."""

    __pydantic_config__ = STRICT

    overall_s: int
    stages: dict[Stage, int] = field(default_factory=dict)
    """How long a ticket may take to reach a stage from the one before; a stage not named has no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Who handles a ticket (承办单位)."""

    __pydantic_config__ = STRICT

    name: str
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row of the routing table (分流交办): the first row whose every named field fits decides."""

    __pydantic_config__ = STRICT

    category: str | None = None
    area: str | None = None
    source: str | None = None
    urgency: Urgency | None = None
    unit: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All that the desk's decisions depend on beside the log itself. Durations in seconds."""

    __pydantic_config__ = STRICT

    version: str
    """Hash of the rest."""
    district: str
    clock: Clock
    limits: dict[Urgency, Limits]
    warn_percent: int
    """Share of a limit after which a warning (预警) is due."""
    urgencies: dict[str, Urgency] = field(default_factory=dict)
    """Least urgency of a category."""
    keywords: dict[str, Urgency] = field(default_factory=dict)
    """Least urgency of a report whose text holds the word."""
    routes: tuple[Route, ...] = ()
    catch_all: Unit
    """Who owns what no route fits (兜底)."""
    closing_sources: tuple[str, ...] = ()
    """Sources whose closing is authoritative: the stages between pass with it."""
    back_date_s: int
    """How far before its arrival a thing may be said to have happened."""
    wait_s: int
    """How long feedback waits for its report."""
    keep_closed_s: int
    """How long a closed ticket stays in the desk's state."""
