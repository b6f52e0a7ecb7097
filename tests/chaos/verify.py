"""The independent reader: what went in, what came out, and whether the two and ClickHouse tell the same story.

It shares no code with what it checks: Kafka through librdkafka, `read_committed`; ClickHouse by plain SQL.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from confluent_kafka import Message

from tests.chaos.centre import Ledger
from tests.chaos.kafka import Place, Reader, headers_of, place_of
from tests.chaos.views import TOPICS as VIEWS
from tests.chaos.views import Expected, Found, differences, missing

INTAKE: Final = (
    "intake.police", "intake.grid", "intake.citizen", "intake.hotline", "intake.feedback", "intake.urgent",
)  # fmt: skip
TICKETS: Final = "tickets"
DEAD_LETTER: Final = "dead-letter"
QUIET_S: Final = 120.0
"""Nothing new for so long while records are missing: they do not come any more."""
DUE_WITHIN_S: Final = 15.0
"""A deadline that was due longer ago must have fired."""
MOST_NAMED: Final = 20
LADDER: Final = {"warned": 80, "passed": 100, "yellow": 150, "red": 200, "escalated": 300}
"""The share of a limit at which each step fires, as the district's table has it."""
AGAIN: Final = "again"
"""What is planted of a second copy: it opens no ticket."""
LIMIT: Final = "lianqin.limit."


@dataclass(slots=True)
class Findings:
    """What is wrong, counted by kind; the first ones in words."""

    counts: Counter[str] = field(default_factory=Counter)
    named: list[str] = field(default_factory=list)

    def add(self, kind: str, what: object) -> None:
        """One difference."""
        self.counts[kind] += 1
        if len(self.named) < MOST_NAMED:
            self.named.append(f"{kind}: {what}")

    def of(self, *kinds: str) -> int:
        """How many of some kinds."""
        return sum(self.counts[kind] for kind in kinds)


@dataclass(slots=True)
class Running:
    """A limit that runs on a ticket, and when its next step must fire; none where nothing is left."""

    started_at: int
    length: int
    wall: bool
    next_at: int | None

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "Running":
        """As a fact says it. What is halted stands still."""
        next_at = None if said["halted"] else said["next_at"]
        return cls(said["started_at"], said["length"], said["clock"] == "wall", next_at)

    def early(self, step: str, at: int) -> bool:
        """Whether a step came before its share of the limit had run; of working time this reader knows nothing."""
        return self.wall and at < self.started_at + self.length * LADDER[step] // 100


@dataclass(slots=True)
class Seen:
    """What the facts of one ticket said so far."""

    sequence: int
    partition: int
    limits: dict[str, Running] = field(default_factory=dict)
    """By name."""


