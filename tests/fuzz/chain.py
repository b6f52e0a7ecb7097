"""Records through intake, desk, views and the ledger's rows, as in a centre but without a broker; and what must hold.

Nothing raises. Each record is one command or one dead letter, or both where lives may hang on it. A bad record changes
nothing about its neighbours. What comes out can be read by whoever reads it next. Nothing is settled `failed`.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from agents import desk, views
from agents.desk import DeskDeps
from agents.intake import Intake, IntakeDeps
from agents.packs import load_policy
from agents.places import load_intake
from agents.views import ViewsDeps
from schemas.codec import encode
from schemas.codes import Clock, Flag, Outcome, Reject
from schemas.commands import COMMAND, Feedback, Origin, PolicyPublished, Report
from schemas.dead_letter import dead_letter_of
from schemas.events import CommandSettled, ReportSettled
from schemas.topics import DEAD_LETTER, DESK, FIRST, TICKETS
from streams.desk.memory import DeskMemory
from streams.intake.sources import Sources
from streams.ledger.rows import UNREADABLE_TYPE, dead_letter_row, event_row
from streams.ownership.batch import Answer, Batch, Record, Send
from streams.views.memory import ViewsMemory
from tests.fuzz.finding import Finding, hold
from tests.fuzz.records import PREFIX
from tests.intake.kit import Row

SOURCES: Final[Sources] = load_intake("pukou", b"a key for fuzzing")
POLICIES: Final = {clock: encode(PolicyPublished(policy=load_policy("pukou", clock))) for clock in Clock}
_DESK: Final = DeskDeps(tickets=PREFIX + TICKETS, dead_letter=PREFIX + DEAD_LETTER)
_VIEWS: Final = ViewsDeps(current="current", assignments="assign", reminders="remind", candidates="pairs", replies="re")
_BOTH: Final = frozenset(PREFIX + name for name in FIRST)
UNREADABLE: Final = "unreadable"
_TYPE: Final = 3
"""The place of `type` in a row of the ledger."""


@dataclass(slots=True)
class Counted:
    """What intake told of itself."""

    rejects: Counter[str] = field(default_factory=Counter)
    commands: int = 0

    def rejected(self, reason: Reject) -> None:
        """One dead letter."""
        self.rejects[reason.value] += 1

    def flagged(self, flag: Flag) -> None:
        """A doubt."""

    def forwarded(self, commands: int) -> None:
        """Commands made."""
        self.commands += commands


class Chain:
    """One partition of a centre; its memories take what a batch leads to, as after a commit."""

    def __init__(self, clock: Clock) -> None:
        self.told = Counted()
        self.tickets: list[str] = []
        """Those that were opened, the newest last."""
        self._intake = Intake(IntakeDeps(sources=SOURCES, prefix=PREFIX, partitions=1, metrics=self.told))
        self._alone = Intake(IntakeDeps(sources=SOURCES, prefix=PREFIX, partitions=1))
        self._memory, self._views = DeskMemory(), ViewsMemory()
        self._offsets = {DESK: 0, TICKETS: 0, DEAD_LETTER: 0}
        self._metadata = ""
        self._open: Counter[tuple[str, int, int]] = Counter()
        """Origins of commands that are not settled yet."""
        self.on_desk([_row(POLICIES[clock])])

    def take(self, records: Sequence[Row], good: Iterable[int] = ()) -> None:
        """One batch of records of intake topics; `good` are places of records that are all right."""
        before, told = self._metadata, self.told.rejects.total()
        answer = self._intake.answer(records, before)
        self._metadata = answer.metadata
        made, letters = _made(answer), _letters(answer)
        hold(self.told.rejects.total() - told == letters.total(), "dead letters are not counted as they are sent")
        for record in records:
            _each_once(record, made, letters)
        for place in good:
            self._unharmed(records[place], made)
        rows = [_row(send.value, send.headers) for send in answer.sends if send.topic == PREFIX + DESK]
        self._landed(answer.sends)
        if rows:
            self.on_desk(rows, at=records[-1].timestamp)

    def on_desk(self, rows: Sequence[Row], *, at: int = 0) -> None:
        """Records of the desk's log, and all that follows from them."""
        rows = [self._next(DESK, row, at) for row in rows]
        for row in rows:
            command = desk.command_in(row.value or b"")
            if isinstance(command, Report | Feedback) and command.origin is not None:
                self._open[_key(command.origin)] += 1
        answer = desk.answer_to(batch("desk", rows, self._memory), _DESK)
        answer.take()
        for send in answer.sends:
            if send.topic == _DESK.tickets:
                self._said(send)
        held = (one.feedback for waiting in self._memory.waiting.values() for one in waiting.held)
        waiting = sum(feedback.origin is not None for feedback in held)
        hold(self._open.total() == waiting, f"{self._open.total()} commands are not settled, {waiting} wait")
        self._landed(answer.sends)

    def _said(self, send: Send) -> None:
        read = views.read_event(_row(send.value, send.headers))
        if read is None:
            msg = "a fact cannot be read"
            raise Finding(msg)
        event, envelope = read
        if isinstance(event, CommandSettled):
            bug = event.outcome is Outcome.FAILED and event.command != UNREADABLE
            hold(not bug, f"a command was settled failed: {event.command} {event.reason}")
        if isinstance(event, CommandSettled | ReportSettled) and event.origin is not None:
            key = _key(event.origin)
            if isinstance(event, ReportSettled) or event.command != UNREADABLE:
                hold(self._open[key] > 0, "settled twice, or without a command")
                self._open[key] -= 1
        if envelope.sequence == 1 and envelope.subject is not None:
            self.tickets.append(envelope.subject)

    def _landed(self, sends: Iterable[Send]) -> None:
        """Facts and dead letters as the views and the ledger read them."""
        facts = []
        for send in sends:
            if send.topic == PREFIX + DEAD_LETTER:
                row = dead_letter_row(self._next(DEAD_LETTER, _row(send.value, send.headers), 0))
                hold(row[_TYPE] != UNREADABLE_TYPE, "the ledger cannot read a dead letter")
            elif send.topic == PREFIX + TICKETS:
                facts.append(self._next(TICKETS, _row(send.value, send.headers), 0))
        for fact in facts:
            hold(event_row(fact)[_TYPE] != UNREADABLE_TYPE, "the ledger cannot read a fact")
        if facts:
            told = views.answer_to(batch("views", facts, self._views), _VIEWS)
            told.take()

    def _unharmed(self, record: Row, made: Mapping[tuple[str, int], list[bytes]]) -> None:
        """A usable record became what it becomes alone."""
        alone = self._alone.answer([record], self._metadata)
        expected = [send.value for send in alone.sends if send.topic == PREFIX + DESK and send.key is not None]
        hold(made.get((record.topic, record.offset)) == expected, "a bad record changed its neighbour")

    def _next(self, topic: str, row: Row, at: int) -> Row:
        self._offsets[topic] += 1
        return Row(
            topic=PREFIX + topic,
            offset=self._offsets[topic] - 1,
            timestamp=at,
            key=row.key,
            value=row.value,
            headers=row.headers,
        )


