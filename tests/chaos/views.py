"""The independent reader's own view of each ticket, and what units, operators and sources must have been told.

Folded from `tickets` as any subscriber could; it shares no code with the views stage.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

TOPICS: Final = ("tickets.current", "assignments", "reminders", "candidates", "replies")
HOLDING: Final = ("dispatched", "signed", "contacted", "arrived", "handled", "verified", "called-back")
REMINDING: Final = {
    "limit.warned": "warned", "limit.passed": "passed", "limit.carded": "card", "limit.escalated": "escalated",
    "ticket.urged": "urged", "ticket.reminded": "reminded", "alarm.raised": "alarm",
}  # fmt: skip
MATCHING: Final = {
    "match.proposed": ("proposed", "other"), "match.refused": ("refused", "other"),
    "ticket.absorbed": ("confirmed", "into"), "ticket.restored": ("parted", "master"),
    "ticket.linked": ("linked", "other"),
}  # fmt: skip
OF_THE_WORK: Final = {
    f"ticket.{what}": what
    for what in (
        "dispatched", "signed", "contacted", "arrived", "handled", "verified", "reworked", "called-back", "suspended",
        "resumed", "extended",
    )
}  # fmt: skip
ANSWERING: Final = OF_THE_WORK | {
    "ticket.accepted": "accepted", "ticket.closed": "closed", "ticket.rated": "rated", "ticket.reopened": "reopened",
    "ticket.voided": "voided", "ticket.absorbed": "merged", "ticket.restored": "split",
}  # fmt: skip
FATES: Final = {"urged": "joined", "merged": "joined", "amended": "amended", "repeat": "repeated"}
COMPARED: Final = (
    "status", "stage", "standing", "unit", "side", "merged_into", "children", "links", "urges", "returns", "reworks",
    "reopens", "reports",
)  # fmt: skip

Said = tuple[str, ...]
"""Topic and what a record of it says."""
Data = Mapping[str, Any]


@dataclass(slots=True)
class Ticket:
    """What the facts of a ticket came to."""

    status: str = "open"
    stage: str = "opened"
    standing: str = "running"
    unit: str = ""
    side: str = ""
    merged_into: str | None = None
    children: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    urges: int = 0
    returns: int = 0
    reworks: int = 0
    reopens: int = 0
    reports: list[tuple[str, str]] = field(default_factory=list)
    left: set[tuple[str, str]] = field(default_factory=set)
    """Reports that their source closed."""
    assisting: list[str] = field(default_factory=list)
    joint: bool = False

    def holders(self) -> set[tuple[str, str]]:
        """Role and unit of each that has it."""
        if self.stage not in HOLDING or self.status == "closed" or self.standing == "merged":
            return set()
        return {("joint" if self.joint else "lead", self.unit)} | {("assist", unit) for unit in self.assisting}

    def newest(self) -> int:
        """A hash of what is compared with the view."""
        return fingerprint({name: getattr(self, name) for name in COMPARED})


def fingerprint(view: Data) -> int:
    """A hash of what is compared of a view, its own or the stage's."""
    plain = {name: view[name] for name in COMPARED}
    return hash(repr([tuple(map(_plain, one)) if isinstance(one, list) else one for one in plain.values()]))


def _plain(one: object) -> object:
    return (one["source"], one["source_id"]) if isinstance(one, dict) else one


@dataclass(slots=True)
class Expected:
    """What the facts so far lead to."""

    tickets: dict[str, Ticket] = field(default_factory=dict)
    states: dict[tuple[str, int], int] = field(default_factory=dict)
    """By ticket and number of its fact: what the view is after it."""
    newest: dict[str, int] = field(default_factory=dict)
    said: dict[str, Counter[Said]] = field(default_factory=dict)
    """By the fact that it follows from."""

    def take(self, headers: Mapping[str, str], data: Data) -> None:
        """The next fact of a partition."""
        kind = headers["ce_type"].removeprefix("lianqin.").removesuffix(".v1")
        name = headers.get("ce_subject")
        ticket = None if name is None else self.tickets.setdefault(name, Ticket())
        before = set() if ticket is None else ticket.holders()
        if ticket is not None and name is not None:
            _fold(ticket, kind, data)
            number = int(headers["ce_sequence"])
            self.states[name, number] = ticket.newest()
            self.newest[name] = number
        said = Counter(self._said(name, ticket, kind, data))
        if ticket is not None:
            said.update(_assigned(before, ticket, kind, data))
        if said:
            self.said[headers["ce_id"]] = said

    def _said(self, name: str | None, ticket: Ticket | None, kind: str, data: Data) -> Iterator[Said]:
        if kind in REMINDING:
            yield "reminders", data["card"] if kind == "limit.carded" else REMINDING[kind]
        if kind in MATCHING:
            what, other = MATCHING[kind]
            yield "candidates", what, data[other]
        yield from self._replies(name, ticket, kind, data)

    def _replies(self, name: str | None, ticket: Ticket | None, kind: str, data: Data) -> Iterator[Said]:
        if kind == "report.settled" and data["fate"] in FATES:
            yield "replies", FATES[data["fate"]], data["source_id"]
        elif kind == "command.settled" and data["outcome"] != "applied" and data["source"]:
            yield "replies", data["outcome"], data["source_id"]
        elif kind == "ticket.opened" and data.get("source_id"):
            yield "replies", "split" if "split" in data["flags"] else "registered", data["source_id"]
        elif kind in ANSWERING and name is not None and ticket is not None:
            for one in self._family(ticket) if kind in OF_THE_WORK else [ticket]:
                for source, source_id in one.reports:
                    if (source, source_id) not in one.left:
                        yield "replies", ANSWERING[kind], source_id

    def _family(self, ticket: Ticket) -> Iterable[Ticket]:
        yield ticket
        for name in ticket.children:
            child = self.tickets[name]
            if child.standing == "merged" and child.status == "open":
                yield from self._family(child)


