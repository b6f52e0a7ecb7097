"""Time limits as tables and stories: which run, when their steps fire, and what other systems got wrong about them."""

from dataclasses import replace
from typing import Literal, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codes import Action, Alarm, Clock, Level, LimitClock, Refusal, Side, Stage, Standing, Step, Urgency
from schemas.commands import Command, PolicyPublished
from schemas.events import (
    AlarmRaised,
    CommandSettled,
    LimitCarded,
    LimitEscalated,
    LimitsChanged,
    Ran,
    TicketClosed,
    TicketRated,
    TicketReopened,
    TicketResumed,
)
from schemas.policy import Condition, LimitRow, Policy, Rung, Span, Unit
from schemas.state import Deadline, Ticket, former_policy_key
from streams.desk.clock import dated
from streams.desk.deadlines import laid, next_step
from streams.desk.limits import LimitFacts, at_opening
from streams.desk.rules import Rules
from tests.desk.calendars import CHINA, DAY_S, moment
from tests.desk.logs import DAY, HOUR, MINUTE, POLICY, SECOND, T0, Log, feedback, folded, remembered, report

E = TypeVar("E")
LADDER = POLICY.ladder
WORKING = LimitClock.WORKING
EARLY = -(400 * DAY)
"""Before the working stories: their policy comes first."""


def days(count: int) -> Span:
    """Working days."""
    return Span(seconds=count * DAY_S, clock=WORKING, written=f"{count} wd")


WORKDAYS = replace(
    POLICY,
    version="working",
    calendar=CHINA,
    limits=(LimitRow(overall=days(10), stages={Stage.SIGNED: days(1), Stage.HANDLED: days(5)}),),
    conditions={},
    suspension_most_s=30 * 86400,
)
"""All limits in working days; a calendar of three real years."""
ONLY_OVERALL = replace(POLICY, version="overall", limits=(LimitRow(overall=Span(seconds=1000)),), conditions={})
"""One limit of 1000 seconds."""


def begun(policy: Policy, at: str) -> Log:
    """A log under a policy, with one ticket, opened at a moment of Shanghai."""
    log = Log(policy=None)
    log.add(PolicyPublished(policy=policy), EARLY)
    said_at(log, at, report())
    return log


def said_at(log: Log, written: str, command: Command) -> list[str]:
    """What a command at a moment of Shanghai leads to."""
    return log.add(command, moment(written) - T0)


def ticket_of(log: Log, source_id: str = "r1") -> Ticket:
    """The ticket of a report."""
    return log.memory.tickets[log.ticket_of(source_id)]


