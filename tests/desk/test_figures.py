"""What the facts of a ticket's life carry: who holds it, what it took, which limit ended, what it is dated."""

from dataclasses import replace
from typing import Final, TypeVar

import pytest

from schemas.codes import Action, Flag, Level, RequestKind, Side, Stage, Standing
from schemas.commands import Feedback, PolicyPublished
from schemas.events import (
    ConditionMet,
    Event,
    ReportClosed,
    RequestMade,
    RequestRefused,
    StageRecorded,
    TicketAssisted,
    TicketClosed,
    TicketContacted,
    TicketDispatched,
    TicketExtended,
    TicketHandled,
    TicketOpened,
    TicketReleased,
    TicketReminded,
    TicketReopened,
    TicketResumed,
    TicketReturned,
    TicketReworked,
    TicketSigned,
    TicketSuspended,
    TicketVoided,
)
from schemas.state import Attached, Course, Deadline, Request, Ticket, course_of, ties_of
from tests.desk.logs import DAY, GAS, HOUR, LAMPS, MINUTE, POLICY, SECOND, STATION, T0, Log, feedback, report
from tests.desk.telling import ticket_of_step

A = Action
E = TypeVar("E", bound=Event)
NAME: Final = ticket_of_step(1)


def said(action: Action, **others: object) -> Feedback:
    """Feedback of a source that closes nothing by itself, on the first ticket."""
    named: dict[str, object] = {"source": "grid", "ticket": NAME}
    return feedback(action, "", **(named | others))


def begun(**others: object) -> Log:
    log = Log()
    log.add(report(**others), 0)  # type: ignore[arg-type]  # tests name the fields they mean
    return log


def only(log: Log, kind: type[E]) -> E:
    """The one event of a kind in the last decision."""
    (found,) = [fact.event for fact in log.decision.facts if isinstance(fact.event, kind)]
    return found


def now(log: Log, name: str = NAME) -> Ticket:
    return log.memory.tickets[name]


def limits(deadlines: tuple[Deadline, ...]) -> dict[str, tuple[int, int]]:
    """From when to when each limit runs, after the beginning."""
    return {one.limit: (one.started_at - T0, one.due_at - T0) for one in deadlines}


def test_a_ticket_opens_as_its_report_is() -> None:
    log = begun(kind="complaint", grid="g7", lat=32.0, lon=118.0, text="dark", flags=(Flag.BY_ADDRESS,), drill=True)
    ticket = now(log)
    assert (ticket.kind, ticket.grid, ticket.lat, ticket.lon, ticket.text) == ("complaint", "g7", 32.0, 118.0, "dark")
    assert (ticket.flags, ticket.drill, ticket.source, ticket.side) == ((Flag.BY_ADDRESS,), True, "city", Side.SERVICE)
    assert (ticket.course, ticket.ties, ticket.standing) == (None, None, Standing.RUNNING)
    assert {fact.envelope.drill for fact in log.decision.facts} == {True}
    log.add(said(A.SIGNED), 1)
    assert {fact.envelope.drill for fact in log.decision.facts} == {True}


def test_the_first_dispatch_takes_no_time_and_ends_the_limit_to_accept() -> None:
    log = begun()
    dispatched = only(log, TicketDispatched)
    assert (dispatched.stage, dispatched.inferred, dispatched.spent) == (Stage.DISPATCHED, (Stage.ACCEPTED,), 0)
    assert (dispatched.limit, dispatched.kept, dispatched.before) == (MINUTE, True, None)
    assert limits(dispatched.deadlines) == {"overall": (0, 10 * HOUR), "signed": (0, HOUR)}


