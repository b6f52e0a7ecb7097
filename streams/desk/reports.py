"""A report comes in (上报): it opens a ticket or joins one, and is settled by its fate. Pure."""

from typing import Final, TypedDict, assert_never

from schemas.codec import Maker
from schemas.codes import Fate, Flag, Side, Urgency
from schemas.commands import Report
from schemas.events import ReportSettled, TicketAmended, TicketMerged, TicketOpened, TicketUrged
from schemas.state import Ticket
from streams.desk.clock import dated
from streams.desk.dedup import Amends, Merges, New, Repeat, Urges, find
from streams.desk.diversion import diverted, undated, unowned
from streams.desk.handling import Said, dispatched, put_right
from streams.desk.joint import join_forces
from streams.desk.limit_table import LimitFacts
from streams.desk.limits import at_opening
from streams.desk.linking import Found, link, linked_to
from streams.desk.near import propose, recurrence
from streams.desk.routing import Placed, Routed
from streams.desk.turn import Turn

_PLACED: Final = Maker(Placed)
_FACTS: Final = Maker(LimitFacts)
_OPENED: Final = Maker(TicketOpened)
_SETTLED: Final = Maker(ReportSettled)


def decide_report(turn: Turn, report: Report) -> None:
    """Say what becomes of a report; its settlement comes last."""
    match find(turn.draft, report, turn.rules):
        case New():
            _settle(turn, _begin(turn, report), report, Fate.TICKETED)
        case Repeat(ticket):
            _settle(turn, ticket, report, Fate.REPEAT)
        case Amends(ticket):
            _settle(turn, turn.tell(ticket, _amended(turn, report)), report, Fate.AMENDED)
        case Urges(ticket):
            _settle(turn, turn.tell(ticket, TicketUrged(**_joined(turn, report))), report, Fate.URGED)
        case Merges(ticket):
            _settle(turn, turn.tell(ticket, TicketMerged(**_joined(turn, report))), report, Fate.MERGED)
        case found:
            assert_never(found)


def _begin(turn: Turn, report: Report) -> Ticket:
    """A ticket of its own: opened, given to whoever the table names, and tied to what it belongs with."""
    rules, load = turn.rules, turn.draft.load
    urgency = rules.urgencies.of(report)
    place = _PLACED.of(report.category, report.area, report.grid, report.source, report.side, urgency)
    first = routed = rules.routes.route(place, turn.at, load)
    handed = rules.sides.diverted(report.side, report.category, urgency)
    if handed is not None:
        routed = rules.routes.route(place._replace(side=handed.side), turn.at, load)
    found = linked_to(turn, report, report.side)
    matter = None if found is None else found[0].matter
    opened = _opened(turn, report, urgency, first)
    ticket = turn.open(report.area, opened, drill=report.drill, matter=matter)
    if not routed.owned:
        ticket = unowned(turn, ticket, routed)
    if handed is not None:
        ticket = diverted(turn, ticket, handed, "")
    ticket = undated(turn, ticket)
    told = _told(turn, report, urgency, routed) if handed is None else ()
    ticket = _dispatch(turn, ticket, report, routed, told)
    return _tie(turn, ticket, report, routed, found)


def _told(turn: Turn, report: Report, urgency: Urgency, routed: Routed) -> tuple[str, ...]:
    """Who of the other side is told of what stays where it came in: of danger the police too (先警务)."""
    sides, routes = turn.rules.sides, turn.rules.routes
    if report.side is Side.POLICE:
        return routes.told_of_unclear(report.area, report.grid) if sides.shared(report.category) else ()
    if not sides.is_danger(report.category, urgency):
        return ()
    know = {routed.unit.name, *routed.assisting, *routed.copies}
    return tuple(name for name in routes.told_of_danger(report.area, report.grid) if name not in know)


def _opened(turn: Turn, report: Report, urgency: Urgency, routed: Routed) -> TicketOpened:
    rules, unit = turn.rules, routed.unit
    facts = _FACTS.of(report.category, urgency, report.area, report.source, report.kind, report.side)
    return _OPENED.of(
        source=report.source,
        source_id=report.source_id,
        content=report.content,
        category=report.category,
        kind=report.kind,
        urgency=urgency,
        side=report.side,
        occurred_at=dated(rules.policy, report.occurred_at, turn.at),
        grid=report.grid,
        lat=report.lat,
        lon=report.lon,
        text=report.text,
        details=report.details,
        reporter=report.reporter,
        object=report.object,
        flags=report.flags,
        unit=unit.name,
        level=unit.level,
        policy=rules.policy.version,
        recurrence_of=recurrence(turn, report),
        deadlines=at_opening(rules, facts, turn.at),
    )


def _dispatch(turn: Turn, ticket: Ticket, report: Report, routed: Routed, told: tuple[str, ...] = ()) -> Ticket:
    # Nobody has to accept what the routing table can place: it goes to its unit in the same command (自动派遣).
    ticket = dispatched(
        turn,
        ticket,
        routed.unit,
        source=report.source,
        by=None,
        note="",
        occurred_at=turn.at,
        before=None,
        assisting=routed.assisting,
        copies=routed.copies + told,
    )
    if not report.self_handled:
        return ticket
    occurred_at = dated(turn.policy, report.occurred_at, turn.at)
    return put_right(turn, ticket, Said(report.source, None, "", occurred_at))


def _tie(turn: Turn, ticket: Ticket, report: Report, routed: Routed, found: Found | None) -> Ticket:
    """What it belongs with, what it may be the same as, and who else works on it."""
    if found is not None:
        other, why, distance = found
        ticket = link(turn, ticket, other, why, distance)
    ticket = propose(turn, ticket)
    return join_forces(turn, ticket, report, routed.joint) if routed.joint else ticket


def _amended(turn: Turn, report: Report) -> TicketAmended:
    return TicketAmended(
        source=report.source,
        source_id=report.source_id,
        content=report.content,
        occurred_at=dated(turn.policy, report.occurred_at, turn.at),
        category=report.category,
        text=report.text,
        details=report.details,
    )


class _Joined(TypedDict):
    source: str
    source_id: str
    content: str
    occurred_at: int
    text: str
    details: dict[str, str]
    reporter: str | None
    object: str | None
    flags: tuple[Flag, ...]


def _joined(turn: Turn, report: Report) -> _Joined:
    return {
        "source": report.source,
        "source_id": report.source_id,
        "content": report.content,
        "occurred_at": dated(turn.policy, report.occurred_at, turn.at),
        "text": report.text,
        "details": report.details,
        "reporter": report.reporter,
        "object": report.object,
        "flags": report.flags,
    }


def _settle(turn: Turn, ticket: Ticket, report: Report, fate: Fate) -> None:
    settled = _SETTLED.of(
        fate=fate,
        source=report.source,
        source_id=report.source_id,
        ticket=ticket.id,
        flags=report.flags,
        origin=report.origin,
    )
    turn.tell(ticket, settled)
