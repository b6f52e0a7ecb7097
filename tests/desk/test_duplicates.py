"""What belongs together (D0 to D5), and what humans make of it: joined, proposed, linked, merged, taken apart."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import asin, cos, radians, sin, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codes import Action, Flag, Refusal, Side, Stage, Standing
from schemas.commands import Feedback, PolicyPublished, Report
from schemas.events import (
    Event,
    LimitPassed,
    LimitWarned,
    MatchProposed,
    TicketClosed,
    TicketLinked,
    TicketMerged,
    TicketOpened,
    TicketReleased,
    TicketUrged,
)
from schemas.policy import Category, Duplicates, Policy
from schemas.state import TICKET, Ticket, ties_of
from streams.desk.dedup import REPORTS_MOST
from streams.desk.draft import LOOKED_AT, Draft
from streams.desk.indexes import all_of, report_key
from streams.desk.near import likeness
from streams.desk.places import cell_of, cells_within, distance_m, place_of
from streams.desk.rules import Rules
from tests.desk.logs import DAY, HOUR, MINUTE, POLICY, SECOND, T0, Log, feedback, folded, remembered, report

LAT, LON = 32.06, 118.62
METRE = 1 / 111_195.08
"""Degrees of latitude."""
OPENED = ["ticket.opened", "ticket.dispatched", "report.settled ticketed"]
PROPOSED = ["ticket.opened", "ticket.dispatched", "match.proposed", "report.settled ticketed"]
LINKED = ["ticket.opened", "ticket.dispatched", "ticket.linked", "ticket.linked", "report.settled ticketed"]
CLOSED = ["ticket.closed", "command.settled closed applied"]
MERGED = ["ticket.absorbed", "ticket.adopted", "command.settled merge-confirmed applied"]


STILL = replace(POLICY, version="p0", limits=(), conditions={})
"""Nothing fires between."""


@pytest.fixture
def log() -> Iterator[Log]:
    """A log; whatever a test did, its changelog gives the memory that the desk has."""
    made = Log(policy=STILL)
    yield made
    assert remembered(folded(made.state)) == remembered(made.memory)


@pytest.fixture
def limited() -> Iterator[Log]:
    """The same, with time limits."""
    made = Log()
    yield made
    assert remembered(folded(made.state)) == remembered(made.memory)


def at(source_id: str, north: float = 0, **others: object) -> Report:
    """A report so many metres north of a corner."""
    return report(source_id, **({"lat": LAT + north * METRE, "lon": LON} | others))


def alarm(source_id: str, north: float = 0, **others: object) -> Report:
    """An alarm taken by the police, so many metres north of a corner."""
    return at(source_id, north, **({"source": "110", "category": "theft", "side": Side.POLICE} | others))


def said(log: Log, kind: type[Event]) -> list[Event]:
    """What was said of a kind by the last command."""
    return [fact.event for fact in log.decision.facts if isinstance(fact.event, kind)]


def subjects(log: Log, kind: type[Event]) -> list[str | None]:
    """Of which tickets."""
    return [fact.envelope.subject for fact in log.decision.facts if isinstance(fact.event, kind)]


def proposals(log: Log) -> list[str]:
    """The tickets that the last command proposed, best first."""
    return [event.other for event in said(log, MatchProposed) if isinstance(event, MatchProposed)]


def places(log: Log) -> list[object]:
    """All that is kept of places, and of what was closed."""
    memory = log.memory
    return [memory.near, memory.police, memory.closed_near, memory.closed_objects]


def ticket(log: Log, source_id: str, source: str = "city", area: str = "north") -> Ticket:
    """The ticket that holds a report."""
    return log.memory.tickets[log.ticket_of(source_id, source, area)]


def about(log: Log, action: Action, source_id: str, **others: object) -> Feedback:
    """Feedback of an operator about the ticket that holds a report."""
    return feedback(action, "", source="desk", ticket=log.ticket_of(source_id), **others)


def merge(log: Log, child: str, master: str, after: int) -> list[str]:
    """An operator merges the tickets of two reports."""
    return log.add(about(log, Action.MERGE_CONFIRMED, child, other=log.ticket_of(master)), after)


# D0 to D2


def test_drills_meet_drills_only(log: Log) -> None:
    assert log.add(report("r1", reporter="ann", object="lamp 1"), 0) == OPENED
    assert log.add(report("r2", reporter="ann", object="lamp 1", drill=True), 1) == OPENED
    assert log.add(report("r3", reporter="ann", drill=True), 2) == ["ticket.urged", "report.settled urged"]
    assert subjects(log, TicketUrged) == [log.ticket_of("r2")]
    assert log.add(report("r4", object="lamp 1"), 3) == ["ticket.merged", "report.settled merged"]
    assert subjects(log, TicketMerged) == [log.ticket_of("r1")]


def test_an_id_means_one_report_whether_it_is_a_drill_or_not(log: Log) -> None:
    log.add(report("r1"), 0)
    assert log.add(report("r1", drill=True), 1) == ["report.settled repeat"]


@pytest.mark.parametrize(("same", "joined"), [("reporter", TicketUrged), ("object", TicketMerged)])
def test_a_ticket_that_is_full_takes_no_more_and_the_next_collects_what_comes(
    log: Log, same: str, joined: type[Event]
) -> None:
    for number in range(REPORTS_MOST):
        log.add(report(f"r{number}", **{same: "one"}), 0)
    assert len(said(log, joined)) == 1
    first, *_ = log.memory.tickets.values()
    assert log.add(report("more", **{same: "one"}), 0) == OPENED
    assert log.add(report("r7", **{same: "one"}), 0) == ["report.settled repeat"]
    assert log.add(report("and more", **{same: "one"}), 0)[0] != OPENED[0]
    assert [len(ticket.reports) for ticket in log.memory.tickets.values()] == [REPORTS_MOST, 2]
    assert len(TICKET.pack(first)) < 250_000


def test_what_asks_about_a_child_joins_its_root(log: Log) -> None:
    """Messages for a merged child that stay with it are read by nobody."""
    log.add(report("r1", reporter="ann", object="lamp 1"), 0)
    log.add(report("r2"), 1)
    log.add(report("r3"), 2)
    merge(log, "r1", "r2", 3)
    merge(log, "r2", "r3", 4)
    assert log.add(report("r4", reporter="ann"), 5) == ["ticket.urged", "report.settled urged"]
    assert log.add(report("r5", object="lamp 1"), 6) == ["ticket.merged", "report.settled merged"]
    assert log.ticket_of("r4") == log.ticket_of("r5") == log.ticket_of("r3")
    urged = log.add(feedback(Action.URGED, "r1"), 7)
    assert urged == ["ticket.reminded", "command.settled urged applied"]
    assert [fact.envelope.subject for fact in log.decision.facts] == [log.ticket_of("r3"), log.ticket_of("r1")]


# D3


def test_a_near_ticket_is_proposed_with_score_and_reasons(log: Log) -> None:
    log.add(at("r1", text="lamp is out"), 0)
    assert log.add(at("r2", 10, text="lamp is dark"), 6 * HOUR) == PROPOSED
    # 50 × 40/50 + 30 × 18/24 + 20 × 7 shared pairs of 14, each rounded down
    assert said(log, MatchProposed) == [
        MatchProposed(other=log.ticket_of("r1"), score=40 + 22 + 10, distance_m=10, gap=6 * HOUR, likeness=50)
    ]
    assert log.ticket_of("r2") != log.ticket_of("r1"), "nothing is merged"


@pytest.mark.parametrize(
    ("second", "after"),
    [
        (at("r2", area="south"), 1),
        (at("r2", category="gas"), 1),
        (at("r2", drill=True), 1),
        (at("r2", 51), 1),
        (at("r2"), DAY + 1),
        (at("r2", 25), 12 * HOUR),  # 25 + 15: below the threshold of 60
        (report("r2"), 1),
        (report("r2", lat=LAT), 1),
        (report("r2", lat=LAT, lon=1000.0), 1),
    ],
)
def test_what_is_not_near_is_not_proposed(log: Log, second: Report, after: int) -> None:
    log.add(at("r1"), 0)
    assert "match.proposed" not in log.add(second, after)


@pytest.mark.parametrize(("second", "after"), [(at("r2", 50), 0), (at("r2"), DAY)])
def test_radius_and_window_are_inclusive(second: Report, after: int) -> None:
    log = Log(policy=replace(STILL, duplicates=Duplicates(threshold=0)))
    log.add(at("r1"), 0)
    assert "match.proposed" in log.add(second, after)


def test_where_none_is_wanted_none_is_proposed_whatever_it_would_score() -> None:
    log = Log(policy=replace(STILL, duplicates=Duplicates(weight_distance=100, weight_time=100, most=0)))
    log.add(at("r1"), 0)
    assert log.add(at("r2"), 1) == OPENED


def test_without_a_window_nothing_is_near() -> None:
    log = Log(policy=replace(STILL, categories={"lamp": Category(side=Side.SERVICE, near_m=50, near_s=0)}))
    log.add(at("r1"), 0)
    assert log.add(at("r2"), 0) == OPENED


def test_only_open_tickets_are_proposed(log: Log) -> None:
    for number, source_id in enumerate(("closed", "voided", "child", "suspended", "open")):
        log.add(at(source_id), number)
    log.add(feedback(Action.CLOSED, "closed"), 10)
    log.add(about(log, Action.VOIDED, "voided"), 11)
    merge(log, "child", "open", 12)
    log.add(about(log, Action.SUSPENSION_REQUESTED, "suspended"), 13)
    log.add(about(log, Action.SUSPENSION_APPROVED, "suspended"), 14)
    assert ticket(log, "suspended").standing is Standing.SUSPENDED
    log.add(at("new"), 20)
    assert proposals(log) == [log.ticket_of("suspended"), log.ticket_of("open")]


def test_the_best_few_are_proposed_best_first(log: Log) -> None:
    for source_id, north, after in (("far", 8, 0), ("old", 2, 0), ("near", 1, 1), ("twin", 1, 1), ("here", 0, 2)):
        log.add(at(source_id, north), after * HOUR)
    log.add(at("new"), 3 * HOUR)
    twins = sorted((log.ticket_of("near"), log.ticket_of("twin")))
    assert proposals(log) == [log.ticket_of("here"), *twins]


def test_two_of_the_polices_are_never_proposed_as_one() -> None:
    """They are linked; a merge would be refused."""
    policy = replace(
        STILL, categories={**POLICY.categories, "theft": Category(side=Side.POLICE, near_m=50, near_s=86400)}
    )
    log = Log(policy=policy)
    log.add(alarm("a1"), 0)
    assert log.add(alarm("a2"), HOUR) == OPENED
    log.add(alarm("a3", source="grid", side=Side.SERVICE), 2 * HOUR)
    assert len(proposals(log)) == 0, "the list to 110 has made it the police's"


def test_a_refused_match_is_never_proposed_again_from_either_side(log: Log) -> None:
    log.add(at("r1"), 0)
    log.add(at("r2"), 1)
    assert proposals(log) == [log.ticket_of("r1")]
    refused = log.add(about(log, Action.MERGE_REFUSED, "r2", other=log.ticket_of("r1"), by="op", note="two lamps"), 2)
    assert refused == ["match.refused", "command.settled merge-refused applied"]
    for source_id, after in (("r1", 10), ("r2", 20)):
        log.add(feedback(Action.CLOSED, source_id), after)
        assert log.add(about(log, Action.REOPENED, source_id), after + 1) == [
            "ticket.reopened",
            "ticket.dispatched",
            "command.settled reopened applied",
        ]
    again = log.add(about(log, Action.MERGE_REFUSED, "r1", other=log.ticket_of("r2")), 30)
    assert again == ["command.settled merge-refused refused same-ticket"]


def test_a_reopened_ticket_is_looked_at_again(log: Log) -> None:
    log.add(at("r1"), 0)
    log.add(feedback(Action.CLOSED, "r1"), 1)
    assert log.add(at("r2"), 2) == OPENED
    log.add(about(log, Action.REOPENED, "r1"), 3)
    assert proposals(log) == [log.ticket_of("r2")]


@pytest.mark.parametrize(
    ("one", "other", "hundredths"),
    [
        ("路灯不亮", "路灯不亮", 100),
        ("路灯不亮", "路灯坏了", 20),
        ("lamp", "lamppost", 42),
        ("aaaa", "aa", 100),
        ("", "", 0),
        ("灯", "灯", 0),
        ("ab", "cd", 0),
    ],
)
def test_likeness_is_of_pairs_of_characters(one: str, other: str, hundredths: int) -> None:
    assert likeness(one, other) == likeness(other, one) == hundredths


# D4


def test_alarms_near_in_place_and_time_are_linked_and_stay_two(log: Log) -> None:
    log.add(alarm("a1"), 0)
    assert log.add(alarm("a2", 300), 10 * MINUTE) == LINKED
    first, second = ticket(log, "a1", "110"), ticket(log, "a2", "110")
    assert first.matter == second.matter
    assert (ties_of(first).links, ties_of(second).links) == ((second.id,), (first.id,))
    assert said(log, TicketLinked) == [
        TicketLinked(other=first.id, why="near", distance_m=300),
        TicketLinked(other=second.id, why="near", distance_m=300),
    ]
    assert subjects(log, TicketLinked) == [second.id, first.id]
    log.add(alarm("a3", 1), 11 * MINUTE)
    assert ticket(log, "a3", "110").matter == first.matter, "one matter, however many calls"


@pytest.mark.parametrize(
    ("second", "after"),
    [
        (alarm("a2", 301), 1),
        (alarm("a2"), 10 * MINUTE + 1),
        (alarm("a2", area="south"), 1),
        (alarm("a2", drill=True), 1),
        (alarm("a2", lat=None), 1),
        (alarm("a2", side=Side.SERVICE, category="lamp"), 1),
    ],
)
def test_alarms_apart_are_not_linked(log: Log, second: Report, after: int) -> None:
    log.add(alarm("a1"), 0)
    assert "ticket.linked" not in log.add(second, after)


def test_an_alarm_is_linked_to_the_nearest_in_time_whatever_it_is_about(log: Log) -> None:
    for source_id, after in (("old", 0), ("one", 5 * MINUTE), ("two", 5 * MINUTE)):
        log.add(alarm(source_id, 250, category="quarrel", lon=LON + after / MINUTE), after)
    log.add(alarm("near", 1, category="quarrel"), MINUTE)
    log.add(alarm("late", 299, category="gas"), 6 * MINUTE)
    log.add(feedback(Action.CLOSED, "late", source="110"), 7 * MINUTE)
    log.add(alarm("new"), 8 * MINUTE)
    (mine, _) = said(log, TicketLinked)
    assert isinstance(mine, TicketLinked)
    assert mine.other == log.ticket_of("late", "110")


def test_of_two_alarms_of_one_moment_the_smaller_id_is_linked(log: Log) -> None:
    for source_id in ("a1", "a2", "a3"):
        log.add(alarm(source_id), 0)
    log.add(alarm("new"), 0)
    (mine, _) = said(log, TicketLinked)
    assert isinstance(mine, TicketLinked)
    assert mine.other == min(log.ticket_of(one, "110") for one in ("a1", "a2", "a3"))


def test_the_alarm_that_the_source_names_goes_before_the_nearest(log: Log) -> None:
    log.add(alarm("a1", 5000), 0)
    log.add(alarm("a2"), HOUR)
    assert log.add(alarm("a3", related="a1"), HOUR + 1) == LINKED
    assert said(log, TicketLinked)[0] == TicketLinked(other=log.ticket_of("a1", "110"), why="related", distance_m=None)
    log.add(alarm("a4", related="nobody"), HOUR + 2)
    assert said(log, TicketLinked)[0] == TicketLinked(other=log.ticket_of("a3", "110"), why="near", distance_m=0)
    assert "ticket.linked" not in log.add(alarm("a5", 9000, related="a1", drill=True), HOUR + 3)


def test_an_alarm_that_was_diverted_is_not_the_polices_any_more(log: Log) -> None:
    diverted = log.add(alarm("a1", category="noise"), 0)
    assert "ticket.diverted" in diverted
    assert log.add(alarm("a2"), 1) == OPENED


# D5


@pytest.mark.parametrize(
    ("second", "after", "recurs"),
    [
        (at("r2", 50), 13 * HOUR, True),
        (at("r2", 51), 13 * HOUR, False),
        (at("r2"), 13 * HOUR + 1, False),
        (report("r2", object="lamp 1"), 13 * HOUR, True),
        (report("r2", object="lamp 2"), 13 * HOUR, False),
        (at("r2", 1000, object="lamp 1"), 2 * HOUR, True),
        (at("r2", area="south"), 2 * HOUR, False),
        (at("r2", drill=True), 2 * HOUR, False),
        (at("r2", category="gas"), 2 * HOUR, False),
    ],
)
def test_what_was_closed_not_long_ago_has_come_back(log: Log, second: Report, after: int, *, recurs: bool) -> None:
    log.add(at("r1", object="lamp 1"), 0)
    log.add(feedback(Action.CLOSED, "r1"), HOUR)
    log.add(second, after)
    (opened,) = said(log, TicketOpened)
    assert isinstance(opened, TicketOpened)
    assert opened.recurrence_of == (log.ticket_of("r1") if recurs else None)


def test_of_several_it_is_the_one_that_was_closed_last(log: Log) -> None:
    """The same object goes before the same place; voided ones were never a matter."""
    for number, source_id in enumerate(("first", "last", "void", "other")):
        log.add(at(source_id, 2 * number, object="lamp 1" if number < 2 else f"lamp {number}"), number)
    log.add(feedback(Action.CLOSED, "first"), 20)
    log.add(feedback(Action.CLOSED, "last"), 30)
    log.add(about(log, Action.VOIDED, "void"), 40)
    log.add(feedback(Action.CLOSED, "other"), 40)
    for new, known in ((at("n1", object="lamp 1"), "last"), (at("n2", object="lamp 7"), "other")):
        log.add(new, 50)
        (opened,) = said(log, TicketOpened)
        assert isinstance(opened, TicketOpened)
        assert opened.recurrence_of == log.ticket_of(known)


def test_of_several_closed_at_one_moment_it_is_the_smallest_id(log: Log) -> None:
    names = [f"r{number}" for number in range(4)]
    for name in names:
        log.add(at(name), 0)
    for name in names:
        log.add(feedback(Action.CLOSED, name), 10)
    log.add(at("new"), 20)
    (opened,) = said(log, TicketOpened)
    assert isinstance(opened, TicketOpened)
    assert opened.recurrence_of == min(log.ticket_of(name) for name in names)


@pytest.mark.parametrize(("before", "last"), [("south", "north"), ("north", "south")])
def test_the_one_closed_last_may_lie_in_another_cell(log: Log, before: str, last: str) -> None:
    edge = next(north for north in range(400) if cell_of((LAT + north * METRE, LON)) != cell_of((LAT, LON)))
    for name, north in (("south", edge - 10), ("north", edge + 10)):
        log.add(at(name, north), 0)
    log.add(feedback(Action.CLOSED, before), 10)
    log.add(feedback(Action.CLOSED, last), 20)
    log.add(at("new", edge), 30)
    (opened,) = said(log, TicketOpened)
    assert isinstance(opened, TicketOpened)
    assert opened.recurrence_of == log.ticket_of(last)


def test_without_a_span_nothing_recurs_and_nothing_is_kept_for_it() -> None:
    log = Log(policy=replace(STILL, duplicates=Duplicates()))
    log.add(at("r1", object="lamp 1"), 0)
    log.add(feedback(Action.CLOSED, "r1"), 1)
    log.add(at("r2", object="lamp 1"), 2)
    (opened,) = said(log, TicketOpened)
    assert isinstance(opened, TicketOpened)
    assert opened.recurrence_of is None
    assert not log.memory.closed_near
    assert not log.memory.closed_objects


def test_of_a_category_without_a_radius_no_place_is_kept(log: Log) -> None:
    for source_id, others in (("gas", {"category": "gas"}), ("nowhere", {"lat": None, "lon": None})):
        log.add(at(source_id, **others), 0)
        log.add(feedback(Action.CLOSED, source_id), 1)
        log.add(at(f"{source_id} again", **others), 2)
    assert not any(places(log))


# merging and parting: bugs that other systems had


def test_two_agents_who_merge_in_opposite_directions_leave_one_open(log: Log) -> None:
    """Elsewhere both were closed: each had become the other's child."""
    log.add(report("r1"), 0)
    log.add(report("r2"), 1)
    assert merge(log, "r1", "r2", 2) == MERGED
    assert merge(log, "r2", "r1", 3) == ["command.settled merge-confirmed refused same-ticket"]
    assert (ticket(log, "r1").standing, ticket(log, "r2").standing) == (Standing.MERGED, Standing.RUNNING)


