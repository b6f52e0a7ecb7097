"""The rules of a district, as one value: published to the desk as a command, remembered by each ticket as a version.

Durations in seconds, distances in metres, times of day in minutes from midnight of the calendar's zone.
"""

from dataclasses import dataclass, field
from typing import Literal

from schemas.codec import STRICT, Whole
from schemas.codes import Clock, Level, LimitClock, Side, Stage, Step, Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A length of time on one clock."""

    __pydantic_config__ = STRICT

    seconds: Whole
    clock: LimitClock = LimitClock.WALL
    written: str = ""
    """As the pack says it: `5 wd`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow:
    """One row of the table of limits (限时办理): each limit is taken from the first fitting row that names it."""

    __pydantic_config__ = STRICT

    category: str | None = None
    urgency: Urgency | None = None
    area: str | None = None
    source: str | None = None
    kind: str | None = None
    side: Side | None = None
    """Of the ticket: after a diversion the side that has it now, whoever took the call."""
    overall: Span | None = None
    """From opening to closing."""
    stages: dict[Stage, Span] = field(default_factory=dict)
    """How long a ticket may take to reach a stage, from the stage before it that is limited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A staged condition of one category (阶段性条件): a burst pipe is fenced off, repaired, the road restored.

    The first runs from the opening, each other from when the one before it was met.
    """

    __pydantic_config__ = STRICT

    name: str
    title: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step of the ladder: at which share of a limit, and who is told."""

    __pydantic_config__ = STRICT

    step: Step
    percent: Whole
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When is working time (工作日历). Dates as 2026-10-01. Beyond `years` plain weekdays count, provisionally."""

    __pydantic_config__ = STRICT

    zone: str
    periods: tuple[tuple[Whole, Whole], ...]
    """Of a working day, in order: minutes from midnight, from and to."""
    weekdays: tuple[Whole, ...] = (0, 1, 2, 3, 4)
    """Monday is 0."""
    off: tuple[str, ...] = ()
    """节假日: free although they are such weekdays."""
    on: tuple[str, ...] = ()
    """调休: worked although they are not."""
    years: tuple[Whole, ...] = ()
    """The years that are announced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Who handles tickets (承办单位). Its name may hold {area} and {grid}, filled in from the ticket."""

    __pydantic_config__ = STRICT

    name: str
    level: Level
    side: Side = Side.SERVICE
    active: bool = True
    """A surge unit (网格突击组 and the like) takes nothing until a policy switches it on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row of the routing table (分流交办): the first row whose every named field fits decides."""

    __pydantic_config__ = STRICT

    category: str | None = None
    area: str | None = None
    grid: str | None = None
    source: str | None = None
    side: Side | None = None
    urgency: Urgency | None = None
    hours: tuple[Whole, Whole] | None = None
    """Only between these minutes of the day; a window over midnight begins later than it ends."""
    units: tuple[str, ...]
    """Keys of the unit table; of several equal ones that with the fewest open tickets of the area."""
    joint: tuple[str, ...] = ()
    """联合处置: each gets a linked ticket of the same matter."""
    assist: tuple[str, ...] = ()
    """Help on the same ticket; the lead answers for it."""
    copies: tuple[str, ...] = ()
    """抄送: are told, and hold nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversion:
    """A list of what one side hands to the other (非警务警情分流清单)."""

    __pydantic_config__ = STRICT

    name: str
    version: str
    from_side: Side
    to_side: Side
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """What is known of a category. `side` None: unclear, the police first with a copy to the other side."""

    __pydantic_config__ = STRICT

    urgency: Urgency = Urgency.ROUTINE
    """At least this urgent."""
    side: Side | None = Side.SERVICE
    near_m: Whole = 0
    """Within this distance of an open ticket of the category: a candidate for one matter. 0: never."""
    near_s: Whole = 0
    """And opened no longer ago than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """The rules of nearness (D3 to D5). Weights and threshold in hundredths."""

    __pydantic_config__ = STRICT

    weight_distance: Whole = 50
    weight_time: Whole = 30
    weight_text: Whole = 20
    threshold: Whole = 60
    """A candidate scores at least this."""
    most: Whole = 3
    """Candidates a report may have: the best."""
    link_m: Whole = 300
    link_s: Whole = 600
    """D4: alarms of the police's side this near and this soon after one another are linked."""
    recurrence_s: Whole = 0
    """D5: closed no longer ago than this, at the same place: it has come back. 0: never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All that the desk's decisions depend on beside the log itself."""

    __pydantic_config__ = STRICT

    version: str
    """Hash of the rest."""
    district: str
    clock: Clock
    running: Literal["keep", "take"] = "take"
    """When another policy follows: whether running tickets keep this one or take that one."""
    surge: str | None = None
    """The surge (防汛, 疫情) that is on, if one is."""
    areas: dict[str, str] = field(default_factory=dict)
    """Code to title."""
    calendar: Calendar | None = None
    """None: all time is working time."""
    limits: tuple[LimitRow, ...] = ()
    conditions: dict[str, tuple[Condition, ...]] = field(default_factory=dict)
    """By category."""
    ladder: tuple[Rung, ...] = ()
    """In order of their share."""
    categories: dict[str, Category] = field(default_factory=dict)
    keywords: dict[str, Urgency] = field(default_factory=dict)
    """Least urgency of a report whose text holds the word."""
    duplicates: Duplicates = Duplicates()
    units: dict[str, Unit] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    diversions: tuple[Diversion, ...] = ()
    catch_all: str
    """Key of the unit that owns what no route fits (兜底)."""
    copy_unclear: tuple[str, ...] = ()
    """Units that are told of what the police took first because it was unclear, or kept for its danger."""
    copy_danger: tuple[str, ...] = ()
    """Units that are told of danger that came in on the service side and stays there."""
    extension_first_s: Whole = 0
    """A first extension up to this is granted at once."""
    extension_most_s: Whole = 0
    """No extension is longer."""
    suspension_most_s: Whole = 0
    """After this, or after what was approved, a suspended ticket resumes by itself."""
    reopen_score: Whole = 0
    """A rating of this or less reopens the ticket. 0: never."""
    closing_sources: tuple[str, ...] = ()
    """Sources whose closing is authoritative: the stages between pass with it."""
    back_date_s: Whole
    """How far before its arrival a thing may be said to have happened."""
    wait_s: Whole
    """How long feedback waits for its report."""
    keep_closed_s: Whole
    """How long a closed ticket stays in the desk's state."""