def running(log: Log) -> dict[str, tuple[int, int]]:
    """What runs on the ticket: from when, and until when it is due, in seconds since the beginning."""
    return {
        one.limit: ((one.started_at - T0) // SECOND, (one.due_at - T0) // SECOND)
        for one in ticket_of(log).deadlines
        if not one.halted
    }


def limit_of(log: Log, name: str) -> Deadline:
    """One deadline of the ticket."""
    return next(one for one in ticket_of(log).deadlines if one.limit == name)


def said_of(log: Log, kind: type[E]) -> list[E]:
    """Events of one type."""
    return [fact.event for fact in log.facts if isinstance(fact.event, kind)]


def climbed(log: Log) -> list[tuple[Ran, int]]:
    """Steps of the ladder, and when they say they were, in seconds since the beginning."""
    return [(fact.event, (fact.envelope.time - T0) // SECOND) for fact in log.facts if isinstance(fact.event, Ran)]


def published(policy: Policy, **changes: object) -> PolicyPublished:
    """Another policy."""
    return PolicyPublished(policy=replace(policy, **changes))  # type: ignore[arg-type]  # tests name what they mean


# The table

ROWS = (
    LimitRow(category="lamp", urgency=Urgency.URGENT, stages={Stage.HANDLED: Span(seconds=3)}),
    LimitRow(area="south", overall=Span(seconds=4)),
    LimitRow(source="110", stages={Stage.SIGNED: Span(seconds=5)}),
    LimitRow(kind="complaint", overall=Span(seconds=6), stages={Stage.SIGNED: Span(seconds=7)}),
    LimitRow(side=Side.POLICE, stages={Stage.SIGNED: Span(seconds=11)}),
    LimitRow(urgency=Urgency.ROUTINE, overall=Span(seconds=8), stages={Stage.HANDLED: Span(seconds=9)}),
    LimitRow(overall=Span(seconds=10)),
)
PLAIN = LimitFacts("noise", Urgency.ROUTINE, "north", "city", None, Side.SERVICE)


@pytest.mark.parametrize(
    ("facts", "overall", "stages"),
    [
        (PLAIN, 8, {"handled": 9}),
        (PLAIN._replace(urgency=Urgency.URGENT), 10, {}),
        (PLAIN._replace(category="lamp"), 8, {"handled": 9}),
        (PLAIN._replace(category="lamp", urgency=Urgency.URGENT), 10, {"handled": 3}),
        (PLAIN._replace(area="south"), 4, {"handled": 9}),
        (PLAIN._replace(source="110"), 8, {"signed": 5, "handled": 9}),
        (PLAIN._replace(kind="complaint"), 6, {"signed": 7, "handled": 9}),
        (PLAIN._replace(side=Side.POLICE), 8, {"signed": 11, "handled": 9}),
        (PLAIN._replace(side=Side.POLICE, source="110"), 8, {"signed": 5, "handled": 9}),
        (PLAIN._replace(kind="complaint", source="110", area="south"), 4, {"signed": 5, "handled": 9}),
    ],
)
def test_each_limit_is_of_the_first_fitting_row_that_names_it(
    facts: LimitFacts, overall: int, stages: dict[str, int]
) -> None:
    limited = Rules(replace(POLICY, limits=ROWS)).limits.of(*facts)
    assert limited.overall is not None
    assert limited.overall.length == overall * SECOND
    assert {name: limit.length // SECOND for name, limit in limited.stages.items()} == stages


def test_only_stages_up_to_the_call_back_have_limits() -> None:
    rows = (LimitRow(stages={stage: Span(seconds=1) for stage in Stage}),)
    limited = Rules(replace(POLICY, limits=rows, conditions={})).limits.of(*PLAIN)
    assert list(limited.stages) == list(Stage)[1:9]


def test_a_ticket_that_no_row_fits_has_no_limit() -> None:
    rules = Rules(replace(POLICY, limits=ROWS[:1], conditions={}))
    assert at_opening(rules, PLAIN, T0) == ()
    log = Log(policy=rules.policy)
    log.add(report(), 0)
    assert log.tick(400 * DAY) == []
    log.add(feedback(Action.CLOSED), 400 * DAY)
    assert [event.on_time for event in said_of(log, TicketClosed)] == [True]


def test_what_sources_send_does_not_make_the_table_grow() -> None:
    table = Rules(POLICY).limits
    for number in range(10_100):
        table.of("lamp", Urgency.ROUTINE, "north", "city", f"kind {number}", Side.SERVICE)
    assert len(table._known) <= 10_000  # noqa: SLF001 - how much it remembers is not to be seen from outside
    assert table.of(*PLAIN) == Rules(POLICY).limits.of(*PLAIN)


# Which run


def test_the_goal_is_the_next_limited_stage_and_goes_on_until_it_is_reached() -> None:
    log = Log()
    log.add(report(), 0)
    assert running(log) == {"overall": (0, 36000), "signed": (0, 3600)}
    log.add(feedback(Action.SIGNED), 100 * SECOND)
    assert running(log) == {"overall": (0, 36000), "handled": (100, 18100)}
    log.add(feedback(Action.ARRIVED), 200 * SECOND)
    assert running(log) == {"overall": (0, 36000), "handled": (100, 18100)}
    log.add(feedback(Action.HANDLED), 300 * SECOND)
    assert running(log) == {"overall": (0, 36000), "verified": (300, 3900)}
    halted = limit_of(log, "handled")
    assert (halted.halted, halted.next_at, halted.rung) == (True, None, 0)
    log.add(feedback(Action.VERIFIED), 400 * SECOND)
    assert running(log) == {"overall": (0, 36000)}
    log.add(feedback(Action.CLOSED), 500 * SECOND)
    assert ticket_of(log).deadlines == ()


def test_a_limit_that_a_later_stage_skips_is_over() -> None:
    log = Log()
    log.add(report(), 0)
    log.add(feedback(Action.HANDLED), 300 * SECOND)
    assert [one.limit for one in ticket_of(log).deadlines] == ["overall", "verified"]


def test_before_anybody_accepts_the_first_limited_stage_is_the_goal() -> None:
    deadlines = at_opening(Rules(POLICY), PLAIN._replace(category="lamp"), 0)
    assert [(one.limit, one.due_at) for one in deadlines] == [("overall", 36_000_000), ("accepted", 60_000)]


def test_conditions_run_one_after_the_other_beside_the_goal() -> None:
    log = Log()
    log.add(report(category="gas"), 0)
    assert running(log) == {"overall": (0, 7200), "signed": (0, 600), "fenced": (0, 1800)}
    log.add(feedback(Action.CONDITION_MET, condition="fenced"), 500 * SECOND)
    assert running(log)["repaired"] == (500, 5900)
    log.add(feedback(Action.HANDLED), 550 * SECOND)
    assert running(log) == {"overall": (0, 7200), "repaired": (500, 5900)}
    log.add(feedback(Action.CONDITION_MET, condition="repaired"), 600 * SECOND)
    assert running(log) == {"overall": (0, 7200)}


def test_a_condition_that_is_met_out_of_its_turn_starts_nothing() -> None:
    log = Log()
    log.add(report(category="gas"), 0)
    log.add(feedback(Action.CONDITION_MET, condition="repaired"), 100 * SECOND)
    assert running(log)["fenced"] == (0, 1800)
    log.add(feedback(Action.CONDITION_MET, condition="fenced"), 200 * SECOND)
    assert running(log) == {"overall": (0, 7200), "signed": (0, 600)}


def test_a_rework_goes_on_with_the_clock_of_the_first_try() -> None:
    log = Log()
    log.add(report(), 0)
    log.add(feedback(Action.SIGNED), 1000 * SECOND)
    log.add(feedback(Action.HANDLED), 2000 * SECOND)
    log.add(feedback(Action.REWORKED), 3000 * SECOND)
    assert running(log) == {"overall": (0, 36000), "handled": (1000, 19000)}
    log.add(feedback(Action.CONTACTED), 4000 * SECOND)
    assert running(log)["handled"] == (1000, 19000)
    assert log.tick(19000 * SECOND) == ["limit.warned handled", "limit.passed handled"]


def test_what_a_halted_limit_has_missed_is_said_when_it_goes_on() -> None:
    log = Log()
    log.add(report(), 0)
    log.add(feedback(Action.SIGNED), 0)
    log.add(feedback(Action.HANDLED), 100 * SECOND)
    assert log.tick(17_000 * SECOND) == [
        "limit.warned verified",
        "limit.passed verified",
        "limit.carded verified yellow",
        "limit.carded verified red",
        "limit.escalated verified",
    ]
    log.add(feedback(Action.REWORKED), 20_000 * SECOND)
    assert log.tick(20_001 * SECOND) == ["limit.warned handled", "limit.passed handled"]
    assert [at for event, at in climbed(log) if isinstance(event, Ran) and event.limit == "handled"] == [20_000] * 2


def test_a_rework_of_what_never_ran_begins_the_goal_after_signing() -> None:
    log = Log()
    log.add(report(), 0)
    log.add(feedback(Action.HANDLED), 100 * SECOND)
    log.add(feedback(Action.REWORKED), 200 * SECOND)
    assert running(log) == {"overall": (0, 36000), "handled": (200, 18200)}


def test_another_unit_has_a_goal_of_its_own_and_the_same_overall_limit() -> None:
    log = Log()
    log.add(report(), 0)
    log.add(feedback(Action.DISPATCHED, unit="gas"), 1000 * SECOND)
    assert running(log) == {"overall": (0, 36000), "signed": (1000, 4600)}


# The ladder


def test_the_ladder_is_climbed_step_by_step_each_stamped_with_its_own_time() -> None:
    log = Log(policy=replace(ONLY_OVERALL, catch_all="grid", routes=()))
    log.add(report(grid="g1"), 0)
    assert log.tick(799_999) == []
    assert log.tick(5000 * SECOND) == [
        "limit.warned overall",
        "limit.passed overall",
        "limit.carded overall yellow",
        "limit.carded overall red",
        "limit.escalated overall",
    ]
    events = climbed(log)
    assert [at for _, at in events] == [800, 1000, 1500, 2000, 2500]
    steps = [event for event, _ in events]
    assert [(event.rung, event.next_at) for event in steps] == [
        (1, T0 + 1000 * SECOND),
        (2, T0 + 1500 * SECOND),
        (3, T0 + 2000 * SECOND),
        (4, T0 + 2500 * SECOND),
        (-1, None),
    ]
    assert [event.recipients for event in steps] == [
        ("grid g1", "North Town watch one"),
        ("lead", "operator"),
        ("operator",),
        (),
        ("leader",),
    ], "the holder, and units of the table, by their names at the place; other words as they are"
    assert [(event.allowed, event.unit) for event in steps] == [(1_000_000, "grid g1")] * 5
    assert [event.card for event in steps if isinstance(event, LimitCarded)] == [Step.YELLOW, Step.RED]
    assert log.tick(400 * DAY) == []
    assert log.memory.next_due() is None
    assert log.memory.deadlines_pending == 0


@pytest.mark.parametrize(
    ("level", "told"),
    [
        (Level.GRID, Level.COMMUNITY),
        (Level.COMMUNITY, Level.STREET),
        (Level.STREET, Level.DISTRICT),
        (Level.DISTRICT, Level.DISTRICT),
    ],
)
def test_the_next_level_up_is_told(level: Level, told: Level) -> None:
    units = POLICY.units | {"ours": Unit(name="ours", level=level)}
    log = Log(policy=replace(ONLY_OVERALL, units=units, catch_all="ours", routes=()))
    log.add(report(), 0)
    log.tick(DAY)
    assert [event.level for event in said_of(log, LimitEscalated)] == [told]


def test_a_share_of_a_limit_is_reckoned_in_whole_milliseconds() -> None:
    ladder = (Rung(step=Step.WARNED, percent=33), Rung(step=Step.PASSED, percent=100))
    rules = Rules(replace(POLICY, ladder=ladder, limits=(LimitRow(overall=Span(seconds=1)),), conditions={}))
    (overall,) = at_opening(rules, PLAIN, 0)
    assert (overall.next_at, overall.due_at) == (330, 1000)


def test_without_a_ladder_limits_are_kept_and_say_nothing() -> None:
    log = Log(policy=replace(ONLY_OVERALL, ladder=()))
    log.add(report(), 0)
    assert (limit_of(log, "overall").rung, limit_of(log, "overall").next_at) == (-1, None)
    assert log.tick(DAY) == []
    log.add(feedback(Action.CLOSED), DAY)
    assert [event.on_time for event in said_of(log, TicketClosed)] == [False]


def test_at_one_moment_tickets_fire_by_id_and_limits_by_name() -> None:
    rows = (LimitRow(overall=Span(seconds=100), stages={Stage.SIGNED: Span(seconds=100)}),)
    log = Log(policy=replace(POLICY, limits=rows, ladder=(Rung(step=Step.PASSED, percent=100),), conditions={}))
    log.add(report("r1"), 0)
    log.add(report("r2"), 0)
    log.tick(HOUR)
    fired = [(fact.envelope.subject, fact.event.limit) for fact in log.facts if isinstance(fact.event, Ran)]
    ids = sorted({log.ticket_of("r1"), log.ticket_of("r2")})
    assert fired == [(ids[0], "overall"), (ids[0], "signed"), (ids[1], "overall"), (ids[1], "signed")]


# Changes of a limit


def test_an_extension_lengthens_overall_and_the_goal_and_the_warning_is_still_to_come() -> None:
    log = Log()
    log.add(report(), 0)
    assert log.tick(3000 * SECOND) == ["limit.warned signed"]
    log.add(feedback(Action.EXTENSION_REQUESTED, seconds=3600), 3100 * SECOND)
    assert running(log) == {"overall": (0, 39600), "signed": (0, 7200)}
    assert (limit_of(log, "signed").granted, limit_of(log, "overall").granted) == (3_600_000, 3_600_000)
    assert log.tick(5759 * SECOND) == []
    assert log.tick(5760 * SECOND) == ["limit.warned signed"]


def test_an_extension_that_comes_late_takes_nothing_back_that_was_said() -> None:
    log = Log()
    log.add(report(), 0)
    assert log.tick(7300 * SECOND) == [
        "limit.warned signed",
        "limit.passed signed",
        "limit.carded signed yellow",
        "limit.carded signed red",
    ]
    log.add(feedback(Action.EXTENSION_REQUESTED, seconds=3600), 7400 * SECOND)
    assert running(log)["signed"] == (0, 7200)
    assert log.tick(10_800 * SECOND) == ["limit.carded signed yellow"]


def test_a_second_extension_adds_to_the_first() -> None:
    log = Log()
    log.add(report(), 0)
    for at in (0, 1):
        log.add(feedback(Action.EXTENSION_REQUESTED, seconds=600), at)
    log.add(feedback(Action.EXTENSION_APPROVED), 2)
    assert running(log)["signed"] == (0, 4800)
    assert limit_of(log, "signed").granted == 1_200_000
    log.add(published(POLICY, version="p2"), 3)
    assert running(log)["signed"] == (0, 4800)


def test_an_extension_leaves_conditions_alone() -> None:
    log = Log()
    log.add(report(category="gas"), 0)
    log.add(feedback(Action.EXTENSION_REQUESTED, seconds=600), 0)
    assert running(log) == {"overall": (0, 7800), "signed": (0, 1200), "fenced": (0, 1800)}


def test_an_extension_counts_on_the_limits_own_clock() -> None:
    policy = replace(WORKDAYS, extension_first_s=DAY_S, extension_most_s=DAY_S)
    log = begun(policy, "2025-01-23 09:00")
    assert limit_of(log, "signed").due_at == moment("2025-01-23 17:30")
    said_at(log, "2025-01-23 10:00", feedback(Action.EXTENSION_REQUESTED, seconds=DAY_S))
    assert limit_of(log, "signed").due_at == moment("2025-01-24 17:30")
    assert limit_of(log, "overall").due_at == moment("2025-02-12 17:30")


def test_a_refused_request_has_never_stopped_the_clock() -> None:
    log = Log()
    log.add(report(), 0)
    before = ticket_of(log).deadlines
    log.add(feedback(Action.SUSPENSION_REQUESTED), 100 * SECOND)
    log.add(feedback(Action.SUSPENSION_REFUSED), 2000 * SECOND)
    assert ticket_of(log).deadlines == before
    assert log.tick(2880 * SECOND) == ["limit.warned signed"]


def test_a_pause_moves_a_limit_by_as_much_as_it_took_on_the_wall() -> None:
    log = Log()
    log.add(report(), 0)
    log.tick(3000 * SECOND)
    log.add(feedback(Action.SUSPENSION_REQUESTED), 3100 * SECOND)
    log.add(feedback(Action.SUSPENSION_APPROVED), 3100 * SECOND)
    assert log.tick(10_000 * SECOND) == []
    assert log.memory.deadlines_pending == 0
    log.add(feedback(Action.RESUMED), 10_100 * SECOND)
    assert running(log) == {"overall": (7000, 43_000), "signed": (7000, 10_600)}
    assert log.tick(10_599 * SECOND) == []  # the warning was said before the pause
    assert log.tick(10_600 * SECOND) == ["limit.passed signed"]


def test_a_pause_moves_a_working_limit_by_the_work_that_it_took() -> None:
    log = begun(WORKDAYS, "2025-01-24 09:00")
    said_at(log, "2025-01-24 11:00", feedback(Action.SUSPENSION_REQUESTED))
    said_at(log, "2025-01-24 16:30", feedback(Action.SUSPENSION_APPROVED))
    assert limit_of(log, "signed").due_at == moment("2025-01-24 17:30")
    said_at(log, "2025-01-26 10:00", feedback(Action.RESUMED))
    # One hour on Friday and one on the Sunday that was worked: nothing on Saturday.
    assert limit_of(log, "signed").started_at == moment("2025-01-24 11:00")
    assert limit_of(log, "signed").due_at == moment("2025-01-26 11:00")
    assert said_at(log, "2025-01-26 11:00", feedback(Action.URGED))[0] == "limit.passed signed"


def test_a_pause_over_a_weekend_costs_a_working_limit_nothing() -> None:
    log = begun(WORKDAYS, "2025-06-06 15:00")
    before = ticket_of(log).deadlines
    said_at(log, "2025-06-07 10:00", feedback(Action.SUSPENSION_REQUESTED))
    said_at(log, "2025-06-07 10:00", feedback(Action.SUSPENSION_APPROVED, seconds=86_400))
    assert said_at(log, "2025-06-08 12:00", feedback(Action.URGED))[0] == "ticket.resumed"
    assert ticket_of(log).deadlines == before
    assert said_at(log, "2025-06-09 14:30", feedback(Action.URGED)) == [
        "limit.warned signed",
        "ticket.reminded",
        "command.settled urged applied",
    ]


def test_a_suspension_ends_by_itself_and_what_follows_keeps_its_time() -> None:
    log = Log()
    log.add(report(), 0)
    log.add(feedback(Action.SUSPENSION_REQUESTED, seconds=1000), 3500 * SECOND)
    log.add(feedback(Action.SUSPENSION_APPROVED), 3500 * SECOND)
    assert log.memory.next_due() == T0 + 4500 * SECOND
    assert log.tick(4600 * SECOND) == ["ticket.resumed", "limit.passed signed"]
    assert [fact.envelope.time - T0 for fact in log.decision.facts] == [4500 * SECOND, 4600 * SECOND]
    assert ticket_of(log).standing is Standing.RUNNING
    (resumed,) = said_of(log, TicketResumed)
    assert (resumed.paused, resumed.occurred_at) == (1_000_000, T0 + 4500 * SECOND)


def test_a_suspension_that_was_ended_by_hand_does_not_end_again() -> None:
    log = Log()
    log.add(report(), 0)
    log.add(feedback(Action.SUSPENSION_REQUESTED, seconds=1000), 0)
    log.add(feedback(Action.SUSPENSION_APPROVED), 0)
    log.add(feedback(Action.RESUMED), 500 * SECOND)
    assert log.tick(1100 * SECOND) == []


def test_a_voided_ticket_has_no_limit_and_fires_nothing() -> None:
    log = Log()
    log.add(report(), 0)
    log.add(feedback(Action.VOIDED), 10 * SECOND)
    assert ticket_of(log).deadlines == ()
    assert log.tick(23 * HOUR) == []


# Another policy


def test_a_log_never_changes_its_clock() -> None:
    log = Log()
    assert log.add(published(POLICY, version="p2", clock=Clock.LOG), 0) == [
        "command.settled policy refused wrong-clock"
    ]
    assert log.memory.rules is not None
    assert log.memory.rules.policy.version == "p1"


def test_the_same_policy_again_changes_nothing() -> None:
    log = Log()
    log.add(report(), 0)
    before = dict(log.state)
    assert log.add(PolicyPublished(policy=POLICY), 0) == ["command.settled policy applied"]
    (settled,) = [fact.event for fact in log.decision.facts]
    assert isinstance(settled, CommandSettled)
    assert settled.origin is None
    assert log.state == before


def test_running_tickets_take_another_policy_from_their_old_starts_with_what_was_granted() -> None:
    log = Log()
    log.add(report("r2", area="south"), 0)
    log.add(report(), 0)
    log.add(feedback(Action.EXTENSION_REQUESTED, seconds=600), 0)
    log.add(feedback(Action.SIGNED), 1000 * SECOND)
    rows = (LimitRow(overall=Span(seconds=20_000), stages={Stage.HANDLED: Span(seconds=5000)}),)
    said = log.add(published(POLICY, version="p2", limits=rows), 2000 * SECOND)
    assert said == ["limits.changed", "limits.changed", "command.settled policy applied"]
    assert [fact.envelope.subject for fact in log.decision.facts[:2]] == sorted(
        [log.ticket_of("r1"), log.ticket_of("r2", area="south")]
    )
    assert running(log) == {"overall": (0, 20_600), "handled": (1000, 6000)}
    assert ticket_of(log).policy == "p2"
    assert log.memory.former == {}
    assert log.tick(5000 * SECOND)[0] == "limit.warned handled"


def test_closed_tickets_take_nothing_and_merged_and_suspended_ones_do() -> None:
    log = Log()
    for name in ("r1", "r2", "r3", "r4"):
        log.add(report(name), 0)
    log.add(feedback(Action.CLOSED, "r2"), 0)
    log.add(feedback(Action.MERGE_CONFIRMED, "r3", other=log.ticket_of("r1")), 0)
    log.add(feedback(Action.SUSPENSION_REQUESTED, "r4"), 0)
    log.add(feedback(Action.SUSPENSION_APPROVED, "r4"), 0)
    log.add(published(POLICY, version="p2"), HOUR)
    told = {fact.envelope.subject for fact in log.decision.facts if isinstance(fact.event, LimitsChanged)}
    assert told == {log.ticket_of("r1"), log.ticket_of("r3"), log.ticket_of("r4")}


def test_a_stricter_policy_says_at_once_what_has_already_gone_by() -> None:
    log = Log(policy=ONLY_OVERALL)
    log.add(report(), 0)
    log.add(published(ONLY_OVERALL, version="p2", limits=(LimitRow(overall=Span(seconds=100)),)), 170 * SECOND)
    assert log.tick(180 * SECOND) == ["limit.warned overall", "limit.passed overall", "limit.carded overall yellow"]
    assert [at for _, at in climbed(log)] == [170, 170, 170]
    assert log.tick(200 * SECOND) == ["limit.carded overall red"]


def test_a_step_that_is_said_at_the_very_moment_of_a_change_is_not_said_again() -> None:
    log = Log(policy=ONLY_OVERALL)
    log.add(report(), 0)
    said = log.add(published(ONLY_OVERALL, version="p2"), 800 * SECOND)
    assert said == ["limit.warned overall", "limits.changed", "command.settled policy applied"]
    assert log.tick(999 * SECOND) == []


def test_a_limit_that_is_new_runs_since_the_ticket_was_opened_or_opened_again() -> None:
    log = Log(policy=replace(POLICY, limits=()))
    log.add(report(), 0)
    log.add(published(ONLY_OVERALL, version="p2"), 100 * SECOND)
    assert running(log) == {"overall": (0, 1000)}
    log.add(published(POLICY, version="p3", limits=()), 200 * SECOND)
    log.add(feedback(Action.CLOSED), 300 * SECOND)
    log.add(feedback(Action.REOPENED), 400 * SECOND)
    log.add(published(ONLY_OVERALL, version="p4"), 500 * SECOND)
    assert running(log) == {"overall": (400, 1400)}


def test_a_milder_policy_lets_what_was_said_come_again() -> None:
    log = Log(policy=ONLY_OVERALL)
    log.add(report(), 0)
    assert log.tick(1200 * SECOND) == ["limit.warned overall", "limit.passed overall"]
    log.add(published(ONLY_OVERALL, version="p2", limits=(LimitRow(overall=Span(seconds=2000)),)), 1200 * SECOND)
    assert log.tick(2000 * SECOND) == ["limit.warned overall", "limit.passed overall"]


def rungs(*steps: tuple[Step, int]) -> tuple[Rung, ...]:
    """A ladder."""
    return tuple(Rung(step=step, percent=percent) for step, percent in steps)


@pytest.mark.parametrize(
    ("ladder", "counted", "after"),
    [
        (rungs((Step.WARNED, 90), (Step.PASSED, 100)), (Step.WARNED,), ["limit.passed overall"]),
        (rungs((Step.WARNED, 50), (Step.PASSED, 100)), (Step.WARNED,), ["limit.passed overall"]),
        (
            rungs((Step.WARNED, 50), (Step.WARNED, 80), (Step.PASSED, 100)),
            (Step.WARNED,),
            ["limit.warned overall", "limit.passed overall"],
        ),
        (
            rungs((Step.ESCALATED, 20), (Step.WARNED, 50), (Step.PASSED, 100)),
            (Step.ESCALATED, Step.WARNED),
            ["limit.passed overall"],
        ),
        (rungs((Step.YELLOW, 85), (Step.PASSED, 100)), (), ["limit.carded overall yellow", "limit.passed overall"]),
        (rungs((Step.WARNED, 99), (Step.PASSED, 100)), (), ["limit.warned overall", "limit.passed overall"]),
        ((), (), []),
    ],
)
def test_of_another_ladder_no_step_is_said_a_second_time(
    ladder: tuple[Rung, ...], counted: tuple[Step, ...], after: list[str]
) -> None:
    log = Log(policy=ONLY_OVERALL)
    log.add(report(), 0)
    assert log.tick(950 * SECOND) == ["limit.warned overall"]
    log.add(published(ONLY_OVERALL, version="p2", ladder=ladder), 950 * SECOND)
    assert [event.said for event in said_of(log, LimitsChanged)] == [{"overall": counted}]
    assert log.tick(1000 * SECOND) == after


def test_a_goal_that_is_no_longer_limited_gives_way_to_the_next() -> None:
    log = Log()
    log.add(report(), 0)
    rows = (LimitRow(stages={Stage.ARRIVED: Span(seconds=500)}),)
    log.add(published(POLICY, version="p2", limits=rows), 100 * SECOND)
    assert running(log) == {"arrived": (0, 500)}
    log.add(published(POLICY, version="p3"), 200 * SECOND)
    assert running(log) == {"overall": (0, 36000), "signed": (0, 3600)}


def test_a_goal_that_is_new_runs_since_the_stage_was_reached() -> None:
    log = Log(policy=ONLY_OVERALL)
    log.add(report(), 0)
    log.add(feedback(Action.SIGNED), 100 * SECOND)
    log.add(published(POLICY, version="p2"), 200 * SECOND)
    assert running(log) == {"overall": (0, 36000), "handled": (100, 18100)}


def test_a_halted_limit_stays_halted_under_another_policy() -> None:
    log = Log()
    log.add(report(), 0)
    log.add(feedback(Action.SIGNED), 0)
    log.add(feedback(Action.HANDLED), 100 * SECOND)
    rows = (LimitRow(stages={Stage.HANDLED: Span(seconds=900)}),)
    log.add(published(POLICY, version="p2", limits=rows), 200 * SECOND)
    (halted,) = ticket_of(log).deadlines
    assert (halted.halted, halted.next_at, halted.due_at) == (True, None, T0 + 900 * SECOND)
    log.add(feedback(Action.REWORKED), 300 * SECOND)
    assert log.tick(800 * SECOND) == ["limit.warned handled"]


def test_conditions_under_another_policy() -> None:
    log = Log()
    log.add(report(category="gas"), 0)
    log.add(feedback(Action.CONDITION_MET, condition="fenced"), 100 * SECOND)
    first, second = POLICY.conditions["gas"]
    shorter = replace(second, span=Span(seconds=60))
    log.add(published(POLICY, version="p2", conditions={"gas": (first, shorter)}), 110 * SECOND)
    assert running(log)["repaired"] == (100, 160)
    other = Condition(name="measured", title="air measured", span=Span(seconds=70))
    log.add(published(POLICY, version="p3", conditions={"gas": (first, other)}), 120 * SECOND)
    assert running(log)["measured"] == (100, 170)
    log.add(published(POLICY, version="p4", conditions={}), 130 * SECOND)
    assert list(running(log)) == ["overall", "signed"]
    log.add(published(POLICY, version="p5"), 140 * SECOND)
    assert running(log)["repaired"] == (0, 5400)


def test_a_suspended_ticket_takes_another_policy_as_of_when_it_was_suspended() -> None:
    log = Log(policy=ONLY_OVERALL)
    log.add(report(), 0)
    log.add(feedback(Action.SUSPENSION_REQUESTED), 500 * SECOND)
    log.add(feedback(Action.SUSPENSION_APPROVED), 500 * SECOND)
    log.add(published(ONLY_OVERALL, version="p2", limits=(LimitRow(overall=Span(seconds=700)),)), 900 * SECOND)
    assert (limit_of(log, "overall").rung, limit_of(log, "overall").next_at) == (0, T0 + 560 * SECOND)
    assert log.tick(1000 * SECOND) == []
    log.add(feedback(Action.RESUMED), 1000 * SECOND)
    assert running(log) == {"overall": (500, 1200)}
    assert log.tick(1060 * SECOND) == ["limit.warned overall"]


def test_what_keeps_its_policy_is_judged_by_it_until_it_is_closed() -> None:
    kept = replace(ONLY_OVERALL, running="keep")
    log = Log(policy=kept)
    log.add(report(), 0)
    other = replace(ONLY_OVERALL, version="p2", limits=(LimitRow(overall=Span(seconds=100)),))
    assert log.add(PolicyPublished(policy=other), 10 * SECOND) == ["command.settled policy applied"]
    log.add(report("r2"), 10 * SECOND)
    assert former_policy_key("overall") in log.state
    assert list(log.memory.former) == ["overall"]
    assert log.tick(200 * SECOND)[0] == "limit.warned overall"
    assert {fact.envelope.subject for fact in log.decision.facts} == {log.ticket_of("r2")}
    assert remembered(folded(log.state)) == remembered(log.memory)
    assert log.tick(800 * SECOND)[-1] == "limit.warned overall"
    assert log.decision.facts[-1].envelope.subject == log.ticket_of("r1")
    log.add(feedback(Action.CLOSED), 900 * SECOND)
    assert list(log.memory.former) == ["overall"]
    log.tick(901 * SECOND)
    assert log.memory.former == {}
    assert former_policy_key("overall") not in log.state


@pytest.mark.parametrize("escalates", [False, True])
def test_whom_the_ladder_of_a_kept_policy_tells_is_who_is_there_now(escalates: bool) -> None:
    def named(name: str) -> Unit:
        return Unit(name=name, level=Level.COMMUNITY)

    tells = ("unit", "desk", "watch-1", "gone", "leader")
    rung = Rung(step=Step.ESCALATED if escalates else Step.PASSED, percent=100, recipients=tells)
    kept = replace(ONLY_OVERALL, running="keep", ladder=(rung,))
    kept = replace(kept, units=kept.units | {"desk": named("old desk"), "gone": named("{area} old team")})
    now = replace(ONLY_OVERALL, version="p2", areas={"north": "New North"}, ladder=())
    now = replace(now, units=now.units | {"desk": named("new desk"), "leader": named("{area} leader")})
    log = Log(policy=kept)
    log.add(report("r1"), 0)
    log.add(report("r2"), 0)
    assert log.add(PolicyPublished(policy=now), SECOND) == ["command.settled policy applied"]
    assert len(log.tick(1000 * SECOND)) == 2
    assert [fact.event.recipients for fact in log.decision.facts if isinstance(fact.event, Ran)] == [
        ("lamp company", "new desk", "New North watch one", "North Town old team", "New North leader")
    ] * 2


def test_each_ticket_goes_by_what_its_own_policy_says_of_running_tickets() -> None:
    log = Log(policy=replace(ONLY_OVERALL, running="keep"))
    log.add(report("r1"), 0)
    log.add(published(ONLY_OVERALL, version="p2", running="take"), SECOND)
    log.add(report("r2"), SECOND)
    log.add(published(ONLY_OVERALL, version="p3", running="keep"), 2 * SECOND)
    assert [fact.envelope.subject for fact in log.decision.facts[:-1]] == [log.ticket_of("r2")]
    assert ticket_of(log, "r1").policy == "overall"
    assert ticket_of(log, "r2").policy == "p3"
    assert list(log.memory.former) == ["overall"]


def test_a_kept_policy_that_comes_into_force_again_is_not_remembered_twice() -> None:
    log = Log(policy=replace(ONLY_OVERALL, running="keep"))
    log.add(report(), 0)
    log.add(published(ONLY_OVERALL, version="p2"), SECOND)
    assert list(log.memory.former) == ["overall"]
    assert log.add(published(ONLY_OVERALL, running="keep"), 2 * SECOND) == ["command.settled policy applied"]
    assert log.memory.former == {}
    assert log.tick(1000 * SECOND) == ["limit.warned overall", "limit.passed overall"]


SHORT = replace(ONLY_OVERALL, version="p2", limits=(LimitRow(overall=Span(seconds=100)),))
TAKEN_OVER = [LimitsChanged(policy="p2", deadlines=(), said={})]


@pytest.mark.parametrize("of_the_first", ["take", "keep"])
@pytest.mark.parametrize("of_the_second", ["take", "keep"])
def test_a_reopened_ticket_is_judged_by_the_policy_in_force_and_by_what_that_says_of_the_next(
    of_the_first: Literal["take", "keep"], of_the_second: Literal["take", "keep"]
) -> None:
    log = Log(policy=replace(ONLY_OVERALL, running=of_the_first))
    log.add(report(), 0)
    log.add(feedback(Action.CLOSED), 0)
    log.add(published(SHORT, running=of_the_second), SECOND)
    said = log.add(feedback(Action.REOPENED), 2 * SECOND)
    assert said[:3] == ["limits.changed", "ticket.reopened", "ticket.dispatched"]
    assert said_of(log, LimitsChanged) == TAKEN_OVER
    assert (running(log), ticket_of(log).policy) == ({"overall": (2, 102)}, "p2")
    assert log.memory.judged == {"p2": 1}
    log.add(published(ONLY_OVERALL, version="p3"), 3 * SECOND)
    kept = of_the_second == "keep"
    assert (running(log), ticket_of(log).policy) == ({"overall": (2, 102 if kept else 1002)}, "p2" if kept else "p3")
    assert list(log.memory.former) == (["p2"] if kept else [])
    assert remembered(folded(log.state)) == remembered(log.memory)
    log.add(feedback(Action.CLOSED), 4 * SECOND)
    log.tick(5 * SECOND)
    assert (log.memory.former, log.memory.judged) == ({}, {})


def test_what_others_still_keep_does_not_judge_a_ticket_that_is_opened_again() -> None:
    log = Log(policy=replace(ONLY_OVERALL, running="keep", back_date_s=0))
    log.add(report("r1"), 0)
    log.add(report("r2"), 0)
    log.add(feedback(Action.CLOSED), 0)
    log.add(PolicyPublished(policy=SHORT), SECOND)
    log.tick(SECOND)
    assert list(log.memory.former) == ["overall"]
    log.add(feedback(Action.RATED, score=1), 2 * SECOND)
    assert said_of(log, LimitsChanged) == TAKEN_OVER
    assert (running(log), ticket_of(log).policy) == ({"overall": (2, 102)}, "p2")
    assert [event.occurred_at for event in said_of(log, TicketRated)] == [T0 + 2 * SECOND]
    assert [event.occurred_at for event in said_of(log, TicketReopened)] == [T0]
    assert ticket_of(log, "r2").policy == "overall"
    assert log.memory.judged == {"overall": 1, "p2": 1}


def test_a_ticket_that_is_opened_again_under_the_policy_it_had_is_told_of_no_other() -> None:
    log = Log(policy=ONLY_OVERALL)
    log.add(report(), 0)
    log.add(feedback(Action.CLOSED), 0)
    log.add(PolicyPublished(policy=SHORT), SECOND)
    log.add(PolicyPublished(policy=ONLY_OVERALL), 2 * SECOND)
    assert log.add(feedback(Action.REOPENED), 3 * SECOND)[:2] == ["ticket.reopened", "ticket.dispatched"]
    assert (running(log), ticket_of(log).policy) == ({"overall": (3, 1003)}, "overall")


NEXT_YEAR = replace(
    CHINA,
    years=(*CHINA.years, 2027),
    off=(*CHINA.off, "2027-01-01", "2027-01-04"),
    on=(*CHINA.on, "2027-01-02"),
)


def test_a_limit_into_a_year_that_is_not_announced_is_provisional_and_rings_once() -> None:
    log = begun(WORKDAYS, "2026-12-31 09:00")
    assert limit_of(log, "overall").provisional
    assert not limit_of(log, "signed").provisional
    alarms = said_of(log, AlarmRaised)
    assert [event.alarm for event in alarms] == [Alarm.PROVISIONAL]


@pytest.mark.parametrize("running_tickets", ["keep", "take"])
def test_what_was_provisional_is_reckoned_again_when_its_year_is_announced(
    running_tickets: Literal["keep", "take"],
) -> None:
    rows = (LimitRow(overall=days(3), stages={Stage.SIGNED: days(1)}),)
    policy = replace(WORKDAYS, limits=rows, running=running_tickets)
    log = begun(policy, "2026-12-31 09:00")
    assert limit_of(log, "overall").due_at == moment("2027-01-04 17:30")
    signed = limit_of(log, "signed")
    said = said_at(log, "2026-12-31 10:00", published(policy, version="announced", calendar=NEXT_YEAR))
    assert said == ["limits.changed", "command.settled policy applied"]
    overall = limit_of(log, "overall")
    assert (overall.due_at, overall.provisional) == (moment("2027-01-05 17:30"), False)
    assert limit_of(log, "signed") == signed
    kept = running_tickets == "keep"
    assert ticket_of(log).policy == ("working" if kept else "announced")
    # What is lengthened later is reckoned by the year that has become known, also under the kept policy.
    said_at(log, "2026-12-31 11:00", feedback(Action.EXTENSION_REQUESTED, seconds=3600))
    assert limit_of(log, "overall").due_at == moment("2027-01-06 10:00")
    assert remembered(folded(log.state)) == remembered(log.memory)


def test_under_a_kept_policy_nothing_but_the_provisional_changes() -> None:
    policy = replace(WORKDAYS, running="keep")
    log = begun(policy, "2026-11-02 09:00")
    before = ticket_of(log)
    other = published(policy, version="p2", calendar=NEXT_YEAR, limits=(LimitRow(overall=days(1)),))
    assert said_at(log, "2026-11-02 10:00", other) == ["command.settled policy applied"]
    assert ticket_of(log) == before


def test_what_is_still_provisional_stays_as_it_is() -> None:
    policy = replace(WORKDAYS, running="keep", limits=(LimitRow(overall=days(300)),))
    log = begun(policy, "2026-12-31 09:00")
    before = limit_of(log, "overall")
    assert before.provisional
    assert said_at(log, "2026-12-31 10:00", published(policy, version="p2", calendar=NEXT_YEAR)) == [
        "command.settled policy applied"
    ]
    assert limit_of(log, "overall") == before


# What other systems got wrong


def test_limits_that_a_policy_no_longer_has_end_on_running_tickets_too() -> None:
    """Elsewhere tickets stayed escalated after their agreement had been switched off."""
    log = Log()
    log.add(report(), 0)
    log.add(published(POLICY, version="p2", limits=()), 100 * SECOND)
    assert ticket_of(log).deadlines == ()
    assert log.memory.deadlines_pending == 0
    assert log.tick(23 * HOUR) == []


def test_another_calendar_moves_what_is_due_on_running_tickets_too() -> None:
    """Elsewhere a changed calendar counted for new tickets alone."""
    log = begun(WORKDAYS, "2025-06-09 09:00")
    assert limit_of(log, "signed").due_at == moment("2025-06-09 17:30")
    flood = replace(CHINA, off=(*CHINA.off, "2025-06-10"), periods=((9 * 60, 12 * 60),))
    said_at(log, "2025-06-09 10:00", published(WORKDAYS, version="flood", calendar=flood))
    assert limit_of(log, "signed").due_at == moment("2025-06-12 10:00")
    assert said_at(log, "2025-06-11 18:00", feedback(Action.URGED))[0] == "limit.warned signed"


def test_a_reopened_ticket_begins_anew_and_is_not_escalated_for_its_age() -> None:
    """Elsewhere the whole age of a ticket counted when it was opened again, or nothing was reckoned at all."""
    log = Log(policy=replace(POLICY, keep_closed_s=100 * 86400))
    log.add(report(), 0)
    log.add(feedback(Action.CLOSED), HOUR)
    log.add(feedback(Action.REOPENED), 90 * DAY)
    start = 90 * DAY // SECOND
    assert running(log) == {"overall": (start, start + 36000), "signed": (start, start + 3600)}
    assert log.tick(90 * DAY + MINUTE) == []
    log.add(feedback(Action.CLOSED), 90 * DAY + 2 * MINUTE)
    closed = said_of(log, TicketClosed)
    assert [(event.took, event.on_time) for event in closed] == [(HOUR, True), (2 * MINUTE, True)]


def test_a_merged_ticket_is_never_shown_as_late() -> None:
    """Elsewhere a ticket that had gone up in another went on escalating."""
    log = Log()
    log.add(report("r1"), 0)
    log.add(report("r2"), HOUR // 2)
    log.add(feedback(Action.MERGE_CONFIRMED, "r2", other=log.ticket_of("r1")), HOUR // 2)
    log.tick(30 * HOUR)
    late = {fact.envelope.subject for fact in log.facts if isinstance(fact.event, Ran)}
    assert late == {log.ticket_of("r1")}
    assert log.memory.deadlines_pending == 0


def test_a_working_day_is_a_day_of_work_and_not_24_hours_of_it() -> None:
    """Elsewhere a day was read as 24 hours, and spent in hours of 8 a day: one working day became three."""
    log = begun(WORKDAYS, "2025-06-09 10:00")
    assert limit_of(log, "signed").due_at == moment("2025-06-10 10:00")
    assert limit_of(log, "overall").due_at == moment("2025-06-23 10:00")
    assert limit_of(log, "overall").length == 10 * DAY_S * 1000


@pytest.mark.parametrize("length", [24, 25, 60, 365])
def test_a_limit_of_more_than_25_days_is_as_long_as_it_says(length: int) -> None:
    """Elsewhere milliseconds were counted in 32 bits, which overflow in the 25th day."""
    span = Span(seconds=length * 86400)
    log = Log(policy=replace(POLICY, limits=(LimitRow(overall=span),), ladder=rungs((Step.PASSED, 100))))
    log.add(report(), 0)
    assert log.tick(length * DAY - 1) == []
    assert log.tick(length * DAY) == ["limit.passed overall"]


def test_giving_a_ticket_back_stops_no_overall_clock() -> None:
    """Elsewhere a unit got rid of its clock by giving the ticket back."""
    log = Log()
    log.add(report(), 0)
    log.add(feedback(Action.RETURN_REQUESTED), 1000 * SECOND)
    log.add(feedback(Action.RETURN_APPROVED), 2000 * SECOND)
    assert running(log) == {"overall": (0, 36000), "signed": (2000, 5600)}
    log.add(feedback(Action.DISPATCHED, unit="gas"), 3000 * SECOND)
    assert running(log) == {"overall": (0, 36000), "signed": (3000, 6600)}


def test_whoever_does_not_sign_is_on_the_clock_all_the_same() -> None:
    """Elsewhere the clock began with the signature: without one it never did."""
    log = Log()
    log.add(report(), 0)
    assert log.tick(HOUR) == ["limit.warned signed", "limit.passed signed"]


def test_a_ticket_that_is_taken_out_again_does_not_escalate_in_the_past() -> None:
    """Elsewhere what came out of a pause or a merge was judged as if it had been worked on all the time."""
    log = Log(policy=ONLY_OVERALL)
    log.add(report("r1"), 0)
    log.add(report("r2"), 0)
    log.add(feedback(Action.MERGE_CONFIRMED, "r2", other=log.ticket_of("r1")), 10 * SECOND)
    log.tick(900 * SECOND)
    log.add(feedback(Action.UNMERGED, "r2"), 900 * SECOND)
    assert log.tick(950 * SECOND) == ["limit.warned overall"]
    assert log.decision.facts[-1].envelope.subject == log.ticket_of("r2")
    assert log.decision.facts[-1].envelope.time == T0 + 900 * SECOND


def test_a_child_that_stood_still_is_judged_by_the_time_it_ran() -> None:
    log = Log(policy=ONLY_OVERALL)
    log.add(report("r1"), 0)
    log.add(report("r2"), 0)
    log.add(feedback(Action.SUSPENSION_REQUESTED, "r2"), 500 * SECOND)
    log.add(feedback(Action.SUSPENSION_APPROVED, "r2"), 500 * SECOND)
    log.add(feedback(Action.MERGE_CONFIRMED, "r2", other=log.ticket_of("r1")), 600 * SECOND)
    log.add(feedback(Action.CLOSED, "r1"), 5000 * SECOND)
    closed = said_of(log, TicketClosed)
    assert [event.on_time for event in closed] == [False, True]


def test_two_reports_of_one_moment_have_the_same_limits() -> None:
    log = begun(WORKDAYS, "2025-06-09 10:00")
    said_at(log, "2025-06-09 10:00", report("r2"))
    assert ticket_of(log, "r1").deadlines == ticket_of(log, "r2").deadlines


# One deadline


@given(
    length=st.integers(1, 10**9),
    steps=st.lists(st.tuples(st.sampled_from(list(Step)), st.integers(0, 400)), max_size=6),
    said=st.integers(0, 6),
    at=st.integers(0, 4 * 10**9),
    working=st.booleans(),
)
@settings(deadline=None)
def test_no_step_is_lost_or_said_before_its_time(
    length: int, steps: list[tuple[Step, int]], said: int, at: int, *, working: bool
) -> None:
    ladder = rungs(*sorted(steps, key=lambda one: one[1]))
    rules = Rules(replace(WORKDAYS, ladder=ladder))
    start = moment("2025-01-24 16:00")
    clock = WORKING if working else LimitClock.WALL
    plain = Deadline(limit="overall", clock=clock, started_at=start, length=length, due_at=0, next_at=None)
    deadline, now, told = laid(rules, plain, min(said, len(ladder)), start + at), start + at, 0
    times = [
        rules.working.after(start, length * rung.percent // 100) if working else start + length * rung.percent // 100
        for rung in ladder
    ]
    still_to_say = [time for place, time in enumerate(times) if time > now or place >= said]
    while deadline.next_at is not None:
        assert deadline.next_at == max(times[deadline.rung], now)
        told += 1
        now = deadline.next_at
        rung, next_at = next_step(rules, deadline, now)
        deadline = replace(deadline, rung=rung, next_at=next_at)
    assert (told, deadline.rung) == (len(still_to_say), -1)


@pytest.mark.parametrize(("claimed", "taken"), [(5, 5), (11, 10), (-3_599_990, -3_599_990), (-3_599_991, -3_599_990)])
def test_a_thing_is_dated_no_later_than_it_came_and_not_too_far_back(claimed: int, taken: int) -> None:
    assert dated(POLICY, T0 + claimed, T0 + 10) == T0 + taken


def test_a_request_that_asks_for_nothing_is_refused_and_changes_no_limit() -> None:
    log = Log()
    log.add(report(), 0)
    before = ticket_of(log).deadlines
    said = log.add(feedback(Action.EXTENSION_REQUESTED, seconds=7201), 0)
    assert said == [f"command.settled extension-requested refused {Refusal.BAD_AMOUNT.value}"]
    assert ticket_of(log).deadlines == before
