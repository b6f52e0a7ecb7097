"""The desk again, slow and obvious: one list of tickets, one list of waiting feedback, everything found by scanning.

Written from the rules, without the desk's code. It says of each fact what a reader would look at first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from schemas.codes import Clock, Stage, Urgency
from schemas.commands import Command, Feedback, PolicyPublished, Report, Tick
from schemas.envelope import NAMESPACE
from schemas.policy import Policy, Unit
from schemas.state import waiting_key

STAGES = ["opened", "accepted", "dispatched", "signed", "handled", "verified", "closed", "rated"]


@dataclass
class Said:
    """What matters of one fact."""

    type: str
    time: int
    cause: str
    ticket: str | None
    sequence: int | None
    more: dict[str, object]


@dataclass
class Limit:
    """A limit that runs: `said` counts what it has said already, the warning and the passing."""

    name: str
    start: int
    warn: int
    due: int
    said: int = 0


@dataclass
class Joined:
    """A report in a ticket."""

    key: tuple[str, str]
    content: str
    reporter: str | None
    object: str | None
    closed: bool = False


@dataclass
class Case:
    """A ticket."""

    id: str
    area: str
    category: str
    urgency: Urgency
    unit: str
    opened: int
    stage: str = "opened"
    since: int = 0
    closed: int | None = None
    sequence: int = 0
    reports: list[Joined] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)


@dataclass
class Waits:
    """Feedback that waits."""

    command: str
    until: int
    feedback: Feedback


class Model:
    """Partition 3 of a desk."""

    def __init__(self) -> None:
        self.policy: Policy | None = None
        self.now = 0
        self.cases: list[Case] = []
        self.waiting: list[Waits] = []
        self.said: list[Said] = []
        self.cause = ""

    def apply(self, offset: int, appended_at: int, command: Command | None) -> list[Said]:
        """One record; gives what is said."""
        self.said = []
        self.cause = str(uuid5(UUID(bytes=NAMESPACE), f"desk/3/{offset}"))
        self.now = max(self.now, self._time(appended_at, command))
        self._fire()
        if isinstance(command, Report):
            self._report(command)
        elif isinstance(command, Feedback):
            self._feedback(command)
        elif isinstance(command, PolicyPublished):
            self._publish(command.policy)
        elif isinstance(command, Tick):
            self._evict()
        else:
            self._settle(None, "unreadable", "failed", "bad-command")
        return self.said

    def next_due(self) -> int | None:
        """When something is to happen next."""
        return min((when for when, *_ in self._agenda()), default=None)

    def _time(self, appended_at: int, command: Command | None) -> int:
        policy = self.policy or (command.policy if isinstance(command, PolicyPublished) else None)
        if policy is None:
            return 0
        if policy.clock is Clock.WALL:
            return appended_at
        own = None if command is None or isinstance(command, PolicyPublished) else command.time
        return own or 0

    def _agenda(self) -> Iterator[tuple[int, int, str, str]]:
        for case in self.cases:
            for limit in case.limits:
                if limit.said < 2:
                    yield (limit.due if limit.said else limit.warn), 0, case.id, limit.name
        for waits in self.waiting:
            said = waits.feedback
            key = waiting_key(said.area, said.source, said.source_id).decode()
            yield waits.until, 1, key, waits.command

    def _fire(self) -> None:
        while agenda := sorted(due for due in self._agenda() if due[0] <= self.now):
            when, kind, ticket, name = agenda[0]
            if kind == 1:
                waits = next(one for one in self.waiting if one.command == name)
                self.waiting.remove(waits)
                self._settle(None, waits.feedback.stage.value, "refused", "unknown", time=when, cause=name)
                continue
            case = next(one for one in self.cases if one.id == ticket)
            limit = next(one for one in case.limits if one.name == name)
            limit.said += 1
            word = "warned" if limit.said == 1 else "passed"
            self._say(f"limit.{word}", case, {"limit": name, "allowed": limit.due - limit.start}, time=when)

    def _say(
        self,
        name: str,
        case: Case | None,
        more: dict[str, object],
        *,
        time: int | None = None,
        cause: str | None = None,
    ) -> None:
        if case is not None:
            case.sequence += 1
        self.said.append(
            Said(
                type=f"lianqin.{name}.v1",
                time=self.now if time is None else time,
                cause=cause or self.cause,
                ticket=None if case is None else case.id,
                sequence=None if case is None else case.sequence,
                more=more,
            )
        )

    def _settle(
        self,
        case: Case | None,
        command: str,
        outcome: str,
        reason: str | None,
        *,
        time: int | None = None,
        cause: str | None = None,
    ) -> None:
        more: dict[str, object] = {
            "command": command,
            "outcome": outcome,
            "reason": reason,
            "ticket": case.id if case else None,
        }
        self._say("command.settled", case, more, time=time, cause=cause)

    def _publish(self, policy: Policy) -> None:
        if self.policy is not None and self.policy.clock != policy.clock:
            self._settle(None, "policy", "refused", "wrong-clock")
            return
        self.policy = policy
        self._settle(None, "policy", "applied", None)

    def _evict(self) -> None:
        if self.policy is not None:
            keep = self.policy.keep_closed_s * 1000
            self.cases = [case for case in self.cases if case.closed is None or case.closed + keep > self.now]

    def _report(self, report: Report) -> None:
        key = (report.source, report.source_id)
        for case in self.cases:
            for joined in case.reports:
                if case.area == report.area and joined.key == key:
                    self._again(case, joined, report)
                    return
        if self.policy is None:
            self._settle(None, "report", "failed", "bug")
            return
        case, fate = self._place(report)
        self._say("report.settled", case, {"fate": fate, "ticket": case.id})
        for waits in [one for one in self.waiting if self._names(one.feedback, report)]:
            self.waiting.remove(waits)
            self._about(case, waits.feedback, waits.command)

    def _again(self, case: Case, joined: Joined, report: Report) -> None:
        fate = "repeat"
        if joined.content != report.content:
            joined.content, fate = report.content, "amended"
            self._say("ticket.amended", case, {"content": report.content})
        self._say("report.settled", case, {"fate": fate, "ticket": case.id})

    def _names(self, feedback: Feedback, report: Report) -> bool:
        return (feedback.area, feedback.source, feedback.source_id) == (report.area, report.source, report.source_id)

    def _place(self, report: Report) -> tuple[Case, str]:
        joined = Joined((report.source, report.source_id), report.content, report.reporter, report.object)
        candidates = [
            case
            for case in self.cases
            if case.closed is None and (case.area, case.category) == (report.area, report.category)
        ]
        candidates.sort(key=lambda case: (case.opened, case.id))
        for case in candidates:
            if any(self._same_matter(other, report) for other in case.reports):
                return self._join(case, joined, "urged")
        for case in candidates:
            if report.object is not None and any(other.object == report.object for other in case.reports):
                return self._join(case, joined, "merged")
        return self._open(report, joined), "ticketed"

    def _same_matter(self, other: Joined, report: Report) -> bool:
        if report.reporter is None or other.reporter != report.reporter:
            return False
        return other.object is None or report.object is None or other.object == report.object

    def _join(self, case: Case, joined: Joined, fate: str) -> tuple[Case, str]:
        case.reports.append(joined)
        self._say(f"ticket.{fate}", case, {"source_id": joined.key[1], "content": joined.content})
        return case, fate

    def _open(self, report: Report, joined: Joined) -> Case:
        assert self.policy is not None
        urgency = self._urgency(report)
        unit = self._unit(report, urgency)
        case = Case(
            id=f"{report.area}.{self.cause.replace('-', '')[:16]}",
            area=report.area,
            category=report.category,
            urgency=urgency,
            unit=unit.name,
            opened=self.now,
            since=self.now,
            reports=[joined],
        )
        self.cases.append(case)
        limits = self.policy.limits.get(urgency)
        if limits is not None:
            case.limits.append(self._limit("overall", limits.overall_s))
        self._next_limit(case)
        self._say("ticket.opened", case, {"urgency": urgency, "unit": unit.name, "level": unit.level})
        self._reach(case, "dispatched")
        self._say("ticket.dispatched", case, {"inferred": (Stage.ACCEPTED,), "spent": 0, "unit": unit.name})
        return case

    def _urgency(self, report: Report) -> Urgency:
        assert self.policy is not None
        asked = [report.urgency, self.policy.urgencies.get(report.category)]
        asked += [level for word, level in self.policy.keywords.items() if word in report.text]
        for level in Urgency:
            if level in asked:
                return level
        return Urgency.ROUTINE

    def _unit(self, report: Report, urgency: Urgency) -> Unit:
        assert self.policy is not None
        for row in self.policy.routes:
            wanted = (row.category, row.area, row.source, row.urgency)
            given = (report.category, report.area, report.source, urgency)
            if all(want is None or want == have for want, have in zip(wanted, given, strict=True)):
                return row.unit
        return self.policy.catch_all

    def _limit(self, name: str, seconds: int) -> Limit:
        assert self.policy is not None
        warn = self.now + seconds * 1000 * self.policy.warn_percent // 100
        return Limit(name, self.now, warn, self.now + seconds * 1000)

    def _next_limit(self, case: Case) -> None:
        assert self.policy is not None
        case.limits = [limit for limit in case.limits if limit.name == "overall"]
        following = Stage(STAGES[STAGES.index(case.stage) + 1])
        limits = self.policy.limits.get(case.urgency)
        if limits is not None and following in limits.stages:
            case.limits.append(self._limit(following.value, limits.stages[following]))

    def _reach(self, case: Case, stage: str) -> tuple[Stage, ...]:
        passed = STAGES[STAGES.index(case.stage) + 1 : STAGES.index(stage)]
        case.stage, case.since = stage, self.now
        if stage in ("closed", "rated"):
            case.limits = []
        else:
            self._next_limit(case)
        return tuple(Stage(one) for one in passed)

    def _feedback(self, feedback: Feedback) -> None:
        for case in self.cases:
            if feedback.ticket is not None:
                found = case.id == feedback.ticket
            else:
                keys = [joined.key for joined in case.reports]
                found = case.area == feedback.area and (feedback.source, feedback.source_id) in keys
            if found:
                self._about(case, feedback, None)
                return
        if feedback.ticket is not None or not feedback.source_id:
            self._settle(None, feedback.stage.value, "refused", "unknown")
        elif self.policy is None:
            self._settle(None, feedback.stage.value, "failed", "bug")
        else:
            self.waiting.append(Waits(self.cause, self.now + self.policy.wait_s * 1000, feedback))

    def _about(self, case: Case, feedback: Feedback, cause: str | None) -> None:
        stage = feedback.stage.value
        first = case.reports[0].key == (feedback.source, feedback.source_id)
        if feedback.ticket is None and not first:
            reason = self._close_joined(case, feedback, cause)
        else:
            reason = self._claim(case, feedback, cause)
        self._settle(case, stage, "refused" if reason else "applied", reason, cause=cause)

    def _close_joined(self, case: Case, feedback: Feedback, cause: str | None) -> str | None:
        joined = next(one for one in case.reports if one.key == (feedback.source, feedback.source_id))
        if feedback.stage is not Stage.CLOSED or joined.closed:
            return "not-legal-now"
        joined.closed = True
        self._say("report.closed", case, {"source_id": feedback.source_id}, cause=cause)
        return None

    def _claim(self, case: Case, feedback: Feedback, cause: str | None) -> str | None:
        stage = feedback.stage.value
        if not self._may(case, stage, feedback.source):
            return "not-legal-now"
        if stage == "rated" and (feedback.score is None or not 1 <= feedback.score <= 5):
            return "bad-score"
        running = [limit.due - limit.start for limit in case.limits if limit.name != "overall"]
        more: dict[str, object] = {"spent": self.now - case.since, "limit": running[0] if running else None}
        if stage == "closed":
            overall = [limit.due for limit in case.limits if limit.name == "overall"]
            more |= {"took": self.now - case.opened, "on_time": not overall or self.now <= overall[0]}
            case.closed = self.now
        more["inferred"] = self._reach(case, stage)
        self._say(f"ticket.{stage}", case, more, cause=cause)
        return None

    def _may(self, case: Case, stage: str, source: str) -> bool:
        assert self.policy is not None
        here, there = STAGES.index(case.stage), STAGES.index(stage)
        if there <= here:
            return False
        if stage == "rated":
            return case.stage == "closed"
        if stage == "closed":
            return case.stage == "verified" or source in self.policy.closing_sources
        return True
