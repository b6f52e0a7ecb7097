"""What units, operators and sources are told of each fact, by example."""

from typing import TypeVar

import pytest

from schemas.codes import Alarm, Fate, Flag, Level, Outcome, Refusal, Side, Stage, Step
from schemas.events import (
    AlarmRaised,
    CommandSettled,
    Event,
    LimitCarded,
    LimitEscalated,
    LimitPassed,
    LimitWarned,
    MatchProposed,
    MatchRefused,
    ReportClosed,
    ReportSettled,
    TicketAbsorbed,
    TicketAccepted,
    TicketAdopted,
    TicketArrived,
    TicketAssisted,
    TicketCalledBack,
    TicketClosed,
    TicketContacted,
    TicketDispatched,
    TicketDiverted,
    TicketExtended,
    TicketHandled,
    TicketLinked,
    TicketMerged,
    TicketOpened,
    TicketRated,
    TicketReminded,
    TicketReopened,
    TicketRestored,
    TicketResumed,
    TicketReturned,
    TicketReworked,
    TicketSigned,
    TicketSuspended,
    TicketUrged,
    TicketVerified,
    TicketVoided,
)
from schemas.views import Answer, Assignment, Because, Candidate, Finding, Reminded, Reminder, Reply, Role
from streams.views.take import Derived
from streams.views.texts import ANSWERS, JOINED, REFUSED
from tests.facts import BEGIN, DAY, HOUR, Log, applied, deadline, fact
from tests.views.kit import viewed

D = TypeVar("D", bound=Derived)


def said(kind: type[D], *events: Event, opened: TicketOpened | None = None) -> list[D]:
    """What the last event led to, of one kind; `k1` was opened and these followed."""
    log = Log()
    for number, event in enumerate((opened or fact(TicketOpened), *events)):
        log.say(event, at=BEGIN + number * HOUR, ticket="k1")
    at = BEGIN + len(events) * HOUR
    return [one for one in viewed(log.records).derived() if isinstance(one, kind) and one.at == at]


def orders(*events: Event, opened: TicketOpened | None = None) -> list[tuple[bool, Role, Because, str]]:
    return [(one.given, one.role, one.because, one.unit) for one in said(Assignment, *events, opened=opened)]


HELD = fact(TicketDispatched, unit="u1", assisting=("a1",))


def test_a_dispatch_gives_it_to_the_lead_its_help_and_who_is_told() -> None:
    dispatched = fact(TicketDispatched, unit="u2", assisting=("a1",), copies=("c1",), deadlines=(deadline(),), by="b")
    assert orders(dispatched) == [
        (True, Role.LEAD, Because.DISPATCHED, "u2"),
        (True, Role.ASSIST, Because.DISPATCHED, "a1"),
        (True, Role.COPY, Because.DISPATCHED, "c1"),
    ]
    first, *_ = said(Assignment, dispatched)
    assert (first.due_at, first.by, first.text, first.source_id, first.category) == (
        BEGIN + DAY, "b", "坑洼", "s1", "pothole",
    )  # fmt: skip


