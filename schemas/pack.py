"""A district's pack (deploy/districts/<name>/*.yaml): places, people, limits, routes, as they are written there.

Each file is right by itself here; `pack_checks.py` holds the files against one another.
"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from schemas.codes import Level, Side, Stage, Step, Urgency
from schemas.mapping import Part, Slug
from schemas.written import Days, Limit, Metres, Seconds, Several, Window

Title = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Slugs = Annotated[tuple[Slug, ...], Several]
"""One, or several."""


class CatchAll(Part):
    """Where goes what cannot be located, and who owns what no route fits (兜底)."""

    area: Slug
    title: Title
    unit: Slug
    """Key of the unit table, as all units below."""


class Extension(Part):
    """How much longer a handler may ask for (延时); on the limit's own clock."""

    first: Limit
    """A first one up to this is granted at once."""
    most: Limit
    """None is longer."""


class Suspension(Part):
    """How long a ticket may be suspended (挂账)."""

    most: Seconds


class Reopening(Part):
    """When a rating reopens a ticket (重开)."""

    score: int = Field(ge=0, le=5)
    """Of this or less; 0: never."""


class Nearness(Part):
    """So near, and so long ago at most."""

    within: Metres
    since: Seconds


class Weights(Part):
    """What the score of a candidate is made of, in hundredths."""

    distance: int = Field(ge=0, le=100)
    time: int = Field(ge=0, le=100)
    text: int = Field(ge=0, le=100)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.distance + self.time + self.text != 100:
            msg = "the weights together are 100"
            raise ValueError(msg)
        return self


class DuplicateRules(Part):
    """When two reports may be one matter: proposed (D3), linked (D4), come back (D5)."""

    weights: Weights
    threshold: int = Field(ge=0, le=100)
    """A candidate scores at least this."""
    most: int = Field(ge=1, le=20)
    """Candidates a report may have."""
    link: Nearness
    """Alarms of the police this near and soon after one another are linked (关联警情)."""
    recurrence: Seconds | None = None
    """Closed no longer ago than this at the same place: it has come back. None: never."""


class DistrictFile(Part):
    """district.yaml."""

    title: Title
    areas: dict[Slug, Title] = Field(min_length=1)
    """Code to name."""
    catch_all: CatchAll
    copy_unclear: Slugs = ()
    """Units that are told of what the police took first: it was unclear whose it is, or kept for its danger."""
    copy_danger: Slugs = ()
    """Units, the police's first of all, that are told of danger that came in on the service side and stays there."""
    back_date: Seconds
    """How far before its arrival a thing may be said to have happened."""
    wait: Seconds
    """How long feedback waits for its report."""
    keep_closed: Annotated[Seconds, Field(le=90 * 86400)]
    """How long a closed ticket stays in the desk's state; its public view stays a day longer than the most."""
    running: Literal["take", "keep"] = "take"
    """When the rules change: whether running tickets take the new ones or keep theirs."""
    extension: Extension
    suspension: Suspension
    reopen: Reopening
    duplicates: DuplicateRules


Community = Annotated[str, StringConstraints(pattern=r"^\d{12}$")]
GridNumber = Annotated[str, StringConstraints(pattern=r"^\d{3}$")]


class GridsFile(Part):
    """grids.yaml: by area, by community (12 digits), the numbers of its grids (3 digits)."""

    areas: dict[Slug, dict[Community, tuple[GridNumber, ...]]] = Field(default_factory=dict)

    def codes(self) -> Iterator[str]:
        """All grids: 15 digits, as they stand."""
        for communities in self.areas.values():
            for community, numbers in communities.items():
                yield from (community + number for number in numbers)


class UnitEntry(Part):
    """Who handles tickets. {area} and {grid} in the name are filled in from the ticket."""

    name: Title
    level: Level
    side: Side = Side.SERVICE
    active: bool = True
    """A surge unit takes nothing until a surge switches it on."""


class UnitsFile(Part):
    """units.yaml."""

    units: dict[Slug, UnitEntry] = Field(min_length=1)


class ConditionEntry(Part):
    """A staged condition of a category (阶段性条件)."""

    name: Slug
    title: Title
    within: Limit
    """From the opening, or from when the one before it was met."""


class CategoryEntry(Part):
    """One category."""

    title: Title
    urgency: Urgency = Urgency.ROUTINE
    """At least this urgent."""
    side: Literal["police", "service", "unclear"] = "service"
    near: Slug | None = None
    """How near is near: a name of `near` below. None: two reports of it are never proposed as one."""
    conditions: tuple[ConditionEntry, ...] = ()

    def the_side(self) -> Side | None:
        """Whose it is; None: unclear."""
        return None if self.side == "unclear" else Side(self.side)


class CategoriesFile(Part):
    """categories.yaml."""

    near: dict[Slug, Nearness] = Field(default_factory=dict)
    categories: dict[Slug, CategoryEntry] = Field(min_length=1)
    keywords: dict[Title, Urgency] = Field(default_factory=dict)
    """A report whose text holds the word is at least this urgent."""


class RouteEntry(Part):
    """One row of routes.yaml: the first row whose every named field fits decides. A list fits by any of its items."""

    category: Slugs | None = None
    area: Slugs | None = None
    grid: Slugs | None = None
    source: Slugs | None = None
    side: Side | None = None
    urgency: Urgency | None = None
    hours: Window | None = None
    """Only between these times of day; a window over midnight begins later than it ends."""
    units: Annotated[Slugs, Field(min_length=1)]
    joint: Slugs = ()
    assist: Slugs = ()
    copies: Slugs = ()


