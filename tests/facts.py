"""Facts for tests, as they stand on `tickets`: any event with what matters to a test chosen, and a log of them."""

from collections.abc import Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Final, TypeVar

from schemas.codec import encode
from schemas.codes import Fate, Level, Outcome, RequestKind, Side, Stage, Step, Urgency
from schemas.commands import Origin
from schemas.envelope import Envelope, derived_id
from schemas.events import (
    CommandSettled,
    Event,
    ReportSettled,
    TicketAccepted,
    TicketArrived,
    TicketCalledBack,
    TicketClosed,
    TicketContacted,
    TicketDispatched,
    TicketHandled,
    TicketRated,
    TicketReopened,
    TicketReturned,
    TicketReworked,
    TicketSigned,
    TicketVerified,
)
from schemas.state import Deadline

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
BEGIN: Final = 1_700_000_000_000
SOURCE: Final = "src"

_STAGES: Final[dict[type[Any], Stage]] = {
    TicketAccepted: Stage.ACCEPTED,
    TicketDispatched: Stage.DISPATCHED,
    TicketSigned: Stage.SIGNED,
    TicketContacted: Stage.CONTACTED,
    TicketArrived: Stage.ARRIVED,
    TicketHandled: Stage.HANDLED,
    TicketVerified: Stage.VERIFIED,
    TicketReworked: Stage.SIGNED,
    TicketReturned: Stage.ACCEPTED,
    TicketCalledBack: Stage.CALLED_BACK,
    TicketClosed: Stage.CLOSED,
    TicketRated: Stage.RATED,
    TicketReopened: Stage.ACCEPTED,
}
_USUAL: Final[dict[str, object]] = {
    "source": SOURCE, "source_id": "s1", "content": "c", "category": "pothole", "kind": None,
    "urgency": Urgency.ROUTINE, "side": Side.SERVICE, "occurred_at": BEGIN, "grid": None, "lat": 42.1, "lon": -71.2,
    "text": "坑洼", "details": {}, "reporter": None, "object": None, "flags": (), "unit": "u1", "level": Level.STREET,
    "policy": "p1", "recurrence_of": None, "deadlines": (), "inferred": (), "spent": HOUR, "limit": None, "kept": None,
    "by": None, "note": "", "before": None, "assisting": (), "copies": (), "evidence": (), "self_handled": False,
    "took": HOUR, "on_time": True, "with_master": None, "score": 4, "resume_at": None, "paused": HOUR,
    "granted": HOUR, "automatic": False, "request": RequestKind.RETURN, "seconds": None, "waited": HOUR,
    "from_side": Side.POLICE, "to_side": Side.SERVICE, "list": "list 1", "returned": False, "elapsed": HOUR,
    "condition": "fenced", "other": "k9", "distance_m": 12, "gap": HOUR, "likeness": 40, "why": "near", "into": "k9",
    "child": "k8", "master": "k9", "allowed": DAY, "recipients": (), "rung": -1, "next_at": None, "card": Step.YELLOW,
    "alarm": "no-owner", "about": "u1", "fate": Fate.TICKETED, "ticket": None, "origin": None,
    "outcome": Outcome.APPLIED, "reason": None, "command": "signed", "stage": Stage.SIGNED,
}  # fmt: skip
_OWN_LIMIT: Final = "overall"

E = TypeVar("E")


def fact(made: type[E], /, **chosen: object) -> E:
    """An event of this class; what a test does not choose is as usual."""
    given: dict[str, object] = {}
    for one in fields(made):  # type: ignore[arg-type]  # each contract is a dataclass
        if one.default is MISSING and one.default_factory is MISSING:
            given[one.name] = _usual(made, one.name)
    return made(**{**given, **chosen})


def _usual(kind: type[Any], name: str) -> object:
    if name == "stage" and kind in _STAGES:
        return _STAGES[kind]
    if name == "ticket" and kind is ReportSettled:
        return "k1"
    if name == "limit" and kind.__name__.startswith("Limit"):
        return _OWN_LIMIT
    return _USUAL[name]


def deadline(limit: str = _OWN_LIMIT, *, hours: int = 24, rung: int = 0, halted: bool = False) -> Deadline:
    """A limit that runs so long from the beginning."""
    length = hours * HOUR
    return Deadline(
        limit=limit, started_at=BEGIN, length=length, due_at=BEGIN + length, rung=rung, next_at=None, halted=halted
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A record as aiokafka hands it out."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    key: bytes | None = None


@dataclass(slots=True)
class Log:
    """One partition of `tickets`, written event by event; a transaction's marker after each."""

    topic: str = "t.tickets"
    number: int = 0
    records: list[Made] = field(default_factory=list)
    sequences: dict[str, int] = field(default_factory=dict)
    drills: set[str] = field(default_factory=set)

    def say(self, event: Event, *, at: int, ticket: str | None, area: str = "a1") -> None:
        """Append one event."""
        number = None
        if ticket is not None:
            number = self.sequences[ticket] = self.sequences.get(ticket, 0) + 1
        offset = 2 * len(self.records)
        envelope = Envelope(
            id=derived_id(f"{self.number}:{offset}"),
            source="/lianqin/test/desk",
            type=event.type,
            time=at,
            area=area,
            cause=derived_id(f"cause {self.number}:{offset}"),
            subject=ticket,
            sequence=number,
            matter=ticket,
            drill=ticket in self.drills,
        )
        self.records.append(
            Made(
                topic=self.topic,
                partition=self.number,
                offset=offset,
                timestamp=at,
                value=encode(event),
                headers=envelope.headers(),
                key=envelope.key,
            )
        )


def applied(ticket: str | None, **chosen: object) -> CommandSettled:
    """The settlement of a feedback."""
    return fact(CommandSettled, ticket=ticket, **chosen)


def origin(offset: int, partition: int = 0, topic: str = "t.intake.history") -> Origin:
    """A place in a source's log."""
    return Origin(topic=topic, partition=partition, offset=offset)
