"""Where a thing is: coordinates, area (street) and grid. What cannot be located goes to the catch-all. Pure."""

import re
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Final, NamedTuple

import h3

from schemas.codes import Flag, Reject
from schemas.mapping import Bounds, CellArea, ColumnArea, PlaceRule, ReportRule
from streams.intake.lines import Fields
from streams.intake.rejected import Unusable


class Spot(NamedTuple):
    """The coordinates of a record."""

    lat: float | None
    lon: float | None
    outside: bool


class Located(NamedTuple):
    """Where a record belongs. `area` None: nowhere known, `flag` says why."""

    area: str | None
    grid: str | None
    lat: float | None
    lon: float | None
    flag: Flag | None


Locate = Callable[[Fields], Located]
"""Raises `Unusable` where a coordinate is no number."""

_NOWHERE: Final = Spot(None, None, outside=False)
_NOT_SLUG: Final = re.compile(r"[^a-z0-9]+")
_AREA_MAX: Final = 64


def locator(rule: ReportRule, columns: Sequence[str]) -> Locate:
    """How this source's records are located."""
    spot = _spot(rule.place, columns)
    area = _cell(rule.area) if isinstance(rule.area, CellArea) else _column(rule.area, columns)

    def locate(fields: Fields) -> Located:
        found = spot(fields)
        if found.outside:
            return Located(None, None, found.lat, found.lon, Flag.OUTSIDE)
        return area(fields, found)

    return locate


def slug(text: str) -> str:
    """A name as a key: `[a-z0-9-]+`, or empty where nothing of it is left."""
    return _NOT_SLUG.sub("-", text.lower()).strip("-")[:_AREA_MAX].rstrip("-")


def _spot(rule: PlaceRule | None, columns: Sequence[str]) -> Callable[[Fields], Spot]:
    if rule is None:
        return lambda _: _NOWHERE
    names = rule.lat, rule.lon
    lat_at, lon_at = columns.index(rule.lat), columns.index(rule.lon)
    south, west, north, east = _box(rule.bounds)

    def read(fields: Fields) -> Spot:
        lat, lon = _degrees(fields[lat_at], names[0]), _degrees(fields[lon_at], names[1])
        if lat is None or lon is None:
            return _NOWHERE
        if south <= lat <= north and west <= lon <= east:
            return Spot(lat, lon, outside=False)
        on_earth = abs(lat) <= 90 and abs(lon) <= 180
        return Spot(lat, lon, outside=True) if on_earth else Spot(None, None, outside=True)

    return read


def _box(bounds: Bounds) -> tuple[float, float, float, float]:
    return bounds.south, bounds.west, bounds.north, bounds.east


def _degrees(text: str, name: str) -> float | None:
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        raise Unusable(Reject.WRONG_TYPE, f"{name} is not a number") from None
    # Python reads 4_2 as a number, and nan.
    if not isfinite(number) or "_" in text:
        raise Unusable(Reject.WRONG_TYPE, f"{name} is not a number")
    return number


def _cell(rule: CellArea) -> Callable[[Fields, Spot], Located]:
    area, grid = rule.resolution, rule.grid
    cell_of = h3.latlng_to_cell

    def locate(_: Fields, spot: Spot) -> Located:
        lat, lon = spot.lat, spot.lon
        if lat is None or lon is None:
            return Located(None, None, None, None, Flag.NO_PLACE)
        return Located(cell_of(lat, lon, area), cell_of(lat, lon, grid) if grid is not None else None, lat, lon, None)

    return locate


def _column(rule: ColumnArea, columns: Sequence[str]) -> Callable[[Fields, Spot], Located]:
    index = columns.index(rule.column)
    known = dict(rule.table)

    def locate(fields: Fields, spot: Spot) -> Located:
        name = fields[index].strip()
        area = known.get(name) or slug(name)
        return Located(area or None, None, spot.lat, spot.lon, None if area else Flag.NO_PLACE)

    return locate
