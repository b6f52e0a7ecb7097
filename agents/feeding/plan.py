"""What is sent of a file, in which order: reports and closings together, or feedback, by time. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.mapping import CLOSED, FEEDBACK
from streams.intake.source import Glimpse, Source


@dataclass(frozen=True, slots=True)
class Item:
    """One record to be sent. `key` is the source's own id, where the line tells one."""

    time: int
    part: str
    key: bytes | None
    line: bytes
    urgent: bool
    number: int = 0
    """Of the file's records, from 0."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is sent of a file, by time; of one time in the file's order, a report before its closing."""

    items: Sequence[Item]
    reports: int
    closings: int
    feedback: int = 0


def plan(source: Source, lines: Sequence[bytes], floor: int = 0) -> Plan:
    """Put a file in order.

    A line that cannot be read keeps its place: it takes the time of the line before it (of the first that can be read
    where none is before it, and `floor` where none can be), and becomes one dead letter there, without a closing.
    """
    seen = [source.glimpse(line) for line in lines]
    last = _last_sightings(seen) if source.mapping.closings == "last-sighting" else frozenset()
    time = next((one.time for one in seen if one.time is not None), floor)
    items: list[Item] = []
    part = source.default_part
    for number, (line, one) in enumerate(zip(lines, seen, strict=True)):
        time = one.time if one.time is not None else time
        key = one.id.encode() if one.id is not None else None
        items.append(Item(time, part, key, line, one.urgent, number))
        if one.closes or number in last:
            closed_at = one.closed_at if one.closed_at is not None else time
            items.append(Item(closed_at, CLOSED, key, line, one.urgent, number))
    items.sort(key=lambda item: item.time)
    if part == FEEDBACK:
        return Plan(items, 0, 0, len(lines))
    return Plan(items, len(lines), len(items) - len(lines))


def _last_sightings(seen: Sequence[Glimpse]) -> frozenset[int]:
    last: dict[str, tuple[int, int]] = {}
    for number, one in enumerate(seen):
        if one.usable and one.id is not None and one.time is not None:
            last[one.id] = max(last.get(one.id, (one.time, number)), (one.time, number))
    return frozenset(number for _, number in last.values())
