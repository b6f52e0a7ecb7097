"""The proof of account, carried out: fix the logs' ends, wait until all before them is in ClickHouse, compare.

Records are read `read_committed` from log start, a stretch at a time, so that any length of log takes little memory.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

import numpy as np
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from agents.agreeing import Agreeing
from agents.errors import UserError
from agents.held import HeldFeedback
from agents.logs import Logs
from schemas.intake import MARKER, SOURCE
from schemas.topics import DEAD_LETTER, DESK, HISTORY, INTAKE, TICKETS
from streams.ledger.access import Client
from streams.ledger.account import Account, Offsets, Received, check_events, standing, with_rows
from streams.ledger.agreement import Agreement
from streams.ownership import clients

STRETCH: Final = 500_000
"""Records that are compared at once."""
_LOOK_EVERY_S: Final = 0.3
_NONE: Final[Offsets] = np.empty(0, np.int64)

T = TypeVar("T")
Ends = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The account, and how many records of each stage's input were not done in time (empty: all were)."""

    account: Account
    behind: Mapping[str, int] = field(default_factory=dict)
    agreement: Agreement = field(default_factory=Agreement)

    @property
    def ok(self) -> bool:
        """All was done, the account is whole, and views and ledger tell the same."""
        return self.account.ok and self.agreement.ok and not self.behind


async def prove(logs: Logs, client: Client, *, timeout_s: float) -> Proof:
    """The proof of all that had arrived when this was called. Waits at most `timeout_s` for the stages."""
    consumer = clients.log_reader(logs.cluster)
    admin: Any = AIOKafkaAdminClient(**logs.cluster.options)
    await consumer.start()
    await admin.start()
    try:
        return await _Prover(logs, consumer, admin, client).prove(time.monotonic() + timeout_s)
    finally:
        await asyncio.gather(consumer.stop(), admin.close())


