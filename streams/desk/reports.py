"""A report comes in (上报): it opens a ticket or joins one, and is settled by its fate. Pure."""

from typing import TypedDict, assert_never

from schemas.codes import Fate, Flag, Stage
from schemas.commands import Report
from schemas.events import ReportSettled, TicketAmended, TicketDispatched, TicketMerged, TicketOpened, TicketUrged
from schemas.state import Ticket
from streams.desk.clock import dated
from streams.desk.dedup import Amends, Merges, New, Repeat, Urges, find
from streams.desk.lifecycle import implied
from streams.desk.limits import at_opening, at_stage
from streams.desk.turn import Turn
from streams.desk.urgency import urgency_of


def decide_report(turn: Turn, report: Report) -> None:
    """Say what becomes of a report; its settlement comes last."""
    match find(turn.draft, report):
        case New():
            _settle(turn, _dispatch(turn, _open(turn, report), report), report, Fate.TICKETED)
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


def _open(turn: Turn, report: Report) -> Ticket:
    policy = turn.policy
    urgency = urgency_of(policy, report)
    unit = turn.routes.unit_for(report, urgency)
    opened = TicketOpened(
        source=report.source,
        source_id=report.source_id,
        content=report.content,
        category=report.category,
        urgency=urgency,
        occurred_at=dated(policy, report.occurred_at, turn.at),
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
        policy=policy.version,
        deadlines=at_opening(policy, urgency, turn.at),
    )
    return turn.open(report.area, opened)


def _dispatch(turn: Turn, ticket: Ticket, report: Report) -> Ticket:
    # Nobody has to accept what the routing table can place: it goes to its unit in the same command (自动派遣).
    dispatched = TicketDispatched(
        stage=Stage.DISPATCHED,
        inferred=implied(ticket.stage, Stage.DISPATCHED),
        occurred_at=turn.at,
        spent=0,
        limit=None,
        source=report.source,
        note="",
        deadlines=at_stage(turn.policy, ticket, Stage.DISPATCHED, turn.at),
        unit=ticket.unit,
        level=ticket.level,
    )
    return turn.tell(ticket, dispatched)


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
    settled = ReportSettled(
        fate=fate,
        source=report.source,
        source_id=report.source_id,
        ticket=ticket.id,
        flags=report.flags,
        origin=report.origin,
    )
    turn.tell(ticket, settled)
