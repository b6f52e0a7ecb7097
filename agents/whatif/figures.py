"""The figures of both desks, of one partition and of all together. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from agents.explaining.story import Chapter
from agents.whatif.counting import Counting, Kept
from agents.whatif.translating import Way
from schemas.codes import Step

MOST_NAMED: Final = 20
"""So many tickets that fare differently are named."""


@dataclass(slots=True)
class Figures:
    """One desk's. Of tickets that count, but for `fates` and `candidates`."""

    tickets: int = 0
    closed: int = 0
    on_time: int = 0
    overdue: int = 0
    """Open, and the overall limit is over."""
    fates: Counter[str] = field(default_factory=Counter)
    candidates: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    """Stage limits and conditions that ended, by name."""
    kept: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    """Tickets by the unit that had them last."""
    days: dict[str, Counter[int]] = field(default_factory=dict)
    """By step, how often on which day since 1970 (UTC)."""

    @property
    def open(self) -> int:
        """Not closed."""
        return self.tickets - self.closed

    @property
    def on_time_rate(self) -> float | None:
        """Closed on time, of what was closed or is overdue."""
        due = self.closed + self.overdue
        return self.on_time / due if due else None

    def rate(self, name: str) -> float | None:
        """The share of a stage's limits, or a condition's, that were kept."""
        return self.kept[name] / self.ended[name] if self.ended[name] else None

    def add(self, other: "Figures") -> None:
        """Those of another partition."""
        for name in ("tickets", "closed", "on_time", "overdue", "candidates"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("fates", "steps", "ended", "kept", "units"):
            getattr(self, name).update(getattr(other, name))
        for step, days in other.days.items():
            self.days.setdefault(step, Counter()).update(days)


@dataclass(slots=True)
class Pair:
    """The log's rules, and the others."""

    ours: Figures = field(default_factory=Figures)
    theirs: Figures = field(default_factory=Figures)

    def add(self, other: "Pair") -> None:
        """Those of another partition."""
        self.ours.add(other.ours)
        self.theirs.add(other.theirs)


@dataclass(frozen=True, slots=True)
class Fared:
    """A ticket that fares differently, and how, in words."""

    ticket: str
    how: str


@dataclass(slots=True)
class Part:
    """What differs, on one partition or on all."""

    records: int = 0
    all: Pair = field(default_factory=Pair)
    both: Pair = field(default_factory=Pair)
    """Of tickets that there are under both rules alone."""
    only_ours: int = 0
    only_theirs: int = 0
    """Tickets that the other rules alone have: nobody ever worked on them in the log."""
    differently: int = 0
    """Of those that both have."""
    named: list[Fared] = field(default_factory=list)
    ways: Counter[Way] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """What became of commands that are no reports, under the one and under the other."""
    stories: tuple[tuple[Chapter, ...], tuple[Chapter, ...]] = ((), ())

    def add(self, other: "Part") -> None:
        """What another partition came to."""
        for name in ("records", "only_ours", "only_theirs", "differently"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.all.add(other.all)
        self.both.add(other.both)
        self.named = [*self.named, *other.named][:MOST_NAMED]
        self.ways.update(other.ways)
        self.outcomes.update(other.outcomes)
        if any(other.stories):
            self.stories = other.stories


def part_of(
    ours: Counting,
    theirs: Counting,
    *,
    records: int,
    ways: Counter[Way],
    outcomes: Counter[tuple[str, str]],
    stories: tuple[tuple[Chapter, ...], tuple[Chapter, ...]],
) -> Part:
    """What one partition came to."""
    mine, other = _counted(ours), _counted(theirs)
    shared = mine.keys() & other.keys()
    differing = {name: how for name in mine if name in shared and (how := _how(mine[name], other[name]))}
    return Part(
        records=records,
        all=Pair(_figures(ours, mine.values()), _figures(theirs, other.values())),
        both=Pair(
            _figures(None, (mine[name] for name in mine if name in shared)),
            _figures(None, (other[name] for name in other if name in shared)),
        ),
        only_ours=len(mine) - len(shared),
        only_theirs=len(other) - len(shared),
        differently=len(differing),
        named=[Fared(name, how) for name, how in list(differing.items())[:MOST_NAMED]],
        ways=ways,
        outcomes=outcomes,
        stories=stories,
    )


def together(parts: Iterable[Part]) -> Part:
    """All partitions."""
    whole = Part()
    for one in parts:
        whole.add(one)
    return whole


def _counted(counting: Counting) -> Mapping[str, Kept]:
    return {name: kept for name, kept in counting.tickets.items() if kept.counts}


def _figures(counting: Counting | None, tickets: Iterable[Kept]) -> Figures:
    found = Figures()
    if counting is not None:
        found.fates, found.candidates = Counter(counting.fates), counting.candidates
    for kept in tickets:
        found.tickets += 1
        found.closed += kept.closed
        found.on_time += kept.on_time is True
        found.overdue += kept.overdue
        found.units[kept.unit] += 1
        for name, was_kept in kept.ended:
            found.ended[name] += 1
            found.kept[name] += was_kept
        for step, day in kept.steps:
            found.steps[step.value] += 1
            found.days.setdefault(step.value, Counter())[day] += 1
    return found


def _how(ours: Kept, theirs: Kept) -> str:
    """How a ticket fares differently; empty where it does not."""
    told: tuple[tuple[str, Callable[[Kept], object]], ...] = (
        ("unit", lambda kept: kept.unit),
        ("closed", lambda kept: "yes" if kept.closed else "no"),
        ("on time", lambda kept: {None: "-", True: "yes", False: "no"}[kept.on_time]),
        ("overdue", lambda kept: "yes" if kept.overdue else "no"),
        ("yellow cards", lambda kept: _times(kept, Step.YELLOW)),
        ("red cards", lambda kept: _times(kept, Step.RED)),
        ("limits kept", lambda kept: f"{sum(was for _, was in kept.ended)} of {len(kept.ended)}"),
    )
    return ", ".join(f"{name} {of(ours)} → {of(theirs)}" for name, of in told if of(ours) != of(theirs))


def _times(kept: Kept, step: Step) -> int:
    return sum(one is step for one, _ in kept.steps)
