"""Radius and window tried one against the other, in one run: what would be near, had the rules been these."""

from collections import Counter
from typing import Final

from agents.evaluating.figures import Asked, Found, Sweep, Tried
from agents.evaluating.following import Following, Reported
from agents.evaluating.labels import Labels
from agents.evaluating.playing import Step
from streams.desk.near import around

HOUR_S: Final = 3600
RADII: Final = (25, 50, 100, 250)
WINDOWS: Final = tuple(hours * HOUR_S for hours in (1, 24, 72, 7 * 24, 15 * 24, 30 * 24))

_Cell = tuple[int, int]
"""Places in the two lists: the smallest radius and the shortest window that a pair fits into."""


class Sweeping:
    """Takes steps of a run under a policy widened, for these categories, to the largest radius and window."""

    def __init__(self, labels: Labels, categories: frozenset[str]) -> None:
        self._following = Following(labels)
        self._categories = categories
        self._marked = labels.marked
        self._pairs: Counter[_Cell] = Counter()
        self._right: Counter[_Cell] = Counter()
        self._asked: Counter[_Cell] = Counter()
        self._asked_marked: Counter[_Cell] = Counter()
        self._met: Counter[_Cell] = Counter()
        self._wanted = 0

    def take(self, step: Step | None) -> None:
        """One record."""
        report = None if step is None else self._following.take(step)
        if step is None or report is None:
            return
        if report.category in self._categories:
            self._wanted += bool(self._following.earlier(report))
            self._look(report, step)
        self._following.keep(report)

    def tried(self, days: float) -> Sweep:
        """Each radius with each window. `days`: how long the file covers."""
        return [self._tried(radius, window, days) for radius in range(len(RADII)) for window in range(len(WINDOWS))]

    def _look(self, report: Reported, step: Step) -> None:
        ticket = step.draft.ticket(report.ticket)
        if ticket is None or len(ticket.reports) > 1:
            return  # it joined one: nothing is proposed for it
        near, right = set[_Cell](), set[_Cell]()
        for other, distance, gap in around(step.draft, ticket, RADII[-1], WINDOWS[-1], report.at):
            cell = (_place(distance, RADII), _place(gap, WINDOWS, 1000))
            near.add(cell)
            self._pairs[cell] += 1
            if self._following.same(report, other.id):
                right.add(cell)
                self._right[cell] += 1
        # A report counts once in each rule that holds any of its cells.
        for radius in range(len(RADII)):
            for window in range(len(WINDOWS)):
                if _any(near, radius, window):
                    self._asked[radius, window] += 1
                    self._asked_marked[radius, window] += report.id in self._marked
                    self._met[radius, window] += _any(right, radius, window)

    def _tried(self, radius: int, window: int, days: float) -> Tried:
        pairs, right = _within(self._pairs, radius, window), _within(self._right, radius, window)
        met = self._met[radius, window]
        return Tried(
            metres=RADII[radius],
            seconds=WINDOWS[window],
            candidates=Found(found=pairs, right=right, wanted=self._wanted, met=met),
            asked=Asked(reports=self._asked[radius, window], marked=self._asked_marked[radius, window]),
            per_day=pairs / days,
        )


def _place(value: int, bounds: tuple[int, ...], scale: int = 1) -> int:
    return next(place for place, bound in enumerate(bounds) if value <= bound * scale)


def _any(cells: set[_Cell], radius: int, window: int) -> bool:
    return any(r <= radius and w <= window for r, w in cells)


def _within(counts: Counter[_Cell], radius: int, window: int) -> int:
    return sum(n for (r, w), n in counts.items() if r <= radius and w <= window)
