"""Small histories, made by hand, as they stand on `tickets` and `dead-letter`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from schemas.codec import encode
from schemas.codes import Fate, Flag, Level, Outcome, Reject, Stage, Urgency
from schemas.commands import Origin
from schemas.dead_letter import DeadLetter
from schemas.envelope import Envelope, derived_id
from schemas.events import (
    CommandSettled,
    Event,
    LimitPassed,
    ReportSettled,
    TicketClosed,
    TicketOpened,
    TicketRated,
)
from schemas.state import Deadline
from streams.ledger.rows import Block, block_of, dead_letter_row, event_row

TICKETS: Final = "t.tickets"
DEAD_LETTERS: Final = "t.dead-letter"
HISTORY: Final = "t.intake.history"
HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
BEGIN: Final = 1_700_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A record as aiokafka hands it out."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


def origin(offset: int, partition: int = 0, topic: str = HISTORY) -> Origin:
    """A place in a source's log."""
    return Origin(topic=topic, partition=partition, offset=offset)


@dataclass(slots=True)
class Partition:
    """One partition of `tickets`, written event by event; a transaction's marker after each."""

    number: int = 0
    records: list[Made] = field(default_factory=list)
    sequences: dict[str, int] = field(default_factory=dict)

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
        )
        self.records.append(
            Made(
                topic=TICKETS,
                partition=self.number,
                offset=offset,
                timestamp=at,
                value=encode(event),
                headers=envelope.headers(),
            )
        )

    def open(self, ticket: str, came: Origin, *, at: int = BEGIN, area: str = "a1", category: str = "pothole") -> None:
        """A report that became a ticket; a day is allowed."""
        limit = Deadline(limit="overall", started_at=at, warn_at=at + DAY * 4 // 5, due_at=at + DAY)
        opened = TicketOpened(
            source="src", source_id=ticket, content="c", category=category, urgency=Urgency.ROUTINE, occurred_at=at,
            grid=None, lat=42.1, lon=-71.2, text="", details={}, reporter=None, object=None, flags=(), unit="u1",
            level=Level.STREET, policy="p1", deadlines=(limit,),
        )  # fmt: skip
        self.say(opened, at=at, ticket=ticket, area=area)
        self.settle(Fate.TICKETED, came, at=at, ticket=ticket, area=area)

    def settle(
        self, fate: Fate, came: Origin, *, at: int, ticket: str, area: str = "a1", flags: tuple[Flag, ...] = ()
    ) -> None:
        """A report's fate."""
        settled = ReportSettled(fate=fate, source="src", source_id=ticket, ticket=ticket, flags=flags, origin=came)
        self.say(settled, at=at, ticket=ticket, area=area)

    def close(self, ticket: str, came: Origin, *, at: int, area: str = "a1") -> None:
        """A source's closing, with the stages between."""
        took = at - BEGIN
        closed = TicketClosed(
            stage=Stage.CLOSED, inferred=(Stage.ACCEPTED, Stage.HANDLED), occurred_at=at, spent=took, limit=None,
            source="src", note="", deadlines=(), took=took, on_time=took <= DAY, flags=(),
        )  # fmt: skip
        self.say(closed, at=at, ticket=ticket, area=area)
        self.apply(came, at=at, ticket=ticket, area=area)

    def rate(self, ticket: str, came: Origin, *, at: int) -> None:
        """A citizen's judgement."""
        rated = TicketRated(
            stage=Stage.RATED, inferred=(), occurred_at=at, spent=HOUR, limit=None, source="src", note="",
            deadlines=(), score=4,
        )  # fmt: skip
        self.say(rated, at=at, ticket=ticket)
        self.apply(came, at=at, ticket=ticket)

    def apply(self, came: Origin, *, at: int, ticket: str, area: str = "a1") -> None:
        """The settlement of a feedback."""
        settled = CommandSettled(
            outcome=Outcome.APPLIED, reason=None, command="closed", source="src", source_id=ticket, ticket=ticket,
            flags=(), origin=came,
        )  # fmt: skip
        self.say(settled, at=at, ticket=ticket, area=area)

    def pass_limit(self, ticket: str, *, at: int) -> None:
        """The overall limit ran out."""
        self.say(LimitPassed(limit="overall", allowed=DAY, unit="u1"), at=at, ticket=ticket)

    def block(self, first: int = 0, last: int | None = None) -> Block:
        """Some of its records as a block."""
        return block_of(self.records[first:last], event_row)


def dead_letter(offset: int, came: Origin, reason: Reject = Reject.BROKEN) -> Made:
    """A record on `dead-letter`."""
    letter = DeadLetter(reason=reason, hint="no JSON", origin=came, source="src", time=BEGIN)
    return Made(
        topic=DEAD_LETTERS, partition=0, offset=offset, timestamp=BEGIN, value=b"raw", headers=letter.to_kafka()
    )


def dead_block(*records: Made) -> Block:
    """Dead letters as a block."""
    return block_of(records, dead_letter_row)


def small_history() -> Partition:
    """Four tickets: closed on time, closed late, rated, overdue and open; a repeat and an urge. A day is allowed.

    0 h   opened all four           2 h  k1 closed       5 h  k3 closed, rated at 6 h
    24 h  k2 and k4 overdue        30 h  k2 closed
    """
    log = Partition()
    for number, ticket in enumerate(("k1", "k2", "k3", "k4")):
        category = "graffiti" if ticket == "k4" else "pothole"
        log.open(ticket, origin(number), area="a2" if ticket == "k4" else "a1", category=category)
    log.settle(Fate.REPEAT, origin(4), at=BEGIN + HOUR, ticket="k1", flags=(Flag.NO_PLACE,))
    log.settle(Fate.URGED, origin(5), at=BEGIN + HOUR, ticket="k2")
    log.close("k1", origin(6), at=BEGIN + 2 * HOUR)
    log.close("k3", origin(7), at=BEGIN + 5 * HOUR)
    log.rate("k3", origin(8), at=BEGIN + 6 * HOUR)
    log.pass_limit("k2", at=BEGIN + DAY)
    log.pass_limit("k4", at=BEGIN + DAY)
    log.close("k2", origin(9), at=BEGIN + 30 * HOUR)
    return log
