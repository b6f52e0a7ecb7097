"""What happens in the district: matters, made up, with the reports that are planted around each. Pure.

No real person, number or place of an event. A matter's reporter and object are its own, so that what the desk must
find (D0 to D2) is what was planted, exactly. What is only near (D3) or linked (D4) is planted too: a matter of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from agents.simulating.rhythm import local
from schemas.codes import Fate

GRID_APP: Final = "gridapp"
METRE: Final = 1 / 111_320
"""Degrees of latitude."""
SURNAMES: Final = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张"
GIVEN: Final = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"
ROADS: Final = ("文德路", "浦珠路", "雨山路", "凤凰大街", "仁山路", "公园北路", "步月路", "团结路", "行知路", "双峰路")

URGED, MERGED, REPEATED, AMENDED, NEAR, LINKED = 0.07, 0.06, 0.025, 0.015, 0.06, 0.05
"""Shares of matters that have one such report."""
SELF_HANDLED: Final = 0.17
WITH_OBJECT: Final = 0.45
WITHOUT_COORDINATES: Final = 0.25

# How often a category is reported beside another, and in which months more.
WEIGHTS: Final[Mapping[str, float]] = {
    "traffic-accident": 6, "dispute": 5, "public-assist": 4, "illegal-parking": 7, "exposed-garbage": 8, "noise": 5,
    "street-vendor": 5, "street-lamp": 3, "construction-waste": 3, "fire": 0.15, "gas-leak": 0.1, "medical": 0.3,
    "public-danger": 0.1, "hazardous-material": 0.02, "traffic-accident-major": 0.05, "rescue": 0.1,
    "snow-not-cleared": 0.02, "manhole-cover": 1.5, "water-leak": 1, "general": 2, "other": 0.3,
}  # fmt: skip
SEASONS: Final[Mapping[str, tuple[int, ...]]] = {
    "noise": (6, 7, 8, 9), "tree-down": (6, 7, 8), "water-leak": (1, 7), "snow-not-cleared": (1, 12), "fire": (1, 2),
}  # fmt: skip
SEASON: Final = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A street: its code and title, roughly where it is, its grids, how much of the district's work is its own."""

    code: str
    title: str
    station: str
    """Of the police, by its code in their own records; empty where there is none."""
    lat: float
    lon: float
    spread_m: int
    weight: float
    grids: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """One report as its source will write it."""

    number: int
    """Of the matter; also in its ids."""
    source: str
    source_id: str
    time: int
    category: str
    area: Area
    grid: str
    lat: float
    lon: float
    located: bool
    """Whether the source knows the coordinates."""
    address: str
    person: str
    phone: str
    object: str
    text: str
    kind: str
    self_handled: bool = False
    related: str = ""


