"""Small histories, made by hand, as they stand on `tickets` and `dead-letter`."""

from typing import Final

from schemas.codes import Fate, Flag, Level, Outcome, Refusal, Reject, RequestKind, Side, Stage, Step
from schemas.commands import Origin
from schemas.dead_letter import DeadLetter
from schemas.events import (
    AlarmRaised,
    CommandSettled,
    ConditionMet,
    Event,
    LimitCarded,
    LimitEscalated,
    LimitPassed,
    LimitWarned,
    MatchProposed,
    MatchRefused,
    ReportSettled,
    RequestMade,
    RequestRefused,
    TicketAbsorbed,
    TicketAdopted,
    TicketClosed,
    TicketDispatched,
    TicketDiverted,
    TicketExtended,
    TicketHandled,
    TicketLinked,
    TicketOpened,
    TicketRated,
    TicketReopened,
    TicketReturned,
    TicketReworked,
    TicketSigned,
    TicketSuspended,
    TicketVoided,
)
from streams.ledger.newest import Newest
from streams.ledger.rows import COLUMNS, Block, block_of, dead_letter_row, event_row
from tests.facts import BEGIN, DAY, HOUR, Log, Made, deadline, fact, origin

TICKETS: Final = "t.tickets"
DEAD_LETTERS: Final = "t.dead-letter"
HISTORY: Final = "t.intake.history"


class Partition(Log):
    """One partition of `tickets`, with the stories that the ledger's tests tell."""

    def open(self, ticket: str, came: Origin, *, at: int = BEGIN, area: str = "a1", category: str = "pothole") -> None:
        """A report that became a ticket; a day is allowed."""
        running = deadline(hours=24 + (at - BEGIN) // HOUR)
        opened = fact(TicketOpened, source_id=ticket, category=category, deadlines=(running,))
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
        inferred = (Stage.ACCEPTED, Stage.HANDLED)
        closed = fact(TicketClosed, inferred=inferred, spent=took, took=took, on_time=took <= DAY)
        self.say(closed, at=at, ticket=ticket, area=area)
        self.apply(came, at=at, ticket=ticket, area=area)

    def rate(self, ticket: str, came: Origin, *, at: int) -> None:
        """A citizen's judgement."""
        self.say(fact(TicketRated, score=4), at=at, ticket=ticket)
        self.apply(came, at=at, ticket=ticket)

    def apply(self, came: Origin, *, at: int, ticket: str, area: str = "a1") -> None:
        """The settlement of a feedback."""
        settled = fact(CommandSettled, command="closed", source_id=ticket, ticket=ticket, origin=came)
        self.say(settled, at=at, ticket=ticket, area=area)

    def pass_limit(self, ticket: str, *, at: int) -> None:
        """The overall limit ran out."""
        self.say(fact(LimitPassed), at=at, ticket=ticket)

    def block(self, first: int = 0, last: int | None = None) -> Block:
        """Some of its records as a block."""
        return block_of(self.records[first:last], event_row)


def dead_letter(offset: int, came: Origin, reason: Reject = Reject.BROKEN, *, drill: bool = False) -> Made:
    """A record on `dead-letter`."""
    letter = DeadLetter(reason=reason, hint="no JSON", origin=came, source="src", time=BEGIN, drill=drill)
    return Made(
        topic=DEAD_LETTERS, partition=0, offset=offset, timestamp=BEGIN, value=b"raw", headers=letter.to_kafka()
    )


def dead_block(*records: Made) -> Block:
    """Dead letters as a block."""
    return block_of(records, dead_letter_row)


def newest_of(block: Block) -> Newest:
    """What ClickHouse tells of the newest row once a block is written."""
    row = {column.name: values[-1] for column, values in zip(COLUMNS, block.columns, strict=True)}
    said = tuple(row[name] for name in ("id", "time", "origin_topic", "origin_partition", "origin_offset", "data"))
    return Newest(block.last, str(row["type"]), said)


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


def full_history() -> Partition:
    """What may befall tickets, an hour from one fact to the next; a day is allowed.

    d1 a drill; v1 voided; m1 merged into m2; r1 returned, reworked, closed late, opened again; s1 suspended before it
    was overdue; q1 asked for this and that; p1 diverted, and back; c1 closed and rated; b1 has come back.
    """
    log = Partition(drills={"d1"})
    for number, ticket in enumerate(("d1", "v1", "m1", "m2", "r1", "s1", "q1", "p1", "c1")):
        log.open(ticket, origin(number))
    log.say(fact(TicketOpened, source_id="b1", recurrence_of="c0", deadlines=(deadline(),)), at=BEGIN, ticket="b1")
    told: dict[str, tuple[Event, ...]] = {
        "d1": (fact(LimitCarded, card=Step.RED), fact(TicketReworked), fact(TicketSigned, limit=HOUR, kept=False)),
        "v1": (fact(LimitCarded, card=Step.RED), fact(TicketSigned, limit=HOUR, kept=False), fact(TicketVoided)),
        "m1": (fact(MatchProposed, other="m2"), fact(LimitWarned), fact(TicketAbsorbed, into="m2")),
        "m2": (fact(TicketAdopted, child="m1"), fact(MatchRefused, other="v1"), fact(TicketLinked, other="p1")),
        "r1": (
            fact(TicketDispatched, unit="u2", before="u1", limit=HOUR, kept=True),
            fact(TicketReturned, unit="u2"),
            fact(TicketDispatched, unit="u3", before="u2", level=Level.GRID),
            fact(TicketSigned, limit=HOUR, kept=True),
            fact(TicketHandled, limit=HOUR, kept=False),
            fact(TicketReworked),
            fact(TicketClosed, took=DAY, on_time=False),
            fact(TicketReopened, deadlines=(deadline(hours=72),)),
        ),
        "s1": (
            fact(TicketSigned, limit=HOUR, kept=False),
            fact(TicketSuspended, deadlines=(deadline(),)),
        ),
        "q1": (
            fact(RequestMade, request=RequestKind.RETURN),
            fact(RequestRefused, request=RequestKind.RETURN),
            fact(TicketExtended, granted=HOUR, automatic=True, deadlines=(deadline(hours=25),)),
            fact(RequestMade, request=RequestKind.EXTENSION),
            fact(TicketExtended, granted=2 * HOUR, deadlines=(deadline(hours=27),)),
            fact(ConditionMet, condition="fenced", limit=HOUR, kept=True),
            fact(LimitWarned),
            fact(LimitCarded),
            fact(LimitEscalated, level=Level.DISTRICT),
        ),
        "p1": (
            fact(TicketDiverted, from_side=Side.POLICE, to_side=Side.SERVICE),
            fact(TicketDiverted, from_side=Side.SERVICE, to_side=Side.POLICE, returned=True),
            fact(TicketLinked, other="m2"),
            fact(AlarmRaised),
        ),
        "c1": (fact(TicketClosed, took=HOUR), fact(TicketRated, score=5)),
    }
    for ticket, events in told.items():
        for number, event in enumerate(events, start=1):
            log.say(event, at=BEGIN + number * HOUR, ticket=ticket)
    log.say(fact(ReportSettled, fate=Fate.URGED, ticket="d1", origin=origin(20)), at=BEGIN + 9 * HOUR, ticket="d1")
    refused = fact(
        CommandSettled,
        outcome=Outcome.REFUSED,
        reason=Refusal.NOT_YOURS,
        ticket="q1",
        origin=origin(21),
        command="signed",
    )
    log.say(refused, at=BEGIN + 30 * HOUR, ticket="q1")
    return log
