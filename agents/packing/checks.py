"""What does not fit together in a pack whose files are each right, and what is doubtful about it. Pure.

An error (a key that is not there, a row that can never decide anything) makes the pack unusable; a warning is told.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from agents.packing.dates import calendar_problems
from agents.packing.problem import Problem, unknown
from agents.packing.tables import limit_problems, route_problems
from schemas.codes import Stage, Step
from schemas.mapping import ColumnArea, SourceMapping
from schemas.pack import CategoryEntry, DiversionEntry, Pack, SurgeFile

OVERALL: Final = "overall"
HOLDER: Final = "unit"
"""The recipient that is whoever holds the ticket."""
_FILLED: Final = re.compile(r"\{([^}]*)\}?")


def pack_problems(pack: Pack, sources: Mapping[str, SourceMapping], own: Collection[str] = ()) -> Iterator[Problem]:
    """All that is wrong or doubtful; `own` are the sources whose mapping is the district's, not a shared one."""
    yield from _district(pack)
    yield from _grids(pack)
    yield from _units(pack)
    yield from _categories(pack)
    yield from _diversions(pack)
    yield from _ladder(pack)
    yield from calendar_problems(pack.calendar)
    yield from route_problems(pack, sources)
    yield from limit_problems(pack, sources)
    for name, surge in pack.surges.items():
        yield from _surge(pack, f"surges/{name}.yaml", surge)
    for name, mapping in sources.items():
        yield from mapping_problems(pack, mapping, warning=name not in own)


def mapping_problems(pack: Pack, mapping: SourceMapping, *, warning: bool = False) -> Iterator[Problem]:
    """Categories and areas that the mapping gives and the district does not have."""
    if mapping.report is None:
        return
    file, where = f"sources/{mapping.name}.yaml", f"the categories of district {pack.name}"
    for word, code in mapping.report.category.known.items():
        for one in unknown(file, ("report", "category", "known", word), (code,), pack.categories.categories, where):
            yield one._replace(warning=warning)
    for number, rule in enumerate(mapping.report.area):
        table = rule.table if isinstance(rule, ColumnArea) else {}
        for word, area in table.items():
            loc = ("report", "area", number, "table", word)
            for one in unknown(file, loc, (area,), pack.areas(), f"the areas of district {pack.name}"):
                yield one._replace(warning=warning)


def _district(pack: Pack) -> Iterator[Problem]:
    file, place = "district.yaml", pack.district
    catch_all, units = place.catch_all, pack.units.units
    yield from unknown(file, ("catch_all", "unit"), (catch_all.unit,), units, "units.yaml")
    yield from unknown(file, ("copy_unclear",), place.copy_unclear, units, "units.yaml")
    yield from unknown(file, ("copy_danger",), place.copy_danger, units, "units.yaml")
    if catch_all.unit in units and not units[catch_all.unit].active:
        yield Problem(file, ("catch_all", "unit"), f"{catch_all.unit!r} is not active: what no route fits has no owner")
    day_s = pack.calendar.day_s()
    if place.extension.first.seconds(day_s) > place.extension.most.seconds(day_s):
        yield Problem(file, ("extension", "first"), "is longer than `most`: nothing so long can be asked for")


def _grids(pack: Pack) -> Iterator[Problem]:
    file, areas = "grids.yaml", pack.district.areas
    for area, communities in pack.grids.areas.items():
        yield from unknown(file, ("areas", area), (area,), areas, "the areas of district.yaml")
        for community, numbers in communities.items():
            loc = ("areas", area, community)
            if area.isdigit() and not community.startswith(area):
                yield Problem(file, loc, f"is no community of {area}: its code begins with the area's")
            for number, times in Counter(numbers).items():
                if times > 1:
                    yield Problem(file, loc, f"grid {number} stands twice")