def test_a_merge_into_a_child_goes_to_its_root(log: Log) -> None:
    for number, source_id in enumerate(("r1", "r2", "r3", "r4")):
        log.add(report(source_id), number)
    merge(log, "r1", "r2", 10)
    assert merge(log, "r3", "r1", 11) == MERGED
    assert ties_of(ticket(log, "r3")).merged_into == log.ticket_of("r2")
    assert merge(log, "r1", "r4", 12) == MERGED, "and what is asked of a child is asked of its root"
    assert ties_of(ticket(log, "r2")).merged_into == log.ticket_of("r4")
    assert merge(log, "r4", "r3", 13) == ["command.settled merge-confirmed refused same-ticket"]


def test_a_merged_child_leaves_limits_figures_and_lists(limited: Log) -> None:
    """Elsewhere merged tickets went on being escalated."""
    log = limited
    log.add(at("r1"), 0)
    log.add(report("r2", category="gas"), 0)
    merge(log, "r1", "r2", 1)
    unit = ticket(log, "r1").unit
    assert log.memory.open_by_stage[Stage.DISPATCHED] == 1
    assert (log.memory.load.get(("north", unit)), len(log.memory.near)) == (None, 0)
    log.tick(DAY)
    fired = {fact.envelope.subject for fact in log.decision.facts if isinstance(fact.event, LimitWarned | LimitPassed)}
    assert fired == {log.ticket_of("r2")}


