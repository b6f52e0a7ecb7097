"""A ticket's story: each limit with its row and its days, and the days add up to the limit."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given, settings

from agents.errors import UserError
from agents.explaining.gathering import in_log, judges_in, story_of
from agents.explaining.judges import Judges
from agents.explaining.story import Chapter, Story
from agents.explaining.telling import document, heading, lines
from agents.replaying.archive import Stored
from agents.replaying.source import FileLog
from schemas.codes import Action, LimitClock, Side, Stage
from schemas.commands import Command, PolicyPublished
from schemas.events import LimitsChanged
from schemas.policy import Category, LimitRow, Policy, Span
from streams.desk.reasons import Reason
from streams.desk.working_time import Kind, WorkingTime
from tests.desk.histories import OFFICE, PLAIN
from tests.desk.logs import DAY, HOUR, MINUTE, POLICY, SECOND, T0, Log, feedback, report
from tests.replaying.test_same import PARTITION, PREFIX, exported, facts, logs

SHANGHAI = ZoneInfo("Asia/Shanghai")
THURSDAY = DAY + 3 * HOUR + 46 * MINUTE + 40 * SECOND
"""After T0: 2023-11-16 10:00 in Shanghai."""
CALENDAR = replace(OFFICE, off=("2023-11-17",), on=("2023-11-18",))


def working(seconds: int, written: str) -> Policy:
    """Only one limit, in working time."""
    span = Span(seconds=seconds, clock=LimitClock.WORKING, written=written)
    return replace(
        PLAIN, calendar=CALENDAR, limits=(LimitRow(category="noise", overall=Span(seconds=60)), LimitRow(overall=span))
    )


def told(policy: Policy, *steps: tuple[int, Command], ticket: str = "r1") -> Story:
    """The story of a ticket, from what was exported."""
    log = Log(policy=policy)
    for after, command in steps:
        log.add(command, after)
    records = [Stored(PREFIX + "desk", PARTITION, e.offset, e.appended_at, None, e.raw, ()) for e in log.entries]
    with TemporaryDirectory() as folder:
        source = exported(Path(folder) / "some.log", records, facts(records, 500))
        name = log.ticket_of(ticket)
        return story_of(name, in_log(source, name), judges_in(source, name, None))


def limits(chapter: Chapter) -> dict[str, tuple[str, Reason | None]]:
    return {change.limit: (change.what, change.reason) for change in chapter.changes}


def reason_in(chapter: Chapter, limit: str) -> Reason:
    reason = limits(chapter)[limit][1]
    assert reason is not None
    return reason


def test_a_deadline_names_its_row_and_its_days() -> None:
    story = told(working(54_000, "2 wd"), (THURSDAY, report("r1")))
    opened = story.chapters[0]
    why = reason_in(opened, "overall")
    assert (why.row, why.fits, why.written, why.policy) == (2, {}, "2 wd", "p1")
    assert why.is_so
    assert sum(end - start for day in why.days for start, end in day.periods) == why.length == 54_000 * SECOND
    assert [(day.date, day.kind) for day in why.days] == [
        ("2023-11-16", Kind.WEEKDAY),
        ("2023-11-17", Kind.HOLIDAY),
        ("2023-11-18", Kind.ADJUSTED),
        ("2023-11-19", Kind.WEEKEND),
        ("2023-11-20", Kind.WEEKDAY),
    ]
    read = "\n".join(lines(opened, SHANGHAI))
    assert "limit overall 总时限 begins: due 2023-11-20 10:00:00" in read
    assert "row 2 of the limits table (any ticket) says 2 wd; policy p1" in read
    assert "2023-11-16 周四 worked 工作日: 6 h 30 min (10:00–12:00, 13:30–18:00)" in read
    assert "2023-11-17 周五 holiday 节假日" in read
    assert "2023-11-18 周六 worked, adjusted 调休上班: 7 h 30 min (09:00–12:00, 13:30–18:00)" in read
    assert heading(opened, SHANGHAI) == "  1  2023-11-16 10:00:00  opened 立案"


def test_a_day_that_begins_seconds_late_is_told_apart_from_a_whole_one() -> None:
    #  Wed 09:00:30        Thu 09:00           Sat 09:00
    #  |--7 h 29 min 30 s--|--7 h 30 min--|free|-30 s-|
    opened = told(working(54_000, "2 wd"), (2 * HOUR + 47 * MINUTE + 10 * SECOND, report("r1"))).chapters[0]
    assert [line.strip() for line in lines(opened, SHANGHAI)][-4:] == [
        "2023-11-15 周三 worked 工作日: 7 h 29 min 30 s (09:00–12:00, 13:30–18:00)",
        "2023-11-16 周四 worked 工作日: 7 h 30 min (09:00–12:00, 13:30–18:00)",
        "2023-11-17 周五 holiday 节假日",
        "2023-11-18 周六 worked, adjusted 调休上班: 30 s (09:00–09:00)",
    ]


def test_days_of_a_calendar_are_called_what_they_are() -> None:
    begin = 1_696_521_600_000  # 2023-10-06 00:00 in Shanghai, a Friday before an adjusted Saturday
    days = list(WorkingTime(OFFICE).days(begin, begin + 3 * DAY))
    assert [(day.date, day.kind, len(day.periods)) for day in days] == [
        ("2023-10-06", Kind.WEEKDAY, 2),
        ("2023-10-07", Kind.ADJUSTED, 2),
        ("2023-10-08", Kind.WEEKEND, 0),
    ]
    (later,) = WorkingTime(OFFICE).days(begin + 400 * DAY, begin + 400 * DAY + HOUR)
    assert (date.fromisoformat(later.date).year, later.announced) == (2024, False)
    assert list(WorkingTime(None).days(begin, begin + DAY)) == []


def test_what_moved_a_limit_is_told() -> None:
    story = told(
        POLICY,
        (0, report("r1")),
        (MINUTE, feedback(Action.SIGNED)),
        (2 * MINUTE, feedback(Action.EXTENSION_REQUESTED, seconds=600)),
        (3 * MINUTE, feedback(Action.SUSPENSION_REQUESTED, seconds=7200)),
        (4 * MINUTE, feedback(Action.SUSPENSION_APPROVED)),
        (64 * MINUTE, feedback(Action.RESUMED)),
        (65 * MINUTE, feedback(Action.HANDLED)),
        (66 * MINUTE, feedback(Action.REWORKED)),
        (67 * MINUTE, feedback(Action.CLOSED)),
    )
    by_type = {one.type.removeprefix("lianqin.").removesuffix(".v1"): one for one in story.chapters}
    assert limits(by_type["ticket.signed"])["handled"][0] == "begins"
    assert limits(by_type["ticket.signed"])["signed"] == ("ends", None)
    assert limits(by_type["ticket.extended"])["overall"][0] == "is longer"
    assert reason_in(by_type["ticket.extended"], "overall").granted == 600 * SECOND
    assert limits(by_type["ticket.resumed"])["overall"][0] == "moves"
    assert reason_in(by_type["ticket.resumed"], "overall").started_at == T0 + HOUR
    assert limits(by_type["ticket.handled"])["handled"][0] == "halts"
    assert limits(by_type["ticket.reworked"])["handled"][0] == "goes on"
    assert set(limits(by_type["ticket.closed"]).values()) == {("ends", None)}
    assert "of it granted 延时: 10 min" in "\n".join(lines(by_type["ticket.extended"], None))


def test_what_is_proposed_of_the_very_same_place_is_0_metres_apart() -> None:
    near = replace(PLAIN, categories={"lamp": Category(near_m=100, near_s=3600)})
    spot = {"lat": 32.06, "lon": 118.63}
    story = told(near, (0, report("r1", **spot)), (MINUTE, report("r2", **spot)), ticket="r2")
    (proposed,) = [one for one in story.chapters if one.type == "lianqin.match.proposed.v1"]
    assert proposed.says["distance_m"] == 0


def test_a_step_names_its_limit_and_a_condition_its_own() -> None:
    story = told(POLICY, (0, report("r1", category="gas")), (2 * HOUR, report("r2", category="noise")))
    steps = [one for one in story.chapters if one.type == "lianqin.limit.warned.v1"]
    assert {one.step.limit for one in steps if one.step is not None} == {"signed", "overall", "fenced"}
    fenced = reason_in(story.chapters[0], "fenced")
    assert (fenced.row, fenced.written) == (None, "1800 s")
    found = orjson.loads(orjson.dumps(document("t", story.chapters)))
    assert found["events"][0]["limits"][0]["why"]["fits"] == {"urgency": "urgent"}


def test_of_a_diverted_ticket_the_row_of_the_side_that_has_it_is_named() -> None:
    rows = (
        LimitRow(side=Side.POLICE, overall=Span(seconds=7200), stages={Stage.SIGNED: Span(seconds=30)}),
        LimitRow(side=Side.SERVICE, stages={Stage.SIGNED: Span(seconds=3600)}),
        LimitRow(overall=Span(seconds=36000)),
    )
    took = report("r1", category="noise", source="city", side=Side.POLICE)
    story = told(replace(POLICY, limits=rows), (0, took), (MINUTE, feedback(Action.DIVERSION_RETURNED)))
    opened, over, sent, back, again = (one for one in story.chapters if one.type.startswith("lianqin.ticket."))
    rows_of = [{name: (what, why and (why.row, why.fits)) for name, (what, why) in limits(one).items()}
               for one in (opened, over, sent, back, again)]  # fmt: skip
    police, service = (1, {"side": "police"}), (2, {"side": "service"})
    assert rows_of == [
        {"overall": ("begins", police), "signed": ("begins", police)},
        {},
        {"overall": ("is recomputed", (3, {})), "signed": ("is recomputed", service)},
        {},
        {"overall": ("is recomputed", police), "signed": ("is recomputed", police)},
    ]
    assert "row 2 of the limits table (side service) says 3600 s" in "\n".join(lines(sent, None))


DAY_LONG = replace(
    POLICY,
    version="old",
    limits=(
        LimitRow(category="noise", overall=Span(seconds=60)),
        LimitRow(overall=Span(seconds=86_400, written="24 h")),
    ),
)
HOUR_LONG = replace(POLICY, version="new", limits=(LimitRow(overall=Span(seconds=3600, written="1 h")),))
OPENED_AGAIN: tuple[tuple[int, Command], ...] = (
    (0, report("r1")),
    (MINUTE, feedback(Action.CLOSED)),
    (2 * MINUTE, PolicyPublished(policy=HOUR_LONG)),
    (3 * MINUTE, feedback(Action.REOPENED)),
)


def test_of_a_ticket_that_is_opened_again_the_row_of_the_policy_in_force_is_named() -> None:
    story = told(DAY_LONG, *OPENED_AGAIN)
    over, again = story.chapters[-4:-2]
    assert (over.type, over.says, over.changes) == ("lianqin.limits.changed.v1", {"policy": "new"}, ())
    assert (again.type, again.policy) == ("lianqin.ticket.reopened.v1", "new")
    why = reason_in(again, "overall")
    assert (why.row, why.written, why.policy, why.length, why.is_so) == (1, "1 h", "new", HOUR, True)
    read = "\n".join(lines(again, None))
    assert "row 1 of the limits table (any ticket) says 1 h; policy new" in read


@pytest.mark.parametrize(
    ("rows", "policy"),
    [
        (DAY_LONG.limits, "new"),
        ((LimitRow(overall=Span(seconds=3600, clock=LimitClock.WORKING)),), "new"),
        (HOUR_LONG.limits, "old"),
    ],
    ids=["another length", "another clock", "the same"],
)
def test_rules_that_a_ticket_only_names_are_not_taken_for_those_that_gave_it_its_limit(
    rows: tuple[LimitRow, ...], policy: str
) -> None:
    """Earlier builds did not say that other rules judge a ticket that is opened again."""
    log = Log(policy=replace(DAY_LONG, limits=rows))
    for after, command in OPENED_AGAIN:
        log.add(command, after)
    judges = Judges()
    judges.publish(T0, replace(DAY_LONG, limits=rows))
    judges.publish(T0 + 2 * MINUTE, HOUR_LONG)
    facts_then = [one for one in log.facts if one.envelope.subject and not isinstance(one.event, LimitsChanged)]
    again = story_of("r1", facts_then, judges).chapters[-3]
    assert (again.type, again.policy) == ("lianqin.ticket.reopened.v1", "old")
    why = reason_in(again, "overall")
    assert (why.row, why.policy, why.length, why.is_so) == (1, policy, HOUR, True)


@given(logs())
@settings(max_examples=30, deadline=None)
def test_of_any_log_every_reason_comes_to_the_deadline_that_stands(records: list[Stored]) -> None:
    with TemporaryDirectory() as folder:
        source = exported(Path(folder) / "some.log", records, facts(records, 500))
        for ticket in _tickets(source):
            chapters = story_of(ticket, in_log(source, ticket), judges_in(source, ticket, None)).chapters
            assert [one.sequence for one in chapters] == list(range(1, len(chapters) + 1))
            for why in _reasons(chapters):
                assert why.is_so
                if why.clock is LimitClock.WORKING and why.days:
                    counted = sum(end - start for day in why.days for start, end in day.periods)
                    assert counted == why.length
            for one in chapters:
                assert {why.policy for why in _reasons([one])} <= {one.policy}
                assert list(lines(one, SHANGHAI)) or one.type


def _tickets(source: FileLog) -> list[str]:
    return sorted({(one.key or b"").decode() for one in source.tickets(PARTITION) if b"." in (one.key or b"")})


def _reasons(chapters: Sequence[Chapter]) -> list[Reason]:
    found = [change.reason for one in chapters for change in one.changes] + [one.step for one in chapters]
    return [one for one in found if one is not None]


def test_a_ticket_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match="there is no ticket"):
        story_of("north.0", [], Judges())