@pytest.mark.parametrize(("occurred", "kept"), [(HOUR, True), (HOUR + 1, False)])
def test_a_limit_is_kept_by_when_the_thing_happened_and_spent_by_when_it_was_heard(occurred: int, kept: bool) -> None:
    log = begun()
    log.add(said(A.SIGNED, occurred_at=T0 + occurred, by=LAMPS.name, note="on our way"), 90 * MINUTE)
    signed = only(log, TicketSigned)
    assert (signed.limit, signed.kept, signed.spent) == (HOUR, kept, 90 * MINUTE)
    assert (signed.source, signed.by, signed.note) == ("grid", LAMPS.name, "on our way")
    assert limits(signed.deadlines)["handled"] == (90 * MINUTE, 90 * MINUTE + 5 * HOUR)


def test_a_goal_that_lies_ahead_goes_on_and_has_not_ended() -> None:
    log = begun()
    log.add(said(A.SIGNED), 1)
    log.add(said(A.CONTACTED), 2)
    contacted = only(log, TicketContacted)
    assert (contacted.limit, contacted.kept, contacted.spent) == (None, None, 1)
    assert limits(contacted.deadlines)["handled"] == (1, 5 * HOUR + 1)


@pytest.mark.parametrize(
    ("claimed", "dated"),
    [(T0 - DAY, T0 + HOUR), (T0 + HOUR - 1, T0 + HOUR), (T0 + HOUR, T0 + HOUR), (T0 + 90 * MINUTE, T0 + 90 * MINUTE)],
)
def test_what_is_said_to_have_happened_is_dated_back_only_so_far(claimed: int, dated: int) -> None:
    log = begun()
    log.add(said(A.HANDLED, occurred_at=claimed), 2 * HOUR)
    assert only(log, TicketHandled).occurred_at == dated


def test_nothing_happened_after_it_was_told() -> None:
    log = begun()
    log.add(said(A.HANDLED, occurred_at=T0 + DAY), HOUR)
    assert only(log, TicketHandled).occurred_at == T0 + HOUR


def test_the_dates_of_reports_and_records_are_held_to_the_same() -> None:
    log = begun(occurred_at=T0 - DAY, object="lamp 1")
    opened = only(log, TicketOpened)
    assert opened.occurred_at == T0 - HOUR
    log.add(report("r2", object="lamp 1"), 1)
    log.add(feedback(A.CLOSED, "r2", occurred_at=T0 + DAY, flags=(Flag.TIME_CLAMPED,)), 2)
    closed = only(log, ReportClosed)
    assert (closed.occurred_at, closed.flags) == (T0 + 2, (Flag.TIME_CLAMPED,))
    log.add(said(A.HANDLED), 3)
    log.add(said(A.ARRIVED, occurred_at=T0 - DAY, by=LAMPS.name, note="no network"), DAY)
    recorded = only(log, StageRecorded)
    assert (recorded.stage, recorded.occurred_at) == (Stage.ARRIVED, T0 + DAY - HOUR)
    assert (recorded.source, recorded.by, recorded.note) == ("grid", LAMPS.name, "no network")


def test_what_a_closing_says() -> None:
    #  report 0 h ---- closed 9 h, said to be of tomorrow ---- due 10 h
    log = begun()
    log.add(feedback(A.CLOSED, occurred_at=T0 + DAY, flags=(Flag.TIME_CLAMPED,), note="done"), 9 * HOUR)
    closed = only(log, TicketClosed)
    assert closed.occurred_at == T0 + 9 * HOUR
    assert (closed.took, closed.spent, closed.limit, closed.kept) == (9 * HOUR, 9 * HOUR, HOUR, False)
    assert (closed.on_time, closed.flags, closed.with_master) == (True, (Flag.TIME_CLAMPED,), None)
    assert closed.inferred == tuple(Stage)[3:9]
    assert closed.deadlines == ()
    assert course_of(now(log)).inferred == closed.inferred


@pytest.mark.parametrize(("after", "on_time"), [(10 * HOUR, True), (10 * HOUR + 1, False)])
def test_on_time_ends_with_the_limit_whatever_it_is_dated(after: int, on_time: bool) -> None:
    log = begun()
    log.add(feedback(A.CLOSED, occurred_at=T0), after)
    assert only(log, TicketClosed).on_time is on_time