def test_closing_the_master_closes_its_children(log: Log) -> None:
    for number, source_id in enumerate(("r1", "r2", "r3", "r4")):
        log.add(report(source_id), number)
    merge(log, "r1", "r2", 10)
    merge(log, "r2", "r3", 11)
    merge(log, "r4", "r3", 12)
    assert log.add(feedback(Action.CLOSED, "r3"), 20) == ["ticket.closed"] * 4 + ["command.settled closed applied"]
    root = log.ticket_of("r3")
    children = sorted(log.ticket_of(one) for one in ("r1", "r2", "r4"))
    assert subjects(log, TicketClosed) == [root, *children], "so that each reporter is called back"
    masters = [event.with_master for event in said(log, TicketClosed) if isinstance(event, TicketClosed)]
    assert masters == [None, root, root, root]


def test_a_childs_own_source_closes_the_child_alone(log: Log) -> None:
    log.add(report("r1"), 0)
    log.add(report("r2"), 1)
    merge(log, "r1", "r2", 2)
    assert log.add(feedback(Action.CLOSED, "r1"), 3) == [
        "ticket.closed",
        "ticket.released",
        "command.settled closed applied",
    ]
    assert ties_of(ticket(log, "r2")).children == ()
    assert (ticket(log, "r1").closed_at, ticket(log, "r2").closed_at) == (T0 + 3, None)