@dataclass(slots=True)
class Story:
    """Everything on `tickets` and `dead-letter`, folded in log order; what contradicts itself is found at once."""

    findings: Findings
    settled: dict[Place, list[str]] = field(default_factory=dict)
    """By origin: the fates and outcomes of all its settlements."""
    dead: dict[Place, list[str]] = field(default_factory=dict)
    tickets: dict[str, Seen] = field(default_factory=dict)
    rows: dict[tuple[str, int], dict[int, int]] = field(default_factory=dict)
    """By topic and partition, by offset: a hash of what ClickHouse must hold."""
    fired: Counter[str] = field(default_factory=Counter)
    views: Expected = field(default_factory=Expected)
    """What the views must be, and must have said."""
    _ids: set[str] = field(default_factory=set)
    _times: dict[int, int] = field(default_factory=dict)

    def take(self, message: Message) -> None:
        """Fold one record of `tickets` or `dead-letter`."""
        topic, partition, offset = place_of(message)
        headers = headers_of(message)
        rows = self.rows.setdefault((topic, partition), {})
        if "ce_id" in headers:
            data: dict[str, Any] = json.loads(message.value() or b"null")
            rows[offset] = hash(row_of_event(headers, data))
            self._event(message, headers, data)
        else:
            rows[offset] = hash(row_of_letter(headers))
            self._letter(headers)

    def _letter(self, headers: Mapping[str, str]) -> None:
        origin = headers["lianqin-origin-topic"], headers["lianqin-origin-partition"], headers["lianqin-origin-offset"]
        self.dead.setdefault((origin[0], int(origin[1]), int(origin[2])), []).append(headers["lianqin-reason"])

    def _event(self, message: Message, headers: Mapping[str, str], data: dict[str, Any]) -> None:
        if headers["ce_id"] in self._ids:
            self.findings.add("twice", f"event id {headers['ce_id']} at {place_of(message)}")
        self._ids.add(headers["ce_id"])
        self._log_time(message, headers)
        kind = headers["ce_type"]
        if kind in {"lianqin.report.settled.v1", "lianqin.command.settled.v1"} and data["origin"] is not None:
            origin = data["origin"]["topic"], data["origin"]["partition"], data["origin"]["offset"]
            self.settled.setdefault(origin, []).append(data.get("fate") or data["outcome"])
        if "ce_subject" in headers:
            self._of_ticket(message, headers, data)
        self.views.take(headers, data)

    def _log_time(self, message: Message, headers: Mapping[str, str]) -> None:
        partition, at = place_of(message)[1], millis(headers["ce_time"])
        if at < self._times.get(partition, 0):
            self.findings.add("time", f"log time goes back at {place_of(message)}")
        self._times[partition] = at

    def _of_ticket(self, message: Message, headers: Mapping[str, str], data: dict[str, Any]) -> None:
        name, number = headers["ce_subject"], int(headers["ce_sequence"])
        partition = place_of(message)[1]
        seen = self.tickets.setdefault(name, Seen(0, partition))
        if number != seen.sequence + 1 or partition != seen.partition:
            self.findings.add("sequence", f"{name}: {number} follows {seen.sequence} at {place_of(message)}")
        seen.sequence = number
        if "deadlines" in data:
            self._run(name, seen, {one["limit"]: Running.of(one) for one in data["deadlines"]})
        elif headers["ce_type"].startswith(LIMIT):
            self._fired(message, headers, data)

    def _run(self, name: str, seen: Seen, limits: dict[str, Running]) -> None:
        for limit, running in limits.items():
            before = seen.limits.get(limit)
            same = before is not None and (before.started_at, before.length) == (running.started_at, running.length)
            if same and before != running and None not in {before and before.next_at, running.next_at}:
                self.findings.add("deadline", f"{name}: {limit} goes on and has another next step than before")
        seen.limits = limits

    def _fired(self, message: Message, headers: Mapping[str, str], data: Mapping[str, Any]) -> None:
        name, at = headers["ce_subject"], millis(headers["ce_time"])
        step = data.get("card") or headers["ce_type"].removeprefix(LIMIT).partition(".")[0]
        self.fired[step] += 1
        running = self.tickets[name].limits.get(data["limit"])
        if running is None or running.next_at != at or at > message.timestamp()[1] or running.early(step, at):
            self.findings.add("deadline", f"{name} {step} {data['limit']}: twice or early")
        if running is not None:
            running.next_at = data["next_at"]

    def not_fired(self, horizon: int) -> None:
        """Find the steps that were due before `horizon` and did not fire."""
        for name, seen in self.tickets.items():
            for limit, running in seen.limits.items():
                if running.next_at is not None and running.next_at <= horizon:
                    self.findings.add("deadline", f"{name}: {limit} was due and did not fire")


@dataclass(slots=True)
class Inputs:
    """What stands on the intake topics, and what was planted there."""

    planted: dict[Place, str] = field(default_factory=dict)
    _numbers: set[str | None] = field(default_factory=set)

    def read(self, bootstrap: str, prefix: str) -> None:
        """Read all of it."""
        reader = Reader(bootstrap, [prefix + topic for topic in INTAKE])
        for message in reader.new():
            self.take(place_of(message), headers_of(message))
        reader.close()

    def take(self, place: Place, headers: Mapping[str, str]) -> None:
        """One record. Two of one number are one that the sender's client put down twice: on one partition, in order."""
        number = headers.get("number")
        plant = headers.get("plant", "")
        self.planted[place] = AGAIN if number is not None and number in self._numbers else plant
        self._numbers.add(number)


