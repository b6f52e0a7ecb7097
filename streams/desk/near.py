"""What may be the same matter, or the same again (疑似重复, 回潮): by place, time and words. Pure.

Nearness is a weak key: measured on a city's own labels, place, category and time alone are right less than half the
time (docs/duplicates.md). So nothing is merged by it. D3 proposes the best few for a human to decide; D5 remembers that
a matter of the same place was closed not long ago.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from schemas.codes import Side
from schemas.commands import Report
from schemas.events import MatchProposed
from schemas.policy import Category, Duplicates
from schemas.state import Ticket
from streams.desk.draft import Draft
from streams.desk.places import Place, cell_of, cells_within, distance_m, place_of
from streams.desk.turn import Turn

_WHOLE: Final = 100


class Neighbour(NamedTuple):
    """An open ticket near enough in place and time."""

    ticket: Ticket
    distance_m: int
    gap: int


class Candidate(NamedTuple):
    """A neighbour that scores. Sorted, the best come first."""

    rank: int
    """Less is better: the score, negative."""
    opened_at: int
    other: str
    distance_m: int
    gap: int
    likeness: int


def propose(turn: Turn, ticket: Ticket) -> Ticket:
    """D3: say which open tickets may be the same matter, best first, where the category has a rule of nearness."""
    policy = turn.policy
    category = policy.categories.get(ticket.category)
    if category is None or category.near_m <= 0 or category.near_s <= 0 or ticket.lat is None:
        return ticket
    for one in _best(turn, ticket, category, policy.duplicates):
        proposed = MatchProposed(
            other=one.other, score=-one.rank, distance_m=one.distance_m, gap=one.gap, likeness=one.likeness
        )
        ticket = turn.tell(ticket, proposed)
    return ticket


def around(draft: Draft, ticket: Ticket, metres: int, seconds: int, at: int) -> Iterator[Neighbour]:
    """Open tickets of the same area, category and drill mark so near, opened so short a time before `at`.

    Only those that the ticket could be merged with and was not found to differ from. Its category must have a radius.
    """
    place = place_of(ticket.lat, ticket.lon)
    if place is None:
        return
    since, matter, police = at - seconds * 1000, ticket.matter, ticket.side is Side.POLICE
    for cell in cells_within(place, metres):
        for other in draft.near(ticket, cell, since):
            lat, lon = other.lat, other.lon
            if lat is None or lon is None or other.matter == matter or (police and other.side is Side.POLICE):
                continue  # no place, one matter already, or two of the police's, which are never merged
            distance = distance_m(place, (lat, lon))
            if distance <= metres and cell_of((lat, lon)) == cell and not refused(ticket, other):
                yield Neighbour(other, distance, at - other.opened_at)


def recurrence(turn: Turn, report: Report) -> str | None:
    """D5: the ticket of the same object, else of the same place, that was closed last and not too long ago."""
    span = turn.policy.duplicates.recurrence_s
    if span <= 0:
        return None
    draft, since = turn.draft, turn.at - span * 1000
    last = None if report.object is None else _last(draft.closed_about(report, since))
    if last is not None:
        return last.id
    category = turn.policy.categories.get(report.category)
    place = place_of(report.lat, report.lon)
    if category is None or category.near_m <= 0 or place is None:
        return None
    for cell in cells_within(place, category.near_m):
        closed = draft.closed_near(report, cell, since)
        if closed is not None:
            last = _later(last, _last(_within(closed, place, category.near_m)))
    return None if last is None else last.id


def likeness(one: str, other: str) -> int:
    """How alike two texts are, in whole hundredths: shared pairs of neighbouring characters, of all there are."""
    ours, theirs = _pairs(one), _pairs(other)
    if not ours or not theirs:
        return 0
    shared = len(ours & theirs)
    return _WHOLE * shared // (len(ours) + len(theirs) - shared)


def _best(turn: Turn, ticket: Ticket, category: Category, rules: Duplicates) -> list[Candidate]:
    best: list[Candidate] = []
    if rules.most <= 0:
        return best
    needed = rules.threshold
    for neighbour in around(turn.draft, ticket, category.near_m, category.near_s, turn.at):
        one = _scored(ticket, neighbour, category, rules, needed)
        if one is None or (len(best) == rules.most and one > best[-1]):
            continue
        best.append(one)
        best.sort()
        if len(best) > rules.most:
            best.pop()
        if len(best) == rules.most:
            needed = -best[-1].rank
    return best


def _scored(
    ticket: Ticket, neighbour: Neighbour, category: Category, rules: Duplicates, needed: int
) -> Candidate | None:
    """What a neighbour scores; none where that is less than what is needed."""
    other, distance, gap = neighbour
    window = category.near_s * 1000
    score = rules.weight_distance * (category.near_m - distance) // category.near_m
    score += rules.weight_time * (window - gap) // window
    if score + rules.weight_text < needed:
        return None  # whatever they say: reading texts is what costs
    alike = likeness(ticket.text, other.text)
    score += rules.weight_text * alike // _WHOLE
    return None if score < needed else Candidate(-score, other.opened_at, other.id, distance, gap, alike)


def refused(one: Ticket, other: Ticket) -> bool:
    """Whether a human said that the two are not one matter, asked from either side."""
    if one.ties is None and other.ties is None:
        return False  # nearly always
    return _refused(one, other.id) or _refused(other, one.id)


def _refused(ticket: Ticket, other: str) -> bool:
    if ticket.ties is None:
        return False
    for match in ticket.ties.matches:  # noqa: SIM110 - asked of every neighbour: `any` costs three times as much
        if match.refused and match.other == other:
            return True
    return False


def _within(tickets: Iterator[Ticket], place: Place, metres: int) -> Iterator[Ticket]:
    for ticket in tickets:
        there = place_of(ticket.lat, ticket.lon)
        if there is not None and distance_m(place, there) <= metres:
            yield ticket


def _last(tickets: Iterator[Ticket]) -> Ticket | None:
    """Of tickets that come closed last first, the first; of one moment the one with the smallest id."""
    last: Ticket | None = None
    for ticket in tickets:
        if last is not None and ticket.closed_at != last.closed_at:
            break
        last = _later(last, ticket)
    return last


def _later(one: Ticket | None, other: Ticket | None) -> Ticket | None:
    if one is None or other is None:
        return one or other
    return min(one, other, key=lambda ticket: (-(ticket.closed_at or 0), ticket.id))


@lru_cache(maxsize=512)
def _pairs(text: str) -> frozenset[str]:
    return frozenset(text[at : at + 2] for at in range(len(text) - 1))
