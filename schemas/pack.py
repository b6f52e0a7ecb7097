"""A district's pack (deploy/districts/<name>/*.yaml): places, limits, routes and categories, as people write them."""

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from schemas.codes import Level, Stage, Urgency
from schemas.mapping import Part, Slug

_UNITS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"(\d{1,6}) ?(s|min|h|d)")


def _seconds(written: object) -> object:
    match = _DURATION.fullmatch(written.strip()) if isinstance(written, str) else None
    if match is None:
        msg = "a duration is a whole number and a unit: 30 s, 10 min, 24 h, 5 d"
        raise ValueError(msg)
    return int(match[1]) * _UNITS[match[2]]


Seconds = Annotated[int, BeforeValidator(_seconds), Field(gt=0)]
"""Written `30 s`, `10 min`, `24 h`, `5 d` (of 24 hours); read as seconds."""


class UnitEntry(Part):
    """Who handles a ticket."""

    name: str = Field(min_length=1)
    level: Level


class CatchAll(Part):
    """Where goes what cannot be located, and who owns what no route fits (兜底)."""

    area: Slug
    unit: UnitEntry


class DistrictFile(Part):
    """district.yaml."""

    title: str
    catch_all: CatchAll
    streets: dict[Slug, str] = Field(default_factory=dict)
    """Street code → name."""
    back_date: Seconds
    """How far before its arrival a thing may be said to have happened."""
    wait: Seconds
    """How long feedback waits for its report."""
    keep_closed: Seconds
    """How long a closed ticket stays in the desk's state."""


class LimitsEntry(Part):
    """The limits of one urgency."""

    overall: Seconds
    stages: dict[Stage, Seconds] = Field(default_factory=dict)


class LimitsFile(Part):
    """limits.yaml."""

    warn_percent: int = Field(ge=1, le=99)
    urgencies: dict[Urgency, LimitsEntry]


class RouteEntry(Part):
    """One row of routes.yaml: the first row whose every named field fits decides."""

    category: Slug | None = None
    area: Slug | None = None
    source: Slug | None = None
    urgency: Urgency | None = None
    unit: UnitEntry


class RoutesFile(Part):
    """routes.yaml."""

    routes: tuple[RouteEntry, ...] = ()


class CategoryEntry(Part):
    """One category."""

    title: str
    urgency: Urgency = Urgency.ROUTINE
    """At least this urgent."""


class CategoriesFile(Part):
    """categories.yaml."""

    categories: dict[Slug, CategoryEntry]
    keywords: dict[str, Urgency] = Field(default_factory=dict)
    """A report whose text holds the word is at least this urgent."""


class Pack(Part):
    """All files of a district."""

    name: Slug
    district: DistrictFile
    limits: LimitsFile
    routes: RoutesFile
    categories: CategoriesFile
