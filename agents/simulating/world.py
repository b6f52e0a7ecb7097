"""The district as a simulation sees it: made from its pack and its sources' mappings. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final, TypeVar

from agents.errors import UserError
from agents.simulating.course import sayable, whole_units
from agents.simulating.matters import Area
from agents.simulating.rhythm import SHARES
from agents.simulating.stream import HANDLERS, World
from agents.simulating.writing import POLICE
from schemas.gazetteer import GazetteerFile
from schemas.mapping import ColumnArea, SourceMapping
from schemas.pack import Pack
from schemas.policy import Policy
from streams.intake.source import Source

V = TypeVar("V")
K = TypeVar("K")

SPREAD_M: Final = 3_000
"""How far from a street's seat things happen."""


def world_of(
    pack: Pack,
    gazetteer: GazetteerFile,
    policy: Policy,
    mappings: Mapping[str, SourceMapping],
    sources: Mapping[str, Source],
) -> World:
    """What a simulation of the district is made from; `UserError` where the district lacks some of it."""
    known = {name: _codes(mappings[name], policy) for name in SHARES if name in mappings}
    feedback = mappings[HANDLERS].feedback if HANDLERS in mappings else None
    world = World(
        policy=policy,
        areas=tuple(_areas(pack, gazetteer, mappings[POLICE])) if POLICE in mappings else (),
        titles={code: entry.title for code, entry in pack.categories.categories.items()},
        codes=known,
        words={} if feedback is None else _backwards(feedback.action.known),
        sources=sources,
    )
    lacks = "; ".join(_lacks(world))
    if lacks:
        msg = f"district {pack.name} cannot be simulated: {lacks}. Put that into its pack, or simulate pukou"
        raise UserError(msg)
    return world


def _lacks(world: World) -> Iterator[str]:
    """What a simulation draws from, and there is none of."""
    for name in SHARES:
        if not world.codes.get(name):
            yield f"no source {name} tells a category of its own"
    if unsaid := sorted(sayable(world.policy) - world.words.keys()):
        yield f"no source {HANDLERS} has a word for {', '.join(unsaid)}"
    if POLICE in world.codes and not world.areas:
        yield "no area has both grids in grids.yaml and a place with coordinates in gazetteer.yaml"
    if not whole_units(world.policy):
        yield "no unit is active whose name is the same everywhere"


def _codes(mapping: SourceMapping, policy: Policy) -> Mapping[str, str]:
    known = {} if mapping.report is None else mapping.report.category.known
    return {category: code for category, code in _backwards(known).items() if category in policy.categories}


def _areas(pack: Pack, gazetteer: GazetteerFile, police: SourceMapping) -> Iterator[Area]:
    stations = _stations(police)
    for code, title in pack.district.areas.items():
        communities = pack.grids.areas.get(code, {})
        grids = [community + number for community, numbers in communities.items() for number in numbers]
        seat = next((e for e in gazetteer.places if e.area == code and e.lat is not None), None)
        if seat is None or seat.lat is None or seat.lon is None or not grids:
            continue  # nothing is known of where it is
        yield Area(
            code=code,
            title=title,
            station=stations.get(code, ""),
            lat=seat.lat,
            lon=seat.lon,
            spread_m=SPREAD_M,
            weight=float(len(grids)),
            grids=grids,
        )


def _stations(police: SourceMapping) -> Mapping[str, str]:
    rules = () if police.report is None else police.report.area
    return next((_backwards(rule.table) for rule in rules if isinstance(rule, ColumnArea)), {})


def _backwards(known: Mapping[K, V]) -> dict[V, K]:
    """What stands for each value: the first of several."""
    found: dict[V, K] = {}
    for key, value in known.items():
        found.setdefault(value, key)
    return found
