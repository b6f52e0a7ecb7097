"""A desk's log for tests: commands made short, a log played in batches, and facts told short."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from schemas.codec import ValidationError, encode
from schemas.codes import Clock, Level, Stage, Urgency
from schemas.commands import COMMAND, Command, Feedback, Origin, PolicyPublished, Report, Tick
from schemas.events import CommandSettled, LimitPassed, LimitWarned, ReportSettled
from schemas.policy import Limits, Policy, Route, Unit
from streams.desk.decide import decide
from streams.desk.draft import Draft
from streams.desk.facts import Decision, Entry, Fact
from streams.desk.memory import DeskMemory

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
T0 = 1_700_000_000_000
"""When the stories begin."""

STREET = Unit(name="street office", level=Level.STREET)
LAMPS = Unit(name="lamp company", level=Level.DISTRICT)
STATION = Unit(name="police station", level=Level.DISTRICT)

POLICY = Policy(
    version="p1",
    district="pukou",
    clock=Clock.WALL,
    limits={
        Urgency.CRITICAL: Limits(overall_s=600, stages={Stage.SIGNED: 60}),
        Urgency.URGENT: Limits(overall_s=7200, stages={Stage.SIGNED: 600, Stage.HANDLED: 3600}),
        Urgency.ROUTINE: Limits(
            overall_s=36000, stages={Stage.ACCEPTED: 60, Stage.SIGNED: 3600, Stage.HANDLED: 18000, Stage.CLOSED: 3600}
        ),
    },
    warn_percent=80,
    urgencies={"gas": Urgency.URGENT},
    keywords={"fire": Urgency.CRITICAL, "smell": Urgency.URGENT},
    routes=(
        Route(category="lamp", area="north", unit=LAMPS),
        Route(urgency=Urgency.CRITICAL, unit=STATION),
        Route(category="lamp", source="110", unit=STATION),
    ),
    catch_all=STREET,
    closing_sources=("city",),
    back_date_s=3600,
    wait_s=7200,
    keep_closed_s=86400,
)


def report(source_id: str = "r1", **others: object) -> Report:
    """A report of a broken lamp, but for what is said."""
    plain: dict[str, object] = {
        "source": "city",
        "source_id": source_id,
        "content": "c1",
        "time": T0,
        "occurred_at": T0,
        "area": "north",
        "category": "lamp",
        "origin": Origin(topic="lianqin.intake.citizen", partition=0, offset=7),
    }
    return Report(**(plain | others))  # type: ignore[arg-type]  # tests name the fields they mean


def feedback(stage: Stage, source_id: str = "r1", **others: object) -> Feedback:
    """Feedback from the source of `report`, but for what is said."""
    plain: dict[str, object] = {
        "source": "city",
        "source_id": source_id,
        "stage": stage,
        "time": T0,
        "occurred_at": T0,
        "area": "north",
        "origin": Origin(topic="lianqin.intake.feedback", partition=0, offset=8),
    }
    return Feedback(**(plain | others))  # type: ignore[arg-type]  # tests name the fields they mean


def command_in(raw: bytes) -> Command | None:
    """The command in a record, if it is one."""
    try:
        return COMMAND.decode(raw)
    except ValidationError:
        return None


def entry(offset: int, appended_at: int, command: Command | bytes) -> Entry:
    """A record of partition 3."""
    raw = command if isinstance(command, bytes) else encode(command)
    return Entry("lianqin.desk", 3, offset, appended_at, raw)


def decide_batch(memory: DeskMemory, entries: Iterable[Entry]) -> tuple[Draft, list[Decision]]:
    """One batch, decided against a draft that nobody has taken yet."""
    draft = Draft(memory)
    return draft, [decide(draft, one, command_in(one.raw)) for one in entries]


@dataclass
class Log:
    """A log and the desk that follows it, one record at a time."""

    policy: Policy | None = field(default_factory=lambda: POLICY)
    memory: DeskMemory = field(default_factory=DeskMemory)
    state: dict[bytes, bytes] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    decision: Decision = field(default_factory=Decision)

    def __post_init__(self) -> None:
        """The first record is the policy."""
        if self.policy is not None:
            self.add(PolicyPublished(policy=self.policy), 0)

    def add(self, command: Command | bytes, after: int) -> list[str]:
        """Append a command `after` milliseconds from the beginning; gives what was said, told short."""
        self.entries.append(entry(len(self.entries), T0 + after, command))
        draft, (self.decision,) = decide_batch(self.memory, self.entries[-1:])
        self.write(draft.state())
        draft.take()
        self.facts += self.decision.facts
        return [told(fact) for fact in self.decision.facts]

    def tick(self, after: int) -> list[str]:
        """Time passes."""
        return self.add(Tick(), after)

    def write(self, state: dict[bytes, bytes | None]) -> None:
        """Take a changelog's records, as a compacted topic keeps them."""
        for key, value in state.items():
            if value is None:
                self.state.pop(key, None)
            else:
                self.state[key] = value

    def ticket_of(self, source_id: str = "r1", source: str = "city", area: str = "north") -> str:
        """The id of the ticket that holds a report."""
        return self.memory.reports[area, source, source_id]


def told(fact: Fact) -> str:
    """A fact in few words."""
    event = fact.event
    name = event.type.removeprefix("lianqin.").removesuffix(".v1")
    match event:
        case ReportSettled():
            return f"{name} {event.fate.value}"
        case CommandSettled():
            return f"{name} {event.command} {event.outcome.value}" + (f" {event.reason.value}" if event.reason else "")
        case LimitWarned() | LimitPassed():
            return f"{name} {event.limit}"
        case _:
            return name


def remembered(memory: DeskMemory) -> dict[str, object]:
    """All that a memory holds, in a form that two memories can be compared by."""
    return {
        "tickets": dict(sorted(memory.tickets.items())),
        "waiting": dict(sorted(memory.waiting.items())),
        "policy": memory.policy,
        "time": memory.time,
        "reports": memory.reports,
        "reporters": {key: sorted(ids) for key, ids in memory.reporters.items()},
        "objects": {key: sorted(ids) for key, ids in memory.objects.items()},
        "open": memory.open_by_stage,
        "pending": memory.deadlines_pending,
        "next": memory.next_due(),
    }


def folded(state: dict[bytes, bytes]) -> DeskMemory:
    """The memory that a changelog gives."""
    memory = DeskMemory()
    for key, value in state.items():
        memory.fold(key, value)
    memory.folded()
    return memory


def bytes_of(facts: Sequence[Fact]) -> list[tuple[bytes, bytes, object]]:
    """Facts as they stand on the topic."""
    return [(fact.envelope.key, encode(fact.event), fact.envelope.headers()) for fact in facts]