def test_a_merge_can_be_undone_and_the_clocks_are_the_childs_own(limited: Log) -> None:
    log = limited
    log.add(at("r1"), 0)
    log.add(at("r2", 1000), 0)
    before = ticket(log, "r1")
    merge(log, "r1", "r2", MINUTE)
    assert log.add(about(log, Action.UNMERGED, "r1"), 2 * MINUTE) == [
        "ticket.restored",
        "ticket.released",
        "command.settled unmerged applied",
    ]
    child, master = ticket(log, "r1"), ticket(log, "r2")
    assert said(log, TicketReleased) == [TicketReleased(child=child.id, source="", source_id="")]
    assert (child.standing, child.deadlines, child.ties) == (Standing.RUNNING, before.deadlines, None)
    assert master.ties is None
    log.add(at("new"), 3 * MINUTE)
    assert proposals(log) == [child.id], "it is found again"
    assert log.add(about(log, Action.UNMERGED, "r1"), 4 * MINUTE) == ["command.settled unmerged refused not-legal-now"]


def test_what_passed_while_it_was_a_child_is_said_once_it_is_none(limited: Log) -> None:
    log = limited
    log.add(report("r1"), 0)
    log.add(report("r2"), 0)
    merge(log, "r1", "r2", 1)
    log.tick(59 * MINUTE)
    log.add(about(log, Action.UNMERGED, "r1"), 59 * MINUTE)
    log.tick(59 * MINUTE + SECOND)
    fired = [fact for fact in log.decision.facts if isinstance(fact.event, LimitWarned)]
    assert [(fact.envelope.subject, fact.envelope.time) for fact in fired] == [
        (log.ticket_of("r1"), T0 + 59 * MINUTE)
    ], "the warning of the hour to be signed in"


