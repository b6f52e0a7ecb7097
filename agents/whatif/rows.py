"""The figures of both, line by line: the terminal and the page show the same ones."""

from collections.abc import Iterator
from typing import NamedTuple

from agents.reporting import words
from agents.whatif.figures import Figures, Pair, Part
from agents.whatif.translating import Way
from schemas.codes import Fate, Stage, Step

FATES = {
    Fate.TICKETED: "tickets of their own 立案",
    Fate.MERGED: "reports merged 并案",
    Fate.URGED: "reports that urge 催办",
    Fate.AMENDED: "amended 补充",
    Fate.REPEAT: "delivered again",
}
STEPS = {
    Step.WARNED: "warned 预警",
    Step.PASSED: "overdue 超时",
    Step.YELLOW: "yellow cards 黄牌",
    Step.RED: "red cards 红牌",
    Step.ESCALATED: "escalated 升级",
}
WAYS = {
    Way.FOLLOWED: "followed to the ticket that its report has there",
    Way.REPORT: "counted for the report alone, which joined another ticket there",
    Way.LOST: "could not be applied: no such ticket there",
    Way.SPOKEN: "taken as said by the unit that has the ticket there",
}


class Row(NamedTuple):
    """What it is, under the log's rules, under the others, and by how much it differs."""

    name: str
    ours: str
    theirs: str
    change: str


def figures(pair: Pair) -> Iterator[Row]:
    """Tickets, and what was kept."""
    ours, theirs = pair.ours, pair.theirs
    for fate, name in FATES.items():
        if ours.fates[fate] or theirs.fates[fate]:
            yield _counted(name, ours.fates[fate], theirs.fates[fate])
    for name in ("tickets", "closed", "open", "overdue"):
        yield _counted(_NAMES[name], getattr(ours, name), getattr(theirs, name))
    if ours.candidates or theirs.candidates:
        yield _counted("candidates 疑似重复", ours.candidates, theirs.candidates)
    yield _rated("on time 按时结案率", ours.on_time_rate, theirs.on_time_rate)
    for name in stages(pair):
        yield _rated(f"on time: {name}", ours.rate(name), theirs.rate(name))
    for step, name in STEPS.items():
        yield _counted(name, ours.steps[step], theirs.steps[step])


def stages(pair: Pair) -> list[str]:
    """Stages whose limits ended, in their order, then conditions."""
    known = {**pair.ours.ended, **pair.theirs.ended}
    order = [stage.value for stage in Stage]
    return sorted(known, key=lambda name: (order.index(name) if name in order else len(order), name))


def units(pair: Pair, most: int) -> Iterator[Row]:
    """Load by unit: those whose load differs most, then the largest."""
    ours, theirs = pair.ours.units, pair.theirs.units
    names = sorted({**ours, **theirs}, key=lambda name: (-abs(theirs[name] - ours[name]), -ours[name], name))
    return (_counted(name, ours[name], theirs[name]) for name in names[:most])


def feedback(part: Part) -> Iterator[tuple[str, int]]:
    """How what handlers said came to the other rules, and what became of it otherwise."""
    for way, name in WAYS.items():
        if part.ways[way]:
            yield name, part.ways[way]
    for (ours, theirs), count in sorted(part.outcomes.items(), key=lambda one: (-one[1], one[0])):
        if ours != theirs:
            yield f"{ours} in the log, {theirs} under the other rules", count


def moved(figures: Figures, other: Figures) -> bool:
    """Whether the load of any unit differs."""
    return figures.units != other.units


_NAMES = {"tickets": "tickets that count", "closed": "closed 结案", "open": "open", "overdue": "overdue and open"}


def _counted(name: str, ours: int, theirs: int) -> Row:
    change = "" if ours == theirs else f"{theirs - ours:+,}"
    return Row(name, words.count(ours), words.count(theirs), change)


def _rated(name: str, ours: float | None, theirs: float | None) -> Row:
    differs = ours is not None and theirs is not None and ours != theirs
    change = f"{100 * ((theirs or 0) - (ours or 0)):+.1f} points" if differs else ""
    return Row(name, words.rate(ours), words.rate(theirs), change)
