"""A story as one JSON document, and as lines that an officer reads."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, tzinfo
from itertools import groupby
from typing import Any, Final

from agents.explaining import words
from agents.explaining.story import Change, Chapter
from schemas.codes import LimitClock
from schemas.envelope import rfc3339
from streams.desk.reasons import Reason
from streams.desk.working_time import Day

_TIMES: Final = frozenset({"spent", "took", "granted", "paused"})
_NAMES: Final = {
    "kept": "limit kept",
    "on_time": "on time",
    "source_id": "source's id",
    "resume_at": "resumes at the latest",
    "inferred": "passed with it, unreported",
    "recurrence_of": "has come back 回潮, of",
    "with_master": "with its master",
}


def document(ticket: str, chapters: Sequence[Chapter]) -> dict[str, Any]:
    """Its field names are an interface, programs read them. Times RFC 3339, lengths in milliseconds."""
    return {"ticket": ticket, "events": [_chapter(one) for one in chapters]}


def _chapter(one: Chapter) -> dict[str, Any]:
    return {
        "sequence": one.sequence,
        "time": rfc3339(one.time),
        "type": one.type,
        "policy": one.policy,
        "says": one.says,
        "limits": [{"what": change.what, "limit": change.limit, "why": _why(change.reason)} for change in one.changes],
        "step_of": _why(one.step),
    }


def _why(reason: Reason | None) -> dict[str, Any] | None:
    if reason is None:
        return None
    said = asdict(reason)
    for name in ("started_at", "due_at"):
        said[name] = rfc3339(said[name])
    said["days"] = [_day(day) for day in reason.days]
    return said


def _day(day: Day) -> dict[str, Any]:
    periods = [[rfc3339(start), rfc3339(end)] for start, end in day.periods]
    return {"date": day.date, "kind": day.kind, "announced": day.announced, "periods": periods}


def lines(chapter: Chapter, zone: tzinfo | None) -> Iterator[str]:
    """What one event says, and what it did to the limits."""
    said = "; ".join(_said(name, value, zone) for name, value in chapter.says.items() if name != "card")
    if said:
        yield said
    for change in chapter.changes:
        yield from _changed(change, zone)
    if chapter.step is not None:
        yield f"of the limit {words.limit(chapter.step.limit)}: due {clock(chapter.step.due_at, zone)}"


def heading(chapter: Chapter, zone: tzinfo | None) -> str:
    """Number, moment, event."""
    return f"{chapter.sequence or '-':>3}  {clock(chapter.time, zone)}  {title(chapter)}"


def title(chapter: Chapter) -> str:
    """The event in a few words."""
    card = chapter.says.get("card")
    return words.event(chapter.type) if card is None else words.CARDS[card]


def clock(at: int, zone: tzinfo | None) -> str:
    """A moment, by the clock on the wall."""
    return f"{datetime.fromtimestamp(at / 1000, zone or UTC):%Y-%m-%d %H:%M:%S}"


def _said(name: str, value: Any, zone: tzinfo | None) -> str:
    if name in _TIMES or (name == "limit" and isinstance(value, int)):
        value = words.length(value)
    elif name == "resume_at":
        value = clock(value, zone)
    elif isinstance(value, bool):
        value = "yes" if value else "no"
    elif isinstance(value, tuple):
        value = ", ".join(map(str, value))
    return f"{_NAMES.get(name, name)}: {value}"


def _changed(change: Change, zone: tzinfo | None) -> Iterator[str]:
    name = words.limit(change.limit)
    why = change.reason
    if why is None:
        yield f"limit {name} {change.what}"
        return
    yield f"limit {name} {change.what}: due {clock(why.due_at, zone)}{_doubts(why)}"
    yield f"  {_rule(why)}"
    if why.granted:
        yield f"  of it granted 延时: {words.length(why.granted)}"
    yield f"  from {clock(why.started_at, zone)}: {words.length(why.length)} of {words.CLOCKS[why.clock]}"
    if why.clock is LimitClock.WORKING and not why.halted:
        yield from (f"    {line}" for line in _days(why.days, zone))


def _doubts(why: Reason) -> str:
    doubts = (
        (why.provisional, "provisional: its year's calendar is not announced"),
        (why.halted, "stands still"),
        (not why.is_so, "as it was said; the rules that are known now come to another time"),
    )
    found = ", ".join(text for holds, text in doubts if holds)
    return f" ({found})" if found else ""


def _rule(why: Reason) -> str:
    if why.row is None:
        what = f"condition {why.limit}" if why.written else "not in the table any more"
    else:
        fits = ", ".join(f"{name} {value}" for name, value in why.fits.items()) or "any ticket"
        what = f"row {why.row} of the limits table ({fits})"
    written = f" says {why.written}" if why.written else ""
    return f"{what}{written}; policy {why.policy}"


def _days(days: Sequence[Day], zone: tzinfo | None) -> Iterator[str]:
    """What the days are, how much of each was counted and in which periods; days alike in a row share a line."""
    # By what was counted too: a day that begins half a minute late has the hours of a whole one, and is none.
    told = groupby(days, lambda day: (day.kind, day.announced, _hours(day, zone), _counted(day)))
    for (kind, announced, hours, counted), alike in told:
        same = list(alike)
        when = _when(same[0]) if len(same) == 1 else f"{_when(same[0])} to {_when(same[-1])}"
        what = words.DAYS[kind] + ("" if announced else ", not announced 未公布")
        times = "" if len(same) == 1 else f"{len(same)} × "
        yield f"{when} {what}" + (f": {times}{words.length(counted)} ({hours})" if hours else "")


def _when(day: Day) -> str:
    return f"{day.date} {_WEEKDAYS[date.fromisoformat(day.date).weekday()]}"


def _counted(day: Day) -> int:
    return sum(end - start for start, end in day.periods)


def _hours(day: Day, zone: tzinfo | None) -> str:
    return ", ".join(f"{_hour(start, zone)}–{_hour(end, zone)}" for start, end in day.periods)


def _hour(at: int, zone: tzinfo | None) -> str:
    return f"{datetime.fromtimestamp(at / 1000, zone or UTC):%H:%M}"


_WEEKDAYS: Final = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