def test_without_limits_nothing_is_late() -> None:
    log = Log(policy=replace(POLICY, limits=()))
    log.add(report(), 0)
    assert log.tick(30 * DAY) == []
    log.add(feedback(A.CLOSED), 30 * DAY)
    closed = only(log, TicketClosed)
    assert (closed.on_time, closed.limit, closed.kept) == (True, None, None)


@pytest.mark.parametrize(
    ("unit", "holder", "level"),
    [
        ("station", STATION.name, Level.DISTRICT),
        (STATION.name, STATION.name, Level.DISTRICT),
        ("watch-1", "North Town watch one", Level.COMMUNITY),
        ("a new unit", "a new unit", Level.DISTRICT),
    ],
)
def test_a_unit_is_named_by_its_key_or_its_name_and_a_new_one_has_the_tickets_level(
    unit: str, holder: str, level: Level
) -> None:
    log = begun()
    log.add(said(A.ARRIVED), 1)
    log.add(said(A.DISPATCHED, unit=unit, by="operator", note="theirs", occurred_at=T0 + 2), 5)
    dispatched = only(log, TicketDispatched)
    assert (dispatched.unit, dispatched.level, dispatched.before) == (holder, level, LAMPS.name)
    assert (dispatched.inferred, dispatched.spent, dispatched.limit) == ((), 4, None)
    assert (dispatched.by, dispatched.note, dispatched.occurred_at) == ("operator", "theirs", T0 + 2)
    assert limits(dispatched.deadlines) == {"overall": (0, 10 * HOUR), "signed": (5, HOUR + 5)}
    assert (now(log).unit, now(log).level, now(log).course) == (holder, level, None)


def test_who_assists_stays_with_the_same_unit_only() -> None:
    log = begun()
    log.add(said(A.ASSISTED, unit="gas", by="operator", note="a leak too"), 1)
    assisted = only(log, TicketAssisted)
    assert (assisted.unit, assisted.source, assisted.by, assisted.note) == (
        GAS.name,
        "grid",
        "operator",
        "a leak too",
    )
    log.add(feedback(A.CLOSED), 2)
    log.add(said(A.REOPENED), 3)
    assert course_of(now(log)).assisting == only(log, TicketDispatched).assisting == (GAS.name,)
    log.add(said(A.DISPATCHED, unit="street"), 4)
    assert course_of(now(log)).assisting == ()


def test_what_a_return_says_and_where_the_ticket_is_then() -> None:
    log = begun()
    log.add(said(A.SIGNED), MINUTE)
    log.add(said(A.RETURN_REQUESTED, by=LAMPS.name, note="not ours"), 2 * MINUTE)
    made = only(log, RequestMade)
    assert (made.request, made.seconds, made.by, made.note) == (RequestKind.RETURN, None, LAMPS.name, "not ours")
    assert course_of(now(log)).request == Request(
        kind=RequestKind.RETURN, at=T0 + 2 * MINUTE, by=LAMPS.name, seconds=None, note="not ours"
    )
    log.add(said(A.RETURN_APPROVED, by="operator"), 5 * MINUTE)
    returned = only(log, TicketReturned)
    assert (returned.unit, returned.stage, returned.inferred, returned.spent) == (
        LAMPS.name,
        Stage.ACCEPTED,
        (),
        4 * MINUTE,
    )
    assert (returned.limit, returned.kept) == (None, None)
    assert limits(returned.deadlines) == {"overall": (0, 10 * HOUR), "signed": (5 * MINUTE, 65 * MINUTE)}
    assert (now(log).unit, now(log).course) == (LAMPS.name, Course(returns=1))
    log.add(said(A.DISPATCHED, unit="gas"), 10 * MINUTE)
    dispatched = only(log, TicketDispatched)
    assert (dispatched.before, dispatched.unit) == (LAMPS.name, GAS.name)
    assert limits(dispatched.deadlines) == {"overall": (0, 10 * HOUR), "signed": (10 * MINUTE, 70 * MINUTE)}