def account(inputs: Inputs, story: Story, findings: Findings) -> None:
    """Every input settled once, as planted; nothing settled that was not put in."""
    groups: dict[str, list[str]] = {}
    for place, plant in inputs.planted.items():
        fates, dead = story.settled.get(place, []), story.dead.get(place, [])
        if plant.startswith("group:"):
            groups.setdefault(plant, []).extend(fates)
        if (wrong := what_is_wrong(plant, fates, dead)) is not None:
            findings.add(wrong, f"{place}: planted {plant}, became {fates} {dead}")
    for plant, together in groups.items():
        if sorted(together) != sorted(["ticketed", *[plant.rpartition(":")[2]] * (len(together) - 1)]):
            findings.add("fate", f"{plant}: became {together}")
    for place in (story.settled.keys() | story.dead.keys()) - inputs.planted.keys():
        findings.add("unfounded", f"{place}: settled and never put in")


def what_is_wrong(plant: str, fates: Sequence[str], dead: Sequence[str]) -> str | None:
    """The kind of difference between what was planted and what became of it; none where it is right."""
    if not fates and not dead:
        return "lost"
    if len(fates) > 1 or len(dead) > 1:
        return "twice"
    if plant.startswith("group:"):
        return "fate" if dead else None
    return None if as_planted(plant, fates, dead) else "fate"


def as_planted(plant: str, fates: Sequence[str], dead: Sequence[str]) -> bool:
    """Whether a record became what was certain of it."""
    kind, _, what = plant.partition(":")
    if plant == AGAIN:
        return list(fates) != ["ticketed"]
    if kind == "dead":
        return not fates and list(dead) == [what]
    if kind == "bare":
        return list(fates) == ["ticketed"] and list(dead) == [what]
    return not dead and list(fates) == [what]


def row_of_event(headers: Mapping[str, str], data: Mapping[str, Any]) -> tuple[object, ...]:
    """What ClickHouse must hold of an event, in the order of `COLUMNS`."""
    origin = data.get("origin") or {"topic": "", "partition": -1, "offset": -1}
    became = data.get("fate") or data.get("outcome") or ""
    ticket, number = headers.get("ce_subject", ""), int(headers.get("ce_sequence", 0))
    placed = origin["topic"], origin["partition"], origin["offset"]
    return headers["ce_type"], headers["ce_id"], millis(headers["ce_time"]), ticket, number, became, *placed


def row_of_letter(headers: Mapping[str, str]) -> tuple[object, ...]:
    """What ClickHouse must hold of a dead letter."""
    origin = headers["lianqin-origin-topic"], headers["lianqin-origin-partition"], headers["lianqin-origin-offset"]
    at, reason = int(headers["lianqin-time"]), headers["lianqin-reason"]
    return "dead-letter", "", at, "", 0, reason, origin[0], int(origin[1]), int(origin[2])


COLUMNS: Final = """
type, id, toUnixTimestamp64Milli(time), ticket, sequence,
multiIf(type = 'dead-letter', reason, fate != '', fate, outcome), origin_topic, origin_partition, origin_offset
"""
_COUNT: Final = "SELECT count() FROM events FINAL WHERE"
_ROWS: Final = f"SELECT _offset, {COLUMNS} FROM events FINAL WHERE"  # noqa: S608 - no words of others
_WHERE: Final = "_topic = {topic:String} AND _partition = {partition:Int32} AND _offset <= {last:Int64}"


def compare_with_clickhouse(ledger: Ledger, story: Story, findings: Findings, quiet_s: float) -> int:
    """A row for each record, and no other; how many rows there are. `quiet_s`: how long missing ones are waited for."""
    client = clickhouse_connect.get_client(
        host=ledger.host,
        port=ledger.port,
        username=ledger.user,
        password=ledger.password,
        database="lianqin",
        autogenerate_session_id=False,
    )
    found = 0
    for (topic, partition), expected in story.rows.items():
        given = {"topic": topic, "partition": partition, "last": max(expected)}
        until = time.monotonic() + quiet_s
        while _count(client, given) < len(expected) and time.monotonic() < until:
            time.sleep(0.5)
        rows = client.query(f"{_ROWS} {_WHERE}", parameters=given).result_rows
        found += len(rows)
        compare_rows((topic, partition), expected, rows, findings)
    others = client.query("SELECT DISTINCT _topic, _partition FROM events").result_rows
    for one in {tuple(row) for row in others} - story.rows.keys():
        findings.add("clickhouse", f"{one}: rows of a log that has no records")
    client.close()
    return found