def test_a_suspended_child_comes_back_running(limited: Log) -> None:
    log = limited
    log.add(report("r1"), 0)
    log.add(report("r2"), 0)
    log.add(about(log, Action.SUSPENSION_REQUESTED, "r1"), MINUTE)
    log.add(about(log, Action.SUSPENSION_APPROVED, "r1"), MINUTE)
    overall = ticket(log, "r1").deadlines[0]
    assert merge(log, "r1", "r2", 2 * MINUTE) == MERGED
    log.add(about(log, Action.UNMERGED, "r1"), 11 * MINUTE)
    child = ticket(log, "r1")
    assert (child.standing, child.deadlines[0].due_at - overall.due_at) == (Standing.RUNNING, 10 * MINUTE)


def test_a_master_that_is_suspended_keeps_its_children(log: Log) -> None:
    log.add(report("r1"), 0)
    log.add(report("r2"), 1)
    merge(log, "r1", "r2", 2)
    for action in (Action.SUSPENSION_REQUESTED, Action.SUSPENSION_APPROVED, Action.RESUMED):
        log.add(about(log, action, "r2"), 3)
        assert ties_of(ticket(log, "r2")).children == (log.ticket_of("r1"),)


def test_a_request_lapses_with_the_merge(log: Log) -> None:
    log.add(report("r1"), 0)
    log.add(report("r2"), 0)
    log.add(about(log, Action.RETURN_REQUESTED, "r1"), 1)
    merge(log, "r1", "r2", 2)
    log.add(about(log, Action.UNMERGED, "r1"), 3)
    assert log.add(about(log, Action.RETURN_APPROVED, "r1"), 4) == [
        "command.settled return-approved refused no-request"
    ]