class RoutesFile(Part):
    """routes.yaml."""

    routes: tuple[RouteEntry, ...] = ()


class DivertedClass(Part):
    """One class of a list, and the categories it holds."""

    title: Title
    categories: Annotated[Slugs, Field(min_length=1)]


class DiversionEntry(Part):
    """A list of what one side hands to the other (分流清单)."""

    name: Slug
    version: Title
    from_side: Side = Field(alias="from")
    to_side: Side = Field(alias="to")
    classes: tuple[DivertedClass, ...] = Field(min_length=1)


class DiversionsFile(Part):
    """diversions.yaml."""

    lists: tuple[DiversionEntry, ...] = ()


GOALS: frozenset[Stage] = frozenset(Stage) - {Stage.OPENED, Stage.CLOSED, Stage.RATED}
"""The stages that a limit may be set for; the closing has `overall`."""


def _goals(stages: dict[Stage, Limit]) -> dict[Stage, Limit]:
    for stage in stages:
        if stage not in GOALS:
            msg = f"{stage} has no limit of its own: take one of {', '.join(s for s in Stage if s in GOALS)}"
            raise ValueError(msg)
    return stages


class LimitEntry(Part):
    """One row of limits.yaml: each limit is taken from the first row that fits and names it."""

    category: Slugs | None = None
    area: Slugs | None = None
    source: Slugs | None = None
    side: Side | None = None
    """Whose ticket it is (警务, 非警务): after a diversion the side that has it, whoever took the call."""
    urgency: Urgency | None = None
    kind: Annotated[tuple[Title, ...], Several] | None = None
    overall: Limit | None = None
    stages: Annotated[dict[Stage, Limit], AfterValidator(_goals)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.overall is None and not self.stages:
            msg = "names no limit: give `overall`, or `stages`, or both"
            raise ValueError(msg)
        return self


class RungEntry(Part):
    """One step of the ladder."""

    step: Step
    percent: int = Field(ge=1, le=1000)
    recipients: Annotated[tuple[Slug, ...], Several] = ()
    """Keys of the unit table; `unit` is whoever holds the ticket."""


class LimitsFile(Part):
    """limits.yaml."""

    ladder: tuple[RungEntry, ...] = Field(min_length=1)
    rows: tuple[LimitEntry, ...] = Field(min_length=1)


class YearEntry(Part):
    """The days of one announced year that differ from plain weekdays."""

    notice: str = ""
    """Where it was announced."""
    free: tuple[Days, ...] = ()
    """Free; a weekend among them changes nothing."""
    worked: tuple[Days, ...] = ()
    """Worked although they are weekends (调休)."""

    def free_days(self) -> frozenset[date]:
        """All of them."""
        return frozenset(day for days in self.free for day in days)

    def worked_days(self) -> frozenset[date]:
        """All of them."""
        return frozenset(day for days in self.worked for day in days)


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, ZoneInfoNotFoundError):
        msg = f"{name!r} is no time zone: take an IANA name like Asia/Shanghai"
        raise ValueError(msg) from None


def _ordered(periods: tuple[Window, ...]) -> tuple[Window, ...]:
    ends = [minute for period in periods for minute in period]
    if ends != sorted(set(ends)):
        msg = "the periods of a day follow one another, each from an earlier to a later time"
        raise ValueError(msg)
    return periods


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class CalendarFile(Part):
    """calendar.yaml: when is working time (工作日历)."""

    zone: Annotated[str, AfterValidator(_zone)]
    periods: Annotated[tuple[Window, ...], AfterValidator(_ordered), Field(min_length=1)]
    weekdays: Annotated[tuple[Weekday, ...], Field(min_length=1)] = WEEKDAYS[:5]
    years: dict[int, YearEntry] = Field(default_factory=dict)

    def day_s(self) -> int:
        """Seconds of working time in a working day."""
        return 60 * sum(end - begin for begin, end in self.periods)

    def weekday_numbers(self) -> tuple[int, ...]:
        """Monday is 0."""
        return tuple(sorted({WEEKDAYS.index(day) for day in self.weekdays}))


class PointEntry(Part):
    """What an action is worth (积分制)."""

    title: Title
    points: int = Field(ge=-1000, le=1000)


class PointsFile(Part):
    """points.yaml."""

    actions: dict[Slug, PointEntry] = Field(default_factory=dict)


class SurgeFile(Part):
    """surges/<name>.yaml: what is laid over the pack while a surge (防汛, 疫情) is on."""

    title: Title
    units_on: Slugs = ()
    """Units that are active while it lasts."""
    urgency: dict[Slug, Urgency] = Field(default_factory=dict)
    """By category, instead of the category's own."""
    limits: tuple[LimitEntry, ...] = ()
    """Looked at before the pack's."""
    routes: tuple[RouteEntry, ...] = ()
    """Looked at before the pack's."""


class Pack(Part):
    """All files of a district."""

    name: Slug
    district: DistrictFile
    grids: GridsFile
    units: UnitsFile
    categories: CategoriesFile
    routes: RoutesFile
    diversions: DiversionsFile
    limits: LimitsFile
    calendar: CalendarFile
    points: PointsFile
    surges: dict[Slug, SurgeFile] = Field(default_factory=dict)

    def areas(self) -> dict[str, str]:
        """Code to name, the catch-all's too."""
        catch_all = self.district.catch_all
        return {**self.district.areas, catch_all.area: catch_all.title}
