"""The desk again, slow and obvious: one list of tickets, one list of waiting feedback, everything found by scanning.

Written from docs/desk.md, without the desk's code. It says each fact in full, as the contract has it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import cos, radians, sqrt
from typing import Any
from uuid import UUID, uuid5

from schemas import events as said
from schemas.codec import encode
from schemas.codes import (
    Action,
    Alarm,
    Clock,
    Fate,
    Flag,
    Level,
    Outcome,
    Refusal,
    RequestKind,
    Side,
    Stage,
    Standing,
    Step,
    Urgency,
)
from schemas.commands import Command, Feedback, Origin, PolicyPublished, Report, Tick
from schemas.envelope import NAMESPACE
from schemas.policy import Category, Policy, Route, Unit
from schemas.state import Attached, Course, Held, Match, Request, Ticket, Ties, Waiting, waiting_key
from tests.desk.minutes import minutes_of
from tests.desk.runs import STAGES, Judged, Limit, Runs, with_years

WORKED = (Stage.DISPATCHED, Stage.SIGNED, Stage.CONTACTED, Stage.ARRIVED)
HELD = (Stage.ACCEPTED, *WORKED)
DONE = (Stage.HANDLED, Stage.VERIFIED, Stage.CALLED_BACK)
BEFORE_CLOSED = tuple(STAGES[: STAGES.index(Stage.CLOSED)])
OVER = (Stage.CLOSED, Stage.RATED)
LEVELS = list(Level)
YEAR_10000 = 253_402_300_800_000
REMEMBERED = (Stage.SIGNED, Stage.CONTACTED, Stage.ARRIVED, *DONE)
MATCHING = (Action.MERGE_CONFIRMED, Action.MERGE_REFUSED, Action.UNMERGED)
WHILE_SUSPENDED = (*MATCHING, Action.VOIDED, Action.URGED, Action.RESUMED)
WHILE_MERGED = (*MATCHING, Action.URGED)
LEADS = (
    Action.SIGNED,
    Action.HANDLED,
    Action.RETURN_REQUESTED,
    Action.EXTENSION_REQUESTED,
    Action.SUSPENSION_REQUESTED,
)
HELPERS = (Action.CONTACTED, Action.ARRIVED, Action.CONDITION_MET)

LEGAL: dict[Action, tuple[Stage, ...]] = {
    Action.DISPATCHED: (Stage.OPENED, *HELD),
    Action.RATED: (Stage.CLOSED,),
    Action.REWORKED: DONE,
    Action.REOPENED: OVER,
    Action.VOIDED: BEFORE_CLOSED,
    Action.RETURN_REQUESTED: WORKED,
    Action.EXTENSION_REQUESTED: HELD,
    Action.SUSPENSION_REQUESTED: HELD,
    Action.CONDITION_MET: BEFORE_CLOSED,
    Action.URGED: BEFORE_CLOSED,
    Action.ASSISTED: WORKED,
    Action.DIVERTED: WORKED,
    Action.DIVERSION_RETURNED: WORKED,
}
"""At which stages an action is legal; those that are not here say so themselves."""

MOVES: dict[Action, Any] = {
    Action.ACCEPTED: said.TicketAccepted,
    Action.SIGNED: said.TicketSigned,
    Action.CONTACTED: said.TicketContacted,
    Action.ARRIVED: said.TicketArrived,
    Action.HANDLED: said.TicketHandled,
    Action.VERIFIED: said.TicketVerified,
    Action.CALLED_BACK: said.TicketCalledBack,
}
STEPS: dict[Step, Any] = {
    Step.WARNED: said.LimitWarned,
    Step.PASSED: said.LimitPassed,
    Step.YELLOW: said.LimitCarded,
    Step.RED: said.LimitCarded,
    Step.ESCALATED: said.LimitEscalated,
}


class Refused(Exception):
    """The command is refused; nothing changed."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass
class Said:
    """One fact: when, because of what, about which ticket, and what."""

    time: int
    cause: str
    ticket: str | None
    sequence: int | None
    matter: str | None
    drill: bool
    event: said.Event


@dataclass
class Joined:
    """A report in a ticket."""

    source: str
    source_id: str
    content: str
    fate: Fate
    at: int
    reporter: str | None
    object: str | None
    text: str
    details: dict[str, str]
    occurred_at: int
    closed_at: int | None = None

    def shown(self) -> Attached:
        """As the contract has it."""
        return Attached(
            source=self.source,
            source_id=self.source_id,
            content=self.content,
            fate=self.fate,
            at=self.at,
            reporter=self.reporter,
            object=self.object,
            closed_at=self.closed_at,
        )


@dataclass
class Case:
    """A ticket."""

    id: str
    matter: str
    area: str
    category: str
    urgency: Urgency
    side: Side
    unit: str
    level: Level
    source: str
    kind: str | None
    drill: bool
    grid: str | None
    lat: float | None
    lon: float | None
    text: str
    flags: tuple[Flag, ...]
    policy: str
    opened: int
    runs: Runs
    stage: Stage = Stage.OPENED
    since: int = 0
    standing: Standing = Standing.RUNNING
    closed: int | None = None
    sequence: int = 0
    reports: list[Joined] = field(default_factory=list)
    request: Request | None = None
    extensions: int = 0
    suspended: int | None = None
    resume: int | None = None
    assisting: list[str] = field(default_factory=list)
    met: list[str] = field(default_factory=list)
    diverted_from: Side | None = None
    diverted_unit: str | None = None
    returns: int = 0
    reworks: int = 0
    reopens: int = 0
    reopened: int | None = None
    urges: int = 0
    escalated: Level | None = None
    inferred: list[Stage] = field(default_factory=list)
    master: "Case | None" = None
    children: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    proposed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    recurrence: str | None = None

    @property
    def open(self) -> bool:
        """Neither closed nor voided."""
        return self.closed is None

    @property
    def root(self) -> "Case":
        """The ticket that answers for it."""
        return self if self.master is None else self.master.root

    @property
    def place(self) -> tuple[float, float] | None:
        """Its coordinates."""
        return place_of(self.lat, self.lon)

    @property
    def age(self) -> tuple[int, str]:
        """The oldest first."""
        return self.opened, self.id

    @property
    def begun(self) -> int:
        """When its limits began."""
        return self.opened if self.reopened is None else self.reopened


@dataclass
class Waits:
    """Feedback that waits."""

    command: str
    until: int
    feedback: Feedback


@dataclass
class Way:
    """Who gets a ticket."""

    unit: Unit
    joint: list[Unit]
    assisting: tuple[str, ...]
    copies: tuple[str, ...]
    owned: bool


@dataclass
class Place:
    """What a route asks of a ticket."""

    category: str
    area: str
    grid: str | None
    source: str
    side: Side
    urgency: Urgency


def metres(one: tuple[float, float], other: tuple[float, float]) -> int:
    """The distance over the ground: the earth is flat between the two."""
    north = radians(other[0] - one[0])
    east = radians(other[1] - one[1]) * cos(radians((one[0] + other[0]) / 2))
    return round(6_371_008.8 * sqrt(north * north + east * east))


def pairs_of(text: str) -> set[str]:
    """The character pairs of a text."""
    return {text[at : at + 2] for at in range(len(text) - 1)}


