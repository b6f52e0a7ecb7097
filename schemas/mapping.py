"""A source's mapping (deploy/sources/*.yaml): how its own shape becomes reports and closings. No code per source."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.codes import Urgency

Path = tuple[str | int, ...]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
"""Usable in ids, keys and addresses."""
Column = Annotated[str, StringConstraints(min_length=1)]
"""A column of the file; for JSON the dotted path of a value."""


class Part(BaseModel):
    """A piece of a pack or mapping: frozen, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TimeRule(Part):
    """Where a time stands and how it is written."""

    column: Column
    format: Annotated[str, StringConstraints(pattern=r"^(iso|epoch-s|epoch-ms|.*%.*)$")] = "iso"
    """`iso`, `epoch-s`, `epoch-ms`, or a pattern of strptime."""
    zone: str | None = None
    """IANA name, for times that are written without an offset."""


class Bounds(Part):
    """The box that counts as inside, degrees WGS84. The default is the world: then only what is no place is outside."""

    south: float = Field(default=-90.0, ge=-90, le=90)
    west: float = Field(default=-180.0, ge=-180, le=180)
    north: float = Field(default=90.0, ge=-90, le=90)
    east: float = Field(default=180.0, ge=-180, le=180)


class PlaceRule(Part):
    """The columns of the coordinates; both may be empty."""

    lat: Column
    lon: Column
    bounds: Bounds = Bounds()


class CellArea(Part):
    """The area is the H3 cell of the coordinates, and so is the grid."""

    rule: Literal["h3"]
    resolution: int = Field(ge=0, le=15)
    grid: int | None = Field(default=None, ge=0, le=15)


class ColumnArea(Part):
    """The area is what a column says: by the table where it is named there, else the value as a slug."""

    rule: Literal["column"]
    column: Column
    table: dict[str, Slug] = Field(default_factory=dict)


class CategoryRule(Part):
    """The source's categories and the codes they are known by here. What is not named is flagged."""

    column: Column
    known: dict[str, Slug]


class UrgencyRule(Part):
    """The source's own level. What is not named has none."""

    column: Column
    known: dict[str, Urgency]


class ReporterRule(Part):
    """Who reports: phone or the source's own id of the person are hashed by key, the name is masked."""

    phone: Column | None = None
    id: Column | None = None
    name: Column | None = None


class ObjectRule(Part):
    """The thing it is about. `personal` (a plate, an address): only its keyed hash goes on."""

    column: Column
    personal: bool = True


class ReportRule(Part):
    """How a record is read as a report."""

    id: Column
    time: TimeRule
    occurred_at: TimeRule | None = None
    """Empty or absent: the record's time."""
    place: PlaceRule | None = None
    area: CellArea | ColumnArea = Field(discriminator="rule")
    category: CategoryRule
    urgency: UrgencyRule | None = None
    text: tuple[Column, ...] = ()
    reporter: ReporterRule | None = None
    object: ObjectRule | None = None
    details: tuple[Column, ...] = ()


class ClosedRule(Part):
    """How the same record is read as a closing; there is one where the time's column is not empty."""

    time: TimeRule


class SourceMapping(Part):
    """One source system."""

    name: Slug
    title: str
    licence: str
    """Of data that is published; of a live system, on what ground it may be used."""
    topic: Literal["police", "grid", "citizen", "hotline", "feedback"]
    format: Literal["csv", "json"] = "csv"
    versions: tuple[str, ...] = Field(default=("1",), min_length=1)
    columns: tuple[Column, ...] = Field(min_length=1)
    """All of them, in the order of the file."""
    ignored: tuple[Column, ...] = ()
    """Never input: labels, and what was known only later."""
    past: bool = False
    """Past data: only under the log clock."""
    closing_authoritative: bool = False
    """With its closing the stages between have passed."""
    closings: Literal["row", "last-sighting"] | None = None
    """`row`: a row has its closing time. `last-sighting`: what is not seen again in the file is over."""
    report: ReportRule
    closed: ClosedRule | None = None


LIST_FIELDS: Final = (("ignored",), ("report", "text"), ("report", "details"))


def _single_columns(mapping: SourceMapping) -> Iterator[tuple[Path, str | None]]:
    report = mapping.report
    yield ("report", "id"), report.id
    yield ("report", "time", "column"), report.time.column
    yield ("report", "category", "column"), report.category.column
    if report.occurred_at is not None:
        yield ("report", "occurred_at", "column"), report.occurred_at.column
    if report.place is not None:
        yield ("report", "place", "lat"), report.place.lat
        yield ("report", "place", "lon"), report.place.lon
    if isinstance(report.area, ColumnArea):
        yield ("report", "area", "column"), report.area.column
    yield from _optional_columns(mapping)


def _optional_columns(mapping: SourceMapping) -> Iterator[tuple[Path, str | None]]:
    report = mapping.report
    if report.urgency is not None:
        yield ("report", "urgency", "column"), report.urgency.column
    if report.object is not None:
        yield ("report", "object", "column"), report.object.column
    if report.reporter is not None:
        yield ("report", "reporter", "phone"), report.reporter.phone
        yield ("report", "reporter", "id"), report.reporter.id
        yield ("report", "reporter", "name"), report.reporter.name
    if mapping.closed is not None:
        yield ("closed", "time", "column"), mapping.closed.time.column


def _named_columns(mapping: SourceMapping) -> Iterator[tuple[Path, str]]:
    for path, column in _single_columns(mapping):
        if column is not None:
            yield path, column
    lists = (mapping.ignored, mapping.report.text, mapping.report.details)
    for path, columns in zip(LIST_FIELDS, lists, strict=True):
        for place, column in enumerate(columns):
            yield (*path, place), column


def problems(mapping: SourceMapping) -> Iterator[tuple[Path, str]]:
    """What does not fit together in a mapping whose fields are each right: the field, and what is wrong with it."""
    known = set(mapping.columns)
    if len(known) < len(mapping.columns):
        yield ("columns",), "names a column twice"
    for path, column in _named_columns(mapping):
        if column not in known:
            yield path, f"{column!r} is not one of the columns"
    read = {column for path, column in _named_columns(mapping) if path[0] != "ignored"}
    for place, column in enumerate(mapping.ignored):
        if column in read:
            yield ("ignored", place), f"{column!r} is ignored and used"
    if isinstance(mapping.report.area, CellArea) and mapping.report.place is None:
        yield ("report", "area"), "an h3 area needs report.place"
    if (mapping.closings == "row") != (mapping.closed is not None):
        yield ("closings",), "`row` and the part `closed` belong together"
