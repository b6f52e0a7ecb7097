"""Where a thing is: coordinates, area (street) and grid. What cannot be located goes to the catch-all. Pure."""

import re
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Final, NamedTuple, assert_never

import h3

from schemas.codes import Flag, Reject
from schemas.mapping import AddressArea, AreaRule, Bounds, CellArea, ColumnArea, NearestArea, PlaceRule, PrefixArea
from streams.intake.gazetteer import Gazetteer
from streams.intake.lines import Fields
from streams.intake.rejected import Unusable


class Spot(NamedTuple):
    """The coordinates of a record. `outside`: they lie outside all bounds, so nothing is located by them."""

    lat: float | None
    lon: float | None
    outside: bool


class Located(NamedTuple):
    """Where a record belongs. `area` None: nowhere known, `flags` say why."""

    area: str | None
    grid: str | None
    lat: float | None
    lon: float | None
    flags: tuple[Flag, ...]


class _Found(NamedTuple):
    """What one rule found. Coordinates are told where the record has none of its own."""

    area: str
    grid: str | None = None
    lat: float | None = None
    lon: float | None = None
    by_address: bool = False


Locate = Callable[[Fields], Located]
"""Raises `Unusable` where a coordinate is no number."""
_Find = Callable[[Fields, Spot], _Found | None]

_NOWHERE: Final = Spot(None, None, outside=False)
_NOT_SLUG: Final = re.compile(r"[^a-z0-9]+")
_GRID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")
_AREA_MAX: Final = 64
_NO_FLAG: Final[tuple[Flag, ...]] = ()
_OUTSIDE: Final = (Flag.OUTSIDE,)
_NO_PLACE: Final = (Flag.NO_PLACE,)
_BY_ADDRESS: Final = (Flag.BY_ADDRESS,)


class Locating(NamedTuple):
    """What a mapping says of places."""

    place: tuple[PlaceRule, ...]
    area: tuple[AreaRule, ...]
    grid: str | None = None


def locator(rule: Locating, columns: Sequence[str], gazetteer: Gazetteer) -> Locate:
    """How this source's records are located."""
    spot_of = _spot(rule.place, columns)
    rules = [_find(one, columns, gazetteer) for one in rule.area]
    grid_of = _grid(rule, columns)

    def locate(fields: Fields) -> Located:
        spot = spot_of(fields)
        for find in rules:
            found = find(fields, spot)
            if found is not None:
                return _located(found, spot, grid_of(fields, found.area))
        return Located(None, None, spot.lat, spot.lon, _OUTSIDE if spot.outside else _NO_PLACE)

    return locate


def slug(text: str) -> str:
    """A name as a key: `[a-z0-9-]+`, or empty where nothing of it is left."""
    return _NOT_SLUG.sub("-", text.lower()).strip("-")[:_AREA_MAX].rstrip("-")


def _located(found: _Found, spot: Spot, own_grid: str | None) -> Located:
    area, grid, lat, lon, by_address = found
    flags = _BY_ADDRESS if by_address else _NO_FLAG
    if spot.outside:
        flags = (*_OUTSIDE, *flags)
    if spot.lat is not None:
        lat, lon = spot.lat, spot.lon
    return Located(area, own_grid or grid, lat, lon, flags)


def _spot(rules: Sequence[PlaceRule], columns: Sequence[str]) -> Callable[[Fields], Spot]:
    if not rules:
        return lambda _: _NOWHERE
    readers = [_one_spot(rule, columns) for rule in rules]
    if len(readers) == 1:
        return readers[0]

    def read(fields: Fields) -> Spot:
        best = _NOWHERE
        for reader in readers:
            spot = reader(fields)
            if spot.outside:
                best = spot if best is _NOWHERE else best
            elif spot.lat is not None:
                return spot
        return best

    return read