@pytest.mark.parametrize(
    ("other", "refusal"),
    [
        ("unknown", Refusal.OTHER_UNKNOWN),
        (None, Refusal.OTHER_UNKNOWN),
        ("south", Refusal.OTHER_UNKNOWN),
        ("closed", Refusal.OTHER_UNKNOWN),
        ("voided", Refusal.OTHER_UNKNOWN),
        ("r1", Refusal.SAME_TICKET),
        ("drill", Refusal.NOT_LEGAL_NOW),
    ],
)
def test_what_cannot_be_merged_into(log: Log, other: str | None, refusal: Refusal) -> None:
    for source_id in ("r1", "closed", "voided"):
        log.add(report(source_id), 0)
    log.add(report("drill", drill=True), 0)
    log.add(report("south", area="south"), 0)
    log.add(feedback(Action.CLOSED, "closed"), 1)
    log.add(about(log, Action.VOIDED, "voided"), 1)
    area = "south" if other == "south" else "north"
    (name,) = all_of(log.memory.reports.get(report_key(area, "city", other or ""))) or (other,)
    assert log.add(about(log, Action.MERGE_CONFIRMED, "r1", other=name), 2) == [
        f"command.settled merge-confirmed refused {refusal.value}"
    ]


def test_two_of_the_polices_are_not_merged(log: Log) -> None:
    log.add(alarm("a1"), 0)
    log.add(alarm("a2"), 0)
    log.add(at("r1"), 0)
    police, other, lamp = log.ticket_of("a1", "110"), log.ticket_of("a2", "110"), log.ticket_of("r1")
    refused = log.add(feedback(Action.MERGE_CONFIRMED, "", ticket=police, other=other), 1)
    assert refused == ["command.settled merge-confirmed refused not-legal-now"]
    assert log.add(feedback(Action.MERGE_CONFIRMED, "", ticket=police, other=lamp), 2) == MERGED


REFUSED = ["command.settled merge-confirmed refused not-legal-now"]


def merged(log: Log, child: str, master: str) -> list[str]:
    """What is said when one ticket is to be merged into another, both by their ids."""
    return log.add(feedback(Action.MERGE_CONFIRMED, "", ticket=child, other=master), 5)


def test_two_alarms_do_not_become_one_by_way_of_a_ticket_of_the_other_side(log: Log) -> None:
    #  a1 -> r1 -> r2     a2 -> r3: whichever two are named, an alarm hangs on either side
    for source_id in ("a1", "a2"):
        log.add(alarm(source_id), 0)
    for source_id in ("r1", "r2", "r3"):
        log.add(report(source_id), 0)
    a1, a2 = log.ticket_of("a1", "110"), log.ticket_of("a2", "110")
    r1, r2, r3 = (log.ticket_of(name) for name in ("r1", "r2", "r3"))
    assert merged(log, a1, r1) == MERGED
    assert merged(log, a2, r1) == REFUSED
    assert merged(log, r1, a2) == REFUSED
    assert merged(log, r1, r2) == MERGED
    assert merged(log, a2, r3) == MERGED
    assert [merged(log, one, other) for one, other in ((r3, r2), (r2, r3), (a1, a2), (a2, r1))] == [REFUSED] * 4
    assert log.add(feedback(Action.UNMERGED, "", ticket=a2), 6)[-1] == "command.settled unmerged applied"
    assert merged(log, r3, r2) == MERGED


def test_an_alarm_that_was_closed_with_its_master_is_still_one_of_it_until_it_is_forgotten(log: Log) -> None:
    for source_id in ("a1", "a2"):
        log.add(alarm(source_id), 0)
    log.add(report("r1"), 0)
    a1, a2, r1 = log.ticket_of("a1", "110"), log.ticket_of("a2", "110"), log.ticket_of("r1")
    merged(log, a1, r1)
    log.add(feedback(Action.CLOSED, "r1"), 6)
    log.add(feedback(Action.REOPENED, "r1"), 7)
    assert merged(log, a2, r1) == REFUSED
    log.tick(2 * DAY)
    assert merged(log, a2, r1) == MERGED