def _assigned(before: set[tuple[str, str]], ticket: Ticket, kind: str, data: Data) -> Iterator[Said]:
    after = ticket.holders()
    again = {one for one in after if one[0] != "assist"} if kind == "ticket.reworked" else set()
    for role, unit in before - after:
        yield "assignments", "taken", role, unit
    for role, unit in (after - before) | again:
        yield "assignments", "given", role, unit
    for unit in data.get("copies", ()):
        yield "assignments", "given", "copy", unit


def _fold(ticket: Ticket, kind: str, data: Data) -> None:
    # A stage that is told of afterwards moves nothing.
    if "stage" in data and kind != "stage.recorded":
        ticket.stage = data["stage"]
    _of_life(ticket, kind, data)
    _of_others(ticket, kind, data)
    _of_reports(ticket, kind, data)


STANDING: Final = {
    "ticket.suspended": {"standing": "suspended"}, "ticket.resumed": {"standing": "running"},
    "ticket.voided": {"standing": "voided", "status": "closed"}, "ticket.closed": {"status": "closed"},
    "ticket.reopened": {"status": "open"},
}  # fmt: skip


def _of_life(ticket: Ticket, kind: str, data: Data) -> None:
    for name, value in STANDING.get(kind, {}).items():
        setattr(ticket, name, value)
    if kind == "ticket.opened":
        ticket.unit, ticket.side, ticket.joint = data.get("unit", ""), data.get("side", ""), not data.get("source_id")
    elif kind == "ticket.dispatched":
        ticket.unit, ticket.assisting = data["unit"], list(data["assisting"])
    elif kind == "ticket.assisted":
        ticket.assisting.append(data["unit"])
    elif kind == "ticket.diverted":
        ticket.side = data["to_side"]
    ticket.returns += kind == "ticket.returned"
    ticket.reworks += kind == "ticket.reworked"
    ticket.reopens += kind == "ticket.reopened"
    ticket.urges += kind in {"ticket.urged", "ticket.reminded"}


def _of_others(ticket: Ticket, kind: str, data: Data) -> None:
    alone = kind == "ticket.closed" and ticket.standing == "merged" and data["with_master"] is None
    if kind == "ticket.absorbed":
        ticket.standing, ticket.merged_into = "merged", data["into"]
    elif kind == "ticket.restored" or alone:
        ticket.standing, ticket.merged_into = "running", None
    elif kind == "ticket.adopted":
        ticket.children.append(data["child"])
    elif kind == "ticket.released":
        ticket.children = [child for child in ticket.children if child != data["child"]]
    elif kind == "ticket.linked" and data["other"] not in ticket.links:
        ticket.links.append(data["other"])


def _of_reports(ticket: Ticket, kind: str, data: Data) -> None:
    report = (data.get("source", ""), data.get("source_id", ""))
    if kind in {"ticket.opened", "ticket.merged", "ticket.urged"} and report[1]:
        ticket.reports.append(report)
    elif kind == "ticket.released" and report[1]:
        ticket.reports = [one for one in ticket.reports if one != report]
    elif kind == "report.closed":
        ticket.left.add(report)


@dataclass(slots=True)
class Found:
    """What stands on the views' topics."""

    said: dict[str, Counter[Said]] = field(default_factory=dict)
    current: dict[str, Data] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)
    records: int = 0
    _ids: set[str] = field(default_factory=set)

    def take(self, topic: str, key: str, headers: Mapping[str, str], data: Data | None) -> None:
        """The next record of a topic (without its prefix)."""
        self.records += 1
        if data is None:
            self.current.pop(key, None)
            return
        if headers["ce_id"] in self._ids:
            self.twice.append(f"{topic}: {headers['ce_id']}")
        self._ids.add(headers["ce_id"])
        if topic == "tickets.current":
            self.current[key] = data
        else:
            self.said.setdefault(headers["ce_causationid"], Counter())[_says(topic, data)] += 1


def _says(topic: str, data: Data) -> Said:
    match topic:
        case "assignments":
            return topic, "given" if data["given"] else "taken", data["role"], data["unit"]
        case "reminders":
            return topic, data["what"]
        case "candidates":
            return topic, data["what"], data["other"]
        case _:
            return topic, data["what"], data["source_id"]


def missing(newest: Mapping[str, int], causes: Iterable[str], found: Found) -> int:
    """How many views and facts of before the views have not come to yet."""
    reached = {name: int(view["sequence"]) for name, view in found.current.items()}
    behind = sum(number > reached.get(name, 0) for name, number in newest.items())
    return behind + sum(cause not in found.said for cause in causes)


def differences(expected: Expected, found: Found) -> Iterator[str]:
    """What stands there and does not follow from the facts, or follows otherwise; the facts are all that there are."""
    yield from found.twice
    for cause, said in found.said.items():
        if (right := expected.said.get(cause, Counter())) != said:
            yield f"of fact {cause}: {dict(said - right)} too much, {dict(right - said)} missing"
    for name, view in found.current.items():
        if expected.states.get((name, view["sequence"])) != fingerprint(view):
            yield f"{name} at {view['sequence']}: another view"
