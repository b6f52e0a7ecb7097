"""A file run through the real intake and desk, in memory and by its own time: no broker, no ClickHouse."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from agents.feeding.plan import Item
from schemas.commands import Command, Feedback, Origin, PolicyPublished, Report, Tick
from schemas.intake import IntakeHeaders
from schemas.policy import Category, Policy
from streams.desk.decide import decide
from streams.desk.draft import Draft
from streams.desk.facts import Decision, Entry
from streams.desk.memory import DeskMemory
from streams.intake.rejected import Rejected
from streams.intake.sources import Sources

HOUR_MS: Final = 3_600_000
_BATCH: Final = 500


class Step(NamedTuple):
    """One record, and what the desk decided on it. `draft` is the desk as it is right after."""

    command: Report | Feedback
    decision: Decision
    draft: Draft


def unhurried(policy: Policy) -> Policy:
    """The policy without time limits: what belongs together does not depend on them, and they are most of the work."""
    return replace(policy, limits=(), conditions={}, ladder=())


def widened(policy: Policy, categories: Iterable[str], metres: int, seconds: int) -> Policy:
    """The policy with one radius and window for all these categories, and nothing proposed: others will look."""
    rules: Mapping[str, Category] = {name: policy.categories.get(name, Category()) for name in categories}
    wide = {name: replace(rule, near_m=metres, near_s=seconds) for name, rule in rules.items()}
    return replace(policy, categories=wide, duplicates=replace(policy.duplicates, most=0))


def play(sources: Sources, source: str, items: Iterable[Item], policy: Policy) -> Iterator[Step | None]:
    """What the desk decides on each record, in order; `None` for one that intake cannot use."""
    log = _Log()
    log.add(PolicyPublished(policy=policy))
    version = sources.by_name[source].mapping.versions[0]
    hour = 0
    for number, item in enumerate(items):
        headers = IntakeHeaders(source=source, version=version, part=item.part, time=item.time)
        origin = Origin(topic="history", partition=0, offset=number)
        command = sources.read(headers, item.line, topic="history", origin=origin)
        if isinstance(command, Rejected):
            yield None
            continue
        if item.time // HOUR_MS > hour:  # as intake tells it: what was closed long ago leaves
            hour = item.time // HOUR_MS
            log.add(Tick(time=hour * HOUR_MS))
        yield Step(command, log.add(command), log.draft)


class _Log:
    """One partition's log, of which nothing is kept but what the desk remembers."""

    def __init__(self) -> None:
        self._memory = DeskMemory()
        self._offset = 0
        self.draft = Draft(self._memory)

    def add(self, command: Command) -> Decision:
        if self._offset % _BATCH == _BATCH - 1:
            self.draft.take()
            self.draft = Draft(self._memory)
        entry = Entry("desk", 0, self._offset, 0, b"")
        self._offset += 1
        return decide(self.draft, entry, command)