def test_what_was_closed_is_merged_no_more_but_can_be_taken_from_its_master(log: Log) -> None:
    for source_id in ("r1", "r2", "r3"):
        log.add(report(source_id), 0)
    merge(log, "r1", "r2", 1)
    log.add(feedback(Action.CLOSED, "r2"), 2)
    assert merge(log, "r1", "r3", 3) == ["command.settled merge-confirmed refused not-legal-now"]
    assert merge(log, "r2", "r3", 4) == ["command.settled merge-confirmed refused not-legal-now"]
    assert log.add(about(log, Action.UNMERGED, "r1"), 5)[:2] == ["ticket.restored", "ticket.released"]
    assert log.add(about(log, Action.REOPENED, "r1"), 6)[:2] == ["ticket.reopened", "ticket.dispatched"]
    assert ticket(log, "r2").closed_at == T0 + 2


def test_a_report_that_joined_is_taken_out_again(limited: Log) -> None:
    log = limited
    log.add(at("r1", object="lamp 1", reporter="ann", text="dark"), 0)
    log.add(at("r2", object="lamp 1", reporter="bob"), MINUTE)
    old = log.ticket_of("r1")
    assert log.add(feedback(Action.UNMERGED, "r2"), 2 * MINUTE) == [
        "ticket.released",
        "ticket.opened",
        "ticket.dispatched",
        "command.settled unmerged applied",
    ]
    own = ticket(log, "r2")
    released, settled = log.decision.facts[0], log.decision.facts[-1]
    assert released.event == TicketReleased(child=own.id, source="city", source_id="r2")
    assert (released.envelope.subject, settled.envelope.subject) == (old, old)
    first = log.memory.tickets[old]
    assert [one.source_id for one in first.reports] == ["r1"]
    assert (own.lat, own.unit, own.flags, own.text) == (first.lat, first.unit, (Flag.SPLIT,), "")
    assert own.matter != first.matter
    assert own.deadlines[0].started_at == T0 + MINUTE, "its time runs from when it came"
    assert log.add(report("r3", reporter="bob"), 3 * MINUTE)[0] == "ticket.urged"
    assert log.ticket_of("r3") == own.id
    assert log.add(feedback(Action.UNMERGED, "r1"), 4 * MINUTE) == ["command.settled unmerged refused not-legal-now"]


# policies


def test_another_radius_and_window_find_what_came_before_them(log: Log) -> None:
    log.add(at("r1"), 0)
    wide = replace(
        POLICY,
        version="p2",
        categories={"lamp": Category(near_m=2000, near_s=86400)},
        duplicates=Duplicates(threshold=30),
    )
    log.add(PolicyPublished(policy=wide), 1)
    log.add(at("r2", 1500), 2)
    assert proposals(log) == [log.ticket_of("r1")]


def test_a_rule_of_nearness_finds_what_was_there_before_it_and_ends_without_a_trace() -> None:
    none = replace(
        POLICY, version="p0", categories={}, duplicates=Duplicates(link_m=0), diversions=(), routes=(), limits=()
    )
    log = Log(policy=none)
    log.add(at("open"), 0)
    log.add(at("closed", object="lamp 1"), 0)
    log.add(alarm("a1"), 0)
    log.add(feedback(Action.CLOSED, "closed"), 1)
    memory = log.memory
    assert not any(places(log))
    log.add(PolicyPublished(policy=replace(STILL, version="p1")), 2)
    assert remembered(folded(log.state)) == remembered(memory)
    log.add(at("new", object="lamp 1"), 3)
    (opened,) = said(log, TicketOpened)
    assert isinstance(opened, TicketOpened)
    assert opened.recurrence_of == log.ticket_of("closed")
    assert proposals(log) == [log.ticket_of("open")]
    log.add(alarm("a2"), 4)
    assert len(said(log, TicketLinked)) == 2
    log.add(PolicyPublished(policy=replace(none, version="p2")), 5)
    assert not any(places(log))


def test_a_policy_that_is_rolled_back_leaves_the_places_as_they_were(log: Log) -> None:
    log.add(at("r1"), 0)
    before = remembered(log.memory)
    draft = Draft(log.memory)
    draft.mark()
    draft.adopt(Rules(replace(STILL, version="p2", categories={}, duplicates=Duplicates(link_m=0))))
    draft.rollback()
    draft.take()
    assert remembered(log.memory) == before


@pytest.mark.parametrize("lat", [0.0, LAT, -60.0])
def test_a_cell_is_about_300_metres_wide(lat: float) -> None:
    """So that the newest of one cell are those of one corner."""
    east = METRE / cos(radians(lat))
    assert len({cell_of((lat, LON + metres * east)) for metres in range(0, 30_000, 50)}) == pytest.approx(100, abs=2)
    assert len({cell_of((lat + metres * METRE, LON)) for metres in range(0, 30_000, 50)}) == pytest.approx(100, abs=2)


def test_degrees_end_where_the_earth_does() -> None:
    for corner in ((90.0, 180.0), (-90.0, -180.0)):
        assert place_of(*corner) == corner
    for lat, lon in ((90.1, 0.0), (-90.1, 0.0), (0.0, 180.1), (0.0, -180.1), (None, 0.0), (0.0, None)):
        assert place_of(lat, lon) is None


# against the obvious way

PLACES = st.tuples(
    st.floats(-60, 60, allow_nan=False).map(lambda metres: metres * METRE),
    st.floats(-60, 60, allow_nan=False).map(lambda metres: metres * METRE),
)