def alike(one: str, other: str) -> int:
    """The Jaccard index of the pairs, in hundredths."""
    ours, theirs = pairs_of(one), pairs_of(other)
    return 100 * len(ours & theirs) // len(ours | theirs) if ours and theirs else 0


def place_of(lat: float | None, lon: float | None) -> tuple[float, float] | None:
    """Coordinates, where they are degrees."""
    if lat is None or lon is None or abs(lat) > 90 or abs(lon) > 180:
        return None
    return lat, lon


class Model:
    """Partition 3 of a desk."""

    def __init__(self) -> None:
        self.policy: Policy | None = None
        self.former: dict[str, Policy] = {}
        self.now = 0
        self.cases: list[Case] = []
        self.waiting: list[Waits] = []
        self.said: list[Said] = []
        self.record = ""
        self.cause = ""
        self.at = 0
        self.offset = 0
        self.met: Counter[str] = Counter()
        """What no fact shows to have been met."""

    # The log

    def apply(self, offset: int, appended_at: int, command: Command | None) -> list[Said]:
        """One record; gives what is said."""
        self.said, self.offset = [], offset
        self.record = self.cause = str(uuid5(UUID(bytes=NAMESPACE), f"desk/3/{offset}"))
        self.now = max(self.now, self._time(appended_at, command))
        self._fire()
        self.at = self.now
        if isinstance(command, Report):
            self._report(command)
        elif isinstance(command, Feedback):
            self._feedback(command)
        elif isinstance(command, PolicyPublished):
            self._publish(command.policy)
        elif isinstance(command, Tick):
            self._evict()
        else:
            self._settle(None, "unreadable", Outcome.FAILED, Refusal.BAD_COMMAND, None)
        return self.said

    def next_due(self) -> int | None:
        """When something is to happen next."""
        return min((when for when, *_ in self._agenda()), default=None)

    @property
    def rules(self) -> Policy:
        """The policy in force."""
        assert self.policy is not None
        return self.policy

    def rules_of(self, case: Case) -> Policy:
        """The policy that judges a ticket."""
        return self.former.get(case.policy, self.rules)

    def _time(self, appended_at: int, command: Command | None) -> int:
        policy = self.policy or (command.policy if isinstance(command, PolicyPublished) else None)
        if policy is None:
            return 0
        if policy.clock is Clock.WALL:
            return appended_at
        own = None if command is None or isinstance(command, PolicyPublished) else command.time
        return own or 0

    def _agenda(self) -> Iterator[tuple[int, int, str, str]]:
        """What is to happen: when, as a deadline, a wait or a suspension, of what, and its name."""
        for case in self.cases:
            if case.standing is Standing.SUSPENDED and case.resume is not None:
                yield case.resume, 2, case.id, ""
            if case.standing is Standing.RUNNING:
                for limit in case.runs.running.values():
                    if limit.next_at is not None:
                        yield limit.next_at, 0, case.id, limit.name
        for waits in self.waiting:
            one = waits.feedback
            yield waits.until, 1, waiting_key(one.area, one.source, one.source_id).decode(), waits.command

    def _fire(self) -> None:
        while agenda := sorted(due for due in self._agenda() if due[0] <= self.now):
            self.at, kind, subject, name = agenda[0]
            self.cause = self.record
            if kind == 1:
                waits = next(one for one in self.waiting if one.command == name)
                self.waiting.remove(waits)
                self.cause = name
                self._settle(None, waits.feedback.action.value, Outcome.REFUSED, Refusal.UNKNOWN, waits.feedback)
                continue
            case = self._case(subject)
            assert case is not None
            if kind == 2:
                self._resume(case, "", None, "", self.at)
            else:
                self._climb(case, case.runs.running[name])
        self.at, self.cause = self.now, self.record

    def _climb(self, case: Case, limit: Limit) -> None:
        rung = case.runs.policy.ladder[limit.said]
        limit.said, limit.floor = limit.said + 1, self.at
        limit.times = [limit.at(case.runs.policy, rung.percent) for rung in case.runs.policy.ladder]
        more: dict[str, Any] = {}
        if rung.step in (Step.YELLOW, Step.RED):
            more["card"] = rung.step
        if rung.step is Step.ESCALATED:
            case.escalated = LEVELS[max(0, LEVELS.index(case.level) - 1)]
            more["level"] = case.escalated
        event = STEPS[rung.step](
            limit=limit.name,
            allowed=limit.length,
            unit=case.unit,
            recipients=tuple(self._addressed(case, recipient) for recipient in rung.recipients),
            rung=limit.rung,
            next_at=limit.next_at,
            **more,
        )
        self._say(case, event)

    def _say(self, case: Case | None, event: said.Event) -> None:
        if case is not None:
            case.sequence += 1
        self.said.append(
            Said(
                time=self.at,
                cause=self.cause,
                ticket=None if case is None else case.id,
                sequence=None if case is None else case.sequence,
                matter=None if case is None else case.matter,
                drill=case is not None and case.drill,
                event=event,
            )
        )

    def _settle(
        self, case: Case | None, command: str, outcome: Outcome, reason: Refusal | None, of: Feedback | Report | None
    ) -> None:
        event = said.CommandSettled(
            outcome=outcome,
            reason=reason,
            command=command,
            source=of.source if of else "",
            source_id=of.source_id if of else "",
            ticket=case.id if case else None,
            flags=of.flags if of else (),
            origin=None if command == "policy" else self._origin(of),
        )
        self._say(case, event)

    def _origin(self, of: Feedback | Report | None) -> Origin | None:
        here = Origin(topic="lianqin.desk", partition=3, offset=self.offset)
        return here if of is None else of.origin

    def _case(self, ticket: str | None) -> Case | None:
        return next((case for case in self.cases if case.id == ticket), None)

    def _holding(self, area: str, source: str, source_id: str) -> Case | None:
        for case in self.cases:
            if case.area == area and any((r.source, r.source_id) == (source, source_id) for r in case.reports):
                return case
        return None

    def _happened(self, stated: int, rules: Policy) -> int:
        return max(min(stated, self.at), self.at - rules.back_date_s * 1000)

    # A policy, a tick

    def _publish(self, policy: Policy) -> None:
        if self.policy is not None and self.policy.clock != policy.clock:
            self._settle(None, "policy", Outcome.REFUSED, Refusal.WRONG_CLOCK, None)
            return
        if self.policy is not None and self.policy != policy:
            self._replace(self.policy, policy)
        self.policy = policy
        self._settle(None, "policy", Outcome.APPLIED, None, None)

    def _replace(self, known: Policy, policy: Policy) -> None:
        judges = self.former | {known.version: known}
        running = sorted((case for case in self.cases if case.open), key=lambda case: case.age)
        keeping = {case.policy for case in running if case.policy in judges and judges[case.policy].running == "keep"}
        self.policy = policy
        self.former = {
            version: replace(judges[version], calendar=with_years(judges[version].calendar, policy.calendar))
            for version in keeping - {policy.version}
        }
        for case in running:
            now = self.at if case.suspended is None else case.suspended
            if case.policy in keeping:
                if not case.runs.announced(self.rules_of(case), now):
                    continue
            else:
                case.policy = policy.version
                case.runs.taken(policy, case.stage, (case.begun, case.since), case.met, now)
            changed = said.LimitsChanged(policy=case.policy, deadlines=case.runs.shown(), said=case.runs.climbed())
            self._say(case, changed)

    def _evict(self) -> None:
        if self.policy is not None:
            keep = self.policy.keep_closed_s * 1000
            self.cases = [case for case in self.cases if case.closed is None or case.closed + keep > self.now]
            judging = {case.policy for case in self.cases if case.open}
            self.former = {version: policy for version, policy in self.former.items() if version in judging}

    # A report

    def _report(self, report: Report) -> None:
        if self.policy is None:
            self._settle(None, "report", Outcome.FAILED, Refusal.BUG, report)
            return
        case, fate = self._fate(report)
        self._say(
            case,
            said.ReportSettled(
                fate=fate,
                source=report.source,
                source_id=report.source_id,
                ticket=case.id,
                flags=report.flags,
                origin=report.origin,
            ),
        )
        for waits in [one for one in self.waiting if self._names(one.feedback, report)]:
            self.waiting.remove(waits)
            self.cause = waits.command
            self._about(waits.feedback)

    def _names(self, feedback: Feedback, report: Report) -> bool:
        return (feedback.area, feedback.source, feedback.source_id) == (report.area, report.source, report.source_id)

    def _fate(self, report: Report) -> tuple[Case, Fate]:
        held = self._holding(report.area, report.source, report.source_id)
        if held is not None:
            return held, self._again(held, report)
        same = [
            case
            for case in sorted(self.cases, key=lambda case: case.age)
            if case.open and (case.area, case.category, case.drill) == (report.area, report.category, report.drill)
        ]
        for case in same:
            if any(self._same_reporter(one, report) for one in case.reports) and self._takes(case.root, report):
                return self._join(case.root, report, Fate.URGED), Fate.URGED
        for case in same:
            is_same = report.object is not None and any(one.object == report.object for one in case.reports)
            if is_same and self._takes(case.root, report):
                return self._join(case.root, report, Fate.MERGED), Fate.MERGED
        return self._open(report), Fate.TICKETED

    def _takes(self, root: Case, report: Report) -> bool:
        own = self.rules.categories.get(report.category, Category()).urgency
        danger = self._urgency(report) is Urgency.CRITICAL and own is not Urgency.CRITICAL
        if danger and (root.urgency is not Urgency.CRITICAL or root.side not in (Side.POLICE, report.side)):
            return False
        return len(root.reports) < 1_000

    def _again(self, case: Case, report: Report) -> Fate:
        joined = next(r for r in case.reports if (r.source, r.source_id) == (report.source, report.source_id))
        if joined.content == report.content:
            return Fate.REPEAT
        joined.content = report.content
        self._say(
            case,
            said.TicketAmended(
                source=report.source,
                source_id=report.source_id,
                content=report.content,
                occurred_at=self._happened(report.occurred_at, self.rules),
                category=report.category,
                text=report.text,
                details=report.details,
            ),
        )
        return Fate.AMENDED

    def _same_reporter(self, joined: Joined, report: Report) -> bool:
        if report.reporter is None or joined.reporter != report.reporter:
            return False
        return joined.object is None or report.object is None or joined.object == report.object

    def _joined(self, report: Report, fate: Fate) -> Joined:
        return Joined(
            source=report.source,
            source_id=report.source_id,
            content=report.content,
            fate=fate,
            at=self.at,
            reporter=report.reporter,
            object=report.object,
            text=report.text,
            details=report.details,
            occurred_at=self._happened(report.occurred_at, self.rules),
        )

    def _join(self, case: Case, report: Report, fate: Fate) -> Case:
        joined = self._joined(report, fate)
        case.reports.append(joined)
        if fate is Fate.URGED:
            case.urges += 1
        kind = said.TicketUrged if fate is Fate.URGED else said.TicketMerged
        self._say(
            case,
            kind(
                source=joined.source,
                source_id=joined.source_id,
                content=joined.content,
                occurred_at=joined.occurred_at,
                text=joined.text,
                details=joined.details,
                reporter=joined.reporter,
                object=joined.object,
                flags=report.flags,
            ),
        )
        return case

    # A new ticket

    def _open(self, report: Report) -> Case:
        urgency = self._urgency(report)
        place = Place(report.category, report.area, report.grid, report.source, report.side, urgency)
        first = way = self._route(place)
        to, listed = self._handed_over(report, urgency)
        if to is not None:
            way = self._route(replace(place, side=to))
        other, why, distance = self._linked(report)
        matter = None if other is None else other.matter
        case = self._new_case(1, matter, report, report.side, first.unit, urgency)
        case.recurrence = self._recurrence(report, case)
        joined = self._joined(report, Fate.TICKETED)
        case.reports.append(joined)
        self._say(case, self._opened(case, joined, start=self.at))
        if not way.owned:
            self._say(case, said.AlarmRaised(alarm=Alarm.NO_OWNER, about=way.unit.name))
        if to is not None:
            self._divert(case, to, listed, "")
        self._undated(case)
        self._dispatch(
            case,
            way.unit,
            source=report.source,
            occurred_at=self.at,
            assisting=way.assisting,
            copies=way.copies + self._told(report, place, to, way),
        )
        if report.self_handled:
            self._handle_at_once(case, joined)
        if other is not None:
            self._link(case, other, why, distance)
            self._link(other, case, why, distance)
        self._propose(case)
        for number, unit in enumerate(way.joint, start=2):
            self._open_joint(case, report, unit, number)
        return case

    def _listed(self, report: Report) -> tuple[Side | None, str]:
        """The side to which a list hands what is of that category, and the list."""
        side = self.rules.categories.get(report.category, Category()).side
        listed = None if side is None else self._list(report.side, side, report.category)
        return (side, listed) if side is not None and listed is not None else (None, "")

    def _handed_over(self, report: Report, urgency: Urgency) -> tuple[Side | None, str]:
        """The side that a list hands it to, and the list; the police keep what is dangerous beyond its category."""
        own = self.rules.categories.get(report.category, Category()).urgency
        if report.side is Side.POLICE and urgency is Urgency.CRITICAL and own is not Urgency.CRITICAL:
            return None, ""
        return self._listed(report)

    def _told(self, report: Report, place: Place, to: Side | None, way: Way) -> tuple[str, ...]:
        """Who is told of what the police keep, unclear or of danger; and the police of danger on the other side."""
        if to is not None:
            return ()
        if report.side is not Side.POLICE:
            own = self.rules.categories.get(report.category, Category()).urgency
            if place.urgency is not Urgency.CRITICAL or own is Urgency.CRITICAL:
                return ()
            named = [self._named(key, place).name for key in self.rules.copy_danger]
            return tuple(name for name in named if name not in (way.unit.name, *way.assisting, *way.copies))
        unclear = self.rules.categories.get(report.category, Category()).side is None
        kept = self._listed(report)[0] is not None
        return tuple(self._named(key, place).name for key in self.rules.copy_unclear) if unclear or kept else ()

    def _undated(self, case: Case) -> None:
        for limit in case.runs.shown():
            if limit.provisional:
                self._say(case, said.AlarmRaised(alarm=Alarm.PROVISIONAL, about=limit.limit))
                return

    def _new_case(
        self, number: int, matter: str | None, report: Report, side: Side, unit: Unit, urgency: Urgency
    ) -> Case:
        policy = self.rules
        ticket = f"{report.area}.{self.cause.replace('-', '')[:16]}" + (f"-{number}" if number > 1 else "")
        judged = Judged(report.category, urgency, report.area, report.source, report.kind, side)
        case = Case(
            id=ticket,
            matter=matter or self.cause,
            area=report.area,
            category=report.category,
            urgency=urgency,
            side=side,
            unit=unit.name,
            level=unit.level,
            source=report.source,
            kind=report.kind,
            drill=report.drill,
            grid=report.grid,
            lat=report.lat,
            lon=report.lon,
            text=report.text,
            flags=report.flags,
            policy=policy.version,
            opened=self.at,
            since=self.at,
            runs=Runs(judged, policy),
        )
        self.cases.append(case)
        return case

    def _opened(self, case: Case, joined: Joined | None, start: int) -> said.TicketOpened:
        case.runs.opened(Stage.OPENED, start, self.at, [])
        return said.TicketOpened(
            source=case.source,
            source_id=joined.source_id if joined else "",
            content=joined.content if joined else "",
            category=case.category,
            kind=case.kind,
            urgency=case.urgency,
            side=case.side,
            occurred_at=joined.occurred_at if joined else self.at,
            grid=case.grid,
            lat=case.lat,
            lon=case.lon,
            text=case.text,
            details=joined.details if joined else {},
            reporter=joined.reporter if joined else None,
            object=joined.object if joined else None,
            flags=case.flags,
            unit=case.unit,
            level=case.level,
            policy=case.policy,
            recurrence_of=case.recurrence,
            deadlines=case.runs.shown(),
        )

    def _handle_at_once(self, case: Case, joined: Joined) -> None:
        moved = self._move(case, Stage.HANDLED, case.source, None, "", joined.occurred_at)
        self._say(case, said.TicketHandled(**moved, evidence=(), self_handled=True))

    def _open_joint(self, first: Case, report: Report, unit: Unit, number: int) -> None:
        case = self._new_case(number, first.matter, report, unit.side, unit, first.urgency)
        opened = self._opened(case, None, start=self.at)
        occurred_at = self._happened(report.occurred_at, self.rules)
        self._say(case, replace(opened, occurred_at=occurred_at, details=report.details))
        self._dispatch(case, unit, source=report.source, occurred_at=self.at)
        self._link(case, first, "joint", None)
        self._link(first, case, "joint", None)

    def _urgency(self, report: Report) -> Urgency:
        category = self.rules.categories.get(report.category, Category())
        asked = [report.urgency, category.urgency]
        asked += [level for word, level in self.rules.keywords.items() if word in report.text]
        return next(level for level in Urgency if level in asked)

    # Who handles it

    def _load(self, area: str, name: str) -> int:
        return len(
            [c for c in self.cases if c.open and c.area == area and c.unit == name and c.standing != Standing.MERGED]
        )

    def _named(self, key: str, place: Place) -> Unit:
        unit = self.rules.units[key]
        title = self.rules.areas.get(place.area, place.area)
        name = unit.name.replace("{area}", title).replace("{grid}", place.grid or title)
        return replace(unit, name=name)

    def _addressed(self, case: Case, word: str) -> str:
        if word in self.rules.units:
            return self._named(word, self._place(case, case.side)).name
        kept = case.runs.policy
        if word not in kept.units:
            return case.unit if word == "unit" else word
        title = kept.areas.get(case.area, case.area)
        return kept.units[word].name.replace("{area}", title).replace("{grid}", case.grid or title)

    def _unit(self, name: str, case: Case) -> Unit:
        """By its key, else by its name; one that the table does not know has the ticket's own level."""
        place = self._place(case, case.side)
        if name in self.rules.units:
            return self._named(name, place)
        for key in self.rules.units:
            unit = self._named(key, place)
            if unit.name == name:
                return unit
        return Unit(name=name, level=case.level)

    def _place(self, case: Case, side: Side) -> Place:
        return Place(case.category, case.area, case.grid, case.source, side, case.urgency)

    def _fits(self, row: Route, place: Place) -> bool:
        pairs = [
            (row.category, place.category),
            (row.area, place.area),
            (row.grid, place.grid),
            (row.source, place.source),
            (row.side, place.side),
            (row.urgency, place.urgency),
        ]
        if not all(wanted is None or wanted == given for wanted, given in pairs):
            return False
        if row.hours is None:
            return True
        begin, end = row.hours
        minute = minutes_of(self.rules.calendar).minute_of_day(self.at)
        return begin <= minute < end if begin <= end else minute >= begin or minute < end

    def _route(self, place: Place) -> Way:
        units = self.rules.units
        for row in self.rules.routes:
            able = [self._named(key, place) for key in row.units if units[key].active]
            if self._fits(row, place) and able:
                unit = min(able, key=lambda one: self._load(place.area, one.name))
                joint = [self._named(key, place) for key in row.joint if units[key].active]
                assisting = tuple(self._named(key, place).name for key in row.assist if units[key].active)
                copies = tuple(self._named(key, place).name for key in row.copies)
                return Way(unit, joint, assisting, copies, owned=True)
        return Way(self._named(self.rules.catch_all, place), [], (), (), owned=False)

    def _list(self, side: Side, to: Side, category: str) -> str | None:
        for one in self.rules.diversions:
            if (one.from_side, one.to_side) == (side, to) and category in one.categories:
                return f"{one.name} {one.version}"
        return None

    def _divert(self, case: Case, to: Side, listed: str, note: str, *, returned: bool = False) -> None:
        event = said.TicketDiverted(
            from_side=case.side,
            to_side=to,
            list=listed,
            returned=returned,
            unit=case.unit,
            elapsed=self.at - case.opened,
            note=note,
            said=case.runs.leaves(),
        )
        case.diverted_from, case.diverted_unit = (None, None) if returned else (case.side, case.unit)
        case.side = to
        here = case.runs.overall_said
        case.runs.handed_over(to, case.stage, case.begun, self.at)
        self.met["steps that are not said again"] += case.runs.overall_said > here
        self._say(case, event)

    def _dispatch(
        self,
        case: Case,
        unit: Unit,
        *,
        source: str,
        occurred_at: int,
        by: str | None = None,
        note: str = "",
        assisting: tuple[str, ...] = (),
        copies: tuple[str, ...] = (),
    ) -> None:
        again = case.stage is not Stage.OPENED
        before = case.unit if again and case.unit != unit.name else None
        case.request = None
        moved = self._move(case, Stage.DISPATCHED, source, by, note, occurred_at, anew=again)
        case.unit, case.level = unit.name, unit.level
        if again and before is None:
            assisting = tuple(case.assisting)
        case.assisting = list(assisting)
        self._say(
            case,
            said.TicketDispatched(
                **moved, unit=unit.name, level=unit.level, before=before, assisting=assisting, copies=copies
            ),
        )

    # Nearness

    def _near(self, case: Case) -> Iterator[tuple[Case, int]]:
        for other in self.cases:
            alike_in = (other.area, other.category, other.drill) == (case.area, case.category, case.drill)
            if other is not case and alike_in and case.place is not None and other.place is not None:
                yield other, metres(case.place, other.place)

    def _propose(self, case: Case) -> None:
        found: list[tuple[int, int, str, said.MatchProposed]] = []
        for other, distance in self._near(case):
            if other.open and other.standing != Standing.MERGED and self._may_be_one(case, other):
                event = self._scored(case, other, distance)
                if event is not None and event.score >= self.rules.duplicates.threshold:
                    found.append((-event.score, *other.age, event))
        for *_, event in sorted(found, key=lambda one: one[:3])[: self.rules.duplicates.most]:
            if event.other not in case.proposed:
                case.proposed.append(event.other)
            self._say(case, event)

    def _may_be_one(self, case: Case, other: Case) -> bool:
        police = case.side is Side.POLICE and other.side is Side.POLICE
        return case.matter != other.matter and not police and not self._is_refused(case, other)

    def _scored(self, case: Case, other: Case, distance: int) -> said.MatchProposed | None:
        category, weights = self.rules.categories.get(case.category, Category()), self.rules.duplicates
        gap, most = self.at - other.opened, category.near_s * 1000
        if category.near_m <= 0 or most <= 0 or distance > category.near_m or gap > most:
            return None
        likeness = alike(case.text, other.text)
        score = weights.weight_distance * (category.near_m - distance) // category.near_m
        score += weights.weight_time * (most - gap) // most
        score += weights.weight_text * likeness // 100
        return said.MatchProposed(other=other.id, score=score, distance_m=distance, gap=gap, likeness=likeness)

    def _is_refused(self, one: Case, other: Case) -> bool:
        return other.id in one.refused or one.id in other.refused

    def _linked(self, report: Report) -> tuple[Case | None, Any, int | None]:
        if report.side is not Side.POLICE:
            return None, "", None
        held = self._holding(report.area, report.source, report.related or "") if report.related is not None else None
        if held is not None and held.drill == report.drill:
            return held, "related", None
        table, here = self.rules.duplicates, place_of(report.lat, report.lon)
        found: list[tuple[int, str, Case, int]] = []
        for case in self.cases:
            same = (case.area, case.side, case.drill) == (report.area, Side.POLICE, report.drill)
            if same and here is not None and case.place is not None:
                distance, gap = metres(here, case.place), self.at - case.opened
                if distance <= table.link_m and gap <= table.link_s * 1000:
                    found.append((gap, case.id, case, distance))
        if not found:
            return None, "", None
        _, _, case, distance = min(found, key=lambda one: one[:2])
        return case, "near", distance

    def _link(self, case: Case, other: Case, why: Any, distance: int | None) -> None:
        if other.id not in case.links:
            case.links.append(other.id)
        self._say(case, said.TicketLinked(other=other.id, why=why, distance_m=distance))

    def _recurrence(self, report: Report, case: Case) -> str | None:
        since = self.rules.duplicates.recurrence_s * 1000
        near_m = self.rules.categories.get(report.category, Category()).near_m
        ended = [
            other
            for other in self.cases
            if other.stage in OVER
            and other.standing != Standing.VOIDED
            and (other.area, other.category, other.drill) == (report.area, report.category, report.drill)
            and self.at - (other.closed or 0) <= since
        ]
        same = [o for o in ended if report.object is not None and any(r.object == report.object for r in o.reports)]
        near = [o for o in ended if case.place and o.place and metres(case.place, o.place) <= near_m > 0]
        found = sorted(same or near, key=lambda other: (-(other.closed or 0), other.id))
        return found[0].id if found and since > 0 else None

    # Feedback

    def _feedback(self, feedback: Feedback) -> None:
        if self._target(feedback) is not None:
            self._about(feedback)
        elif feedback.ticket is not None or not feedback.source_id:
            self._settle(None, feedback.action.value, Outcome.REFUSED, Refusal.UNKNOWN, feedback)
        elif self.policy is None:
            self._settle(None, feedback.action.value, Outcome.FAILED, Refusal.BUG, feedback)
        else:
            waits = Waits(self.cause, self.now + self.policy.wait_s * 1000, feedback)
            if self._may_wait(waits):
                self.waiting.append(waits)
            else:
                self._settle(None, feedback.action.value, Outcome.REFUSED, Refusal.UNKNOWN, feedback)

    def _may_wait(self, waits: Waits) -> bool:
        """Not what waits already, and only so much for one report."""
        named = (waits.feedback.area, waits.feedback.source, waits.feedback.source_id)
        beside = [o for o in self.waiting if (o.feedback.area, o.feedback.source, o.feedback.source_id) == named]
        said = [replace(one.feedback, time=0, origin=None) for one in [*beside, waits]]
        record = Waiting(
            held=tuple(Held(command=o.command, until=o.until, feedback=o.feedback) for o in [*beside, waits])
        )
        return said[-1] not in said[:-1] and len(said) <= 64 and len(encode(record)) <= 1_000_000

    def _target(self, feedback: Feedback) -> Case | None:
        if feedback.ticket is not None:
            return self._case(feedback.ticket)
        return self._holding(feedback.area, feedback.source, feedback.source_id)

    def _about(self, feedback: Feedback) -> None:
        case = self._target(feedback)
        assert case is not None
        joined = next(
            (r for r in case.reports if (r.source, r.source_id) == (feedback.source, feedback.source_id)), None
        )
        try:
            if feedback.ticket is None and joined is not None and joined is not self._first(case):
                self._about_joined(case, joined, feedback)
            else:
                self._act(case, feedback)
        except Refused as refused:
            self._settle(case, feedback.action.value, Outcome.REFUSED, refused.reason, feedback)
            return
        self._settle(case, feedback.action.value, Outcome.APPLIED, None, feedback)

    def _first(self, case: Case) -> Joined | None:
        return next((one for one in case.reports if one.fate is Fate.TICKETED), None)

    def _about_joined(self, case: Case, joined: Joined, feedback: Feedback) -> None:
        if feedback.action is Action.UNMERGED:
            self._split(case, joined, feedback)
        elif feedback.action is Action.CLOSED and joined.closed_at is None:
            joined.closed_at = self.at
            self._say(
                case,
                said.ReportClosed(
                    source=joined.source,
                    source_id=joined.source_id,
                    occurred_at=self._happened(feedback.occurred_at, self.rules_of(case)),
                    flags=feedback.flags,
                ),
            )
        else:
            raise Refused(Refusal.NOT_LEGAL_NOW)

    def _act(self, case: Case, feedback: Feedback) -> None:
        action = feedback.action
        if not self._standing_allows(case, feedback) or not self._stage_allows(case, feedback):
            raise Refused(Refusal.NOT_LEGAL_NOW)
        if not self._theirs(case, feedback):
            raise Refused(Refusal.NOT_YOURS)
        if action in MOVES:
            self._claim(case, feedback)
        else:
            getattr(self, "_" + action.value.replace("-", "_"))(case, feedback)

    def _standing_allows(self, case: Case, feedback: Feedback) -> bool:
        action = feedback.action
        if case.standing is Standing.MERGED:
            closing = action is Action.CLOSED and feedback.source in self.rules_of(case).closing_sources
            return action in WHILE_MERGED or closing
        if case.standing is Standing.SUSPENDED:
            return action in WHILE_SUSPENDED
        return case.standing is Standing.RUNNING and action is not Action.RESUMED

    def _stage_allows(self, case: Case, feedback: Feedback) -> bool:
        action = feedback.action
        if action in MOVES:
            stage = Stage(action.value)
            earlier = STAGES.index(case.stage) < STAGES.index(stage)
            return earlier or (stage in case.inferred and case.stage is not stage)
        if action is Action.CLOSED:
            closing = feedback.source in self.rules_of(case).closing_sources
            return case.stage in (BEFORE_CLOSED if closing else (Stage.VERIFIED, Stage.CALLED_BACK))
        if action is Action.VOIDED and case.children:
            return False
        if action is Action.UNMERGED and case.standing is not Standing.MERGED:
            return False
        stage = case.root.stage if action is Action.URGED else case.stage
        return stage in LEGAL.get(action, STAGES)

    def _theirs(self, case: Case, feedback: Feedback) -> bool:
        if feedback.by is None or feedback.by == case.unit:
            return True
        if feedback.action in HELPERS:
            return feedback.by in case.assisting
        return feedback.action not in LEADS

    # Stages

    def _move(
        self,
        case: Case,
        stage: Stage,
        source: str,
        by: str | None,
        note: str,
        occurred_at: int,
        *,
        anew: bool = False,
    ) -> dict[str, Any]:
        """The ticket reaches a stage, its goal may begin anew; gives what every such event says."""
        here, there = STAGES.index(case.stage), STAGES.index(stage)
        inferred = tuple(STAGES[here + 1 : there])
        goal, spent = case.runs.goal, self.at - case.since
        ended = goal if goal is not None and here < STAGES.index(Stage(goal.name)) <= there else None
        if there <= here:
            case.inferred = [one for one in case.inferred if STAGES.index(one) <= there]
        case.inferred = [one for one in case.inferred if one is not stage]
        case.inferred += [one for one in inferred if one in REMEMBERED and one not in case.inferred]
        if there >= STAGES.index(Stage.HANDLED):
            case.request = None
        case.stage, case.since = stage, self.at
        if anew:
            case.runs.drop(case.runs.goal)
        case.runs.reached(stage, self.at)
        return {
            "stage": stage,
            "inferred": inferred,
            "occurred_at": occurred_at,
            "spent": spent,
            "limit": ended.length if ended else None,
            "kept": occurred_at <= ended.due if ended else None,
            "source": source,
            "by": by,
            "note": note,
            "deadlines": case.runs.shown(),
        }

    def _moved(self, case: Case, stage: Stage, feedback: Feedback) -> dict[str, Any]:
        occurred_at, anew = self._happened(feedback.occurred_at, self.rules_of(case)), stage is Stage.ACCEPTED
        return self._move(case, stage, feedback.source, feedback.by, feedback.note, occurred_at, anew=anew)

    def _stood(self, case: Case, feedback: Feedback) -> dict[str, Any]:
        return {
            "occurred_at": self._happened(feedback.occurred_at, self.rules_of(case)),
            "source": feedback.source,
            "by": feedback.by,
            "note": feedback.note,
            "deadlines": case.runs.shown(),
        }

    def _claim(self, case: Case, feedback: Feedback) -> None:
        stage = Stage(feedback.action.value)
        if STAGES.index(stage) <= STAGES.index(case.stage):
            case.inferred.remove(stage)
            self._say(
                case,
                said.StageRecorded(
                    stage=stage,
                    occurred_at=self._happened(feedback.occurred_at, self.rules_of(case)),
                    source=feedback.source,
                    by=feedback.by,
                    note=feedback.note,
                ),
            )
            return
        more = {"evidence": feedback.evidence, "self_handled": False} if stage is Stage.HANDLED else {}
        self._say(case, MOVES[feedback.action](**self._moved(case, stage, feedback), **more))

    def _dispatched(self, case: Case, feedback: Feedback) -> None:
        name = feedback.unit or (None if case.stage in WORKED else case.unit)
        if name is None or (case.stage in WORKED and self._unit(name, case).name == case.unit):
            raise Refused(Refusal.NO_UNIT)
        self._send(case, name, feedback)

    def _send(self, case: Case, name: str, feedback: Feedback) -> None:
        self._dispatch(
            case,
            self._unit(name, case),
            source=feedback.source,
            occurred_at=self._happened(feedback.occurred_at, self.rules_of(case)),
            by=feedback.by,
            note=feedback.note,
        )

    def _closed(self, case: Case, feedback: Feedback) -> None:
        occurred_at = self._happened(feedback.occurred_at, self.rules_of(case))
        if case.standing is Standing.MERGED and case.master is not None:
            master = case.master
            self._close_with_children(case, feedback, occurred_at)
            case.standing, case.master = Standing.RUNNING, None
            master.children.remove(case.id)
            self._say(master, said.TicketReleased(child=case.id, source="", source_id=""))
        else:
            self._close_with_children(case, feedback, occurred_at)

    def _close_with_children(self, case: Case, feedback: Feedback, occurred_at: int) -> None:
        self._close(case, feedback, None, occurred_at)
        for child in sorted(self._below(case), key=lambda child: child.id):
            if child.open:
                self._close(child, feedback, case.id, occurred_at)

    def _below(self, case: Case) -> list[Case]:
        children = [one for one in self.cases if one.master is case]
        return children + [one for child in children for one in self._below(child)]

    def _close(self, case: Case, feedback: Feedback, root: str | None, occurred_at: int) -> None:
        took = self.at - case.begun
        overall = case.runs.running.get("overall")
        on_time = overall is None or self.at <= overall.due
        moved = self._move(case, Stage.CLOSED, feedback.source, feedback.by, feedback.note, occurred_at)
        case.closed, case.suspended = self.at, None
        self._say(case, said.TicketClosed(**moved, took=took, on_time=on_time, flags=feedback.flags, with_master=root))

    def _rated(self, case: Case, feedback: Feedback) -> None:
        if feedback.score is None or not 1 <= feedback.score <= 5:
            raise Refused(Refusal.BAD_SCORE)
        self._say(case, said.TicketRated(**self._moved(case, Stage.RATED, feedback), score=feedback.score))
        if feedback.score <= self.rules_of(case).reopen_score:
            self._reopened(case, feedback)

    def _reworked(self, case: Case, feedback: Feedback) -> None:
        case.reworks += 1
        occurred_at, spent = self._happened(feedback.occurred_at, self.rules_of(case)), self.at - case.since
        case.stage, case.since = Stage.SIGNED, self.at
        case.inferred = [one for one in case.inferred if one is Stage.SIGNED]
        case.runs.reworked(self.at)
        self._say(
            case,
            said.TicketReworked(
                stage=Stage.SIGNED,
                inferred=(),
                occurred_at=occurred_at,
                spent=spent,
                limit=None,
                kept=None,
                source=feedback.source,
                by=feedback.by,
                note=feedback.note,
                deadlines=case.runs.shown(),
            ),
        )

    def _reopened(self, case: Case, feedback: Feedback) -> None:
        if case.policy != self.rules.version:
            case.policy = self.rules.version
            self._say(case, said.LimitsChanged(policy=case.policy, deadlines=(), said={}))
        case.reopens += 1
        case.runs.policy = self.rules
        case.closed, case.reopened, case.met, case.escalated = None, self.at, [], None
        moved = self._moved(case, Stage.ACCEPTED, feedback)
        case.runs.opened(Stage.ACCEPTED, self.at, self.at, case.met)
        moved["deadlines"] = case.runs.shown()
        self._say(case, said.TicketReopened(**moved))
        self._send(case, feedback.unit or case.unit, feedback)
        self._propose(case)

    def _voided(self, case: Case, feedback: Feedback) -> None:
        case.standing, case.closed, case.request = Standing.VOIDED, self.at, None
        case.suspended = case.resume = None
        case.runs.running = {}
        self._say(case, said.TicketVoided(**self._stood(case, feedback)))

    # Requests

    def _ask(self, case: Case, kind: RequestKind, feedback: Feedback) -> None:
        if case.request is not None:
            raise Refused(Refusal.REQUEST_PENDING)
        case.request = Request(kind=kind, at=self.at, by=feedback.by, seconds=feedback.seconds, note=feedback.note)
        self._say(case, said.RequestMade(request=kind, seconds=feedback.seconds, by=feedback.by, note=feedback.note))

    def _asked(self, case: Case, kind: RequestKind) -> Request:
        if case.request is None or case.request.kind is not kind:
            raise Refused(Refusal.NO_REQUEST)
        return case.request

    def _refuse(self, case: Case, kind: RequestKind, feedback: Feedback) -> None:
        waited = self.at - self._asked(case, kind).at
        case.request = None
        self._say(case, said.RequestRefused(request=kind, waited=waited, by=feedback.by, note=feedback.note))

    def _return_requested(self, case: Case, feedback: Feedback) -> None:
        self._ask(case, RequestKind.RETURN, feedback)

    def _return_refused(self, case: Case, feedback: Feedback) -> None:
        self._refuse(case, RequestKind.RETURN, feedback)

    def _return_approved(self, case: Case, feedback: Feedback) -> None:
        self._asked(case, RequestKind.RETURN)
        case.request = None
        case.returns += 1
        self._say(case, said.TicketReturned(**self._moved(case, Stage.ACCEPTED, feedback), unit=case.unit))
        if feedback.unit is not None:
            self._send(case, feedback.unit, feedback)

    def _extension_requested(self, case: Case, feedback: Feedback) -> None:
        if case.request is not None:
            raise Refused(Refusal.REQUEST_PENDING)
        seconds = self._amount(case, feedback.seconds)
        if case.extensions == 0 and seconds <= self.rules_of(case).extension_first_s:
            self._extend(case, seconds, feedback, automatic=True)
        else:
            self._ask(case, RequestKind.EXTENSION, feedback)

    def _amount(self, case: Case, seconds: int | None) -> int:
        if seconds is None or not 0 < seconds <= self.rules_of(case).extension_most_s:
            raise Refused(Refusal.BAD_AMOUNT)
        return seconds

    def _extension_approved(self, case: Case, feedback: Feedback) -> None:
        asked = self._asked(case, RequestKind.EXTENSION)
        seconds = self._amount(case, asked.seconds if feedback.seconds is None else feedback.seconds)
        self._extend(case, seconds, feedback, automatic=False)

    def _extend(self, case: Case, seconds: int, feedback: Feedback, *, automatic: bool) -> None:
        case.request = None
        case.extensions += 1
        case.runs.extended(seconds * 1000, self.at)
        self._say(case, said.TicketExtended(**self._stood(case, feedback), granted=seconds * 1000, automatic=automatic))

    def _extension_refused(self, case: Case, feedback: Feedback) -> None:
        self._refuse(case, RequestKind.EXTENSION, feedback)

    def _suspension_requested(self, case: Case, feedback: Feedback) -> None:
        self._ask(case, RequestKind.SUSPENSION, feedback)

    def _suspension_refused(self, case: Case, feedback: Feedback) -> None:
        self._refuse(case, RequestKind.SUSPENSION, feedback)

    def _suspension_approved(self, case: Case, feedback: Feedback) -> None:
        asked = self._asked(case, RequestKind.SUSPENSION)
        seconds = asked.seconds if feedback.seconds is None else feedback.seconds
        most = [one for one in (seconds, self.rules_of(case).suspension_most_s) if one is not None and one > 0]
        case.request = None
        case.standing, case.suspended = Standing.SUSPENDED, self.at
        case.resume = self.at + min(most) * 1000 if most else None
        if case.resume is not None and case.resume >= YEAR_10000:
            case.resume = None
        self._say(case, said.TicketSuspended(**self._stood(case, feedback), resume_at=case.resume))

    def _resumed(self, case: Case, feedback: Feedback) -> None:
        occurred_at = self._happened(feedback.occurred_at, self.rules_of(case))
        self._resume(case, feedback.source, feedback.by, feedback.note, occurred_at)

    def _resume(self, case: Case, source: str, by: str | None, note: str, occurred_at: int) -> None:
        paused = self._go_on(case)
        self._say(
            case,
            said.TicketResumed(
                occurred_at=occurred_at,
                source=source,
                by=by,
                note=note,
                deadlines=case.runs.shown(),
                paused=paused,
            ),
        )

    def _go_on(self, case: Case) -> int:
        assert case.suspended is not None
        since = case.suspended
        case.standing, case.suspended, case.resume = Standing.RUNNING, None, None
        case.runs.resumed(since, self.at)
        return self.at - since

    # Conditions, reminders, help, the other side

    def _condition_met(self, case: Case, feedback: Feedback) -> None:
        names = [one.name for one in self.rules_of(case).conditions.get(case.category, ())]
        name = feedback.condition
        if name is None or name not in names or name in case.met:
            raise Refused(Refusal.NO_SUCH_CONDITION)
        limit = case.runs.condition
        running = limit if limit is not None and limit.name == name else None
        occurred_at = self._happened(feedback.occurred_at, self.rules_of(case))
        case.met.append(name)
        case.runs.met(case.met, self.at)
        self._say(
            case,
            said.ConditionMet(
                condition=name,
                occurred_at=occurred_at,
                spent=self.at - case.since,
                limit=running.length if running else None,
                kept=occurred_at <= running.due if running else None,
                source=feedback.source,
                by=feedback.by,
                note=feedback.note,
                deadlines=case.runs.shown(),
            ),
        )

    def _urged(self, case: Case, feedback: Feedback) -> None:
        root = case.root
        root.urges += 1
        self._say(
            root,
            said.TicketReminded(unit=root.unit, source=feedback.source, by=feedback.by, note=feedback.note),
        )

    def _assisted(self, case: Case, feedback: Feedback) -> None:
        if feedback.unit is None:
            raise Refused(Refusal.NO_UNIT)
        name = self._unit(feedback.unit, case).name
        if name == case.unit or name in case.assisting:
            raise Refused(Refusal.NO_UNIT)
        case.assisting.append(name)
        self._say(case, said.TicketAssisted(unit=name, source=feedback.source, by=feedback.by, note=feedback.note))

    def _diverted(self, case: Case, feedback: Feedback) -> None:
        other = Side.SERVICE if case.side is Side.POLICE else Side.POLICE
        listed = self._list(case.side, other, case.category)
        if listed is None:
            raise Refused(Refusal.NO_DIVERSION)
        self._one_alarm(case, other)
        way, dated = self._route(self._place(case, other)), self._dated(case)
        self._divert(case, other, listed, feedback.note)
        if not way.owned:
            self._say(case, said.AlarmRaised(alarm=Alarm.NO_OWNER, about=way.unit.name))
        self._dispatch(
            case,
            way.unit,
            source=feedback.source,
            occurred_at=self._happened(feedback.occurred_at, self.rules_of(case)),
            by=feedback.by,
            note=feedback.note,
            assisting=way.assisting,
            copies=way.copies,
        )
        self._looked_at(case, dated=dated)

    def _one_alarm(self, case: Case, to: Side) -> None:
        tree = (case.root, *self._below(case.root))
        if to is Side.POLICE and any(one.side is Side.POLICE for one in tree if one is not case):
            self.met["a diversion that would make two alarms one"] += 1
            raise Refused(Refusal.NOT_LEGAL_NOW)

    def _dated(self, case: Case) -> bool:
        return not any(limit.provisional for limit in case.runs.shown())

    def _looked_at(self, case: Case, *, dated: bool) -> None:
        if dated:
            self.met["a diversion by hand whose limits are provisional"] += not self._dated(case)
            self._undated(case)

    def _diversion_returned(self, case: Case, feedback: Feedback) -> None:
        if case.diverted_from is None or case.diverted_unit is None:
            raise Refused(Refusal.NO_DIVERSION)
        self._one_alarm(case, case.diverted_from)
        unit, dated = case.diverted_unit, self._dated(case)
        self._divert(case, case.diverted_from, "", feedback.note, returned=True)
        self._send(case, unit, feedback)
        self._looked_at(case, dated=dated)

    # Merging and parting

    def _merge_confirmed(self, case: Case, feedback: Feedback) -> None:
        child, other = case.root, self._case(feedback.other)
        if not child.open:
            raise Refused(Refusal.NOT_LEGAL_NOW)
        master = None if other is None or other.area != case.area else other.root
        if master is None or not master.open:
            raise Refused(Refusal.OTHER_UNKNOWN)
        if child is master:
            raise Refused(Refusal.SAME_TICKET)
        if child.drill != master.drill or all(self._has_alarm(root) for root in (child, master)):
            raise Refused(Refusal.NOT_LEGAL_NOW)
        child.request = None
        child.standing, child.master, child.resume = Standing.MERGED, master, None
        self._say(child, said.TicketAbsorbed(**self._stood(child, feedback), into=master.id))
        master.children.append(child.id)
        self._say(master, said.TicketAdopted(child=child.id))

    def _has_alarm(self, root: Case) -> bool:
        return any(case.side is Side.POLICE for case in (root, *self._below(root)))

    def _merge_refused(self, case: Case, feedback: Feedback) -> None:
        other = self._case(feedback.other)
        if other is None or other.area != case.area:
            raise Refused(Refusal.OTHER_UNKNOWN)
        if case.root is other.root or self._is_refused(case, other):
            raise Refused(Refusal.SAME_TICKET)
        case.refused.append(other.id)
        self._say(case, said.MatchRefused(other=other.id, by=feedback.by, note=feedback.note))

    def _unmerged(self, case: Case, feedback: Feedback) -> None:
        master = case.master
        assert master is not None
        case.standing, case.master = Standing.RUNNING, None
        if case.suspended is not None:
            self._go_on(case)
        for limit in case.runs.running.values():
            limit.floor = self.at
        self._say(case, said.TicketRestored(**self._stood(case, feedback), master=master.id))
        master.children.remove(case.id)
        self._say(master, said.TicketReleased(child=case.id, source="", source_id=""))

    def _split(self, case: Case, joined: Joined, feedback: Feedback) -> None:
        judged = case.runs.judged
        ticket = f"{case.area}.{self.cause.replace('-', '')[:16]}"
        case.reports.remove(joined)
        self._say(case, said.TicketReleased(child=ticket, source=joined.source, source_id=joined.source_id))
        flags = (Flag.SPLIT,)
        new = replace(case, id=ticket, matter=self.cause, source=joined.source, kind=case.kind, text="", flags=flags)
        new = self._bare(new, replace(judged, source=joined.source))
        self.cases.append(new)
        alone = replace(joined, fate=Fate.TICKETED, occurred_at=joined.at, at=self.at, details={}, closed_at=None)
        new.reports = [alone]
        event = self._opened(new, alone, start=joined.at)
        self._say(new, event)
        unit = Unit(name=case.unit, level=case.level)
        self._dispatch(new, unit, source=feedback.source, occurred_at=self.at, by=feedback.by, note=feedback.note)

    def _bare(self, case: Case, judged: Judged) -> Case:
        return Case(
            id=case.id, matter=case.matter, area=case.area, category=case.category, urgency=case.urgency,
            side=case.side, unit=case.unit, level=case.level, source=case.source, kind=case.kind, drill=case.drill,
            grid=case.grid, lat=case.lat, lon=case.lon, text=case.text, flags=case.flags, policy=self.rules.version,
            opened=self.at, since=self.at, runs=Runs(judged, self.rules),
        )  # fmt: skip


