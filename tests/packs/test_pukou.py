"""The district that ships: whole, without a doubt about anything, and what it says comes out as the desk takes it."""

from itertools import product

import pytest

from agents.packs import examine, load_pack, load_policy
from schemas.codec import encode
from schemas.codes import Clock, Level, LimitClock, Side, Stage, Step, Urgency
from schemas.policy import Category, LimitRow, Policy, Span, Unit
from schemas.state import POLICY
from streams.desk.routing import Placed, Routes
from tests.desk.calendars import moment
from tests.desk.logs import T0, Log, report

HOUR_S = 3600
DAY_S = 7 * HOUR_S
"""A working day of the calendar that ships."""


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy("pukou", Clock.WALL)


def working(hours: float, written: str) -> Span:
    return Span(seconds=round(hours * HOUR_S), clock=LimitClock.WORKING, written=written)


def wall(seconds: int, written: str) -> Span:
    return Span(seconds=seconds, written=written)


def first(policy: Policy, limit: str, **named: str | None) -> Span | None:
    """A limit as the contract says it is taken: from the first row that fits and names it."""
    for row in policy.limits:
        span = row.overall if limit == "overall" else row.stages.get(Stage(limit))
        fields = ("category", "urgency", "area", "source", "kind", "side")
        if span is not None and all(getattr(row, field) in {None, named.get(field)} for field in fields):
            return span
    return None


def test_it_loads_without_warnings_under_both_clocks_and_all_surges() -> None:
    examined = examine("pukou")
    assert examined.warnings == ()
    policies = [examined.policy(clock, surge) for clock in Clock for surge in (None, "epidemic", "flood")]
    assert len({policy.version for policy in policies}) == 6
    for policy in policies:
        assert POLICY.decode(encode(policy)) == policy


def test_the_version_is_of_the_content(policy: Policy) -> None:
    assert policy.version == load_policy("pukou", Clock.WALL).version
    assert policy.version != load_policy("pukou", Clock.LOG).version
    assert len(policy.version) == 16


def test_places_are_those_that_are_known(policy: Policy) -> None:
    pack = load_pack("pukou")
    codes = list(pack.grids.codes())
    assert len(codes) == len(set(codes)) == 467
    assert all(len(code) == 15 and code[:9] in pack.district.areas for code in codes)
    assert (len(pack.district.areas), policy.areas["320111004"], policy.areas["elsewhere"]) == (
        15,
        "江浦街道",
        "未定区域",
    )


def test_units_are_of_all_levels_and_sides_and_surge_units_rest(policy: Policy) -> None:
    assert policy.units[policy.catch_all] == Unit(name="区合成服务中心值班席", level=Level.DISTRICT)
    assert policy.units["police-station"] == Unit(name="{area}派出所", level=Level.STREET, side=Side.POLICE)
    assert policy.units["grid-officer"] == Unit(name="{grid}网格员", level=Level.GRID)
    assert {unit.level for unit in policy.units.values()} == set(Level)
    resting = {key for key, unit in policy.units.items() if not unit.active}
    assert resting == {"grid-strike-team", "flood-command", "flood-team", "epidemic-command", "epidemic-team"}


@pytest.mark.parametrize(
    ("limit", "named", "expected"),
    [
        ("accepted", {"urgency": "critical"}, wall(300, "5 min")),
        ("handled", {"urgency": "critical"}, wall(2 * HOUR_S, "2 h")),
        ("handled", {"urgency": "urgent"}, wall(24 * HOUR_S, "24 h")),
        ("verified", {"urgency": "urgent"}, wall(5400, "90 min")),
        ("accepted", {"urgency": "routine"}, working(0.5, "30 wmin")),
        ("signed", {"urgency": "routine"}, working(7, "1 wd")),
        ("handled", {"urgency": "routine"}, working(35, "5 wd")),
        ("overall", {"urgency": "routine"}, working(70, "10 wd")),
        ("signed", {"urgency": "urgent", "side": "police"}, wall(30, "30 s")),
        ("signed", {"urgency": "routine", "side": "service", "source": "police110"}, working(7, "1 wd")),
        ("signed", {"urgency": "urgent", "side": "police", "source": "hotline12345"}, wall(30, "30 s")),
        ("arrived", {"urgency": "urgent", "side": "police", "area": "320111001"}, wall(300, "5 min")),
        ("arrived", {"urgency": "urgent", "side": "police", "area": "320111008"}, wall(600, "10 min")),
        ("contacted", {"urgency": "routine", "side": "police"}, wall(300, "5 min")),
        ("contacted", {"urgency": "routine", "source": "gridapp"}, working(7, "1 wd")),
        ("arrived", {"urgency": "urgent", "source": "gridapp", "area": "320111001"}, wall(HOUR_S, "1 h")),
        ("handled", {"urgency": "routine", "source": "hotline12345", "kind": "咨询"}, working(7, "1 wd")),
        ("handled", {"urgency": "routine", "source": "hotline12345", "kind": "投诉"}, working(35, "5 wd")),
        ("handled", {"urgency": "routine", "category": "illegal-construction"}, working(105, "15 wd")),
        ("handled", {"urgency": "routine", "category": "dirty-road"}, working(5, "5 wh")),
        ("handled", {"urgency": "urgent", "category": "manhole-cover"}, wall(2 * HOUR_S, "2 h")),
    ],
)
def test_a_limit_is_that_of_the_table(policy: Policy, limit: str, named: dict[str, str], expected: Span) -> None:
    assert first(policy, limit, **named) == expected


