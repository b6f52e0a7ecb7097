"""The desk's rules as they are, against labels.

A report is a *duplicate* where the labels tie it, in however many steps, to one that was reported before it. What
joined a ticket by itself is right where the ticket holds an earlier report of the same cluster; a candidate is right
where the other ticket does. So it does not matter which of a cluster the labels call the parent.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from agents.evaluating.figures import Asked, Figures, Found, OfCategory, Read, Times
from agents.evaluating.following import Following, Reported
from agents.evaluating.labels import Labels
from agents.evaluating.playing import Step
from schemas.codes import Fate
from schemas.events import MatchProposed
from schemas.policy import Category, Policy
from streams.desk.places import distance_m

DAY_MS: Final = 86_400_000
_JOINED: Final = frozenset((Fate.URGED, Fate.MERGED))


class _Candidate(NamedTuple):
    ticket: str
    other: str
    at: int
    right: bool


class _Tally:
    """Of one category, or of all."""

    def __init__(self) -> None:
        self.reports = 0
        self.wanted = 0
        self.joined = self.joined_right = 0
        self.pairs = self.pairs_right = 0
        self.met = self.met_at_all = 0
        self.asked = self.asked_marked = 0

    def add(self, found: "_Finding", *, marked: bool) -> None:
        self.reports += 1
        self.wanted += found.duplicate
        self.joined += found.joined
        self.joined_right += found.joined_right
        self.pairs += found.pairs
        self.pairs_right += found.pairs_right
        self.met += found.pairs_right > 0
        self.met_at_all += found.pairs_right > 0 or found.joined_right
        self.asked += found.pairs > 0
        self.asked_marked += found.pairs > 0 and marked

    def candidates(self) -> Found:
        return Found(found=self.pairs, right=self.pairs_right, wanted=self.wanted, met=self.met)

    def questions(self) -> Asked:
        return Asked(reports=self.asked, marked=self.asked_marked)


class _Finding(NamedTuple):
    """What was found for one report."""

    duplicate: bool
    joined: bool
    joined_right: bool
    pairs: int
    pairs_right: int


class Scoring:
    """Takes steps, gives figures."""

    def __init__(self, labels: Labels, policy: Policy) -> None:
        self._following = Following(labels)
        self._labels = labels
        self._policy = policy
        self._all = _Tally()
        self._by_category: dict[str, _Tally] = {}
        self._fates: Counter[str] = Counter()
        self._missed: Counter[str] = Counter()
        self._candidates: list[_Candidate] = []
        self._unusable = 0
        self._first: int | None = None
        self._last = 0

    def take(self, step: Step | None) -> None:
        """One record."""
        if step is None:
            self._unusable += 1
            return
        report = self._following.take(step)
        if report is None:
            return
        self._first = report.at if self._first is None else self._first
        self._last = report.at
        self._fates[report.fate.value] += 1
        found = self._finding(report, step)
        marked = report.id in self._labels.marked
        for tally in (self._all, self._by_category.setdefault(report.category, _Tally())):
            tally.add(found, marked=marked)
        if found.duplicate and not found.joined_right and not found.pairs_right:
            self._missed[self._why_missed(report)] += 1
        self._following.keep(report)

    def figures(self, source: str) -> Figures:
        """All of it."""
        tally = self._all
        days = Counter(one.at // DAY_MS for one in self._candidates)
        read = Read(
            source=source,
            policy=self._policy.version,
            reports=tally.reports,
            unusable=self._unusable,
            first=self._first or 0,
            last=self._last,
            marked=len(self._labels.marked),
            named=self._labels.named,
            wanted=tally.wanted,
            clusters=len(set(self._labels.clusters.values())),
        )
        return Figures(
            read=read,
            fates=dict(sorted(self._fates.items())),
            automatic=Found(found=tally.joined, right=tally.joined_right, wanted=tally.wanted, met=tally.joined_right),
            candidates=tally.candidates(),
            together=Found(
                found=tally.joined + tally.pairs,
                right=tally.joined_right + tally.pairs_right,
                wanted=tally.wanted,
                met=tally.met_at_all,
            ),
            asked=tally.questions(),
            per_day=tally.pairs / read.days,
            busiest_day=max(days.values(), default=0),
            to_decide=self._times(self._candidates),
            to_decide_right=self._times([one for one in self._candidates if one.right]),
            missed=dict(self._missed.most_common()),
            by_category={
                name: OfCategory(reports=one.reports, candidates=one.candidates(), asked=one.questions())
                for name, one in sorted(self._by_category.items(), key=lambda item: -item[1].reports)
            },
        )

    def _finding(self, report: Reported, step: Step) -> _Finding:
        right = 0
        pairs = 0
        for event, envelope in step.decision.facts:
            if isinstance(event, MatchProposed) and envelope.subject is not None:
                same = self._following.same(report, event.other)
                self._candidates.append(_Candidate(envelope.subject, event.other, envelope.time, same))
                pairs += 1
                right += same
        joined = report.fate in _JOINED
        return _Finding(
            duplicate=bool(self._following.earlier(report)),
            joined=joined,
            joined_right=joined and self._following.same(report, report.ticket),
            pairs=pairs,
            pairs_right=right,
        )

    def _why_missed(self, report: Reported) -> str:
        """The first thing that keeps it from all earlier reports of its cluster."""
        left = self._following.earlier(report)
        for why, fits in self._hurdles(report):
            left = [one for one in left if fits(one)]
            if not left:
                return why
        return "scored too low, or others better"

    def _hurdles(self, report: Reported) -> Iterator[tuple[str, Callable[[Reported], bool]]]:
        rule = self._policy.categories.get(report.category, Category())
        yield "in another area", lambda one: one.area == report.area
        yield "of another category", lambda one: one.category == report.category
        yield "closed before", lambda one: one.ticket not in self._following.closed
        yield "no rule of nearness", lambda _: rule.near_m > 0 and rule.near_s > 0
        yield "without coordinates", lambda one: _apart(report, one) is not None
        yield "too far away", lambda one: (_apart(report, one) or 0) <= rule.near_m
        yield "too long ago", lambda one: report.at - one.at <= rule.near_s * 1000

    def _times(self, candidates: Sequence[_Candidate]) -> Times:
        closed = self._following.closed
        spans = sorted(
            min(ends) - one.at
            for one in candidates
            if (ends := [closed[ticket] for ticket in (one.ticket, one.other) if ticket in closed])
        )
        return Times(
            ended=len(spans),
            open=len(candidates) - len(spans),
            p50_ms=_quantile(spans, 50),
            p90_ms=_quantile(spans, 90),
        )


def _apart(one: Reported, other: Reported) -> int | None:
    """Metres, where both have a place."""
    return None if one.place is None or other.place is None else distance_m(one.place, other.place)


def _quantile(spans: Sequence[int], percent: int) -> int | None:
    """The smallest that so many per cent do not exceed."""
    return spans[-(-percent * len(spans) // 100) - 1] if spans else None