def _count(client: Client, given: dict[str, Any]) -> int:
    return int(client.query(f"{_COUNT} {_WHERE}", parameters=given).result_rows[0][0])


def compare_rows(
    where: tuple[str, int], expected: Mapping[int, int], rows: Sequence[Sequence[Any]], findings: Findings
) -> None:
    """The rows of one partition against the hashes of its records."""
    if len(rows) != len(expected):
        findings.add("clickhouse", f"{where}: {len(rows)} rows, {len(expected)} records")
    stands = {row[0]: hash(tuple(row[1:])) for row in rows}
    for offset in expected.keys() ^ stands.keys():
        findings.add("clickhouse", f"{(*where, offset)}: only in {'Kafka' if offset in expected else 'ClickHouse'}")
    for offset in expected.keys() & stands.keys():
        if expected[offset] != stands[offset]:
            findings.add("clickhouse", f"{(*where, offset)}: another content")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the reader found."""

    findings: Findings
    inputs: int
    events: int
    tickets: int
    fired: Mapping[str, int]
    rows: int
    views: int
    """Records of the views' topics."""

    @property
    def ok(self) -> bool:
        """No difference of any kind."""
        return not self.findings.counts


def verify(
    bootstrap: str, prefix: str, ledger: Ledger, tell: Callable[[str], None], *, quiet_s: float = QUIET_S
) -> Verdict:
    """Wait until all that went in has come out, then check everything."""
    findings, inputs = Findings(), Inputs()
    inputs.read(bootstrap, prefix)
    tell(f"{len(inputs.planted):,} records went in; waiting until they are settled")
    story = Story(findings)
    reader = Reader(bootstrap, [prefix + TICKETS, prefix + DEAD_LETTER])
    _until_settled(reader, inputs, story)
    horizon = round((time.time() - DUE_WITHIN_S) * 1000)
    for message in reader.new():
        story.take(message)
    found = _views(bootstrap, prefix, story)
    for message in reader.new():
        story.take(message)  # what the views were made of meanwhile
    reader.close()
    for difference in differences(story.views, found):
        findings.add("views", difference)
    account(inputs, story, findings)
    story.not_fired(horizon)
    events = sum(map(len, story.rows.values()))
    tell(f"{events:,} events and dead letters of {len(story.tickets):,} tickets came out; comparing ClickHouse")
    rows = compare_with_clickhouse(ledger, story, findings, quiet_s)
    return Verdict(findings, len(inputs.planted), events, len(story.tickets), story.fired, rows, found.records)


def _views(bootstrap: str, prefix: str, story: Story) -> Found:
    """Read the views' topics until they have come to all facts of `story`."""
    newest, causes = dict(story.views.newest), list(story.views.said)
    found, reader = Found(), Reader(bootstrap, [prefix + topic for topic in VIEWS])
    moved, records = time.monotonic(), -1
    while time.monotonic() - moved < QUIET_S:
        for message in reader.new():
            raw = message.value()
            data = None if raw is None else json.loads(raw)
            topic = place_of(message)[0].removeprefix(prefix)
            found.take(topic, (message.key() or b"").decode(), headers_of(message), data)
        if not missing(newest, causes, found):
            break
        if found.records > records:
            moved, records = time.monotonic(), found.records
        time.sleep(0.5)
    if left := missing(newest, causes, found):
        story.findings.add("views", f"{left} facts have not come to the views")
    reader.close()
    return found


def _until_settled(reader: Reader, inputs: Inputs, story: Story) -> None:
    moved, before = time.monotonic(), -1
    while time.monotonic() - moved < QUIET_S:
        for message in reader.new():
            story.take(message)
        done = len(inputs.planted.keys() & (story.settled.keys() | story.dead.keys()))
        if done == len(inputs.planted):
            return
        if done > before:
            moved, before = time.monotonic(), done
        time.sleep(0.5)


def millis(text: str) -> int:
    """Milliseconds since the epoch of an RFC 3339 time."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)
