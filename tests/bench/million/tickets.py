"""A million open tickets, as the desk itself writes them: some thousand come out of its core, the rest are their like.

Each has an id, a matter, a reporter, a source's id, a checksum and a place of its own, as real ones have. Half of them
have a reporter, a tenth an object.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count
from typing import Final

from agents.desk import DeskDeps, answer_to
from agents.packs import load_policy
from schemas.codec import encode, replace
from schemas.codes import Clock, Side
from schemas.commands import Origin, PolicyPublished, Report
from schemas.policy import Policy
from schemas.state import TICKET, Attached, Deadline, Ticket, ticket_key
from streams.desk.memory import DeskMemory
from streams.ownership.batch import Batch
from streams.ownership.batch import Record as _Record

PARTITIONS: Final = 8
DEPS: Final = DeskDeps(tickets="lianqin.tickets", dead_letter="lianqin.dead-letter")
_MODELS: Final = 4_000
_TEXTS: Final = (
    "小区东门外人行道有一处窨井盖破损, 夜间行人容易踏空, 请尽快派人处理",
    "楼下饭店油烟扰民, 已多次反映, 一直没有结果",
    "路口两车相撞, 无人受伤, 占用一条车道",
    "公园健身器材松动, 有老人差点摔倒, 希望检修",
    "河道边有人倾倒建筑垃圾, 车牌已拍照",
)
_SOURCES: Final = ("110", "grid-app", "citizen-app", "12345")


@dataclass(frozen=True, slots=True)
class Row:
    """A record of the desk's log."""

    offset: int
    timestamp: int
    value: bytes
    topic: str = "lianqin.desk"
    partition: int = 0
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


def district() -> Policy:
    """The rules that judge them: the shipped district's."""
    return load_policy("pukou", Clock.WALL)


def models(policy: Policy, at: int) -> list[Ticket]:
    """Tickets that the desk's core made of reports at that time: open, with limits, and of no other's matter."""
    memory, offsets = DeskMemory(), count()
    commands = [PolicyPublished(policy=policy), *(_report(policy, number, at) for number in range(_MODELS))]
    for start in range(0, len(commands), 500):
        rows = [Row(next(offsets), at, encode(command)) for command in commands[start : start + 500]]
        asyncio.run(decided(memory, rows))
    return [ticket for ticket in memory.tickets.values() if ticket.deadlines and ticket.ties is None]


async def decided(memory: DeskMemory, rows: Sequence[_Record]) -> int:
    """Decide the rows as the desk's agent does, a transaction after the other; how much they said."""
    said, left = 0, list(rows)
    while left:
        batch = Batch("desk", 0, left, memory, asyncio.get_running_loop().create_future())
        answer = answer_to(batch, DEPS)
        answer.take()
        said += len(answer.sends)
        left = left[answer.done :]
    return said


def _report(policy: Policy, number: int, at: int) -> Report:
    areas, categories = list(policy.areas), [row.category for row in policy.routes if row.category]
    category = categories[number % len(categories)]
    return Report(
        source=_SOURCES[number % len(_SOURCES)],
        source_id=f"{number:012d}",
        content=f"{number:032x}",
        time=at,
        occurred_at=at,
        area=areas[number % len(areas)],
        grid=f"{areas[number % len(areas)]}-{number % 47:03d}",
        lat=32.0 + number / 20_000,  # so far apart that none is another's matter
        lon=118.5 + number % 61 / 200,
        category=category,
        side=Side.POLICE if category in policy.categories and number % 4 == 0 else Side.SERVICE,
        text=_TEXTS[number % len(_TEXTS)],
        reporter=f"{number:032x}" if number % 2 else None,
        object=f"object {number}" if number % 10 == 0 else None,
        origin=Origin(topic="lianqin.intake.citizen", partition=0, offset=number),
    )


def record(models: Sequence[Ticket], number: int, due_at: int) -> tuple[bytes, bytes, int]:
    """Key and value of one ticket's state, and the bytes of its own text. Its goal's first step is due at `due_at`."""
    model = models[number % len(models)]
    own = blake2b(b"%d" % number, digest_size=24).hexdigest()
    name = f"{model.area}.{own[:16]}"
    ticket = replace(
        model,
        id=name,
        matter=f"{own[:8]}-{own[8:12]}-5{own[13:16]}-a{own[17:20]}-{own[20:32]}",
        lat=31.9 + number % 7919 / 20_000,
        lon=118.4 + number % 6007 / 15_000,
        reports=tuple(_own(report, own, number) for report in model.reports),
        deadlines=tuple(_due(one, due_at, last=one is model.deadlines[-1]) for one in model.deadlines),
    )
    return ticket_key(name), TICKET.pack(ticket), len(ticket.text.encode())


def _own(report: Attached, own: str, number: int) -> Attached:
    return replace(
        report,
        source_id=f"{number:012d}",
        content=own[:32],
        reporter=None if report.reporter is None else own[16:48],
        object=None if report.object is None else f"object {number}",
    )


def _due(one: Deadline, at: int, *, last: bool) -> Deadline:
    """The goal's next step is at that time, and nothing else of the ticket before it has run its whole length."""
    later = at + one.length
    return replace(one, started_at=at, due_at=later, next_at=at if last else later)


def records(models: Sequence[Ticket], numbers: Sequence[int], due_at: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of tickets, all due at one time."""
    for number in numbers:
        key, value, _ = record(models, number, due_at)
        yield key, value