@given(
    lat=st.floats(-85, 85, allow_nan=False),
    lon=st.floats(-170, 170, allow_nan=False),
    north=st.floats(-1.2, 1.2, allow_nan=False),
    east=st.floats(-1.2, 1.2, allow_nan=False),
    metres=st.integers(1, 3000),
)
@settings(max_examples=400, deadline=None)
def test_the_cells_hold_all_that_is_near(lat: float, lon: float, north: float, east: float, metres: int) -> None:
    other = (lat + north * metres * METRE, lon + east * metres * METRE / cos(radians(lat)))
    if distance_m((lat, lon), other) <= metres:
        assert cell_of(other) in set(cells_within((lat, lon), metres))
    assert abs(distance_m((lat, lon), other) - _great_circle((lat, lon), other)) <= 1


def _great_circle(one: tuple[float, float], other: tuple[float, float]) -> float:
    half = sin(radians(other[0] - one[0]) / 2) ** 2
    half += cos(radians(one[0])) * cos(radians(other[0])) * sin(radians(other[1] - one[1]) / 2) ** 2
    return 2 * 6_371_008.8 * asin(sqrt(half))


SPREAD: Policy = replace(
    POLICY,
    limits=(),
    categories={"lamp": Category(near_m=50, near_s=3600), "noise": Category(near_m=20, near_s=3600)},
    duplicates=Duplicates(threshold=45, recurrence_s=3600, link_m=0),
)

Step = tuple[tuple[float, float], int, str, str, int]

STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.tuples(
        PLACES,
        st.sampled_from([0, SECOND, 10 * MINUTE, HOUR]),
        st.sampled_from(["lamp", "noise"]),
        st.sampled_from(["report", "report", "report", "close", "merge", "unmerge", "void"]),
        st.integers(0, 30),
    ),
    min_size=5,
    max_size=25,
)


@given(STEPS)
@settings(max_examples=60, deadline=None)
def test_the_indexes_find_what_looking_at_everything_finds(steps: list[Step]) -> None:
    log, now = Log(policy=SPREAD), 0
    for number, ((north, east), later, category, what, which) in enumerate(steps):
        now += later
        if what != "report":
            _change(log, what, which, now)
            continue
        text = "ab" * (which % 3)
        new = report(f"r{number}", lat=LAT + north, lon=LON + east, category=category, text=text)
        before = list(log.memory.tickets.values())
        log.add(new, now)
        assert proposals(log) == _nearest(before, new, T0 + now)
        (opened,) = said(log, TicketOpened)
        assert isinstance(opened, TicketOpened)
        assert opened.recurrence_of == _last_closed(before, new, T0 + now)
    assert remembered(folded(log.state)) == remembered(log.memory)


def _change(log: Log, what: str, which: int, now: int) -> None:
    names = sorted(log.memory.tickets) or ["none"]
    actions = {
        "close": Action.CLOSED,
        "merge": Action.MERGE_CONFIRMED,
        "unmerge": Action.UNMERGED,
        "void": Action.VOIDED,
    }
    one, other = names[which % len(names)], names[which // 2 % len(names)]
    log.add(feedback(actions[what], "", ticket=one, other=other), now)


def _alike(tickets: Sequence[Ticket], new: Report) -> Iterator[tuple[Ticket, int, int]]:
    rule = SPREAD.categories[new.category]
    here = _place(new.lat, new.lon)
    for one in tickets:
        distance = distance_m(here, _place(one.lat, one.lon))
        if one.category == new.category and distance <= rule.near_m:
            yield one, distance, rule.near_m


def _place(lat: float | None, lon: float | None) -> tuple[float, float]:
    assert lat is not None
    assert lon is not None
    return lat, lon


def _nearest(tickets: Sequence[Ticket], new: Report, now: int) -> list[str]:
    scored = []
    for one, distance, radius in _alike(tickets, new):
        gap = now - one.opened_at
        if one.closed_at is not None or one.standing is Standing.MERGED or gap > HOUR:
            continue
        pairs, others = ({text[i : i + 2] for i in range(len(text) - 1)} for text in (new.text, one.text))
        alike = 100 * len(pairs & others) // len(pairs | others) if pairs and others else 0
        score = 50 * (radius - distance) // radius + 30 * (HOUR - gap) // HOUR + 20 * alike // 100
        if score >= 45:
            scored.append((-score, one.opened_at, one.id))
    return [name for _, _, name in sorted(scored)[:3]]


def _last_closed(tickets: Sequence[Ticket], new: Report, now: int) -> str | None:
    found = [
        (-one.closed_at, one.id)
        for one, _, _ in _alike(tickets, new)
        if one.closed_at is not None and one.standing is not Standing.VOIDED and now - one.closed_at <= HOUR
    ]
    return min(found)[1] if found else None


def test_a_flood_at_one_corner_costs_no_report_a_look_at_all_of_it() -> None:
    log = Log()
    for number in range(LOOKED_AT + 40):
        log.add(report(f"f{number}", lat=32.0, lon=118.6), number)
    newest = log.memory.tickets[log.ticket_of(f"f{LOOKED_AT + 39}")]
    looked_at = Draft(log.memory).near(newest, cell_of((32.0, 118.6)), 0)
    assert len(looked_at) == LOOKED_AT
    assert looked_at[0] is newest
