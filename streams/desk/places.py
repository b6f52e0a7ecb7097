"""How far two places are apart, and a grid to find what is near without looking at everything. Pure.

The grid is our own and depends on nothing that a policy says: rows of 0.0027 degrees, about 300 m, cut into cells of
about 300 m. A radius is looked up in as many cells as it touches, mostly one to four, at any latitude.
"""

from functools import lru_cache
from math import cos, floor, radians, sqrt
from typing import Final

Place = tuple[float, float]
"""Latitude and longitude, WGS 84 degrees."""
Cell = tuple[int, int]
"""Row and column."""

_ROW: Final = 0.0027
_METRES: Final = 6_371_008.8 * radians(1)
"""Of one degree of latitude."""
_LEAST: Final = 0.01
"""At the poles a degree of longitude is nothing; no district lies there."""


def place_of(lat: float | None, lon: float | None) -> Place | None:
    """The place, where both are given and are degrees."""
    if lat is None or lon is None or not (-90 <= lat <= 90 and -180 <= lon <= 180):
        return None
    return lat, lon


def distance_m(one: Place, other: Place) -> int:
    """Metres, rounded to whole ones: equirectangular, on a sphere of the earth's mean radius (6,371,008.8 m).

    Within a city it differs from the great circle by less than a metre. It does not see across the 180th meridian.
    """
    north = one[0] - other[0]
    east = (one[1] - other[1]) * cos(radians((one[0] + other[0]) / 2))
    return round(_METRES * sqrt(north * north + east * east))


def cell_of(place: Place) -> Cell:
    """The cell that a place lies in."""
    row = floor(place[0] / _ROW)
    return row, floor(place[1] / _width(row))


@lru_cache(maxsize=64)  # a report is looked up by several rules, one after the other
def cells_within(place: Place, metres: int) -> tuple[Cell, ...]:
    """All cells that may hold something at most so many metres away."""
    lat, lon = place
    reach = (metres + 1) / _METRES  # distances are rounded
    east = reach / max(cos(radians(min(abs(lat) + reach, 90.0))), _LEAST)
    cells: list[Cell] = []
    for row in range(floor((lat - reach) / _ROW), floor((lat + reach) / _ROW) + 1):
        width = _width(row)
        columns = range(floor((lon - east) / width), floor((lon + east) / width) + 1)
        cells.extend((row, column) for column in columns)
    return tuple(cells)


@lru_cache(maxsize=4096)
def _width(row: int) -> float:
    """Degrees of longitude of a cell of this row."""
    return _ROW / max(cos(radians((row + 0.5) * _ROW)), _LEAST)
