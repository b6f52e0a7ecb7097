"""What a story is told from: the facts of one ticket, and the policies of its partition's log."""

from collections.abc import Iterator, Sequence

from agents.desk import command_in
from agents.errors import UserError
from agents.explaining.judges import Judges
from agents.explaining.story import Story
from agents.intake import partition_of
from agents.replaying.snapshot import Snapshot
from agents.replaying.source import Source
from schemas.codes import Clock
from schemas.commands import Command, PolicyPublished
from schemas.envelope import Envelope, envelope_of
from schemas.events import EVENT, TicketOpened
from streams.desk.facts import Fact
from streams.desk.rules import Rules
from streams.ledger.access import Client
from streams.ledger.facts import facts_of
from streams.ownership.batch import Record


def in_log(source: Source, ticket: str) -> list[Fact]:
    """The facts of a ticket that stand on `tickets`."""
    for number in _likely(source, ticket):
        found = [_fact(record) for record in source.tickets(number) if record.key == ticket.encode()]
        if found:
            return found
    return []


def in_ledger(client: Client, ticket: str) -> list[Fact]:
    """The facts of a ticket that stand in ClickHouse."""
    found = []
    for name, emitter, time, area, cause, subject, matter, sequence, data, drill in facts_of(client, ticket):
        event = EVENT.decode(data.encode())
        envelope = Envelope(
            id=name,
            source=emitter,
            type=event.type,
            time=time,
            area=area,
            cause=cause,
            subject=subject,
            sequence=sequence,
            matter=matter or None,
            drill=drill,
        )
        found.append(Fact(event, envelope))
    return found


def judges_in(source: Source, ticket: str, snapshot: Snapshot | None) -> Judges:
    """The policies of the log that the ticket is on; of a snapshot those that it begins with."""
    judges, number = Judges(), next(iter(_likely(source, ticket)))
    if snapshot is not None:
        memory = snapshot.memory(number)
        for rules in (*memory.former.values(), *([] if memory.rules is None else [memory.rules])):
            judges.known(0, rules)
        if memory.rules is not None:
            judges.in_force(0, memory.rules)
    at = 0
    for record, command in _commands(source, number):
        at = max(at, _time(judges.newest, record, command))
        if isinstance(command, PolicyPublished):
            judges.publish(at, command.policy)
    return judges


def story_of(ticket: str, facts: Sequence[Fact], judges: Judges) -> Story:
    """The story that the facts tell."""
    if not facts:
        msg = f"there is no ticket {ticket}: take its id from a reply, from tickets, or from `lianqin report --json`"
        raise UserError(msg)
    if not isinstance(facts[0].event, TicketOpened):
        msg = f"what is left of {ticket} begins in its middle: its opening is gone with retention; ask ClickHouse"
        raise UserError(msg)
    story = Story()
    for fact in facts:
        event = fact.event
        version = getattr(event, "policy", None) or (story.ticket.policy if story.ticket is not None else "")
        story.tell(fact, judges.rules(version, fact.envelope.time))
    return story


def _likely(source: Source, ticket: str) -> Iterator[int]:
    """The partitions, the one that its area goes to first."""
    area = ticket.rpartition(".")[0].encode()
    first = partition_of(area, max(source.bounds) + 1)
    yield from sorted(source.bounds, key=lambda number: (number != first, number))


def _fact(record: Record) -> Fact:
    return Fact(EVENT.decode(record.value or b""), envelope_of(record.headers))


def _commands(source: Source, number: int) -> Iterator[tuple[Record, Command | None]]:
    for record in source.desk(number, source.bounds[number].desk_first):
        yield record, command_in(record.value or b"")


def _time(rules: Rules | None, record: Record, command: Command | None) -> int:
    if rules is None or rules.policy.clock is Clock.WALL:
        return record.timestamp if rules is not None else 0
    return getattr(command, "time", None) or 0
