"""What does not fit in the tables of routes and limits: keys that are not there, rows that never decide. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from agents.packing.problem import Loc, Problem, unknown
from schemas.codes import Stage, Urgency
from schemas.mapping import SourceMapping
from schemas.pack import LimitEntry, Pack, RouteEntry
from schemas.written import Length

ROUTE_FIELDS: Final = ("category", "area", "grid", "source", "side", "urgency", "hours")
LIMIT_FIELDS: Final = ("category", "area", "source", "side", "urgency", "kind")
Row = RouteEntry | LimitEntry
R = TypeVar("R", RouteEntry, LimitEntry)


def route_problems(pack: Pack, sources: Mapping[str, SourceMapping]) -> Iterator[Problem]:
    """Of routes.yaml, and of the routes of each surge."""
    active = {key for key, unit in pack.units.units.items() if unit.active}
    yield from _routes(pack, sources, ("routes.yaml", pack.routes.routes), active)
    for name, surge in pack.surges.items():
        yield from _routes(pack, sources, (f"surges/{name}.yaml", surge.routes), active | set(surge.units_on))


def limit_problems(pack: Pack, sources: Mapping[str, SourceMapping]) -> Iterator[Problem]:
    """Of limits.yaml, and of the limits of each surge."""
    rows = pack.limits.rows
    yield from _limits(pack, sources, "limits.yaml", "rows", rows)
    for name, surge in pack.surges.items():
        yield from _limits(pack, sources, f"surges/{name}.yaml", "limits", surge.limits)
    for urgency in Urgency:
        if not any(row.overall and _fields(row, LIMIT_FIELDS) <= {"urgency"} and _takes(row, urgency) for row in rows):
            text = f"no row for whatever is {urgency} names an `overall` limit: such tickets could not be late"
            yield Problem("limits.yaml", ("rows",), text)


def _routes(
    pack: Pack,
    sources: Mapping[str, SourceMapping],
    table: tuple[str, Sequence[RouteEntry]],
    active: Collection[str],
) -> Iterator[Problem]:
    file, rows = table
    grids = set(pack.grids.codes())
    deciding: list[tuple[int, RouteEntry]] = []
    for number, row in enumerate(rows):
        loc: Loc = ("routes", number)
        yield from _places(pack, sources, file, loc, row)
        yield from unknown(file, (*loc, "grid"), row.grid, grids, "grids.yaml")
        yield from _people(pack, file, loc, row)
        for part in _parts(row):
            before = [place for place, earlier in deciding if _covers(earlier, part, ROUTE_FIELDS)]
            if before:
                yield Problem(file, loc, f"{_of(part)}can never fit: row {before[0] + 1} takes all of that")
        if any(key in active for key in row.units):
            deciding.append((number, row))


def _people(pack: Pack, file: str, loc: Loc, row: RouteEntry) -> Iterator[Problem]:
    named = {"units": row.units, "joint": row.joint, "assist": row.assist, "copies": row.copies}
    for field, keys in named.items():
        yield from unknown(file, (*loc, field), keys, pack.units.units, "units.yaml")
        for key in keys:
            if field != "units" and key in row.units:
                yield Problem(file, (*loc, field), f"{key!r} is the unit that it goes to")


def _limits(
    pack: Pack, sources: Mapping[str, SourceMapping], file: str, field: str, rows: Sequence[LimitEntry]
) -> Iterator[Problem]:
    for number, row in enumerate(rows):
        loc: Loc = (field, number)
        yield from _places(pack, sources, file, loc, row)
        yield from _kinds(sources, file, loc, row)
        yield from _too_long(pack, file, loc, row)
        for part in _parts(row):
            before = [earlier for earlier in rows[:number] if _covers(earlier, part, LIMIT_FIELDS)]
            if all(any(name in _named(earlier) for earlier in before) for name in _named(row)):
                yield Problem(file, loc, f"{_of(part)}can never decide: rows before it name all that it names")


def _places(pack: Pack, sources: Mapping[str, SourceMapping], file: str, loc: Loc, row: Row) -> Iterator[Problem]:
    yield from unknown(file, (*loc, "category"), row.category, pack.categories.categories, "categories.yaml")
    yield from unknown(file, (*loc, "area"), row.area, pack.areas(), "the areas of district.yaml")
    yield from unknown(file, (*loc, "source"), row.source, sources, "sources/")


def _kinds(sources: Mapping[str, SourceMapping], file: str, loc: Loc, row: LimitEntry) -> Iterator[Problem]:
    rules = [one.report.kind for one in sources.values() if one.report is not None and one.report.kind is not None]
    known = {kind for rule in rules for kind in rule.known.values()}
    for one in unknown(file, (*loc, "kind"), row.kind, known, "what any source says of its reports"):
        yield one._replace(warning=True)


def _too_long(pack: Pack, file: str, loc: Loc, row: LimitEntry) -> Iterator[Problem]:
    """Stages that may take longer than the whole, on the same clock."""
    for urgency in Urgency if row.urgency is None else (row.urgency,):
        overall = _overall(pack, row, urgency)
        for stage, limit in row.stages.items():
            if overall is not None and _longer(pack, limit, overall):
                text = f"{stage} may take {_told(limit)}, and the whole of what is {urgency} {_told(overall)}"
                yield Problem(file, (*loc, "stages", stage), text, warning=True)


def _overall(pack: Pack, row: LimitEntry, urgency: Urgency) -> Length | None:
    """The overall limit of what the row fits, as far as one row alone says it for all of that."""
    fits = [one for one in (row, *pack.limits.rows) if one.overall is not None and _covers(one, row, LIMIT_FIELDS[:4])]
    return next((one.overall for one in fits if _takes(one, urgency) and one.kind in {None, row.kind}), None)


def _longer(pack: Pack, one: Length, other: Length) -> bool:
    day_s = pack.calendar.day_s()
    return one.working == other.working and one.seconds(day_s) > other.seconds(day_s)


def _parts(row: R) -> list[R]:
    """The row for each of its categories."""
    return [row] if row.category is None else [row.model_copy(update={"category": (one,)}) for one in row.category]


def _of(row: Row) -> str:
    return "" if row.category is None else f"for {row.category[0]!r} "


def _told(length: Length) -> str:
    return f"{length.count} {length.unit}"


def _named(row: LimitEntry) -> frozenset[Stage | str]:
    return frozenset(row.stages) | ({"overall"} if row.overall is not None else set())


def _takes(row: Row, urgency: Urgency) -> bool:
    return row.urgency in {None, urgency}


def _fields(row: Row, fields: Sequence[str]) -> set[str]:
    return {field for field in fields if getattr(row, field) is not None}


def _covers(earlier: Row, later: Row, fields: Sequence[str]) -> bool:
    """Whether the earlier row fits wherever the later one does."""
    return all(_holds(getattr(earlier, field), getattr(later, field)) for field in fields)


def _holds(wide: object, narrow: object) -> bool:
    if wide is None:
        return True
    if narrow is None:
        return False
    if isinstance(wide, tuple) and isinstance(narrow, tuple) and not isinstance(wide[0], int):
        return set(narrow) <= set(wide)
    return wide == narrow