def test_a_return_may_name_the_next_unit_or_the_same() -> None:
    for unit, before in (("gas", LAMPS.name), ("lamps", None)):
        log = begun()
        log.add(said(A.RETURN_REQUESTED), 1)
        log.add(said(A.RETURN_APPROVED, unit=unit), 2)
        dispatched = only(log, TicketDispatched)
        assert (dispatched.before, dispatched.inferred, dispatched.spent) == (before, (), 0)


def test_a_refused_request_says_how_long_it_waited_and_nothing_has_stopped() -> None:
    log = begun()
    before = now(log).deadlines
    log.add(said(A.EXTENSION_REQUESTED, seconds=7200), MINUTE)
    log.add(said(A.EXTENSION_REFUSED, by="operator", note="no"), 4 * MINUTE)
    refused = only(log, RequestRefused)
    assert (refused.request, refused.waited) == (RequestKind.EXTENSION, 3 * MINUTE)
    assert (refused.by, refused.note) == ("operator", "no")
    assert (now(log).deadlines, now(log).course) == (before, None)


def test_extensions_lengthen_what_runs() -> None:
    log = begun()
    log.add(said(A.EXTENSION_REQUESTED, seconds=3600, note="parts"), 1)
    first = only(log, TicketExtended)
    assert (first.granted, first.automatic, first.note) == (HOUR, True, "parts")
    assert limits(first.deadlines) == {"overall": (0, 11 * HOUR), "signed": (0, 2 * HOUR)}
    log.add(said(A.EXTENSION_REQUESTED, seconds=1800), 2)
    log.add(said(A.EXTENSION_APPROVED), 3)
    second = only(log, TicketExtended)
    assert (second.granted, second.automatic) == (HOUR // 2, False)
    log.add(said(A.EXTENSION_REQUESTED, seconds=1800), 4)
    log.add(said(A.EXTENSION_APPROVED, seconds=7200), 5)
    third = only(log, TicketExtended)
    assert third.granted == 2 * HOUR
    assert limits(third.deadlines) == {
        "overall": (0, 13 * HOUR + 30 * MINUTE),
        "signed": (0, 4 * HOUR + 30 * MINUTE),
    }
    assert now(log).course == Course(extensions=3)


@pytest.mark.parametrize(
    ("asked", "granted", "most", "until"),
    [
        (None, None, 86400, DAY),
        (60, None, 86400, MINUTE),
        (60, 120, 86400, 2 * MINUTE),
        (60, 0, 86400, DAY),
        (-5, None, 86400, DAY),
        (200_000, None, 86400, DAY),
        (60, None, 0, MINUTE),
        (None, None, 0, None),
    ],
)
def test_a_suspension_ends_by_what_is_granted_and_allowed(
    asked: int | None, granted: int | None, most: int, until: int | None
) -> None:
    log = Log(policy=replace(POLICY, suspension_most_s=most))
    log.add(report(), 0)
    log.add(said(A.SUSPENSION_REQUESTED, seconds=asked), 0)
    log.add(said(A.SUSPENSION_APPROVED, seconds=granted), 0)
    suspended, ticket = only(log, TicketSuspended), now(log)
    assert suspended.resume_at == (None if until is None else T0 + until)
    assert (ticket.standing, ticket.stage) == (Standing.SUSPENDED, Stage.DISPATCHED)
    assert ticket.course == Course(suspended_at=T0, resume_at=suspended.resume_at)
    assert log.memory.next_due() == suspended.resume_at


def test_resuming_moves_the_limits_by_the_pause() -> None:
    log = begun()
    log.add(said(A.SUSPENSION_REQUESTED), 10 * MINUTE)
    log.add(said(A.SUSPENSION_APPROVED), 20 * MINUTE)
    log.add(said(A.RESUMED, by="operator", note="the part is here"), 50 * MINUTE)
    resumed = only(log, TicketResumed)
    assert (resumed.paused, resumed.source, resumed.by, resumed.note) == (
        30 * MINUTE,
        "grid",
        "operator",
        "the part is here",
    )
    assert limits(resumed.deadlines) == {
        "overall": (30 * MINUTE, 10 * HOUR + 30 * MINUTE),
        "signed": (30 * MINUTE, 90 * MINUTE),
    }
    assert (now(log).standing, now(log).course) == (Standing.RUNNING, None)


def test_a_suspension_that_ends_by_itself_is_stamped_so() -> None:
    log = begun()
    log.add(said(A.SUSPENSION_REQUESTED, seconds=600), 0)
    log.add(said(A.SUSPENSION_APPROVED), 0)
    log.tick(HOUR)
    resumed = only(log, TicketResumed)
    assert log.decision.facts[0].envelope.time == resumed.occurred_at == T0 + 10 * MINUTE
    assert (resumed.paused, resumed.source, resumed.by, resumed.note) == (10 * MINUTE, "", None, "")


def test_rework_goes_on_from_the_original_start() -> None:
    log = begun()
    log.add(said(A.SIGNED), MINUTE)
    log.add(said(A.HANDLED, evidence=("https://photos.example/1",)), 2 * HOUR)
    handled = only(log, TicketHandled)
    assert (handled.evidence, handled.self_handled) == (("https://photos.example/1",), False)
    assert (handled.limit, handled.kept) == (5 * HOUR, True)
    log.add(said(A.REWORKED, note="still dark"), 150 * MINUTE)
    reworked = only(log, TicketReworked)
    assert (reworked.stage, reworked.inferred, reworked.limit, reworked.kept) == (Stage.SIGNED, (), None, None)
    assert reworked.spent == 30 * MINUTE
    assert limits(reworked.deadlines) == {"overall": (0, 10 * HOUR), "handled": (MINUTE, MINUTE + 5 * HOUR)}
    assert course_of(now(log)).reworks == 1


def test_a_reopened_ticket_begins_anew() -> None:
    log = begun()
    log.add(feedback(A.CLOSED), HOUR)
    log.add(said(A.RATED, score=1, note="nobody came"), 2 * HOUR)
    reopened, dispatched = only(log, TicketReopened), only(log, TicketDispatched)
    assert (reopened.stage, reopened.spent, reopened.note) == (Stage.ACCEPTED, 0, "nobody came")
    assert (dispatched.unit, dispatched.before, dispatched.inferred) == (LAMPS.name, None, ())
    assert limits(dispatched.deadlines) == {"overall": (2 * HOUR, 12 * HOUR), "signed": (2 * HOUR, 3 * HOUR)}
    ticket = now(log)
    assert (ticket.closed_at, ticket.opened_at, ticket.stage) == (None, T0, Stage.DISPATCHED)
    assert ticket.course == Course(reopens=1, reopened_at=T0 + 2 * HOUR)
    log.add(feedback(A.CLOSED), 5 * HOUR)
    closed = only(log, TicketClosed)
    assert (closed.took, closed.on_time) == (3 * HOUR, True)
    assert now(log).closed_at == T0 + 5 * HOUR


def test_another_unit_may_have_what_is_reopened() -> None:
    log = begun()
    log.add(feedback(A.CLOSED), 1)
    log.add(said(A.REOPENED, unit="gas"), 2)
    dispatched = only(log, TicketDispatched)
    assert (dispatched.unit, dispatched.before) == (GAS.name, LAMPS.name)


def test_a_voided_ticket_has_no_limits_and_no_request() -> None:
    log = begun()
    log.add(said(A.RETURN_REQUESTED), 1)
    log.add(said(A.VOIDED, by="operator", note="a prank"), 2)
    voided, ticket = only(log, TicketVoided), now(log)
    assert (voided.by, voided.note, voided.deadlines) == ("operator", "a prank", ())
    assert (ticket.standing, ticket.stage, ticket.closed_at) == (Standing.VOIDED, Stage.DISPATCHED, T0 + 2)
    assert (ticket.deadlines, ticket.course) == ((), None)


def test_a_condition_has_its_own_limit() -> None:
    log = begun(category="gas")
    log.add(said(A.SIGNED), MINUTE)
    log.add(said(A.CONDITION_MET, condition="fenced", by=GAS.name, note="fence", occurred_at=T0), 40 * MINUTE)
    met = only(log, ConditionMet)
    assert (met.limit, met.kept, met.spent) == (30 * MINUTE, True, 39 * MINUTE)
    assert (met.source, met.by, met.note) == ("grid", GAS.name, "fence")
    assert limits(met.deadlines)["repaired"] == (40 * MINUTE, 130 * MINUTE)
    log.add(said(A.CONDITION_MET, condition="repaired", occurred_at=T0 + DAY), 3 * HOUR)
    met = only(log, ConditionMet)
    assert (met.limit, met.kept) == (90 * MINUTE, False)
    assert course_of(now(log)).conditions == ("fenced", "repaired")


def test_a_condition_out_of_its_turn_has_no_limit() -> None:
    log = begun(category="gas")
    log.add(said(A.CONDITION_MET, condition="repaired"), 1)
    met = only(log, ConditionMet)
    assert (met.limit, met.kept) == (None, None)
    assert limits(met.deadlines)["fenced"] == (0, 30 * MINUTE)


def test_urging_is_counted_and_told_to_whoever_has_it() -> None:
    log = begun(reporter="ann")
    log.add(said(A.URGED, by="operator", note="the mayor asks"), 1)
    reminded = only(log, TicketReminded)
    assert (reminded.unit, reminded.source, reminded.by, reminded.note) == (
        LAMPS.name,
        "grid",
        "operator",
        "the mayor asks",
    )
    log.add(report("r2", reporter="ann"), 2)
    assert now(log).course == Course(urges=2)


def test_put_right_on_the_spot_is_said_by_whoever_reports() -> None:
    log = begun(self_handled=True, occurred_at=T0 - MINUTE)
    handled = only(log, TicketHandled)
    assert (handled.self_handled, handled.source, handled.occurred_at) == (True, "city", T0 - MINUTE)
    assert handled.inferred == (Stage.SIGNED, Stage.CONTACTED, Stage.ARRIVED)
    assert now(log).stage is Stage.HANDLED


def test_the_second_ticket_of_a_joint_dispatch_has_no_report() -> None:
    log = begun(category="spill")
    first, second, third = (log.memory.tickets[ticket_of_step(1, number=number)] for number in (1, 2, 3))
    assert (second.reports, third.reports) == ((), ())
    assert {first.matter, second.matter, third.matter} == {first.matter}
    assert ties_of(first).links == (second.id, third.id)
    assert ties_of(second).links == ties_of(third).links == (first.id,)
    assert (second.unit, third.unit) == (LAMPS.name, STATION.name)


def test_children_close_with_their_master_each_with_its_own_figures() -> None:
    log = Log()
    for number in (1, 2, 3):
        log.add(report(f"r{number}"), number * HOUR)
    one, two, three = (ticket_of_step(number) for number in (1, 2, 3))
    log.add(said(A.MERGE_CONFIRMED, ticket=one, other=two), 4 * HOUR)
    log.add(said(A.MERGE_CONFIRMED, ticket=three, other=two), 4 * HOUR)
    log.add(feedback(A.CLOSED, "r2", note="done"), 5 * HOUR)
    closings = [fact for fact in log.decision.facts if isinstance(fact.event, TicketClosed)]
    assert [fact.envelope.subject for fact in closings] == [two, *sorted((one, three))]
    told = {fact.envelope.subject: fact.event for fact in closings if isinstance(fact.event, TicketClosed)}
    assert (told[two].with_master, told[one].with_master, told[three].with_master) == (None, two, two)
    assert (told[one].took, told[two].took, told[three].took) == (4 * HOUR, 3 * HOUR, 2 * HOUR)
    assert {closed.note for closed in told.values()} == {"done"}
    assert now(log, one).standing is now(log, three).standing is Standing.MERGED
    assert log.decision.facts[-1].envelope.subject == two


def test_a_child_that_leaves_by_closing_is_let_go_by_its_master() -> None:
    log = Log()
    log.add(report(), 0)
    log.add(report("r2"), 0)
    other = ticket_of_step(2)
    log.add(said(A.MERGE_CONFIRMED, other=other), 1)
    assert (now(log).standing, ties_of(now(log)).merged_into) == (Standing.MERGED, other)
    assert ties_of(now(log, other)).children == (NAME,)
    log.add(feedback(A.CLOSED), 2)
    released = only(log, TicketReleased)
    assert (released.child, released.source, released.source_id) == (NAME, "", "")
    assert [fact.envelope.subject for fact in log.decision.facts] == [NAME, other, NAME]
    assert (now(log).standing, now(log).ties, now(log).stage) == (Standing.RUNNING, None, Stage.CLOSED)
    assert (now(log, other).ties, now(log, other).stage) == (None, Stage.DISPATCHED)


def test_a_reminder_of_a_child_goes_to_its_root_and_is_settled_on_the_child() -> None:
    log = Log()
    log.add(report(), 0)
    log.add(report("r2"), 0)
    other = ticket_of_step(2)
    log.add(said(A.MERGE_CONFIRMED, other=other), 1)
    log.add(said(A.URGED), 2)
    assert [fact.envelope.subject for fact in log.decision.facts] == [other, NAME]


def test_a_report_that_leaves_is_the_other_tickets_own() -> None:
    log = begun(object="lamp 1")
    log.add(report("r2", object="lamp 1", reporter="bob", content="c2"), HOUR)
    log.add(feedback(A.UNMERGED, "r2"), 2 * HOUR)
    new = now(log, ticket_of_step(3))
    assert [attached.source_id for attached in now(log).reports] == ["r1"]
    assert isinstance(new.reports[0], Attached)
    assert (new.reports[0].source_id, new.reports[0].content, new.reports[0].reporter) == ("r2", "c2", "bob")
    assert log.ticket_of("r2") == new.id
    log.add(feedback(A.SIGNED, "r2"), 2 * HOUR + SECOND)
    assert now(log, new.id).stage is Stage.SIGNED


def test_a_running_ticket_goes_by_the_policy_that_judges_it() -> None:
    kept = replace(POLICY, running="keep")
    log = Log(policy=kept)
    log.add(report(), 0)
    strict = replace(
        kept, version="p2", closing_sources=(), extension_first_s=0, back_date_s=0, extension_most_s=60, reopen_score=0
    )
    log.add(PolicyPublished(policy=strict), 1)
    log.add(report("r2"), 2)
    newer = ticket_of_step(3)
    log.add(said(A.EXTENSION_REQUESTED, seconds=3600), 3)
    assert only(log, TicketExtended).automatic
    assert log.add(said(A.EXTENSION_REQUESTED, ticket=newer, seconds=3600), 4) == [
        "command.settled extension-requested refused bad-amount"
    ]
    log.add(said(A.SIGNED, occurred_at=T0), MINUTE)
    assert only(log, TicketSigned).occurred_at == T0
    log.add(said(A.SIGNED, ticket=newer, occurred_at=T0), MINUTE)
    assert only(log, TicketSigned).occurred_at == T0 + MINUTE
    assert log.add(feedback(A.CLOSED, "r2"), 2 * MINUTE) == ["command.settled closed refused not-legal-now"]
    assert log.add(feedback(A.CLOSED), 2 * MINUTE) == ["ticket.closed", "command.settled closed applied"]
