"""A log under its own rules and under others: what differs, and how what handlers said is carried over."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from hypothesis import given, settings

from agents.desk import command_in
from agents.replaying.archive import Stored
from agents.replaying.replay import Job, Span, cut_one
from agents.replaying.snapshot import snapshot_in, write
from agents.whatif.document import differs, document
from agents.whatif.figures import Part, together
from agents.whatif.page import page
from agents.whatif.rows import figures
from agents.whatif.translating import Way
from agents.whatif.worlds import Asked, part
from schemas.codes import Action, Clock
from schemas.commands import Command, PolicyPublished
from schemas.policy import Policy, Route
from tests.desk.logs import DAY, HOUR, LAMPS, MINUTE, POLICY, T0, Log, feedback, report
from tests.replaying.test_same import PARTITION, PREFIX, exported, logs, uncounted

OBJECT = {"object": "lamp 7"}


def tried(
    folder: Path, records: Sequence[Stored], other: Policy, *, since: int | None = None, ticket: str = ""
) -> Part:
    """The log under its own rules and under others."""
    rules = {clock: replace(other, clock=clock) for clock in Clock}
    job = Job(source=exported(folder / "some.log", records, ()))
    return part(job, Asked(rules=rules, since=since, ticket=ticket or None), PARTITION, uncounted)


def log_of(policy: Policy, *steps: tuple[int, Command]) -> tuple[Log, list[Stored]]:
    """A log that begins with a policy, and its records."""
    log = Log(policy=policy)
    for after, command in steps:
        log.add(command, after)
    return log, [Stored(PREFIX + "desk", PARTITION, e.offset, e.appended_at, None, e.raw, ()) for e in log.entries]


@given(logs())
@settings(max_examples=25, deadline=None)
def test_under_its_own_rules_nothing_differs(records: list[Stored]) -> None:
    first = command_in(records[0].value or b"")
    assert isinstance(first, PolicyPublished)
    same = [
        one._replace(value=records[0].value) if isinstance(command_in(one.value or b""), PolicyPublished) else one
        for one in records
    ]
    with TemporaryDirectory() as folder:
        found = tried(Path(folder), same, first.policy)
    assert not differs(found)
    assert (found.only_ours, found.only_theirs, found.differently) == (0, 0, 0)
    assert sum(found.ways.values()) == 0


def test_a_longer_limit_is_kept_and_no_card_is_drawn(tmp_path: Path) -> None:
    closing = feedback(Action.CLOSED, source_id="r1")
    log, records = log_of(POLICY, (0, report("r1")), (HOUR, report("r2")), (20 * HOUR, closing))
    long = tuple(replace(row, overall=replace(row.overall, seconds=40 * 3600)) for row in POLICY.limits if row.overall)
    found = tried(tmp_path, records, replace(POLICY, version="p2", limits=long), ticket=log.ticket_of("r1"))
    ours, theirs = found.all.ours, found.all.theirs
    assert (ours.on_time_rate, theirs.on_time_rate) == (0.0, 1.0)
    assert ours.steps["yellow"] > theirs.steps["yellow"]
    assert found.differently == 2
    assert any(one.how.startswith("on time no → yes") for one in found.named)
    mine, other = found.stories
    carded = [[one.says["limit"] for one in story if one.type == "lianqin.limit.carded.v1"] for story in (mine, other)]
    assert ("overall" in carded[0], "overall" in carded[1]) == (True, False)
    assert [one.policy for one in (mine[0], other[0])] == ["p1", "p2"]
    because = other[0].changes[0].reason
    assert because is not None
    assert (because.limit, because.length) == ("overall", 40 * HOUR)
    said = orjson.loads(orjson.dumps(document(found, "ours", "a")))
    assert said["all_tickets"]["other"]["on_time_rate"] == 1.0
    assert said["stories"]["other"]["events"][0]["limits"][0]["why"]["row"] == 3
    told = page(found, "ours", ("north.1", found.stories, None))
    assert told.count("<svg") == 8
    assert "on time 按时结案率" in told


def test_from_a_time_on_other_rules_hold_for_what_runs(tmp_path: Path) -> None:
    _, records = log_of(POLICY, (0, report("r1")), (HOUR, report("r2")), (2 * HOUR, report("r3")))
    other = replace(POLICY, version="p2", limits=())
    never = tried(tmp_path, records, other, since=T0 + DAY)
    assert not differs(never)
    later = tried(tmp_path, records, other, since=T0 + 90 * MINUTE)
    assert later.all.ours.steps["warned"] == 2
    assert later.all.theirs.steps["warned"] == 1, "before that time the log's own rules held"
    by_log = [one._replace(value=(one.value or b"").replace(b'"clock":"wall"', b'"clock":"log"')) for one in records]
    told_late = tried(tmp_path, by_log, other, since=T0 + 90 * MINUTE)
    assert told_late.all.theirs.steps["warned"] <= 1


def test_feedback_of_a_ticket_that_is_none_there_counts_for_its_report_or_could_not_be_applied(tmp_path: Path) -> None:
    steps: list[tuple[int, Command]] = [
        (0, report("r1", **OBJECT)),
        (MINUTE, feedback(Action.CLOSED, source_id="r1")),
        (2 * MINUTE, report("r2", **OBJECT)),
    ]
    log, _ = log_of(POLICY, *steps)
    second = log.ticket_of("r2")
    said = [
        (3 * MINUTE, feedback(Action.SIGNED, source_id="", ticket=second)),
        (4 * MINUTE, feedback(Action.CLOSED, source_id="", ticket=second)),
        (5 * MINUTE, feedback(Action.CLOSED, source_id="", ticket="north.0123456789abcdef")),
    ]
    _, records = log_of(POLICY, *steps, *said)
    found = tried(tmp_path, records, replace(POLICY, version="p2", closing_sources=()))
    assert found.ways == {Way.LOST: 1, Way.REPORT: 1}
    assert (found.only_ours, found.only_theirs) == (1, 0)
    assert found.outcomes["applied", "unknown"] == 1
    assert found.outcomes["applied", "not-legal-now"] == 1, "the first one's closing"
    assert found.outcomes["unknown", "unknown"] == 1
    assert found.all.theirs.fates["merged"] == 1
    assert found.both.ours.tickets == found.both.theirs.tickets == 1


def test_feedback_follows_the_report_to_the_ticket_that_it_has_there(tmp_path: Path) -> None:
    policy = replace(POLICY, closing_sources=())
    steps: list[tuple[int, Command]] = [
        (0, report("r1", **OBJECT)),
        (MINUTE, feedback(Action.CLOSED, source_id="r1")),
        (2 * MINUTE, report("r2", **OBJECT)),
        (3 * MINUTE, feedback(Action.UNMERGED, source_id="r2")),
    ]
    log, _ = log_of(policy, *steps)
    parted = log.ticket_of("r2")
    _, records = log_of(policy, *steps, (4 * MINUTE, feedback(Action.SIGNED, source_id="", ticket=parted)))
    found = tried(tmp_path, records, replace(policy, version="p2", closing_sources=("city",)), ticket=parted)
    assert found.ways == {Way.FOLLOWED: 1}
    assert found.outcomes["applied", "applied"] == 1
    mine, other = found.stories
    assert mine[0].type == other[0].type == "lianqin.ticket.opened.v1"
    assert other[-1].type == "lianqin.command.settled.v1"


def test_who_has_the_ticket_there_says_what_its_unit_said(tmp_path: Path) -> None:
    moved = (Route(category="lamp", area="north", units=("gas",)), *POLICY.routes)
    _, records = log_of(POLICY, (0, report("r1")), (MINUTE, feedback(Action.SIGNED, by=LAMPS.name)))
    found = tried(tmp_path, records, replace(POLICY, version="p2", routes=moved))
    assert found.ways == {Way.SPOKEN: 1}
    assert found.outcomes == {("applied", "applied"): 1}
    assert (found.all.ours.units, found.all.theirs.units) == ({"lamp company": 1}, {"gas company": 1})
    assert [row.change for row in figures(found.all) if row.change] == []


def test_from_a_snapshot_a_ticket_that_is_reopened_counts_like_any_other(tmp_path: Path) -> None:
    _, records = log_of(
        POLICY,
        (0, report("r1")),
        (MINUTE, feedback(Action.CLOSED)),
        (2 * MINUTE, report("r2", object="x")),
        (3 * MINUTE, report("r3", object="y", drill=True)),
        (4 * MINUTE, feedback(Action.CLOSED, source_id="r3")),
        (HOUR, feedback(Action.REOPENED)),
        (0, feedback(Action.REOPENED, source_id="r3")),
        (40 * HOUR, report("r4", object="z")),
    )
    source = exported(tmp_path / "some.log", records, ())
    rules = {clock: replace(POLICY, version="p2", clock=clock) for clock in Clock}
    write(tmp_path / "s", PREFIX, [cut_one(Job(source=source, span=Span(until=T0 + HOUR)), PARTITION, uncounted)])
    whole, rest = (
        part(Job(source=source, snapshot=snapshot), Asked(rules=rules), PARTITION, uncounted)
        for snapshot in (None, snapshot_in(tmp_path / "s"))
    )
    assert rest.all.ours.tickets == 3
    for mine, other in ((whole.all.ours, rest.all.ours), (whole.all.theirs, rest.all.theirs)):
        told = ("tickets", "closed", "overdue", "steps", "units")
        assert [getattr(other, name) for name in told] == [getattr(mine, name) for name in told]


def test_partitions_add_up(tmp_path: Path) -> None:
    _, records = log_of(POLICY, (0, report("r1")), (30 * HOUR, report("r2")))
    one = tried(tmp_path, records, POLICY)
    both = together([one, tried(tmp_path, records, POLICY)])
    assert both.all.ours.tickets == 2 * one.all.ours.tickets
    assert both.all.ours.steps["warned"] == 2 * one.all.ours.steps["warned"] > 0
    assert both.records == 2 * len(records)