class _Prover:
    def __init__(self, logs: Logs, consumer: Any, admin: Any, client: Client) -> None:
        self._logs = logs
        self._consumer = consumer
        self._admin = admin
        self._client = client

    async def prove(self, until: float) -> Proof:
        sources = await self._ends([*INTAKE, HISTORY])
        if not sources:
            msg = f"no topic {self._logs.prefix}intake.* on {self._logs.cluster.bootstrap}: check LIANQIN_KAFKA__PREFIX"
            raise UserError(msg)
        behind = await self._wait(sources, until)
        account = await self._compare(sources, {})
        if account.missing_n and (waiting := await self._waiting()):
            account = await self._compare(sources, waiting)
        known = [self._logs.prefix + name for name in (*INTAKE, HISTORY, DESK)]
        await self._ask(lambda client: check_events(client, account, known))
        for named in (account.twice, account.unfounded):
            named[:] = await self._ask(partial(with_rows, named=list(named)))
        agreeing = Agreeing(self._consumer, self._ends, self._caught_up, self._ask, self._logs.prefix)
        # A stage that is behind tells less, and nothing wrong.
        agreement = Agreement() if behind else await agreeing.agree(until)
        return Proof(account=account, behind=behind, agreement=agreement)

    async def _ask(self, question: Callable[[Client], T]) -> T:
        return await asyncio.to_thread(question, self._client)

    async def _ends(self, names: Sequence[str]) -> dict[TopicPartition, int]:
        """The `read_committed` ends of some topics, as they are now."""
        # Asked of the broker: what the consumer knows of topics it does not read is a matter of luck.
        standing = set(await self._admin.list_topics())
        wanted = [topic for topic in (self._logs.prefix + name for name in names) if topic in standing]
        described = await self._admin.describe_topics(wanted) if wanted else []
        partitions = sorted(
            TopicPartition(topic["topic"], one["partition"]) for topic in described for one in topic["partitions"]
        )
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(partitions) if partitions else {}
        return ends

    async def _wait(self, sources: Ends, until: float) -> dict[str, int]:
        """Stage by stage: once one has done all, what it wrote is the end that the next must reach."""
        behind = {"intake": await self._reach("intake", sources, until)}
        behind["desk"] = await self._reach("desk", await self._ends([DESK]), until)
        facts = await self._ends([TICKETS])
        behind["views"] = await self._reach("views", facts, until)
        behind["ledger"] = await self._reach("ledger", facts | await self._ends([DEAD_LETTER]), until)
        return {stage: left for stage, left in behind.items() if left}

    async def _caught_up(self, until: float) -> None:
        facts = await self._ends([TICKETS])
        await self._reach("views", facts, until)
        await self._reach("ledger", facts, until)

    async def _reach(self, group: str, ends: Ends, until: float) -> int:
        """Wait until a group has done everything before `ends`; how many records it had not when time was up."""
        while left := await self._left(self._logs.prefix + group, ends):
            if time.monotonic() > until:
                return left
            await asyncio.sleep(_LOOK_EVERY_S)
        return 0

    async def _left(self, group: str, ends: Ends) -> int:
        starts = await self._consumer.beginning_offsets(list(ends))
        done = await clients.committed_offsets(self._admin, group, list(ends), within_s=10)
        firsts: dict[TopicPartition, int] = {}
        for partition, end in ends.items():
            offset = done[partition]
            first = max(starts[partition], offset.offset if offset else 0)
            if first < end:
                firsts[partition] = first
        # Transaction markers at the end are never committed by anybody: only a record counts.
        return sum(ends[partition] - firsts[partition] for partition in await self._with_record(firsts, ends))

    async def _with_record(self, firsts: Ends, ends: Ends) -> set[TopicPartition]:
        """Those partitions that have a record between the two offsets."""
        found: set[TopicPartition] = set()
        self._consumer.assign(list(firsts))
        for partition, first in firsts.items():
            self._consumer.seek(partition, first)
        unknown = set(firsts)
        while unknown:
            got = await self._consumer.getmany(*unknown, timeout_ms=100)
            found |= {one for one, records in got.items() if any(record.offset < ends[one] for record in records)}
            unknown -= found
            unknown -= {one for one in unknown if await self._consumer.position(one) >= ends[one]}
        return found

    async def _records(self, partition: TopicPartition, first: int, end: int) -> AsyncIterator[Sequence[Any]]:
        """All records from `first` up to `end`, some at a time."""
        self._consumer.assign([partition])
        self._consumer.seek(partition, first)
        while await self._consumer.position(partition) < end:
            got = await self._consumer.getmany(partition, timeout_ms=200)
            records = [record for record in got.get(partition, ()) if record.offset < end]
            if records:
                yield records

    async def _compare(self, sources: Ends, waiting: Mapping[TopicPartition, Offsets]) -> Account:
        account = Account()
        starts = await self._consumer.beginning_offsets(list(sources))
        for partition, end in sources.items():
            held = waiting.get(partition, _NONE)
            async for received in self._stretches(partition, starts[partition], end):
                stands = await self._ask(partial(standing, received=received))
                within = held[(held >= received.first) & (held < received.end)]
                await asyncio.to_thread(account.add, received, stands, within)
        return account

    async def _stretches(self, partition: TopicPartition, first: int, end: int) -> AsyncIterator[Received]:
        """The log in stretches without a gap between them, so that what stands in ClickHouse alone is seen too."""
        stretch = _Stretch(partition, self._logs.prefix + HISTORY == partition.topic)
        async for records in self._records(partition, first, end):
            stretch.take(records)
            if len(stretch.offsets) >= STRETCH:
                upto = stretch.offsets[-1] + 1
                yield stretch.cut(first, upto)
                first = upto
        if first < end:
            yield stretch.cut(first, end)

    async def _waiting(self) -> dict[TopicPartition, Offsets]:
        """The feedback that the desk holds until its report comes: it is neither settled nor missing."""
        found: dict[TopicPartition, list[int]] = {}
        for origin in await HeldFeedback(self._logs.cluster, self._logs.prefix).look():
            found.setdefault(TopicPartition(origin.topic, origin.partition), []).append(origin.offset)
        return {partition: np.array(sorted(offsets), np.int64) for partition, offsets in found.items()}


class _Stretch:
    """Places and sources of records of one partition, gathered."""

    def __init__(self, partition: TopicPartition, has_markers: bool) -> None:
        self._partition = partition
        self._has_markers = has_markers
        self._codes: dict[str, int] = {}
        self.offsets: list[int] = []
        self._sources: list[int] = []

    def take(self, records: Sequence[Any]) -> None:
        """Add records; a marker is none."""
        for record in records:
            headers = dict(record.headers)
            if self._has_markers and MARKER in headers:
                continue
            source = headers.get(SOURCE)
            name = source.decode(errors="replace") if source is not None else self._partition.topic
            self.offsets.append(record.offset)
            self._sources.append(self._codes.setdefault(name, len(self._codes)))

    def cut(self, first: int, end: int) -> Received:
        """What was gathered, as the stretch from `first` up to `end`; begin anew."""
        received = Received(
            topic=self._partition.topic,
            partition=self._partition.partition,
            first=first,
            end=end,
            offsets=np.array(self.offsets, np.int64),
            sources=np.array(self._sources, np.int32),
            names=list(self._codes),
        )
        self.offsets, self._sources = [], []
        return received