def matter(random: Random, number: int, time: int, source: str, areas: Sequence[Area], codes: Sequence[str]) -> Matter:
    """A new matter, alike to no other in reporter and object."""
    area = random.choices(areas, [area.weight for area in areas])[0]
    category = random.choices(codes, [_weight(code, time) for code in codes])[0]
    lat, lon = _near(random, area.lat, area.lon, area.spread_m)
    road = random.choice(ROADS)
    grid_app = source == GRID_APP
    return Matter(
        number=number,
        source=source,
        source_id=id_of(source, number),
        time=time,
        category=category,
        area=area,
        grid=random.choice(area.grids),
        lat=lat,
        lon=lon,
        located=grid_app or random.random() >= WITHOUT_COORDINATES,
        address=f"{area.title}{road}{random.randrange(1, 300)}号",
        person=_name(random),
        phone=phone_of(number),
        object=f"B{number:09d}" if grid_app and random.random() < WITH_OBJECT else "",
        text="",
        kind=random.choices(("咨询", "求助", "投诉", "举报", "建议"), (20, 35, 30, 10, 5))[0],
        self_handled=grid_app and random.random() < SELF_HANDLED,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A report that belongs to a matter, when it is sent, and the fate that must be its own."""

    fate: Fate
    sent_at: int
    report: Matter


def joining(random: Random, lead: Matter, number: int, spans: Sequence[tuple[int, int]]) -> Planted | None:
    """A report that the lead's ticket takes in, for some leads. `spans`: when the ticket is open."""
    drawn = random.random()
    begin, end = spans[random.randrange(len(spans))]
    if end - begin < 10_000:
        return None
    # Soon rather than late, and never at the edges.
    time = begin + 2_000 + int((end - begin - 4_000) * random.random() ** 2)
    if drawn < URGED + MERGED:
        other = replace(lead, source_id=id_of(lead.source, number), time=time, self_handled=False)
        return _urging(other) if drawn < URGED else _witness(random, other, number)
    if drawn > 1 - REPEATED:
        return Planted(fate=Fate.REPEAT, sent_at=lead.time + random.randrange(1_000, 600_000), report=lead)
    if drawn > 1 - REPEATED - AMENDED:
        sent_at = lead.time + random.randrange(1_000, 3_600_000)
        return Planted(fate=Fate.AMENDED, sent_at=sent_at, report=replace(lead, text="补充: 位置已标注"))
    return None


def _urging(again: Matter) -> Planted | None:
    """The same person asks what became of it; an officer on patrol does not."""
    if again.source == GRID_APP:
        return None
    return Planted(fate=Fate.URGED, sent_at=again.time, report=replace(again, text="此前已反映, 至今未处理"))


def _witness(random: Random, again: Matter, number: int) -> Planted | None:
    """Somebody else reports the same object, where it is known by its number."""
    if not again.object:
        return None
    other = replace(again, person=_name(random), phone=phone_of(number))
    return Planted(fate=Fate.MERGED, sent_at=again.time, report=other)


def beside(random: Random, lead: Matter, number: int) -> Matter | None:
    """A matter of its own that is near the lead: another witness of the same thing, or a second alarm about it."""
    drawn = random.random()
    own = {"number": number, "person": _name(random), "phone": phone_of(number), "object": "", "self_handled": False}
    if lead.source == "police110" and lead.located and drawn < LINKED:
        lat, lon = _near(random, lead.lat, lead.lon, 120)
        time = lead.time + random.randrange(10_000, 240_000)
        related = lead.source_id if random.random() < 0.3 else ""
        return _copied(lead, own, source_id=id_of(lead.source, number), time=time, lat=lat, lon=lon, related=related)
    if lead.source != "police110" and lead.located and drawn < NEAR:
        lat, lon = _near(random, lead.lat, lead.lon, 30)
        time = lead.time + random.randrange(600_000, 48 * 3_600_000)
        return _copied(lead, own, source_id=id_of(lead.source, number), time=time, lat=lat, lon=lon, related="")
    return None


def _copied(lead: Matter, own: Mapping[str, object], **changed: object) -> Matter:
    return replace(lead, **own, **changed)  # type: ignore[arg-type]  # fields of Matter, each from one place above


def phone_of(number: int) -> str:
    """A phone number that nobody has: no subscriber's begins so."""
    return f"100{number:08d}"


def id_of(source: str, number: int) -> str:
    """The source's own id of a report."""
    return f"{source[:2]}{number:09d}"


def _weight(code: str, time: int) -> float:
    own = WEIGHTS.get(code, 1.0)
    return own * SEASON if local(time).month in SEASONS.get(code, ()) else own


def _near(random: Random, lat: float, lon: float, spread_m: int) -> tuple[float, float]:
    reach = spread_m * METRE
    return round(lat + random.uniform(-reach, reach), 6), round(lon + random.uniform(-reach, reach), 6)


def _name(random: Random) -> str:
    return random.choice(SURNAMES) + "".join(random.choices(GIVEN, k=random.choice((1, 2, 2))))