def test_a_joint_ticket_is_given_as_one() -> None:
    assert orders(fact(TicketDispatched), opened=fact(TicketOpened, source_id="")) == [
        (True, Role.JOINT, Because.DISPATCHED, "u1")
    ]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((fact(TicketSigned),), [(True, Role.LEAD, Because.DISPATCHED, "u1")]),
        ((HELD, fact(TicketSigned)), []),
        (
            (HELD, fact(TicketDispatched, unit="a1", before="u1")),
            [
                (False, Role.LEAD, Because.REASSIGNED, "u1"),
                (False, Role.ASSIST, Because.REASSIGNED, "a1"),
                (True, Role.LEAD, Because.DISPATCHED, "a1"),
            ],
        ),
        ((HELD, fact(TicketAssisted, unit="a2")), [(True, Role.ASSIST, Because.ASSISTED, "a2")]),
        (
            (HELD, fact(TicketReturned)),
            [(False, Role.LEAD, Because.RETURNED, "u1"), (False, Role.ASSIST, Because.RETURNED, "a1")],
        ),
        ((HELD, fact(TicketReturned), fact(TicketDispatched)), [(True, Role.LEAD, Because.DISPATCHED, "u1")]),
        ((HELD, fact(TicketHandled), fact(TicketReworked)), [(True, Role.LEAD, Because.REWORKED, "u1")]),
        (
            (HELD, fact(TicketAbsorbed)),
            [(False, Role.LEAD, Because.MERGED, "u1"), (False, Role.ASSIST, Because.MERGED, "a1")],
        ),
        ((HELD, fact(TicketAbsorbed), fact(TicketClosed, with_master="k9")), []),
        (
            (HELD, fact(TicketAbsorbed), fact(TicketRestored)),
            [(True, Role.LEAD, Because.RESTORED, "u1"), (True, Role.ASSIST, Because.RESTORED, "a1")],
        ),
        (
            (HELD, fact(TicketClosed)),
            [(False, Role.LEAD, Because.CLOSED, "u1"), (False, Role.ASSIST, Because.CLOSED, "a1")],
        ),
        (
            (HELD, fact(TicketVoided)),
            [(False, Role.LEAD, Because.VOIDED, "u1"), (False, Role.ASSIST, Because.VOIDED, "a1")],
        ),
        ((fact(TicketVoided),), []),
        ((HELD, fact(TicketClosed), fact(TicketReopened)), []),
        (
            (HELD, fact(TicketClosed), fact(TicketReopened), fact(TicketDispatched)),
            [(True, Role.LEAD, Because.DISPATCHED, "u1")],
        ),
        ((HELD, fact(TicketDiverted), fact(TicketDispatched, unit="p1")),
         [
            (False, Role.LEAD, Because.REASSIGNED, "u1"),
            (False, Role.ASSIST, Because.REASSIGNED, "a1"),
            (True, Role.LEAD, Because.DISPATCHED, "p1"),
        ]),
        ((HELD, fact(TicketSuspended)), []),
    ],
)  # fmt: skip
def test_who_holds_a_ticket_is_told_and_who_does_no_longer(
    events: tuple[Event, ...], expected: list[tuple[bool, Role, Because, str]]
) -> None:
    assert orders(*events) == expected


@pytest.mark.parametrize(
    ("event", "what", "recipients"),
    [
        (fact(LimitWarned, limit="signed", recipients=("u9", "street")), Reminder.WARNED, ("u9", "street")),
        (fact(LimitPassed), Reminder.PASSED, ("u1",)),
        (fact(LimitCarded, card=Step.YELLOW), Reminder.YELLOW, ("u1",)),
        (fact(LimitCarded, card=Step.RED), Reminder.RED, ("u1",)),
        (fact(LimitEscalated, level=Level.DISTRICT, recipients=("duty",)), Reminder.ESCALATED, ("duty",)),
        (fact(TicketUrged, source_id="s2"), Reminder.URGED, ("u1",)),
        (fact(TicketReminded, note="请尽快"), Reminder.REMINDED, ("u1",)),
        (fact(AlarmRaised, alarm=Alarm.NO_OWNER), Reminder.ALARM, ("u1",)),
    ],
)
def test_who_is_reminded(event: Event, what: Reminder, recipients: tuple[str, ...]) -> None:
    (reminder,) = said(Reminded, event)
    assert (reminder.what, reminder.recipients, reminder.ticket, reminder.unit) == (what, recipients, "k1", "u1")


def test_what_nobody_owns_rings_where_it_is_given_to() -> None:
    diverted = (HELD, fact(TicketDiverted))
    (unowned,) = said(Reminded, *diverted, fact(AlarmRaised, alarm=Alarm.NO_OWNER, about="duty desk"))
    (undated,) = said(Reminded, *diverted, fact(AlarmRaised, alarm=Alarm.PROVISIONAL, about="overall"))
    assert (unowned.recipients, undated.recipients) == (("duty desk",), ("u1",))


def test_a_reminder_says_of_what() -> None:
    (passed,) = said(Reminded, fact(LimitPassed, limit="signed", allowed=DAY))
    assert (passed.limit, passed.allowed, passed.urges, passed.alarm) == ("signed", DAY, 0, None)
    (escalated,) = said(Reminded, fact(LimitEscalated, level=Level.DISTRICT))
    assert escalated.level is Level.DISTRICT
    (alarm,) = said(Reminded, fact(AlarmRaised, alarm=Alarm.PROVISIONAL, about="overall"))
    assert (alarm.alarm, alarm.about, alarm.limit) == (Alarm.PROVISIONAL, "overall", None)
    (reminded,) = said(Reminded, fact(TicketUrged), fact(TicketReminded, note="请尽快"))
    assert (reminded.urges, reminded.note) == (2, "请尽快")


