"""A desk's log for tests: a small policy, commands made short, a log played in batches, and facts told short."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from schemas.codec import ValidationError, encode
from schemas.codes import Action, Clock, Level, Side, Stage, Step, Urgency
from schemas.commands import COMMAND, Command, Feedback, Origin, PolicyPublished, Report, Tick
from schemas.events import (
    AlarmRaised,
    CommandSettled,
    ConditionMet,
    Event,
    LimitCarded,
    Ran,
    ReportSettled,
    RequestMade,
    RequestRefused,
    StageRecorded,
)
from schemas.policy import (
    Category,
    Condition,
    Diversion,
    Duplicates,
    LimitRow,
    Policy,
    Route,
    Rung,
    Span,
    Unit,
)
from streams.desk.decide import decide
from streams.desk.draft import Draft
from streams.desk.facts import Decision, Entry, Fact
from streams.desk.indexes import all_of, report_key
from streams.desk.memory import DeskMemory

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
T0 = 1_700_000_000_000
"""When the stories begin."""

LAMPS = Unit(name="lamp company", level=Level.DISTRICT)
GAS = Unit(name="gas company", level=Level.DISTRICT)
STREET = Unit(name="street office", level=Level.STREET)
STATION = Unit(name="police station", level=Level.DISTRICT, side=Side.POLICE)

POLICY = Policy(
    version="p1",
    district="pukou",
    clock=Clock.WALL,
    areas={"north": "North Town", "south": "South Town"},
    limits=(
        LimitRow(urgency=Urgency.CRITICAL, overall=Span(seconds=600), stages={Stage.SIGNED: Span(seconds=60)}),
        LimitRow(
            urgency=Urgency.URGENT,
            overall=Span(seconds=7200),
            stages={Stage.SIGNED: Span(seconds=600), Stage.HANDLED: Span(seconds=3600)},
        ),
        LimitRow(
            urgency=Urgency.ROUTINE,
            overall=Span(seconds=36000),
            stages={
                Stage.ACCEPTED: Span(seconds=60),
                Stage.SIGNED: Span(seconds=3600),
                Stage.HANDLED: Span(seconds=18000),
                Stage.VERIFIED: Span(seconds=3600),
            },
        ),
    ),
    conditions={
        "gas": (
            Condition(name="fenced", title="fenced off", span=Span(seconds=1800)),
            Condition(name="repaired", title="repaired", span=Span(seconds=5400)),
        )
    },
    ladder=(
        Rung(step=Step.WARNED, percent=80, recipients=("unit", "watch-1")),
        Rung(step=Step.PASSED, percent=100, recipients=("lead", "operator")),
        Rung(step=Step.YELLOW, percent=150, recipients=("operator",)),
        Rung(step=Step.RED, percent=200),
        Rung(step=Step.ESCALATED, percent=250, recipients=("leader",)),
    ),
    categories={
        "lamp": Category(near_m=50, near_s=86400),
        "gas": Category(urgency=Urgency.URGENT),
        "theft": Category(side=Side.POLICE),
        "noise": Category(),
        "quarrel": Category(side=None),
    },
    keywords={"fire": Urgency.CRITICAL, "smell": Urgency.URGENT},
    duplicates=Duplicates(recurrence_s=43200),
    units={
        "lamps": LAMPS,
        "gas": GAS,
        "street": STREET,
        "station": STATION,
        "watch-1": Unit(name="{area} watch one", level=Level.COMMUNITY),
        "watch-2": Unit(name="{area} watch two", level=Level.COMMUNITY),
        "grid": Unit(name="grid {grid}", level=Level.GRID),
        "flood": Unit(name="flood team", level=Level.STREET, active=False),
    },
    routes=(
        Route(category="lamp", area="north", units=("lamps",)),
        Route(urgency=Urgency.CRITICAL, units=("station",)),
        Route(category="lamp", source="110", units=("station",)),
        Route(category="gas", units=("flood", "gas"), assist=("lamps",), copies=("street",)),
        Route(category="spill", units=("gas",), joint=("lamps", "station")),
        Route(side=Side.POLICE, units=("station",)),
        Route(category="noise", grid="g7", units=("grid",)),
        Route(category="noise", units=("watch-1", "watch-2")),
    ),
    diversions=(
        Diversion(
            name="to 12345",
            version="1",
            from_side=Side.POLICE,
            to_side=Side.SERVICE,
            categories=("noise", "litter"),
        ),
        Diversion(
            name="to 110", version="1", from_side=Side.SERVICE, to_side=Side.POLICE, categories=("theft", "fight")
        ),
    ),
    catch_all="street",
    copy_unclear=("street",),
    extension_first_s=3600,
    extension_most_s=7200,
    suspension_most_s=86400,
    reopen_score=2,
    closing_sources=("city",),
    back_date_s=3600,
    wait_s=7200,
    keep_closed_s=86400,
)
"""Two areas and a few categories: `lamp` has no place unless a test gives it one, the others show one rule each."""


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


def feedback(action: Action, source_id: str = "r1", **others: object) -> Feedback:
    """Feedback from the source of `report`, but for what is said."""
    plain: dict[str, object] = {
        "source": "city",
        "source_id": source_id,
        "action": action,
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
        (name,) = all_of(self.memory.reports[report_key(area, source, source_id)])
        return name


def told(fact: Fact) -> str:
    """A fact in few words."""
    event = fact.event
    name = event.type.removeprefix("lianqin.").removesuffix(".v1")
    match event:
        case ReportSettled():
            more = event.fate.value
        case CommandSettled():
            more = f"{event.command} {event.outcome.value}" + (f" {event.reason.value}" if event.reason else "")
        case LimitCarded():
            more = f"{event.limit} {event.card.value}"
        case _:
            more = _about(event)
    return f"{name} {more}" if more else name


def _about(event: Event) -> str:
    if isinstance(event, Ran):
        return event.limit
    if isinstance(event, RequestMade | RequestRefused):
        return event.request.value
    match event:
        case StageRecorded():
            more = event.stage.value
        case ConditionMet():
            more = event.condition
        case AlarmRaised():
            more = event.alarm.value
        case _:
            more = ""
    return more


def remembered(memory: DeskMemory) -> dict[str, object]:
    """All that a memory holds, in a form that two memories can be compared by."""
    rules = memory.rules
    return {
        "tickets": dict(sorted(memory.tickets.items())),
        "waiting": dict(sorted(memory.waiting.items())),
        "policy": None if rules is None else rules.policy,
        "former": {version: former.policy for version, former in sorted(memory.former.items())},
        "time": memory.time,
        "reports": memory.reports,
        "reporters": {key: sorted(ids) for key, ids in memory.reporters.items()},
        "objects": {key: sorted(ids) for key, ids in memory.objects.items()},
        "load": memory.load,
        "judged": memory.judged,
        "near": memory.near,
        "police": memory.police,
        "closed near": memory.closed_near,
        "closed objects": memory.closed_objects,
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