def shown(case: Case) -> Ticket:
    """A ticket of the model as the contract has it."""
    course = Course(
        request=case.request,
        extensions=case.extensions,
        suspended_at=case.suspended,
        resume_at=case.resume,
        assisting=tuple(case.assisting),
        conditions=tuple(case.met),
        diverted_from=case.diverted_from,
        diverted_unit=case.diverted_unit,
        returns=case.returns,
        reworks=case.reworks,
        reopens=case.reopens,
        reopened_at=case.reopened,
        urges=case.urges,
        escalated=case.escalated,
        inferred=tuple(case.inferred),
        overall_said=case.runs.told,
    )
    ties = Ties(
        merged_into=case.master.id if case.master else None,
        children=tuple(case.children),
        links=tuple(case.links),
        matches=tuple(Match(other=one, refused=one in case.refused) for one in sorted({*case.proposed, *case.refused})),
        recurrence_of=case.recurrence,
    )
    return Ticket(
        id=case.id,
        matter=case.matter,
        sequence=case.sequence,
        area=case.area,
        category=case.category,
        urgency=case.urgency,
        side=case.side,
        stage=case.stage,
        stage_at=case.since,
        standing=case.standing,
        unit=case.unit,
        level=case.level,
        opened_at=case.opened,
        closed_at=case.closed,
        policy=case.policy,
        source=case.source,
        kind=case.kind,
        drill=case.drill,
        grid=case.grid,
        lat=case.lat,
        lon=case.lon,
        text=case.text,
        flags=case.flags,
        reports=tuple(one.shown() for one in case.reports),
        deadlines=case.runs.shown(),
        course=course,
        ties=ties,
    )