@pytest.mark.parametrize(
    ("event", "what", "other"),
    [
        (fact(MatchProposed, other="k2"), Finding.PROPOSED, "k2"),
        (fact(MatchRefused, other="k2", by="op", note="不是一事"), Finding.REFUSED, "k2"),
        (fact(TicketAbsorbed, into="k3"), Finding.CONFIRMED, "k3"),
        (fact(TicketRestored, master="k3"), Finding.PARTED, "k3"),
        (fact(TicketLinked, other="k4", why="related"), Finding.LINKED, "k4"),
    ],
)
def test_what_was_found_of_two_tickets(event: Event, what: Finding, other: str) -> None:
    (candidate,) = said(Candidate, event)
    assert (candidate.what, candidate.ticket, candidate.other) == (what, "k1", other)


def test_a_candidate_says_why() -> None:
    (proposed,) = said(Candidate, fact(MatchProposed, score=77, distance_m=8, gap=HOUR, likeness=30))
    assert (proposed.score, proposed.distance_m, proposed.gap, proposed.likeness) == (77, 8, HOUR, 30)
    (refused,) = said(Candidate, fact(MatchRefused, by="op", note="不是一事"))
    assert (refused.by, refused.note, refused.score) == ("op", "不是一事", None)
    (linked,) = said(Candidate, fact(TicketLinked, why="near", distance_m=12))
    assert (linked.why, linked.distance_m) == ("near", 12)


def answers(*events: Event, opened: TicketOpened | None = None) -> list[tuple[str, Answer]]:
    return [(one.source_id, one.what) for one in said(Reply, *events, opened=opened)]


JOINED_TWO = (fact(TicketMerged, source_id="s2"), fact(TicketUrged, source_id="s3"))


@pytest.mark.parametrize(
    ("event", "what"),
    [
        (fact(TicketAccepted), Answer.ACCEPTED),
        (fact(TicketDispatched), Answer.DISPATCHED),
        (fact(TicketSigned), Answer.SIGNED),
        (fact(TicketContacted), Answer.CONTACTED),
        (fact(TicketArrived), Answer.ARRIVED),
        (fact(TicketHandled), Answer.HANDLED),
        (fact(TicketVerified), Answer.VERIFIED),
        (fact(TicketReworked), Answer.REWORKED),
        (fact(TicketCalledBack), Answer.CALLED_BACK),
        (fact(TicketClosed), Answer.CLOSED),
        (fact(TicketRated), Answer.RATED),
        (fact(TicketReopened), Answer.REOPENED),
        (fact(TicketVoided), Answer.VOIDED),
        (fact(TicketSuspended), Answer.SUSPENDED),
        (fact(TicketResumed), Answer.RESUMED),
        (fact(TicketExtended), Answer.EXTENDED),
        (fact(TicketAbsorbed), Answer.MERGED),
        (fact(TicketRestored), Answer.SPLIT),
    ],
)
def test_each_report_is_answered_at_each_stage(event: Event, what: Answer) -> None:
    assert answers(*JOINED_TWO, event) == [("s1", what), ("s2", what), ("s3", what)]


def test_what_only_concerns_the_inside_is_not_answered() -> None:
    inside = (fact(TicketReturned), fact(LimitPassed), fact(MatchProposed), fact(TicketDiverted, to_side=Side.POLICE))
    assert [answers(event) for event in (*inside, applied("k1"))] == [[]] * 5


def test_a_report_that_its_source_closed_is_left_alone() -> None:
    assert answers(*JOINED_TWO, fact(ReportClosed, source_id="s2"), fact(TicketHandled)) == [
        ("s1", Answer.HANDLED), ("s3", Answer.HANDLED),
    ]  # fmt: skip


def test_a_report_is_told_its_ticket_at_once() -> None:
    assert answers() == [("s1", Answer.REGISTERED)]
    assert answers(opened=fact(TicketOpened, flags=(Flag.SPLIT,))) == [("s1", Answer.SPLIT)]
    assert answers(opened=fact(TicketOpened, source_id="")) == []


@pytest.mark.parametrize(
    ("fate", "what"),
    [
        (Fate.TICKETED, None),
        (Fate.MERGED, Answer.JOINED),
        (Fate.URGED, Answer.JOINED),
        (Fate.AMENDED, Answer.AMENDED),
        (Fate.REPEAT, Answer.REPEATED),
    ],
)
def test_what_became_of_a_report_is_told_once(fate: Fate, what: Answer | None) -> None:
    settled = fact(ReportSettled, fate=fate, source_id="s7", ticket="k1")
    assert answers(settled) == ([] if what is None else [("s7", what)])