def _units(pack: Pack) -> Iterator[Problem]:
    file, names = "units.yaml", Counter(unit.name for unit in pack.units.units.values())
    switched = {key for surge in pack.surges.values() for key in surge.units_on}
    for key, unit in pack.units.units.items():
        for part in _FILLED.findall(unit.name):
            if part not in {"area", "grid"}:
                yield Problem(file, ("units", key, "name"), f"{{{part}}} is neither {{area}} nor {{grid}}")
        if names[unit.name] > 1:
            yield Problem(file, ("units", key, "name"), f"{unit.name!r} is another unit's name too")
        if not unit.active and key not in switched:
            yield Problem(file, ("units", key, "active"), "is not active, and no surge switches it on", warning=True)


def _categories(pack: Pack) -> Iterator[Problem]:
    for code, entry in pack.categories.categories.items():
        near = () if entry.near is None else (entry.near,)
        yield from unknown("categories.yaml", ("categories", code, "near"), near, pack.categories.near, "`near`")
        yield from _conditions(code, entry)


def _conditions(code: str, entry: CategoryEntry) -> Iterator[Problem]:
    taken = {OVERALL, *Stage}
    for number, one in enumerate(entry.conditions):
        loc = ("categories", code, "conditions", number, "name")
        if one.name in {OVERALL, *Stage}:
            yield Problem("categories.yaml", loc, f"{one.name!r} is the name of a limit already")
        elif one.name in taken:
            yield Problem("categories.yaml", loc, f"{one.name!r} stands twice")
        taken.add(one.name)


def _diversions(pack: Pack) -> Iterator[Problem]:
    file = "diversions.yaml"
    names = Counter(one.name for one in pack.diversions.lists)
    for number, one in enumerate(pack.diversions.lists):
        if names[one.name] > 1:
            yield Problem(file, ("lists", number, "name"), f"{one.name!r} stands twice")
        if one.from_side is one.to_side:
            yield Problem(file, ("lists", number, "to"), "is the side that it comes from")
        yield from _diverted(pack, number, one)


def _diverted(pack: Pack, number: int, one: DiversionEntry) -> Iterator[Problem]:
    file, known, seen = "diversions.yaml", pack.categories.categories, set[str]()
    for place, part in enumerate(one.classes):
        loc = ("lists", number, "classes", place, "categories")
        yield from unknown(file, loc, part.categories, known, "categories.yaml")
        for code in part.categories:
            if code in known and known[code].the_side() is not one.to_side:
                yield Problem(file, loc, f"{code!r} is never diverted to {one.to_side}: its side is {known[code].side}")
            if code in seen:
                yield Problem(file, loc, f"{code!r} stands twice in this list")
            seen.add(code)


def _ladder(pack: Pack) -> Iterator[Problem]:
    file, steps, before = "limits.yaml", list(Step), None
    for number, rung in enumerate(pack.limits.ladder):
        loc = ("ladder", number)
        if before is not None and rung.percent <= before.percent:
            yield Problem(file, (*loc, "percent"), f"{rung.percent} does not come after {before.percent}")
        if before is not None and steps.index(rung.step) <= steps.index(before.step):
            yield Problem(file, (*loc, "step"), f"{rung.step} does not come after {before.step}")
        if (rung.step is Step.PASSED) != (rung.percent == 100):
            yield Problem(file, (*loc, "percent"), "`passed` is the step at 100, and the only one there")
        yield from unknown(
            file, (*loc, "recipients"), rung.recipients, {HOLDER, *pack.units.units}, f"units.yaml, nor {HOLDER!r}"
        )
        before = rung
    if all(rung.step is not Step.PASSED for rung in pack.limits.ladder):
        yield Problem(file, ("ladder",), "has no step `passed` at 100: a limit would never be over")


def _surge(pack: Pack, file: str, surge: SurgeFile) -> Iterator[Problem]:
    units = pack.units.units
    yield from unknown(file, ("units_on",), surge.units_on, units, "units.yaml")
    for key in surge.units_on:
        if key in units and units[key].active:
            yield Problem(file, ("units_on",), f"{key!r} is active without the surge", warning=True)
    for code in surge.urgency:
        yield from unknown(file, ("urgency", code), (code,), pack.categories.categories, "categories.yaml")