def _one_spot(rule: PlaceRule, columns: Sequence[str]) -> Callable[[Fields], Spot]:
    names = rule.lat, rule.lon
    lat_at, lon_at = columns.index(rule.lat), columns.index(rule.lon)
    south, west, north, east = _box(rule.bounds)
    comma = rule.decimal == ","

    def read(fields: Fields) -> Spot:
        lat, lon = _degrees(fields[lat_at], names[0], comma=comma), _degrees(fields[lon_at], names[1], comma=comma)
        if lat is None or lon is None or (lat == 0 and lon == 0):  # how many a system writes that it does not know
            return _NOWHERE
        if south <= lat <= north and west <= lon <= east:
            return Spot(lat, lon, outside=False)
        on_earth = abs(lat) <= 90 and abs(lon) <= 180
        return Spot(lat, lon, outside=True) if on_earth else Spot(None, None, outside=True)

    return read


def _box(bounds: Bounds) -> tuple[float, float, float, float]:
    return bounds.south, bounds.west, bounds.north, bounds.east


def _degrees(text: str, name: str, *, comma: bool) -> float | None:
    text = text.strip()
    if not text:
        return None
    if comma:
        text = text.replace(",", ".")
    try:
        number = float(text)
    except ValueError:
        raise Unusable(Reject.WRONG_TYPE, f"{name} is not a number") from None
    # Python reads 4_2 as a number, and nan.
    if not isfinite(number) or "_" in text:
        raise Unusable(Reject.WRONG_TYPE, f"{name} is not a number")
    return number


def _grid(rule: Locating, columns: Sequence[str]) -> Callable[[Fields, str], str | None]:
    """The record's own grid. Where grids begin with their area's code, one of another area is a typing error."""
    if rule.grid is None:
        return lambda *_: None
    index = columns.index(rule.grid)
    begins = any(isinstance(one, PrefixArea) and one.column == rule.grid for one in rule.area)

    def read(fields: Fields, area: str) -> str | None:
        code = fields[index].strip()
        return code if _GRID.fullmatch(code) and (not begins or code.startswith(area)) else None

    return read


def _find(rule: AreaRule, columns: Sequence[str], gazetteer: Gazetteer) -> _Find:
    match rule:
        case CellArea():
            return _cell(rule)
        case ColumnArea():
            return _column(rule, columns)
        case PrefixArea():
            return _prefix(rule, columns, gazetteer)
        case AddressArea():
            return _address(rule, columns, gazetteer)
        case NearestArea():
            return _nearest(gazetteer)
        case _ as never:
            assert_never(never)


def _cell(rule: CellArea) -> _Find:
    area, grid = rule.resolution, rule.grid
    cell_of = h3.latlng_to_cell

    def find(_: Fields, spot: Spot) -> _Found | None:
        lat, lon, outside = spot
        if lat is None or lon is None or outside:
            return None
        return _Found(cell_of(lat, lon, area), cell_of(lat, lon, grid) if grid is not None else None)

    return find


def _column(rule: ColumnArea, columns: Sequence[str]) -> _Find:
    index, known = columns.index(rule.column), dict(rule.table)

    def find(fields: Fields, _: Spot) -> _Found | None:
        name = fields[index].strip()
        area = known.get(name) if known else slug(name)
        return _Found(area) if area else None

    return find


def _prefix(rule: PrefixArea, columns: Sequence[str], gazetteer: Gazetteer) -> _Find:
    index, length = columns.index(rule.column), rule.length
    areas = gazetteer.areas

    def find(fields: Fields, _: Spot) -> _Found | None:
        area = fields[index].strip()[:length]
        return _Found(area) if area in areas else None

    return find


def _address(rule: AddressArea, columns: Sequence[str], gazetteer: Gazetteer) -> _Find:
    index = columns.index(rule.column)

    def find(fields: Fields, _: Spot) -> _Found | None:
        known = gazetteer.find(fields[index])
        return None if known is None else _Found(*known, by_address=True)

    return find


def _nearest(gazetteer: Gazetteer) -> _Find:
    def find(_: Fields, spot: Spot) -> _Found | None:
        lat, lon, outside = spot
        if lat is None or lon is None or outside:
            return None
        area = gazetteer.nearest(lat, lon)
        return None if area is None else _Found(area)

    return find
