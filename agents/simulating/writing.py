"""A matter as the bytes its source sends, and a handler's step as its platform's. Pure.

The shapes are those of the mappings in deploy/sources; which of the source's own codes stands for a category is
read from the mapping backwards.
"""

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import orjson

from agents.simulating.course import Step
from agents.simulating.matters import Matter
from agents.simulating.rhythm import local
from schemas.codes import Urgency

POLICE, GRID, CITIZEN, HOTLINE = "police110", "gridapp", "citizenapp", "hotline12345"
LEVELS: Final[Mapping[Urgency, str]] = {Urgency.CRITICAL: "1", Urgency.URGENT: "2", Urgency.ROUTINE: "4"}
WORDS: Final[Mapping[Urgency, str]] = {Urgency.CRITICAL: "特急", Urgency.URGENT: "紧急", Urgency.ROUTINE: "一般"}


def line_of(matter: Matter, code: str, title: str, urgency: Urgency) -> bytes:
    """The source's own record. `code`: its own for the category; `urgency`: as it sees it."""
    text = matter.text or f"{matter.address}附近{title}, 请处理"
    if matter.source == POLICE:
        return orjson.dumps(_police(matter, code, text, urgency))
    if matter.source == GRID:
        return orjson.dumps(_grid(matter, code, text))
    if matter.source == CITIZEN:
        return orjson.dumps(_citizen(matter, code, text))
    return _hotline(matter, code, text, urgency)


def feedback_of(matter: Matter, area: str, word: str, step: Step) -> bytes:
    """What the unit's platform sends. `word`: its own for the action."""
    said = {
        "source": matter.source,
        "source_id": matter.source_id,
        "area": area,
        "action": word,
        "to_unit": step.unit,
        "seconds": step.seconds,
        "condition": step.condition,
        "score": step.score,
        "evidence": "",
        "note": step.note,
        "at": local(step.occurred_at).isoformat(timespec="seconds"),
    }
    return orjson.dumps({name: value for name, value in said.items() if value is not None})


def _police(matter: Matter, code: str, text: str, urgency: Urgency) -> dict[str, str]:
    at = _plain(matter.time)
    lon, lat = (str(matter.lon), str(matter.lat)) if matter.located else ("", "")
    return {
        "JJDBH": matter.source_id,
        "GLJJDBH": matter.related,
        "BJFSBH": "1",
        "BJSJ": at,
        "JJSJ": at,
        "BJDH": matter.phone,
        "BJRXM": matter.person,
        "SFDZ": matter.address,
        "BJNR": f"{matter.person}报警: {text}",
        "GXDWBH": matter.area.station,
        "BJLB": f"{code[:2]}0000",
        "BJLX": f"{code[:4]}00",
        "BJXL": code if code[4:] != "00" else "",
        "JQJB": LEVELS[urgency],
        "ZDDWXZB": lon,
        "ZDDWYZB": lat,
        "SDDWXZB": "",
        "SDDWYZB": "",
    }


def _grid(matter: Matter, code: str, text: str) -> dict[str, object]:
    return {
        "id": matter.source_id,
        "reported_at": local(matter.time).isoformat(timespec="seconds"),
        "officer_id": f"wg{matter.grid}",
        "officer_name": matter.person,
        "officer_phone": matter.phone,
        "grid_code": matter.grid,
        "category_code": code,
        "description": text,
        "location": {"lat": matter.lat, "lon": matter.lon},
        "address": matter.address,
        "component_id": matter.object,
        "self_handled": matter.self_handled,
        "photos": "",
    }


def _citizen(matter: Matter, code: str, text: str) -> dict[str, object]:
    place = {"lat": matter.lat, "lon": matter.lon} if matter.located else {"lat": None, "lon": None}
    return {
        "id": matter.source_id,
        "created_at": matter.time,
        "user_id": f"u{matter.phone}",
        "phone": matter.phone,
        "nickname": matter.person,
        "type": code,
        "content": text,
        "address": matter.address,
        "location": place,
    }


def _hotline(matter: Matter, code: str, text: str, urgency: Urgency) -> bytes:
    at = _plain(matter.time)
    row = (
        matter.source_id, at, matter.person, matter.phone, matter.kind, WORDS[urgency], at, matter.address,
        text, "市民来电反映, 转请办理", code, matter.area.title,
    )  # fmt: skip
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(row)
    return line.getvalue().encode()


def _plain(time: int) -> str:
    at: datetime = local(time)
    return at.strftime("%Y-%m-%d %H:%M:%S")
