"""A difference between two events, in words; what people said stays out of it."""

from collections.abc import Iterator
from typing import Any, Final

import orjson

from agents.replaying.comparing import Difference, Told

_UNSAID: Final = frozenset({"text", "note", "details", "reporter", "object", "evidence"})
"""Words of people, and what stands for a person: that they differ is said, not how."""
_MOST: Final = 120


def what_differs(one: Difference) -> dict[str, Any]:
    """As a document: which event, where, and field by field."""
    event = one.replayed or one.stands
    said = _headers(event)
    found: dict[str, Any] = {
        "what": _kind(one),
        "type": said.get("ce_type", ""),
        "ticket": said.get("ce_subject", ""),
        "time": said.get("ce_time", ""),
        "id": said.get("ce_id", ""),
        "desk_offset": None if one.replayed is None else one.replayed.at,
        "tickets_offset": None if one.stands is None else one.stands.at,
    }
    if one.replayed is not None and one.stands is not None:
        found["fields"] = list(_fields(one.replayed, one.stands))
    return found


def _kind(one: Difference) -> str:
    if one.stands is None:
        return "missing"
    return "extra" if one.replayed is None else "changed"


def line(partition: int, one: dict[str, Any]) -> str:
    """As one line."""
    name = one["type"].removeprefix("lianqin.").removesuffix(".v1") or "an event that is none"
    where = one["tickets_offset"] if one["desk_offset"] is None else one["desk_offset"]
    topic = "tickets" if one["desk_offset"] is None else "desk"
    about = f" of {one['ticket']}" if one["ticket"] else ""
    said = {
        "missing": "replayed, and not on tickets",
        "extra": "on tickets, and not replayed",
        "changed": "; ".join(one.get("fields", ())),
    }
    return f"{topic}-{partition} at {where}: {name}{about} at {one['time']}: {said[one['what']]}"


def _headers(event: Told | None) -> dict[str, str]:
    return {} if event is None else {name: value.decode(errors="replace") for name, value in event.headers}


def _fields(replayed: Told, stands: Told) -> Iterator[str]:
    if replayed.key != stands.key:
        yield f"key {stands.key!r} → {replayed.key!r}"
    yield from _between(_headers(stands), _headers(replayed))
    before, now = _value(stands), _value(replayed)
    found = list(_between(before, now))
    yield from found
    if not found and replayed.value != stands.value:
        yield "the same fields, other bytes"
    if not found and replayed.headers != stands.headers and _headers(replayed) == _headers(stands):
        yield "the same headers, in another order or twice"


def _between(before: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    for name in {**before, **now}:
        if before.get(name) == now.get(name) and (name in before) == (name in now):
            continue
        yield f"{name} differs" if name in _UNSAID else f"{name} {_short(before.get(name))} → {_short(now.get(name))}"


def _value(event: Told) -> dict[str, Any]:
    try:
        found = orjson.loads(event.value or b"null")
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _short(value: object) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"