def _key(origin: Origin) -> tuple[str, int, int]:
    return origin.topic, origin.partition, origin.offset


def _row(value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()) -> Row:
    return Row(value=value, headers=headers)


def batch(stage: str, records: Sequence[Record], memory: Any) -> Batch[Any]:
    """A batch whose answer nobody awaits."""
    loop = asyncio.new_event_loop()
    loop.close()
    return Batch(stage, 0, records, memory, asyncio.Future(loop=loop))


def _made(answer: Answer) -> dict[tuple[str, int], list[bytes]]:
    """By the place of the record: the commands made of it. Each can be read again, and is the same then."""
    made: dict[tuple[str, int], list[bytes]] = {}
    for send in answer.sends:
        if send.topic != PREFIX + DESK:
            continue
        value = send.value or b""
        command = COMMAND.decode(value)
        hold(encode(command) == value, "a command is not the same when it is read again")
        if isinstance(command, Report | Feedback):
            hold(send.key == command.area.encode(), "a command is not keyed by its area")
            origin = command.origin
            hold(origin is not None, "a command has no origin")
            if origin is not None:
                made.setdefault((origin.topic, origin.offset), []).append(value)
    return made


def _letters(answer: Answer) -> Counter[tuple[str, int]]:
    sent = [dead_letter_of(send.headers) for send in answer.sends if send.topic == PREFIX + DEAD_LETTER]
    return Counter((letter.origin.topic, letter.origin.offset) for letter in sent)


def _each_once(record: Row, made: Mapping[tuple[str, int], list[bytes]], letters: Counter[tuple[str, int]]) -> None:
    place = record.topic, record.offset
    commands, dead = len(made.get(place, ())), letters[place]
    marker = any(name == "lianqin-marker" for name, _ in record.headers) and record.topic == f"{PREFIX}intake.history"
    allowed = {(0, 0)} if marker else {(1, 1), (1, 0)} if record.topic in _BOTH else {(1, 0), (0, 1)}
    hold((commands, dead) in allowed, f"a record became {commands} commands and {dead} dead letters")