@pytest.mark.parametrize(("urgency", "handled", "overall"), [("critical", 3, 28), ("urgent", 24, 52)])
def test_no_item_gives_what_is_urgent_the_time_of_what_is_not(
    policy: Policy, urgency: str, handled: int, overall: int
) -> None:
    """路灯漏电: the street lamp that gives shocks had a working day, 违法搭建 from which somebody fell fifteen."""
    slow = {
        (category, limit)
        for category in policy.categories.keys() - {"pipe-burst"}  # whose last condition is a road restored
        for limit, hours in (("handled", handled), ("overall", overall))
        for span in [first(policy, limit, category=category, urgency=urgency)]
        if span is None or span.clock is LimitClock.WORKING or span.seconds > hours * HOUR_S
    }
    assert slow == set()


def test_each_urgency_has_all_limits_of_the_loop(policy: Policy) -> None:
    for urgency in Urgency:
        (row,) = [
            row for row in policy.limits if row == LimitRow(urgency=urgency, overall=row.overall, stages=row.stages)
        ]
        reached = Stage.CONTACTED if urgency is Urgency.ROUTINE else Stage.ARRIVED
        loop = [
            Stage.ACCEPTED,
            Stage.DISPATCHED,
            Stage.SIGNED,
            reached,
            Stage.HANDLED,
            Stage.VERIFIED,
            Stage.CALLED_BACK,
        ]
        assert list(row.stages) == loop
        assert row.overall is not None
        assert sum(row.stages[stage].seconds for stage in loop) <= row.overall.seconds


def test_a_burst_pipe_has_its_stages(policy: Policy) -> None:
    fenced, repaired, restored = policy.conditions["pipe-burst"]
    assert [one.name for one in (fenced, repaired, restored)] == ["fenced", "repaired", "restored"]
    assert (fenced.span, repaired.span) == (wall(3 * HOUR_S, "3 h"), wall(8 * HOUR_S, "8 h"))
    assert restored.span == working(35, "5 wd")


def test_nearness_is_by_the_kind_of_thing(policy: Policy) -> None:
    days_15 = 15 * 24 * HOUR_S
    assert policy.categories["street-lamp"] == Category(near_m=50, near_s=days_15)
    assert policy.categories["street-vendor"].near_m == 100
    assert policy.categories["noise"].near_m == 250
    assert policy.categories["theft"] == Category(urgency=Urgency.URGENT, side=Side.POLICE)
    assert policy.categories["dispute"].side is None


def test_the_ladder_and_the_lists(policy: Policy) -> None:
    assert [(rung.step, rung.percent) for rung in policy.ladder] == list(
        zip(Step, (80, 100, 150, 200, 300), strict=True)
    )
    there, back = policy.diversions
    assert (there.from_side, there.to_side, back.from_side, back.to_side) == (
        Side.POLICE,
        Side.SERVICE,
        Side.SERVICE,
        Side.POLICE,
    )
    assert [len(one.classes) for one in load_pack("pukou").diversions.lists] == [11, 9]
    assert {"water-leak", "consumer-dispute"} <= set(there.categories)
    assert {"theft", "suicide"} <= set(back.categories)


def test_every_category_has_an_owner(policy: Policy) -> None:
    routed = {
        row.category for row in policy.routes if row.units and not (row.grid or row.source or row.hours or row.side)
    }
    assert set(policy.categories) - routed == {"other"}


