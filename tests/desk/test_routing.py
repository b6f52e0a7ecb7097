"""Who handles what: class, urgency, place and time of day give a unit and its level, as tables and as short logs."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest

from schemas.codes import Action, Alarm, Level, LimitClock, Side, Stage, Urgency
from schemas.commands import PolicyPublished
from schemas.events import (
    AlarmRaised,
    ReportSettled,
    TicketDispatched,
    TicketHandled,
    TicketLinked,
    TicketOpened,
)
from schemas.policy import Calendar, LimitRow, Route, Span, Unit
from schemas.state import ties_of
from streams.desk.routing import Placed, Routed, Routes
from streams.desk.urgency import Urgencies
from tests.desk.logs import MINUTE, POLICY, T0, Log, feedback, report

E = TypeVar("E")
ZONE = ZoneInfo("Asia/Shanghai")
PLACE = Placed("noise", "north", "g1", "city", Side.SERVICE, Urgency.ROUTINE)
NIGHT = (22 * 60, 6 * 60)

DAYS = replace(
    POLICY,
    calendar=Calendar(zone="Asia/Shanghai", periods=((510, 720), (840, 1080)), years=(2026,)),
    units={
        "bureau": Unit(name="gas company", level=Level.DISTRICT),
        "town": Unit(name="{area} office", level=Level.STREET),
        "night": Unit(name="{area} night watch", level=Level.STREET),
        "one": Unit(name="{area} watch one", level=Level.COMMUNITY),
        "two": Unit(name="{area} watch two", level=Level.COMMUNITY),
        "grid": Unit(name="officer of {grid}", level=Level.GRID),
        "flood": Unit(name="{area} flood team", level=Level.STREET, active=False),
        "strike": Unit(name="{area} strike team", level=Level.STREET, active=False),
        "police": Unit(name="{area} station", level=Level.STREET, side=Side.POLICE),
        "desk": Unit(name="duty desk", level=Level.DISTRICT),
    },
    routes=(
        Route(category="gas", urgency=Urgency.CRITICAL, units=("bureau",)),
        Route(category="gas", area="south", units=("police",)),
        Route(category="noise", side=Side.POLICE, units=("police",)),
        Route(category="noise", hours=NIGHT, units=("night",), assist=("police", "strike")),
        Route(category="noise", grid="g7", units=("grid",)),
        Route(category="noise", source="hotline", units=("town",)),
        Route(category="noise", hours=(12 * 60, 14 * 60), units=("town",)),
        Route(category="noise", units=("one", "two"), copies=("desk", "flood"), joint=("strike", "police")),
        Route(category="water", units=("flood", "strike")),
        Route(category="water", area="north", units=("flood", "grid")),
        Route(category="never", hours=(600, 600), units=("town",)),
    ),
    catch_all="desk",
    copy_unclear=("desk",),
)
ROUTES = Routes(DAYS)


def at(clock: str, day: str = "2026-03-02") -> int:
    """A moment, by the clock on a wall in Shanghai."""
    return int(datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZONE).timestamp() * 1000)


def idle(_area: str, _unit: str) -> int:
    """Nobody has anything to do."""
    return 0


def to(clock: str, load: Mapping[str, int] | None = None, /, **others: object) -> Routed:
    """Where a routine noise in the north goes, but for what is said."""
    busy = load or {}
    return ROUTES.route(PLACE._replace(**others), at(clock), lambda _area, unit: busy.get(unit, 0))  # type: ignore[arg-type]  # tests name the fields they mean


@pytest.mark.parametrize(
    ("clock", "others", "unit", "level"),
    [
        ("10:00", {"category": "gas", "urgency": Urgency.CRITICAL}, "gas company", Level.DISTRICT),
        ("10:00", {"category": "gas", "urgency": Urgency.CRITICAL, "area": "south"}, "gas company", Level.DISTRICT),
        ("10:00", {"category": "gas", "urgency": Urgency.URGENT, "area": "south"}, "South Town station", Level.STREET),
        ("10:00", {"category": "gas", "urgency": Urgency.URGENT}, "duty desk", Level.DISTRICT),
        ("10:00", {"side": Side.POLICE}, "North Town station", Level.STREET),
        ("23:00", {"side": Side.POLICE}, "North Town station", Level.STREET),
        ("21:59:59", {}, "North Town watch one", Level.COMMUNITY),
        ("22:00", {}, "North Town night watch", Level.STREET),
        ("00:00", {"area": "south"}, "South Town night watch", Level.STREET),
        ("05:59:59", {"grid": "g7"}, "North Town night watch", Level.STREET),
        ("06:00", {"grid": "g7"}, "officer of g7", Level.GRID),
        ("12:00", {"grid": "g7"}, "officer of g7", Level.GRID),
        ("10:00", {"source": "hotline"}, "North Town office", Level.STREET),
        ("11:59:59", {}, "North Town watch one", Level.COMMUNITY),
        ("12:00", {}, "North Town office", Level.STREET),
        ("13:59:59", {}, "North Town office", Level.STREET),
        ("14:00", {}, "North Town watch one", Level.COMMUNITY),
        ("10:00", {"area": "west"}, "west watch one", Level.COMMUNITY),
        ("10:00", {"category": "water"}, "officer of g1", Level.GRID),
        ("10:00", {"category": "water", "grid": None}, "officer of North Town", Level.GRID),
        ("10:00", {"category": "water", "area": "south"}, "duty desk", Level.DISTRICT),
        ("10:00", {"category": "never"}, "duty desk", Level.DISTRICT),
        ("10:00", {"category": "unheard of"}, "duty desk", Level.DISTRICT),
    ],
)
def test_class_place_urgency_and_time_give_a_unit_and_its_level(
    clock: str, others: dict[str, object], unit: str, level: Level
) -> None:
    for _ in range(2):  # what was found once is remembered
        found = to(clock, None, **others)
        assert (found.unit.name, found.unit.level) == (unit, level)
        assert found.owned is (unit != "duty desk")


@pytest.mark.parametrize(
    ("load", "unit"),
    [
        ({}, "North Town watch one"),
        ({"North Town watch one": 1}, "North Town watch two"),
        ({"North Town watch one": 1, "North Town watch two": 1}, "North Town watch one"),
        ({"North Town watch one": 1, "North Town watch two": 2, "South Town watch one": 9}, "North Town watch one"),
    ],
)
def test_of_equal_units_the_one_with_the_least_to_do(load: dict[str, int], unit: str) -> None:
    assert to("10:00", load).unit.name == unit


def test_the_load_is_that_of_the_tickets_area() -> None:
    asked: list[tuple[str, str]] = []

    def load(area: str, unit: str) -> int:
        asked.append((area, unit))
        return 0

    ROUTES.route(PLACE._replace(area="south"), at("10:00"), load)
    assert asked == [("south", "South Town watch one"), ("south", "South Town watch two")]


def test_nobody_is_asked_for_the_load_where_one_unit_takes_it() -> None:
    def load(_area: str, _unit: str) -> int:
        raise AssertionError

    assert ROUTES.route(PLACE._replace(category="water"), at("10:00"), load).unit.name == "officer of g1"


def test_a_surge_unit_neither_helps_nor_joins_but_is_told() -> None:
    night, day = to("23:00"), to("10:00")
    assert night.assisting == ("North Town station",)
    assert day.copies == ("duty desk", "North Town flood team")
    assert [(unit.name, unit.side) for unit in day.joint] == [("North Town station", Side.POLICE)]


def test_a_policy_switches_a_surge_unit_on() -> None:
    on = {**DAYS.units, "strike": replace(DAYS.units["strike"], active=True)}
    surge = Routes(replace(DAYS, surge="flood", units=on))
    assert surge.route(PLACE._replace(category="water"), at("10:00"), idle).unit.name == "North Town strike team"
    day = surge.route(PLACE, at("10:00"), idle)
    assert [unit.name for unit in day.joint] == ["North Town strike team", "North Town station"]
    assert surge.route(PLACE, at("23:00"), idle).assisting == ("North Town station", "North Town strike team")


def test_without_a_calendar_the_hours_are_those_of_utc() -> None:
    utc = Routes(replace(DAYS, calendar=None))
    assert utc.route(PLACE, at("15:00"), idle).unit.name == "North Town watch one"
    assert utc.route(PLACE, at("10:00"), idle).unit.name == "North Town night watch"  # 02:00


def test_the_hours_are_those_on_the_wall_when_the_zone_changes_its_clock() -> None:
    assert DAYS.calendar is not None
    boston = Routes(replace(DAYS, calendar=replace(DAYS.calendar, zone="America/New_York")))
    spring = int(datetime(2026, 3, 8, 1, 30, tzinfo=ZoneInfo("America/New_York")).timestamp() * 1000)
    names = [boston.route(PLACE, spring + hours * 60 * MINUTE, idle).unit.name for hours in range(3, 6)]
    assert names == ["North Town night watch", "North Town watch one", "North Town watch one"]  # 05:30 comes as third


def test_the_end_of_all_dates_has_a_time_of_day_too() -> None:
    last = 253_402_300_799_999
    assert ROUTES.route(PLACE, last, idle).unit.name == "North Town watch one"  # 07:59 in Shanghai
    assert ROUTES.route(PLACE, last - 3 * 60 * MINUTE, idle).unit.name == "North Town night watch"


def test_what_a_source_makes_up_does_not_grow_the_table() -> None:
    routes = Routes(DAYS)
    for number in range(5000):
        made_up = PLACE._replace(category=f"c{number}", area=f"a{number}", grid=f"x{number}", source=f"s{number}")
        assert not routes.route(made_up, T0, idle).owned
        found = routes.route(made_up._replace(category="noise"), at("10:00"), idle)
        assert found.unit.name == f"a{number} watch one"
    assert len(routes._known) == 2  # noqa: SLF001 - the point of it


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("bureau", "gas company"),
        ("gas company", "gas company"),
        ("one", "North Town watch one"),
        ("North Town watch one", "North Town watch one"),
        ("officer of g1", "officer of g1"),
        ("flood", "North Town flood team"),
        ("South Town watch one", None),
        ("{area} watch one", None),
        ("somebody", None),
    ],
)
def test_a_unit_is_named_by_key_or_by_name(name: str, found: str | None) -> None:
    unit = ROUTES.unit_named(name, PLACE)
    assert (None if unit is None else unit.name) == found


@pytest.mark.parametrize(
    ("others", "urgency"),
    [
        ({}, Urgency.ROUTINE),
        ({"category": "gas"}, Urgency.URGENT),
        ({"category": "unheard of"}, Urgency.ROUTINE),
        ({"urgency": Urgency.CRITICAL}, Urgency.CRITICAL),
        ({"category": "gas", "urgency": Urgency.ROUTINE}, Urgency.URGENT),
        ({"category": "gas", "urgency": Urgency.CRITICAL}, Urgency.CRITICAL),
        ({"text": "a smell of gas"}, Urgency.URGENT),
        ({"text": "a smell, then fire"}, Urgency.CRITICAL),
        ({"text": "a smell", "urgency": Urgency.CRITICAL}, Urgency.CRITICAL),
        ({"text": "all is well"}, Urgency.ROUTINE),
    ],
)
def test_urgency_is_the_highest_that_anything_asks_for(others: dict[str, object], urgency: Urgency) -> None:
    assert Urgencies(POLICY).of(report("r1", **others)) is urgency


def test_a_word_that_is_routine_raises_nothing() -> None:
    policy = replace(POLICY, keywords={"smell": Urgency.ROUTINE})
    assert Urgencies(policy).of(report(category="gas", text="smell")) is Urgency.URGENT


# What a log makes of it


def said(log: Log, type_: type[E]) -> list[E]:
    """The events of that type in the last turn."""
    return [fact.event for fact in log.decision.facts if isinstance(fact.event, type_)]


def test_equal_units_share_what_comes_and_a_closing_makes_room() -> None:
    log = Log()
    for number in range(3):
        log.add(report(f"n{number}", category="noise"), number)
    log.add(feedback(Action.CLOSED, "n1"), 10)
    log.add(report("n3", category="noise"), 11)
    log.add(report("n4", category="noise", area="south"), 12)
    units = [log.memory.tickets[log.ticket_of(f"n{number}")].unit for number in range(4)]
    one, two = "North Town watch one", "North Town watch two"
    assert units == [one, two, one, two]
    assert log.memory.tickets[log.ticket_of("n4", area="south")].unit == "South Town watch one"


def test_what_nobody_owns_goes_to_the_catch_all_with_an_alarm() -> None:
    log = Log()
    assert log.add(report(category="litter"), 0) == [
        "ticket.opened",
        "alarm.raised no-owner",
        "ticket.dispatched",
        "report.settled ticketed",
    ]
    assert said(log, AlarmRaised) == [AlarmRaised(alarm=Alarm.NO_OWNER, about="street office")]
    ticket = log.memory.tickets[log.ticket_of()]
    assert (ticket.unit, ticket.level, ticket.stage) == ("street office", Level.STREET, Stage.DISPATCHED)


def test_help_and_copies_go_with_the_dispatch() -> None:
    log = Log()
    log.add(report(category="gas"), 0)
    (sent,) = said(log, TicketDispatched)
    assert (sent.unit, sent.assisting, sent.copies) == ("gas company", ("lamp company",), ("street office",))
    assert (sent.before, sent.spent, sent.inferred, sent.occurred_at) == (None, 0, (Stage.ACCEPTED,), T0)


def test_a_surge_is_switched_on_by_a_policy_and_off_by_the_next() -> None:
    log = Log()
    on = replace(POLICY, version="p2", surge="flood", units={**POLICY.units, "flood": surging()})
    log.add(report("g1", category="gas"), 0)
    log.add(PolicyPublished(policy=on), 1)
    log.add(report("g2", category="gas"), 2)
    log.add(PolicyPublished(policy=replace(POLICY, version="p3")), 3)
    log.add(report("g3", category="gas"), 4)
    units = [log.memory.tickets[log.ticket_of(name)].unit for name in ("g1", "g2", "g3")]
    assert units == ["gas company", "flood team", "gas company"]


def surging() -> Unit:
    """The flood team, at work."""
    return replace(POLICY.units["flood"], active=True)


def test_joint_dispatch_is_a_ticket_for_each_unit_linked_by_one_matter() -> None:
    log = Log()
    spill = report(category="spill", text="oil on the road", lat=32.0, lon=118.7, details={"address": "Pier 1"})
    assert log.add(spill, 0) == [
        "ticket.opened",
        "ticket.dispatched",
        *["ticket.opened", "ticket.dispatched", "ticket.linked", "ticket.linked"] * 2,
        "report.settled ticketed",
    ]
    first = log.memory.tickets[log.ticket_of()]
    second, third = (log.memory.tickets[f"{first.id}-{number}"] for number in (2, 3))
    assert [ticket.unit for ticket in (first, second, third)] == ["gas company", "lamp company", "police station"]
    assert [ticket.side for ticket in (first, second, third)] == [Side.SERVICE, Side.SERVICE, Side.POLICE]
    assert {ticket.matter for ticket in (first, second, third)} == {first.matter}
    assert ties_of(first).links == (second.id, third.id)
    assert ties_of(second).links == ties_of(third).links == (first.id,)
    assert (second.reports, third.reports) == ((), ())
    assert [ticket.sequence for ticket in (first, second, third)] == [5, 3, 3]
    for ticket in (second, third):
        assert (ticket.text, ticket.lat, ticket.lon, ticket.urgency) == (first.text, 32.0, 118.7, first.urgency)
        assert ticket.deadlines == first.deadlines
    _, opened, _ = said(log, TicketOpened)
    assert (opened.source_id, opened.content, opened.reporter) == ("", "", None)
    assert opened.details == {"address": "Pier 1"}
    assert {event.why for event in said(log, TicketLinked)} == {"joint"}
    assert {(event.source, event.by, event.note) for event in said(log, TicketDispatched)} == {("city", None, "")}
    settled = log.decision.facts[-1].event
    assert isinstance(settled, ReportSettled)
    assert settled.ticket == first.id


def test_each_unit_of_a_joint_dispatch_works_on_its_own_ticket() -> None:
    log = Log()
    log.add(report(category="spill"), 0)
    second = f"{log.ticket_of()}-2"
    by = {"ticket": second, "by": "lamp company"}
    assert log.add(feedback(Action.HANDLED, "", **by), 1) == ["ticket.handled", "command.settled handled applied"]
    assert log.memory.tickets[second].stage is Stage.HANDLED
    assert log.memory.tickets[log.ticket_of()].stage is Stage.DISPATCHED
    assert log.add(report(category="spill"), 2) == ["report.settled repeat"]


def test_what_was_put_right_on_the_spot_is_handled_at_once() -> None:
    log = Log()
    assert log.add(report(source="grid", self_handled=True, occurred_at=T0 - MINUTE), 0) == [
        "ticket.opened",
        "ticket.dispatched",
        "ticket.handled",
        "report.settled ticketed",
    ]
    (handled,) = said(log, TicketHandled)
    assert handled.self_handled
    assert handled.inferred == (Stage.SIGNED, Stage.CONTACTED, Stage.ARRIVED)
    assert (handled.occurred_at, handled.spent, handled.source, handled.by) == (T0 - MINUTE, 0, "grid", None)
    assert (handled.limit, handled.kept) == (3600_000, True)


def test_a_limit_that_nobody_can_date_yet_is_told_once() -> None:
    working = Span(seconds=8 * 3600, clock=LimitClock.WORKING)
    policy = replace(DAYS, limits=(LimitRow(overall=working, stages={Stage.SIGNED: working}),))
    log = Log(policy=policy)  # in 2023, and the calendar is that of 2026
    assert log.add(report(category="litter"), 0) == [
        "ticket.opened",
        "alarm.raised no-owner",
        "alarm.raised provisional",
        "ticket.dispatched",
        "report.settled ticketed",
    ]
    assert said(log, AlarmRaised) == [
        AlarmRaised(alarm=Alarm.NO_OWNER, about="duty desk"),
        AlarmRaised(alarm=Alarm.PROVISIONAL, about="overall"),
    ]


def test_the_side_and_kind_of_a_report_stay_with_its_ticket() -> None:
    log = Log()
    log.add(report(source="110", side=Side.POLICE, kind="报警", drill=True, category="theft"), 0)
    ticket = log.memory.tickets[log.ticket_of(source="110")]
    assert (ticket.side, ticket.kind, ticket.drill, ticket.unit) == (Side.POLICE, "报警", True, "police station")


def test_a_policy_that_names_a_unit_it_does_not_have_is_never_adopted() -> None:
    log = Log()
    broken = replace(POLICY, version="p2", routes=(Route(units=("ghost",)),))
    assert log.add(PolicyPublished(policy=broken), 0) == ["command.settled policy refused bad-command"]
    assert log.memory.rules is not None
    assert log.memory.rules.policy.version == "p1"


def test_a_category_of_no_policy_is_a_routine_one() -> None:
    log = Log()
    log.add(report(category="unheard of"), 0)
    assert log.memory.tickets[log.ticket_of()].urgency is Urgency.ROUTINE
