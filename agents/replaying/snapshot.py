"""The desk's state in a file: of each partition the changelog's newest records, and how far into the log they go."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson
from aiokafka import TopicPartition

from agents.errors import UserError
from agents.logs import Logs
from agents.replaying.archive import Archive, ArchiveError, Stored, line_of, written
from agents.replaying.playing import remembered
from agents.replaying.source import section
from schemas.state import LOG_TIME, POLICY, TICKET, UNFINISHED, WAITING
from schemas.topics import DESK_STATE
from streams.desk.memory import DeskMemory
from streams.ownership import changelog, clients
from streams.ownership.place import START, Place, from_state
from streams.ownership.settings import OwnerSettings

SNAPSHOT: Final = "snapshot"
"""The kind of a file that holds one."""

State = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Cut:
    """One partition's state right after the record at `place`."""

    partition: int
    place: Place
    state: State


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot in a file that was found whole; another process can be given it."""

    path: Path
    places: Mapping[int, Place]
    """By partition."""

    def state(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """The state records of a partition."""
        if partition in self.places:
            for record in Archive(self.path).records(section(DESK_STATE, partition), DESK_STATE, partition):
                yield record.key or b"", record.value or b""

    def memory(self, partition: int) -> DeskMemory:
        """What the desk remembered of a partition."""
        return remembered(self.state(partition))


def write(path: Path, prefix: str, cuts: Iterable[Cut]) -> Sequence[Mapping[str, Any]]:
    """Write a snapshot; gives what its manifest says of each partition."""
    said = []
    with written(path, SNAPSHOT) as file:
        for cut in cuts:
            with file.section(section(DESK_STATE, cut.partition)) as to:
                for number, (key, value) in enumerate(cut.state.items()):
                    to.write(line_of(Stored(DESK_STATE, cut.partition, number, 0, key, value, ())))
            said.append({"partition": cut.partition, **asdict(cut.place), "records": len(cut.state)})
        file.manifest({"prefix": prefix, "shape": shape(), "partitions": said})
    return said


def snapshot_in(path: Path) -> Snapshot:
    """The snapshot in a file; `ArchiveError` where it is none, is damaged, or was written by another build."""
    manifest = Archive(path).check(SNAPSHOT)
    if manifest.get("shape") != shape():
        msg = f"{path} was written by another build, whose state has another shape: write a snapshot anew"
        raise ArchiveError(msg)
    places = {one["partition"]: Place(one["offset"], one["checksum"], one["next"]) for one in manifest["partitions"]}
    return Snapshot(path, places)


@cache
def shape() -> str:
    """A hash of all that a state record may look like: it changes with the contracts."""
    schemas = [
        TICKET.schema(),
        *(contract.adapter.json_schema() for contract in (WAITING, LOG_TIME, UNFINISHED, POLICY)),
    ]
    return sha256(orjson.dumps(schemas, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def cuts_at(logs: Logs) -> list[Cut]:
    """The state of a centre as its desk committed it last, partition by partition."""
    return asyncio.run(_cuts(logs))


async def _cuts(logs: Logs) -> list[Cut]:
    settings = OwnerSettings(bootstrap=logs.cluster.bootstrap, prefix=logs.prefix, security=logs.cluster.security)
    topic = logs.prefix + DESK_STATE
    consumer, admin = clients.make_consumer(settings, wait_ms=settings.fold_wait_ms), clients.make_admin(settings)
    try:
        await clients.start(consumer, admin)
        if topic not in await admin.list_topics():
            msg = f"{logs.cluster.bootstrap} has no topic {topic}: correct LIANQIN_KAFKA__PREFIX, or start `lianqin up`"
            raise UserError(msg)
        (found,) = await admin.describe_topics([topic])
        partitions = sorted(one["partition"] for one in found["partitions"])
        return [await _cut(consumer, TopicPartition(topic, number)) for number in partitions]
    finally:
        await clients.stop(consumer, admin)


async def _cut(consumer: Any, place: TopicPartition) -> Cut:
    kept: dict[bytes, bytes] = {}
    first = (await consumer.beginning_offsets([place]))[place]
    # Compaction may take away what has a newer record behind the end that was seen: so twice, the second time briefly.
    for _ in range(2):
        end = (await consumer.end_offsets([place]))[place]
        async for records in changelog.records_of(consumer, place, first, end):
            for record in records:
                _keep(kept, record.key, record.value)
        first = max(first, end)
    applied = kept.pop(changelog.APPLIED, None)
    return Cut(place.partition, START if applied is None else from_state(applied), kept)


def _keep(kept: dict[bytes, bytes], key: bytes, value: bytes | None) -> None:
    if value is None:
        kept.pop(key, None)
    else:
        kept[key] = value