@pytest.mark.parametrize("surge", [None, "flood", "epidemic"])
def test_what_lies_nowhere_known_goes_to_a_unit_that_there_is(surge: str | None) -> None:
    """A unit of each street has none for the catch-all: 未定区域派出所 is nobody."""
    policy = load_policy("pukou", Clock.WALL, surge=surge)
    places = product(policy.categories, ("police110", "gridapp", "hotline12345"), Side, Urgency, (0, 12))
    routes, sent = Routes(policy), set()
    for category, source, side, urgency, hour in places:
        place = Placed(category, "elsewhere", None, source, side, urgency)
        for load in (lambda _area, _unit: 0, lambda _area, unit: len(unit)):
            sent.add(routes.route(place, moment(f"2026-11-29 {hour:02}:30"), load).unit.name)
    assert [name for name in sent if "未定区域" in name] == []
    assert routes.told_of_danger("elsewhere", None)[-1] == "公安分局指挥室"


def test_a_row_for_several_is_a_row_for_each(policy: Policy) -> None:
    rows = [row for row in policy.routes if row.units == ("street-market",)]
    assert [row.category for row in rows] == ["food-safety", "market-order", "product-quality", "consumer-dispute"]
    assert {row.copies for row in rows} == {("market-supervision",)}


def test_a_surge_lies_over_the_pack_and_goes_away_again(policy: Policy) -> None:
    flood = load_policy("pukou", Clock.WALL, surge="flood")
    assert (policy.surge, flood.surge) == (None, "flood")
    assert [key for key in flood.units if flood.units[key].active and not policy.units[key].active] == [
        "grid-strike-team",
        "flood-command",
        "flood-team",
    ]
    (route,) = [row for row in flood.routes[:9] if row.category == "waterlogging" and row.area is None]
    assert route.units == ("flood-team", "grid-strike-team")
    assert flood.routes[9:] == policy.routes
    assert flood.categories["waterlogging"].urgency is Urgency.CRITICAL
    assert flood.categories["waterlogging"].near_m == policy.categories["waterlogging"].near_m
    assert first(flood, "arrived", category="waterlogging", urgency="critical") == wall(1800, "30 min")
    assert first(flood, "verified", category="waterlogging", urgency="critical") == wall(3600, "1 h")
    assert flood.limits[3:] == policy.limits
    assert load_policy("pukou", Clock.WALL).version == policy.version != flood.version


def test_what_passes_without_a_calendar_of_its_own_is_the_rest(policy: Policy) -> None:
    assert (policy.running, policy.reopen_score, policy.extension_first_s, policy.extension_most_s) == (
        "take",
        2,
        DAY_S,
        5 * DAY_S,
    )
    assert policy.suspension_most_s == 30 * 24 * HOUR_S
    assert policy.copy_unclear == ("joint-service-desk",)
    assert policy.copy_danger == ("police-station", "police-command")
    assert set(policy.closing_sources) >= {"boston311", "rehearsal", "sanmateo"}
    assert (policy.duplicates.link_m, policy.duplicates.link_s, policy.duplicates.threshold) == (300, 600, 60)


def test_a_row_of_a_side_is_one_row_whatever_its_sources(policy: Policy) -> None:
    rows = [row for row in policy.limits if row.side is not None]
    assert len(rows) == 6 + 1 + 1  # the streets in town; elsewhere; what is routine
    assert {(row.side, row.source) for row in rows} == {(Side.POLICE, None)}


SUNDAY_AT_THREE = moment("2026-11-29 03:00") - T0


@pytest.mark.parametrize(
    ("category", "source", "side", "signed"),
    [
        ("exposed-garbage", "police110", Side.POLICE, working(7, "1 wd")),  # 非警务: diverted to the grid
        ("exposed-garbage", "gridapp", Side.SERVICE, working(7, "1 wd")),
        ("theft", "hotline12345", Side.SERVICE, wall(30, "30 s")),  # 警务: diverted to the police
        ("theft", "police110", Side.POLICE, wall(30, "30 s")),
    ],
)
def test_who_must_sign_how_soon_follows_who_has_it_not_who_took_the_call(
    policy: Policy, category: str, source: str, side: Side, signed: Span
) -> None:
    log = Log(policy=policy)
    log.add(report(source=source, side=side, area="320111001", category=category), SUNDAY_AT_THREE)
    _, goal = log.memory.tickets[log.ticket_of("r1", source, "320111001")].deadlines
    assert (goal.limit, goal.clock, goal.length) == ("signed", signed.clock, signed.seconds * 1000)
