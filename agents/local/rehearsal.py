"""Reports made up for rehearsals (演练): with planted repeats, urges and merges, each with a label that says so.

No real person, number or place of an event. The labels are the truth to measure against, never input: the mapping
`rehearsal` ignores them. The same seed gives the same rows for ever. A row that opens a ticket is alike to no other in
reporter or object, so that what the desk finds is what was planted, exactly, when the rows are read in time order.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Final

from schemas.codes import Fate

ZONE: Final = timezone(timedelta(hours=8))
BEGIN: Final = datetime(2024, 3, 1, tzinfo=UTC)
SPAN_S: Final = 30 * 86400
SOUTH_WEST: Final = (31.95, 118.50)
NORTH_EAST: Final = (32.15, 118.75)

WORDS: Final = {
    "manhole-cover": "井盖破损",
    "street-lamp": "路灯不亮",
    "exposed-garbage": "垃圾暴露",
    "construction-waste": "渣土堆放",
    "illegal-parking": "车辆乱停",
    "abandoned-vehicle": "僵尸车占位",
    "noise": "夜间噪声",
    "street-vendor": "占道经营",
    "water-leak": "水管漏水",
    "dispute": "邻里纠纷",
}
SURNAMES: Final = "赵钱孙李周吴郑王冯陈"

_URGED, _MERGED, _REPEATED = 0.05, 0.11, 0.13
"""Shares of urges, of urges and merges, of all that is planted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the file. `label`: the report's fate; `label_of`: the id of the report that it joins or repeats."""

    id: str
    time: str
    category: str
    lat: str
    lon: str
    reporter_name: str
    reporter_phone: str
    object: str
    text: str
    closed_at: str
    label: str = Fate.TICKETED.value
    label_of: str = ""


def rehearse(seed: int, reports: int) -> list[Row]:
    """As many rows as `reports`, repeats included, in time order."""
    random = Random(seed)  # noqa: S311 - a rehearsal, which must come out the same again
    rows: list[Row] = []
    while len(rows) < reports:
        lead = _lead(random, len(rows))
        rows += [lead, *_planted(random, lead, len(rows) + 1)]
    # Sorted by instant; a repeat stands after what it repeats, since sorting keeps their order.
    return sorted(rows[:reports], key=lambda row: row.time)


def write(path: Path, rows: Sequence[Row]) -> None:
    """As the CSV that the mapping `rehearsal` reads."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def _lead(random: Random, number: int) -> Row:
    began = random.randrange(SPAN_S)
    lasted = int(random.lognormvariate(11, 1.5)) + 600
    category = random.choice(list(WORDS))
    return Row(
        id=_id(number),
        time=_text(began),
        category=category,
        lat=f"{random.uniform(SOUTH_WEST[0], NORTH_EAST[0]):.6f}",
        lon=f"{random.uniform(SOUTH_WEST[1], NORTH_EAST[1]):.6f}",
        reporter_name=_name(random),
        reporter_phone=_phone(number),
        object=f"{category}-{number:07d}" if random.random() < 0.5 else "",
        text=WORDS[category],
        closed_at=_text(began + lasted) if random.random() < 0.8 else "",
    )


def _planted(random: Random, lead: Row, number: int) -> Iterator[Row]:
    """At most one row that the lead's ticket takes in while it is open."""
    drawn = random.random()
    if drawn >= _REPEATED:
        return
    later = _while_open(random, lead)
    joined = replace(lead, id=_id(number), time=later, closed_at="", label_of=lead.id)
    if drawn < _URGED:
        yield replace(joined, label=Fate.URGED.value, text=f"{lead.text}, 至今未处理", object="")
    elif drawn < _MERGED and lead.object:
        closed = {"reporter_name": _name(random), "reporter_phone": _phone(number), "closed_at": lead.closed_at}
        yield replace(joined, label=Fate.MERGED.value, **closed)
    else:
        yield replace(lead, closed_at="", label=Fate.REPEAT.value, label_of=lead.id)


def _while_open(random: Random, lead: Row) -> str:
    begin = datetime.fromisoformat(lead.time)
    end = datetime.fromisoformat(lead.closed_at) if lead.closed_at else begin + timedelta(days=3)
    return (begin + timedelta(seconds=random.randrange(1, int((end - begin).total_seconds())))).isoformat()


def _id(number: int) -> str:
    return f"rh-{number:07d}"


def _text(second: int) -> str:
    return (BEGIN + timedelta(seconds=second)).astimezone(ZONE).isoformat()


def _name(random: Random) -> str:
    return random.choice(SURNAMES) + "演练"


def _phone(number: int) -> str:
    # No subscriber's number begins so.
    return f"100{number:08d}"