def test_who_sent_what_did_not_hold_is_told_why() -> None:
    refused = fact(
        CommandSettled, outcome=Outcome.REFUSED, reason=Refusal.NOT_YOURS, command="signed", source_id="s1", ticket="k1"
    )
    (reply,) = said(Reply, refused)
    assert (reply.what, reply.reason, reply.command, reply.ticket) == (
        Answer.REFUSED, Refusal.NOT_YOURS, "signed", "k1",
    )  # fmt: skip
    assert reply.text == "操作未生效：工单由其他单位承办。"
    log = Log()
    unknown = fact(CommandSettled, outcome=Outcome.REFUSED, reason=Refusal.UNKNOWN, source_id="s9")
    failed = fact(CommandSettled, outcome=Outcome.FAILED, reason=Refusal.BUG, source_id="s8", command="report")
    policy = fact(CommandSettled, outcome=Outcome.REFUSED, reason=Refusal.WRONG_CLOCK, source="", source_id="")
    for event in (unknown, failed, policy):
        log.say(event, at=BEGIN, ticket=None)
    views = viewed(log.records)
    told = [(one.source_id, one.what, one.ticket) for one in views.derived() if isinstance(one, Reply)]
    assert told == [("s9", Answer.REFUSED, None), ("s8", Answer.FAILED, None)]
    assert views.current() == {}


def family() -> Log:
    """`k1` answers for `k2`, and that one for `k3`; each has a report."""
    log = Log()
    for ticket in ("k1", "k2", "k3"):
        log.say(fact(TicketOpened, source_id=f"r-{ticket}"), at=BEGIN, ticket=ticket)
    for child, master in (("k3", "k2"), ("k2", "k1")):
        log.say(fact(TicketAbsorbed, into=master), at=BEGIN, ticket=child)
        log.say(fact(TicketAdopted, child=child), at=BEGIN, ticket=master)
    return log


def told_of(log: Log, at: int) -> list[tuple[str | None, str, Answer]]:
    replies = [one for one in viewed(log.records).derived() if isinstance(one, Reply)]
    return [(one.ticket, one.source_id, one.what) for one in replies if one.at == at]


def test_reporters_of_merged_tickets_hear_of_their_master() -> None:
    log = family()
    log.say(fact(TicketHandled), at=BEGIN + 1, ticket="k1")
    assert told_of(log, BEGIN + 1) == [(name, f"r-{name}", Answer.HANDLED) for name in ("k1", "k2", "k3")]


def test_a_closing_is_told_by_each_ticket_once() -> None:
    log = family()
    log.say(fact(TicketClosed), at=BEGIN + 1, ticket="k1")
    log.say(fact(TicketClosed, with_master="k1"), at=BEGIN + 1, ticket="k2")
    log.say(fact(TicketClosed, with_master="k1"), at=BEGIN + 1, ticket="k3")
    assert told_of(log, BEGIN + 1) == [(name, f"r-{name}", Answer.CLOSED) for name in ("k1", "k2", "k3")]


def test_texts_tell_what_may_be_told() -> None:
    (reply,) = said(Reply, fact(TicketDispatched, unit="城管中队", note="李某电话13900000000", by="张三"))
    assert (reply.text, reply.stage) == ("工单k1已派遣至城管中队。", Stage.DISPATCHED)
    assert said(Reply, fact(TicketAbsorbed, into="k9"))[0].text == "工单k1与工单k9为同一事项，已合并办理。"


@pytest.mark.parametrize(("by", "unit"), [("a1", "a1"), ("u1", "u1"), (None, "u1")])
def test_whoever_helps_is_named_where_it_called_or_is_there(by: str | None, unit: str) -> None:
    (contacted,) = said(Reply, HELD, fact(TicketContacted, by=by))
    assert contacted.text == f"{unit}已就工单k1与反映人联系。"
    (arrived,) = said(Reply, HELD, fact(TicketArrived, by=by))
    assert arrived.text == f"{unit}已到达工单k1的现场。"


def test_what_the_reporter_put_right_no_unit_has_handled() -> None:
    (handled,) = said(Reply, HELD, fact(TicketHandled, self_handled=True))
    assert handled.text == "工单k1已由上报人处置，等待核查。"


def test_a_rating_is_told_to_all_as_nobodys_own() -> None:
    rated = said(Reply, *JOINED_TWO, fact(TicketRated))
    assert {one.text for one in rated} == {"工单k1已收到评价，感谢您的参与。"}


def test_there_is_a_text_for_everything() -> None:
    assert ANSWERS.keys() == set(Answer) - {Answer.JOINED, Answer.REFUSED, Answer.FAILED}
    assert JOINED.keys() == {Fate.URGED, Fate.MERGED}
    assert REFUSED.keys() == set(Refusal)
