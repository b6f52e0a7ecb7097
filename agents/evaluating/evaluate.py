"""An evaluation from file to figures."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from agents.errors import UserError
from agents.evaluating.figures import Figures, Sweep
from agents.evaluating.labels import Labels, read_labels
from agents.evaluating.playing import Step, play, unhurried, widened
from agents.evaluating.scoring import Scoring
from agents.evaluating.sweeping import RADII, WINDOWS, Sweeping
from agents.feeding.plan import Item, plan
from agents.feeding.progress import Bar
from agents.feeding.reading import read_file
from agents.packs import examine, load_mapping
from agents.places import load_intake
from schemas.codes import Clock
from schemas.mapping import SourceMapping
from schemas.policy import Policy
from streams.intake.reports import OTHER
from streams.intake.sources import Sources

_EVERY: Final = 1000
"""Records between two looks at the bar."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to evaluate: a source by name or by its mapping's path, a file, and the columns with the labels."""

    source: str
    file: Path
    parent: str
    mark: str | None
    district: str
    categories: tuple[str, ...] = ()
    """The only ones that other radii and windows are tried for; none: all."""


@dataclass(frozen=True, slots=True)
class _Ready:
    sources: Sources
    source: str
    policy: Policy
    items: tuple[Item, ...]
    labels: Labels
    categories: frozenset[str]


def evaluate(asked: Asked, *, sweep: bool, bar: Bar) -> tuple[Figures, Sweep | None]:
    """The figures of a file; with `sweep` also what other radii and windows would give."""
    ready = _prepared(asked, bar)
    scoring = Scoring(ready.labels, ready.policy)
    _run(ready, ready.policy, scoring.take, bar, "measuring the rules as they are")
    figures = scoring.figures(ready.source)
    if not sweep:
        return figures, None
    sweeping = Sweeping(ready.labels, ready.categories)
    wide = widened(ready.policy, ready.categories, RADII[-1], WINDOWS[-1])
    _run(ready, wide, sweeping.take, bar, "trying radius and window")
    return figures, sweeping.tried(figures.read.days)


def _prepared(asked: Asked, bar: Bar) -> _Ready:
    examined = examine(asked.district)
    mappings = dict(examined.sources)
    mapping = _mapping(asked.source, mappings)
    mappings[mapping.name] = mapping
    policy = unhurried(replace(examined, sources=mappings).policy(Clock.LOG))
    # Persons are matched within this run alone: nobody needs to know them by the same hash again.
    sources = load_intake(asked.district, secrets.token_bytes(32), mappings=mappings.values())
    source = sources.by_name[mapping.name]
    bar.say(f"reading {asked.file}")
    items = tuple(plan(source, read_file(asked.file, mapping).lines).items)
    labels = read_labels(source, items, asked.parent, asked.mark)
    if not labels.parents:
        msg = f"no row of {asked.file} names in column {asked.parent!r} another row of the file: nothing to measure by"
        raise UserError(msg)
    return _Ready(sources, mapping.name, policy, items, labels, _categories(mapping, asked.categories))


def _categories(mapping: SourceMapping, chosen: tuple[str, ...]) -> frozenset[str]:
    report = mapping.report
    known = frozenset((OTHER, *(() if report is None else report.category.known.values())))
    unknown = [name for name in chosen if name not in known]
    if unknown:
        msg = f"source {mapping.name} has no category {unknown[0]!r}: it has {', '.join(sorted(known))}"
        raise UserError(msg)
    return frozenset(chosen) or known


def _mapping(source: str, mappings: dict[str, SourceMapping]) -> SourceMapping:
    if source.endswith((".yaml", ".yml")):
        return load_mapping(Path(source))
    if source not in mappings:
        msg = f"no source is called {source!r}: take one of {', '.join(sorted(mappings))}, or the path of a mapping"
        raise UserError(msg)
    return mappings[source]


def _run(ready: _Ready, policy: Policy, take: Callable[[Step | None], None], bar: Bar, what: str) -> None:
    for step in _shown(play(ready.sources, ready.source, ready.items, policy), len(ready.items), bar, what):
        take(step)


def _shown(steps: Iterable[Step | None], total: int, bar: Bar, what: str) -> Iterator[Step | None]:
    bar.begin(what, total)
    for number, step in enumerate(steps):
        if number % _EVERY == 0:
            bar.reach(number)
        yield step
    bar.reach(total)
