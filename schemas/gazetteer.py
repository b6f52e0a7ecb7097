"""A district's gazetteer (deploy/districts/<name>/gazetteer.yaml): which area the names in an address belong to."""

from collections.abc import Collection, Iterator
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.mapping import Part, Slug

Path = tuple[str | int, ...]
Name = Annotated[str, StringConstraints(min_length=2, max_length=100, strip_whitespace=True)]


class PlaceEntry(Part):
    """A place or a road that lies in one area. What runs through several is no entry: it would decide wrongly."""

    names: tuple[Name, ...] = Field(min_length=1)
    area: Slug
    grid: str | None = None
    lat: float | None = Field(default=None, ge=-90, le=90)
    lon: float | None = Field(default=None, ge=-180, le=180)
    exact: bool = False
    """Whether a report from there happened at these coordinates. A whole street's seat is not where things happen in
    it: two reports that name the street alone would be taken for one matter, a metre apart."""

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            msg = "lat and lon belong together"
            raise ValueError(msg)
        if self.exact and self.lat is None:
            msg = "exact without coordinates"
            raise ValueError(msg)
        return self


class GazetteerFile(Part):
    """gazetteer.yaml."""

    near_km: float = Field(gt=0, le=50)
    """Coordinates belong to the area of the nearest entry that has any, where that is at most this far away."""
    places: tuple[PlaceEntry, ...] = ()


NO_PLACES = GazetteerFile(near_km=1.0)


def problems(file: GazetteerFile, areas: Collection[str]) -> Iterator[tuple[Path, str]]:
    """What does not fit: an area that the district does not have, a name that would be in two places."""
    seen: dict[str, int] = {}
    for number, entry in enumerate(file.places):
        if entry.area not in areas:
            yield ("places", number, "area"), f"{entry.area!r} is none of the district's areas"
        for place, name in enumerate(entry.names):
            if name in seen:
                yield ("places", number, "names", place), f"{name!r} stands in entry {seen[name] + 1} already"
            seen.setdefault(name, number)
