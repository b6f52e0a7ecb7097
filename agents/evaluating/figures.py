"""What an evaluation says, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How much was found, and how much of it the labels know.

    `found`: what was said to belong together; `right`: those of it that the labels put into one cluster. `wanted`:
    reports that the labels know to be duplicates; `met`: those of them for which something right was found.
    """

    found: int
    right: int
    wanted: int
    met: int

    @property
    def precision(self) -> float | None:
        """Of what was found, the share that is right by the labels: a lower bound, for labels are never complete."""
        return self.right / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """Of the duplicates that are known, the share that was met."""
        return self.met / self.wanted if self.wanted else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of the two."""
        precision, recall = self.precision, self.recall
        if precision is None or recall is None:
            return None
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What humans are asked: reports with at least one candidate, and how many of them are marked as duplicates."""

    reports: int
    marked: int

    @property
    def precision(self) -> float | None:
        """The share that is marked, whatever of."""
        return self.marked / self.reports if self.reports else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long humans have: from a candidate to the first closing of one of its two tickets, milliseconds."""

    ended: int
    open: int
    """Candidates of which neither ticket was closed in the file: they are not in the figures."""
    p50_ms: int | None
    p90_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfCategory:
    """The candidates of one category."""

    reports: int
    candidates: Found
    asked: Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What was read."""

    source: str
    policy: str
    reports: int
    unusable: int
    first: int
    last: int
    marked: int
    named: int
    wanted: int
    clusters: int

    @property
    def days(self) -> float:
        """How long the file covers; at least one day."""
        return max(1.0, (self.last - self.first) / 86_400_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The rules as they are, against the labels."""

    read: Read
    fates: Mapping[str, int]
    automatic: Found
    """D1 and D2: reports that joined a ticket without a human."""
    candidates: Found
    """D3: pairs of tickets that were proposed."""
    together: Found
    """Both."""
    asked: Asked
    per_day: float
    """Candidates, on average."""
    busiest_day: int
    to_decide: Times
    to_decide_right: Times
    missed: Mapping[str, int]
    """Known duplicates that were not found, by the first reason."""
    by_category: Mapping[str, OfCategory]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One radius and window: everything near enough is a candidate, whatever it scores."""

    metres: int
    seconds: int
    candidates: Found
    asked: Asked
    per_day: float


Sweep = Sequence[Tried]
