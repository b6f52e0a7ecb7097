"""A log that stands on a broker, into a file."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from agents.feeding.ports import Progress
from agents.replaying.archive import Writer, line_of, written
from agents.replaying.broker import BrokerLog
from agents.replaying.snapshot import Snapshot
from agents.replaying.source import LOG, section
from schemas.topics import DESK, TICKETS
from streams.ownership.batch import Record
from streams.ownership.place import START

_EVERY = 1000


def export(path: Path, log: BrokerLog, snapshot: Snapshot | None, bar: Progress) -> Mapping[str, int]:
    """Write the log, from where the snapshot was taken where there is one; how many records of each topic."""
    bounds = [
        replace(one, desk_first=max(one.desk_first, _first(snapshot, one.partition))) for one in log.bounds.values()
    ]
    bar.begin("offsets", sum(one.desk_end - one.desk_first + one.tickets_end - one.tickets_first for one in bounds))
    counted = {DESK: 0, TICKETS: 0}
    with written(path, LOG) as file:
        done = 0
        for one in bounds:
            number = one.partition
            counted[DESK] += _section(file, section(DESK, number), log.desk(number, one.desk_first), bar, done)
            done += one.desk_end - one.desk_first
            counted[TICKETS] += _section(file, section(TICKETS, number), log.tickets(number), bar, done)
            done += one.tickets_end - one.tickets_first
            bar.reach(done)
        file.manifest({"prefix": log.prefix, "partitions": [asdict(one) for one in bounds]})
    return counted


def _first(snapshot: Snapshot | None, partition: int) -> int:
    """The record that the snapshot was taken after goes with the log: it is how the two are held together."""
    return 0 if snapshot is None else max(0, snapshot.places.get(partition, START).offset)


def _section(file: Writer, name: str, records: Iterable[Record], bar: Progress, done: int) -> int:
    written_n = 0
    with file.section(name) as to:
        for record in records:
            to.write(line_of(record))
            written_n += 1
            if written_n % _EVERY == 0:
                bar.reach(done + written_n)
    return written_n
