"""What would come out of a file: each record through intake's own code, counted, and nothing sent. No I/O."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from agents.feeding.plan import Item, plan
from agents.feeding.reading import Lines
from schemas.codec import encode
from schemas.commands import Feedback, Origin, Report
from schemas.intake import IntakeHeaders
from schemas.mapping import SourceMapping
from streams.intake.rejected import Rejected
from streams.intake.sources import Sources

HISTORY: Final = "history"
LINES_TOLD: Final = 20
"""Of one reason: the first lines that are named."""


@dataclass(slots=True)
class DryRun:
    """What came out. A dead letter is told by its reason, the line of the file, and what is wrong there."""

    records: int
    commands: Counter[str] = field(default_factory=Counter)
    """By what they are: `report`, `closed`, `feedback`."""
    dead: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    flags: Counter[str] = field(default_factory=Counter)
    """Of reports."""
    areas: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    urgencies: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    """Of feedback that is no closing by the source itself."""
    ids_again: int = 0
    """Reports whose id an earlier one of the file has: each is a repeat or an amendment."""
    first: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    """The first commands as they would stand on `desk`, each with the line it is made from."""

    def document(self) -> dict[str, Any]:
        """All of it as one JSON document."""
        return {
            "records": self.records,
            "commands": dict(self.commands),
            "ids_again": self.ids_again,
            "dead_letters": {
                reason: {"count": len(lines), "first": [{"line": n, "hint": hint} for n, hint in lines[:LINES_TOLD]]}
                for reason, lines in sorted(self.dead.items())
            },
            **{name: dict(counts.most_common()) for name, counts in self.counts().items()},
            "first": [{"line": number, "command": command} for number, command in self.first],
        }

    def counts(self) -> Mapping[str, Counter[str]]:
        """What is counted of the commands."""
        return {
            "flags": self.flags,
            "areas": self.areas,
            "categories": self.categories,
            "urgencies": self.urgencies,
            "kinds": self.kinds,
            "actions": self.actions,
        }


def dry_run(mapping: SourceMapping, sources: Sources, lines: Lines, show: int = 10) -> DryRun:
    """Read a whole file as intake would; `show` is how many of the commands are kept whole."""
    made = DryRun(records=len(lines.lines))
    seen: set[str] = set()
    for item in plan(sources.by_name[mapping.name], lines.lines).items:
        number = lines.numbers[item.number]
        command = _command(mapping, sources, item)
        if isinstance(command, Rejected):
            made.dead.setdefault(command.reason.value, []).append((number, command.hint))
            continue
        made.commands[item.part] += 1
        _count(made, command, item.part, seen)
        if len(made.first) < show:
            made.first.append((number, orjson.loads(encode(command))))
    return made


def _command(mapping: SourceMapping, sources: Sources, item: Item) -> Report | Feedback | Rejected:
    topic = HISTORY if mapping.past else mapping.topic
    headers = IntakeHeaders(
        source=mapping.name,
        version=mapping.versions[0],
        part=item.part,
        time=item.time if topic == HISTORY else None,
    )
    origin = Origin(topic=f"intake.{topic}", partition=0, offset=item.number)
    return sources.read(headers, item.line, topic=topic, origin=origin)


def _count(made: DryRun, command: Report | Feedback, part: str, seen: set[str]) -> None:
    if isinstance(command, Feedback):
        if part == "feedback":
            made.actions[command.action.value] += 1
            made.areas[command.area] += 1
        return
    made.flags.update(flag.value for flag in command.flags)
    made.areas[command.area] += 1
    made.categories[command.category] += 1
    made.urgencies[command.urgency.value if command.urgency is not None else "-"] += 1
    if command.kind is not None:
        made.kinds[command.kind] += 1
    made.ids_again += command.source_id in seen
    seen.add(command.source_id)
