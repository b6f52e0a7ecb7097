"""The district's place names: an address to its area, coordinates to the nearest area. Pure.

The longest name that stands in the address wins, of equal ones the first: 泰山路 is not 泰山. Coordinates go to the
area of the nearest entry; that is a stand-in for the areas' shapes, and errs near their borders.
"""

from collections.abc import Mapping
from itertools import product
from math import cos, radians
from typing import Final, NamedTuple
from unicodedata import normalize

from schemas.gazetteer import NO_PLACES, GazetteerFile, PlaceEntry

KM_PER_DEGREE: Final = 111.195
ADDRESS_MAX: Final = 400
"""What stands further behind in a text is no address."""


class Known(NamedTuple):
    """What an address says."""

    area: str
    grid: str | None
    lat: float | None
    lon: float | None


class Gazetteer:
    """The names and points of a district. `areas`: code to title; a title is a name too."""

    def __init__(self, file: GazetteerFile = NO_PLACES, areas: Mapping[str, str] | None = None) -> None:
        self.areas = frozenset(areas or ())
        self._names: dict[str, Known] = {_plain(title): Known(code, None, None, None) for code, title in _titles(areas)}
        for entry in file.places:
            self._names.update(dict.fromkeys(map(_plain, entry.names), _known(entry)))
        self._lengths = _lengths(self._names)
        self._most = (file.near_km / KM_PER_DEGREE) ** 2
        self._cell = (
            4 * file.near_km / KM_PER_DEGREE
        )  # wide enough up to 75 degrees, where a degree of longitude is short
        self._cells = self._around(file)

    def find(self, address: str) -> Known | None:
        """What the longest name in the address says; `None` where it holds none."""
        text = _plain(address[:ADDRESS_MAX])
        best, longest = None, 0
        for start in range(len(text) - 1):
            for length in self._lengths.get(text[start : start + 2], ()):
                if length <= longest:
                    break
                found = self._names.get(text[start : start + length])
                if found is not None:
                    best, longest = found, length
                    break
        return best

    def nearest(self, lat: float, lon: float) -> str | None:
        """The area of the nearest point; `None` where none is near enough."""
        narrow = cos(radians(lat))
        least, area = self._most, None
        for point_lat, point_lon, code in self._cells.get(self._place(lat, lon), ()):
            distance = (point_lat - lat) ** 2 + ((point_lon - lon) * narrow) ** 2
            if distance < least or (distance == least and area is None):
                least, area = distance, code
        return area

    def _around(self, file: GazetteerFile) -> dict[tuple[int, int], list[tuple[float, float, str]]]:
        """By cell, the points in it and in those around it, the smallest code first."""
        cells: dict[tuple[int, int], list[tuple[float, float, str]]] = {}
        points = [(e.lat, e.lon, e.area) for e in file.places if e.lat is not None and e.lon is not None]
        for lat, lon, area in sorted(points, key=lambda point: point[2]):
            row, column = self._place(lat, lon)
            for cell in product((row - 1, row, row + 1), (column - 1, column, column + 1)):
                cells.setdefault(cell, []).append((lat, lon, area))
        return cells

    def _place(self, lat: float, lon: float) -> tuple[int, int]:
        return int(lat // self._cell), int(lon // self._cell)


def _titles(areas: Mapping[str, str] | None) -> list[tuple[str, str]]:
    return [(code, title) for code, title in (areas or {}).items() if len(title) > 1]


def _known(entry: PlaceEntry) -> Known:
    return Known(entry.area, entry.grid, *((entry.lat, entry.lon) if entry.exact else (None, None)))


def _plain(text: str) -> str:
    return normalize("NFKC", text).replace(" ", "").casefold()


def _lengths(names: Mapping[str, Known]) -> dict[str, tuple[int, ...]]:
    """By their first two characters, how long the names are that begin so, the longest first."""
    found: dict[str, set[int]] = {}
    for name in names:
        found.setdefault(name[:2], set()).add(len(name))
    return {begin: tuple(sorted(lengths, reverse=True)) for begin, lengths in found.items()}
