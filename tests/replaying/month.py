"""Simulated days of Pukou as an exported log, without a broker: through the real intake and the real desk.

Run: `python -m tests.replaying.month FILE [DAYS]`.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Final

from agents.desk import command_in, entry_of, send_of
from agents.intake import Intake, IntakeDeps
from agents.places import load_intake
from agents.replaying.archive import Stored, Writer, line_of, written
from agents.replaying.playing import Player
from agents.replaying.source import LOG, Bounds, section
from agents.simulating.place import world_at
from agents.simulating.stream import Record, Simulation, Span
from schemas.codec import encode
from schemas.commands import PolicyPublished
from schemas.envelope import HeaderWriter
from schemas.intake import IntakeHeaders
from schemas.topics import DESK, HISTORY, TICKETS
from streams.desk.memory import DeskMemory
from streams.ownership.batch import Send

PREFIX: Final = "lianqin."
PARTITIONS: Final = 8
BEGIN: Final = date(2025, 6, 2)
APPENDED: Final = 1_800_000_000_000
_BATCH: Final = 500


def month(file: Path, days: int) -> int:
    """Write the log of so many days; how many records the desk's log has."""
    logs = commands(days)
    with written(file, LOG) as to:
        bounds = [_partition(to, number, records) for number, records in enumerate(logs)]
        to.manifest({"prefix": PREFIX, "partitions": [asdict(one) for one in bounds]})
    return sum(map(len, logs))


def commands(days: int) -> list[list[Stored]]:
    """What stands on `desk`, by partition: the policy, and what intake makes of the simulation."""
    world = world_at("pukou")
    sources = load_intake("pukou", b"a key of the tests")
    intake = Intake(IntakeDeps(sources=sources, prefix=PREFIX, partitions=PARTITIONS))
    first = encode(PolicyPublished(policy=world.policy))
    logs = [[_stored(number, 0, Send(PREFIX + DESK, number, None, first))] for number in range(PARTITIONS)]
    metadata = ""
    for batch in _batches(Simulation(world, Span(begin=BEGIN, days=days, times=1.0, seed=1))):
        answer = intake.answer(batch, metadata)
        metadata = answer.metadata
        for send in answer.sends:
            log = logs[send.partition]
            log.append(_stored(send.partition, len(log), send))
    return logs


def _batches(simulation: Simulation) -> Iterator[Sequence[Stored]]:
    """The records as they stand on `intake.history`."""
    records = (
        Stored(PREFIX + HISTORY, 0, row, APPENDED, record.key.encode(), record.line, tuple(_headers(record)))
        for row, record in enumerate(simulation.records())
    )
    while batch := tuple(islice(records, _BATCH)):
        yield batch


def _headers(record: Record) -> list[tuple[str, bytes]]:
    return IntakeHeaders(source=record.source, part=record.part, time=record.time).to_kafka()


def _stored(partition: int, offset: int, send: Send) -> Stored:
    assert send.topic == PREFIX + DESK, "a dead letter"
    return Stored(send.topic, partition, offset, APPENDED + offset, send.key, send.value, tuple(send.headers))


def _partition(to: Writer, number: int, records: Sequence[Stored]) -> Bounds:
    with to.section(section(DESK, number)) as lines:
        lines.writelines(map(line_of, records))
    said = 0
    with to.section(section(TICKETS, number)) as lines:
        for event in events(records):
            lines.write(line_of(event))
            said += 1
    return Bounds(
        partition=number,
        desk_first=0,
        desk_end=len(records),
        tickets_first=0,
        tickets_end=said,
        applied=len(records),
    )


def events(records: Sequence[Stored]) -> Iterator[Stored]:
    """What the desk says of one partition's log, as it stands on `tickets`."""
    player, headers = Player(DeskMemory()), HeaderWriter()
    said = 0
    for record in records:
        entry = entry_of(record)
        for fact in player.turn(entry, command_in(entry.raw)).decision.facts:
            send = send_of(fact, PREFIX + TICKETS, record.partition, headers)
            yield Stored(send.topic, send.partition, said, APPENDED, send.key, send.value, tuple(send.headers))
            said += 1


if __name__ == "__main__":
    sys.stdout.write(f"{month(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 30):,} records\n")
