"""One side hands a ticket to the other, and gets it back: by the lists, both ways, with the clock that runs on."""

from dataclasses import replace
from typing import TypeVar

import pytest

from schemas.codec import encode
from schemas.codes import Action, Level, LimitClock, Side, Stage, Step, Urgency
from schemas.commands import COMMAND, PolicyPublished
from schemas.events import EVENT, AlarmRaised, Ran, TicketDispatched, TicketDiverted, TicketOpened
from schemas.policy import Calendar, Category, Diversion, LimitRow, Policy, Route, Rung, Span
from schemas.state import Ticket, course_of
from streams.desk.sides import Handed, Sides
from tests.desk.logs import HOUR, MINUTE, POLICY, SECOND, T0, Log, feedback, report, told

E = TypeVar("E")
POLICE_TOOK = {"source": "110", "side": Side.POLICE}
DIVERTED = ["ticket.diverted", "ticket.dispatched", "command.settled diverted applied"]
RETURNED = ["ticket.diverted", "ticket.dispatched", "command.settled diversion-returned applied"]
AT_OPENING = ["ticket.opened", "ticket.diverted", "ticket.dispatched", "report.settled ticketed"]
OPENED = ["ticket.opened", "ticket.dispatched", "report.settled ticketed"]


def said(log: Log, type_: type[E]) -> list[E]:
    """The events of that type in the last turn."""
    return [fact.event for fact in log.decision.facts if isinstance(fact.event, type_)]


def ticket_of(log: Log, source: str = "city") -> Ticket:
    """The ticket of the report."""
    return log.memory.tickets[log.ticket_of(source=source)]


@pytest.mark.parametrize(
    ("side", "category", "at_once", "by_hand"),
    [
        (Side.POLICE, "noise", Side.SERVICE, Side.SERVICE),
        (Side.SERVICE, "noise", None, None),
        (Side.SERVICE, "theft", Side.POLICE, Side.POLICE),
        (Side.POLICE, "theft", None, None),
        (Side.POLICE, "litter", Side.SERVICE, Side.SERVICE),  # no category of the policy: the service side's
        (Side.SERVICE, "fight", None, Side.POLICE),  # likewise, so it is diverted by hand only
        (Side.POLICE, "gas", None, None),
        (Side.POLICE, "quarrel", None, None),
        (Side.SERVICE, "quarrel", None, None),
    ],
)
def test_a_list_for_each_way(side: Side, category: str, at_once: Side | None, by_hand: Side | None) -> None:
    lists = {Side.SERVICE: "to 12345 1", Side.POLICE: "to 110 1"}
    sides = Sides(POLICY)
    assert sides.diverted(side, category, Urgency.ROUTINE) == (
        None if at_once is None else Handed(at_once, lists[at_once])
    )
    assert sides.handed(side, category) == (None if by_hand is None else Handed(by_hand, lists[by_hand]))


def test_the_first_list_that_holds_the_category_says_so_and_one_to_its_own_side_says_nothing() -> None:
    def listed(name: str, to_side: Side) -> Diversion:
        return Diversion(name=name, version="7", from_side=Side.POLICE, to_side=to_side, categories=("noise",))

    lists = (listed("nowhere", Side.POLICE), listed("first", Side.SERVICE), listed("second", Side.SERVICE))
    assert Sides(replace(POLICY, diversions=lists)).diverted(Side.POLICE, "noise", Urgency.URGENT) == Handed(
        Side.SERVICE, "first 7"
    )


def test_an_unclear_category_is_never_diverted_at_once_even_if_a_list_holds_it() -> None:
    listed = Diversion(
        name="all", version="1", from_side=Side.POLICE, to_side=Side.SERVICE, categories=("quarrel", "noise")
    )
    sides = Sides(replace(POLICY, diversions=(listed,)))
    assert sides.diverted(Side.POLICE, "quarrel", Urgency.ROUTINE) is None
    assert sides.handed(Side.POLICE, "quarrel") == Handed(Side.SERVICE, "all 1")


def test_what_the_police_took_and_is_not_theirs_goes_to_the_service_side_at_once() -> None:
    log = Log()
    assert log.add(report(category="noise", grid="g7", **POLICE_TOOK), 0) == AT_OPENING
    (opened,), (gone,), (sent,) = said(log, TicketOpened), said(log, TicketDiverted), said(log, TicketDispatched)
    assert (opened.side, opened.unit) == (Side.POLICE, "police station")
    assert gone == TicketDiverted(
        from_side=Side.POLICE,
        to_side=Side.SERVICE,
        list="to 12345 1",
        returned=False,
        unit="police station",
        elapsed=0,
        note="",
    )
    assert (sent.unit, sent.level, sent.before) == ("grid g7", Level.GRID, None)
    ticket = ticket_of(log, "110")
    assert (ticket.side, ticket.unit) == (Side.SERVICE, "grid g7")
    assert course_of(ticket).diverted_from is Side.POLICE
    assert course_of(ticket).diverted_unit == "police station"


def test_what_the_service_side_took_and_is_the_polices_goes_to_them_at_once() -> None:
    log = Log()
    assert log.add(report(category="theft"), 0) == AT_OPENING
    (opened,), (gone,), (sent,) = said(log, TicketOpened), said(log, TicketDiverted), said(log, TicketDispatched)
    assert (opened.side, opened.unit) == (Side.SERVICE, "street office")
    assert (gone.from_side, gone.to_side, gone.list, gone.unit) == (
        Side.SERVICE,
        Side.POLICE,
        "to 110 1",
        "street office",
    )
    assert (sent.unit, ticket_of(log).side) == ("police station", Side.POLICE)
    assert said(log, AlarmRaised) == []  # its own side has an owner for it; whoever took it needs none


def test_nobody_on_the_other_side_is_an_alarm_too() -> None:
    log = Log()
    assert log.add(report(category="litter", **POLICE_TOOK), 0) == [
        "ticket.opened",
        "alarm.raised no-owner",
        *AT_OPENING[1:],
    ]
    assert [alarm.about for alarm in said(log, AlarmRaised)] == ["street office"]


@pytest.mark.parametrize(
    ("took", "unit", "copies"),
    [(POLICE_TOOK, "police station", ("street office",)), ({}, "street office", ())],
)
def test_what_is_unclear_is_the_polices_where_they_took_it_and_the_other_side_is_told(
    took: dict[str, object], unit: str, copies: tuple[str, ...]
) -> None:
    log = Log()
    log.add(report("r1", category="quarrel", **took), 0)
    (sent,) = said(log, TicketDispatched)
    assert (sent.unit, sent.copies) == (unit, copies)
    assert said(log, TicketDiverted) == []


def test_who_is_told_of_the_unclear_is_named_for_the_place() -> None:
    row = Route(side=Side.POLICE, units=("station",), copies=("gas",))
    log = Log(policy=replace(POLICY, copy_unclear=("grid", "watch-1"), routes=(row,)))
    log.add(report(category="quarrel", grid="g7", **POLICE_TOOK), 0)
    (sent,) = said(log, TicketDispatched)
    assert sent.copies == ("gas company", "grid g7", "North Town watch one")


DANGER = replace(
    POLICY,
    keywords={"持刀": Urgency.CRITICAL, "坠楼": Urgency.CRITICAL, "触电": Urgency.CRITICAL, "漏水": Urgency.URGENT},
    copy_danger=("station",),
    categories={
        "noise": Category(),
        "manhole-cover": Category(urgency=Urgency.URGENT),
        "property-management": Category(),
        "public-health": Category(urgency=Urgency.CRITICAL),  # as while an epidemic lasts
        "theft": Category(side=Side.POLICE),
    },
    routes=(
        Route(side=Side.POLICE, units=("station",), copies=("gas",)),
        Route(category="public-health", units=("street",)),
        Route(units=("lamps",)),
    ),
    diversions=(
        Diversion(
            name="警转非警",
            version="1",
            from_side=Side.POLICE,
            to_side=Side.SERVICE,
            categories=("noise", "manhole-cover", "property-management", "public-health", "litter"),
        ),
        Diversion(name="非警转警", version="1", from_side=Side.SERVICE, to_side=Side.POLICE, categories=("theft",)),
    ),
)
"""A district's words of danger, and both of its lists."""
STAYED = ("police station", ("gas company", "street office"))


@pytest.mark.parametrize(
    ("category", "text", "others", "holder"),
    [
        ("noise", "楼下噪音大，有人持刀闹事", {}, STAYED),
        ("manhole-cover", "井盖缺失有人触电", {}, STAYED),
        ("property-management", "小区有人坠楼", {}, STAYED),
        ("litter", "路边持刀打人", {}, STAYED),  # no category of the policy
        ("noise", "楼下噪音大", {"urgency": Urgency.CRITICAL}, STAYED),  # whoever took the call says so
        ("noise", "楼下噪音大", {}, ("lamp company", ())),
        ("noise", "楼下漏水", {}, ("lamp company", ())),  # urgent is no danger
        ("public-health", "楼栋有人发热", {}, ("street office", ())),  # all of the category is critical: not for that
        ("public-health", "发热病人持刀", {}, ("street office", ())),  # and more than critical there is not
        ("theft", "持刀抢劫", {}, ("police station", ("gas company",))),  # the police's own: nobody else is told
        ("theft", "持刀抢劫", {"source": "city", "side": Side.SERVICE}, ("police station", ("gas company",))),
        ("noise", "有人持刀", {"source": "city", "side": Side.SERVICE}, ("lamp company", ("police station",))),
        ("litter", "路边持刀打人", {"source": "city", "side": Side.SERVICE}, ("lamp company", ("police station",))),
        ("noise", "楼下漏水", {"source": "city", "side": Side.SERVICE}, ("lamp company", ())),
        ("public-health", "发热病人持刀", {"source": "city", "side": Side.SERVICE}, ("street office", ())),
    ],
)
def test_danger_stays_with_the_police_whatever_the_list_says_and_the_other_side_is_told(
    category: str, text: str, others: dict[str, object], holder: tuple[str, tuple[str, ...]]
) -> None:
    log = Log(policy=DANGER)
    log.add(report("r1", category=category, text=text, **(POLICE_TOOK | others)), 0)
    (sent,) = said(log, TicketDispatched)
    assert (sent.unit, sent.copies) == holder


@pytest.mark.parametrize(
    ("row", "copies"),
    [
        (Route(units=("lamps",)), ("police station",)),
        (Route(units=("lamps",), copies=("gas",)), ("gas company", "police station")),
        (Route(units=("lamps",), copies=("station",)), ("police station",)),
        (Route(units=("lamps",), assist=("station",)), ()),
        (Route(units=("station",)), ()),
    ],
)
def test_of_danger_each_is_told_once_and_nobody_who_works_on_it(row: Route, copies: tuple[str, ...]) -> None:
    log = Log(policy=replace(DANGER, routes=(row,)))
    log.add(report(category="noise", text="有人持刀", source="city", side=Side.SERVICE), 0)
    (sent,) = said(log, TicketDispatched)
    assert sent.copies == copies


@pytest.mark.parametrize("known", ["reporter", "object"])
def test_danger_is_no_urge_of_what_nobody_sets_out_for(known: str) -> None:
    """110 is called about a noise, which goes to the street; the next call says that a knife is drawn."""
    log, told = Log(policy=DANGER), {"category": "noise", known: "one"}
    log.add(report("r1", text="楼下噪音大", **told, **POLICE_TOOK), 0)
    assert log.add(report("r2", text="还在吵", **told, **POLICE_TOOK), MINUTE)[-1].startswith("report.settled")
    assert len(log.memory.tickets) == 1
    assert log.add(report("r3", text="他们持刀打起来了", **told, **POLICE_TOOK), 2 * MINUTE)[0] == "ticket.opened"
    (sent,) = said(log, TicketDispatched)
    assert (sent.unit, sent.copies) == STAYED
    # From now on danger joins that one; anything else still asks for the first.
    log.add(report("r4", text="持刀的人还在", **told, **POLICE_TOOK), 3 * MINUTE)
    log.add(report("r5", text="还在吵", **told, **POLICE_TOOK), 4 * MINUTE)
    assert [len(one.reports) for one in log.memory.tickets.values()] == [3, 2]


def test_danger_that_the_police_take_is_no_urge_of_what_the_other_side_has() -> None:
    """The street has it, and the police were told; now they are called themselves."""
    log, city = Log(policy=DANGER), {"source": "city", "side": Side.SERVICE}
    log.add(report("c1", category="noise", reporter="ann", text="有人持刀", **city), 0)
    assert log.add(report("c2", category="noise", reporter="ann", text="还有人持刀", **city), 1)[0] == "ticket.urged"
    assert log.add(report("r1", category="noise", reporter="ann", text="有人持刀", **POLICE_TOOK), 2) == OPENED
    assert log.add(report("c3", category="noise", reporter="ann", text="有人持刀", **city), 3)[0] == "ticket.urged"


def test_where_all_of_a_category_is_critical_it_joins_as_ever() -> None:
    """As when an epidemic's surge begins: what was reported before it is the same matter still."""
    log = Log(policy=replace(DANGER, version="before", categories={}))
    log.add(report("r1", category="public-health", reporter="ann"), 0)
    log.add(PolicyPublished(policy=DANGER), 1)
    assert log.add(report("r2", category="public-health", reporter="ann"), 2)[0] == "ticket.urged"


def test_what_stayed_for_its_danger_is_no_diversion_and_an_operator_may_divert_it_later() -> None:
    log = Log(policy=DANGER)
    assert log.add(report(category="noise", text="有人持刀闹事", **POLICE_TOOK), 0) == OPENED
    assert course_of(ticket_of(log, "110")).diverted_from is None
    assert log.add(feedback(Action.DIVERTED, source="110", note="已控制"), MINUTE)[-3:] == DIVERTED
    assert ticket_of(log, "110").side is Side.SERVICE


def handed_over(policy: Policy = POLICY) -> Log:
    """A noise that the service side took, with a list by which it may be the police's."""
    both = (
        *policy.diversions,
        Diversion(name="brawls", version="2026-03", from_side=Side.SERVICE, to_side=Side.POLICE, categories=("noise",)),
    )
    log = Log(policy=replace(policy, diversions=both))
    assert log.add(report(category="noise"), 0) == OPENED
    return log


def test_an_operator_diverts_by_the_list_and_the_clock_runs_on() -> None:
    log = handed_over()
    before = ticket_of(log)
    log.add(feedback(Action.ASSISTED, unit="gas"), MINUTE)
    assert log.add(feedback(Action.DIVERTED, note="a brawl", by="operator"), 2 * MINUTE) == DIVERTED
    (gone,), (sent,) = said(log, TicketDiverted), said(log, TicketDispatched)
    assert gone == TicketDiverted(
        from_side=Side.SERVICE,
        to_side=Side.POLICE,
        list="brawls 2026-03",
        returned=False,
        unit="North Town watch one",
        elapsed=2 * MINUTE,
        note="a brawl",
    )
    assert (sent.unit, sent.before, sent.assisting) == ("police station", "North Town watch one", ())
    assert (sent.note, sent.by, sent.spent) == ("a brawl", "operator", 2 * MINUTE)
    ticket = ticket_of(log)
    assert ticket.side is Side.POLICE
    assert ticket.deadlines[0] == before.deadlines[0]  # overall
    assert (ticket.deadlines[1].limit, ticket.deadlines[1].started_at) == ("signed", T0 + 2 * MINUTE)


def test_a_diversion_that_was_wrong_comes_back_to_its_unit_with_the_reason_and_its_elapsed_clock() -> None:
    log = handed_over()
    before = ticket_of(log)
    log.add(feedback(Action.DIVERTED), MINUTE)
    log.add(feedback(Action.ARRIVED), 5 * MINUTE)
    returned = feedback(Action.DIVERSION_RETURNED, note="nobody fights", by="police station")
    assert log.add(returned, 9 * MINUTE) == RETURNED
    (back,), (sent,) = said(log, TicketDiverted), said(log, TicketDispatched)
    assert back == TicketDiverted(
        from_side=Side.POLICE,
        to_side=Side.SERVICE,
        list="",
        returned=True,
        unit="police station",
        elapsed=9 * MINUTE,
        note="nobody fights",
    )
    assert (sent.unit, sent.level, sent.before) == ("North Town watch one", Level.COMMUNITY, "police station")
    ticket = ticket_of(log)
    assert (ticket.side, ticket.stage, ticket.deadlines[0]) == (Side.SERVICE, Stage.DISPATCHED, before.deadlines[0])
    assert course_of(ticket).diverted_from is course_of(ticket).diverted_unit is None
    again = log.add(feedback(Action.DIVERSION_RETURNED), 10 * MINUTE)
    assert again == ["command.settled diversion-returned refused no-diversion"]


def test_one_that_was_diverted_at_its_opening_goes_back_to_who_would_have_had_it() -> None:
    log = Log()
    log.add(report(category="noise", **POLICE_TOOK), 0)
    assert log.add(feedback(Action.DIVERSION_RETURNED, source="110", note="a shot"), HOUR)[-3:] == RETURNED
    (back,), ticket = said(log, TicketDiverted), ticket_of(log, "110")
    assert (back.to_side, back.elapsed) == (Side.POLICE, HOUR)
    assert (ticket.side, ticket.unit, ticket.level) == (Side.POLICE, "police station", Level.DISTRICT)
    assert log.add(feedback(Action.DIVERTED, source="110"), 2 * HOUR)[-3:] == DIVERTED


@pytest.mark.parametrize(
    ("category", "before", "action", "refused"),
    [
        ("lamp", (), Action.DIVERTED, "no-diversion"),
        ("noise", (), Action.DIVERTED, "no-diversion"),
        ("noise", (), Action.DIVERSION_RETURNED, "no-diversion"),
        ("fight", (Action.HANDLED,), Action.DIVERTED, "not-legal-now"),
        ("fight", (Action.DIVERTED, Action.HANDLED), Action.DIVERSION_RETURNED, "not-legal-now"),
        ("fight", (Action.DIVERTED,), Action.DIVERTED, "no-diversion"),
        ("fight", (Action.CLOSED,), Action.DIVERTED, "not-legal-now"),
    ],
)
def test_what_cannot_be_diverted_is_refused(
    category: str, before: tuple[Action, ...], action: Action, refused: str
) -> None:
    log = Log()
    log.add(report(category=category), 0)
    for number, earlier in enumerate(before):
        log.add(feedback(earlier), number)
    ticket = ticket_of(log)
    assert log.add(feedback(action), 9) == [f"command.settled {action.value} refused {refused}"]
    assert replace(ticket, sequence=ticket.sequence + 1) == ticket_of(log)


def test_one_unit_for_both_sides_keeps_who_assists() -> None:
    row = Route(units=("street",), assist=("lamps",), copies=("gas",))
    log = handed_over(replace(POLICY, routes=(row,)))
    log.add(feedback(Action.ASSISTED, unit="station"), 1)
    assert log.add(feedback(Action.DIVERTED), 2) == DIVERTED
    (sent,) = said(log, TicketDispatched)
    assert (sent.unit, sent.before) == ("street office", None)
    assert (sent.assisting, sent.copies) == (("lamp company", "police station"), ("gas company",))
    assert ticket_of(log).side is Side.POLICE


def test_whoever_helps_on_the_other_side_is_in_its_row() -> None:
    row = Route(side=Side.POLICE, units=("station",), assist=("lamps",), copies=("gas",), joint=("street",))
    log = handed_over(replace(POLICY, routes=(row, *POLICY.routes)))
    assert log.add(feedback(Action.DIVERTED), 2) == DIVERTED  # and no joint ticket: that is for reports
    (sent,) = said(log, TicketDispatched)
    assert (sent.assisting, sent.copies) == (("lamp company",), ("gas company",))


def test_nobody_to_divert_to_is_an_alarm() -> None:
    log = handed_over(replace(POLICY, routes=(Route(side=Side.SERVICE, units=("gas",)),)))
    assert log.add(feedback(Action.DIVERTED), 2) == ["ticket.diverted", "alarm.raised no-owner", *DIVERTED[1:]]
    assert (ticket_of(log).unit, ticket_of(log).side) == ("street office", Side.POLICE)


def test_lists_routes_and_units_are_those_in_force_even_where_a_ticket_keeps_its_limits() -> None:
    log = handed_over(replace(POLICY, running="keep"))
    gone = replace(POLICY, version="p2", diversions=())
    log.add(PolicyPublished(policy=gone), 1)
    assert log.add(feedback(Action.DIVERTED), 2) == ["command.settled diverted refused no-diversion"]
    moved = {**POLICY.units, "station": replace(POLICY.units["station"], name="new station")}
    lists = (Diversion(name="new", version="3", from_side=Side.SERVICE, to_side=Side.POLICE, categories=("noise",)),)
    log.add(PolicyPublished(policy=replace(POLICY, version="p3", units=moved, diversions=lists)), 3)
    assert log.add(feedback(Action.DIVERTED), 4)[:2] == DIVERTED[:2]
    assert [event.list for event in said(log, TicketDiverted)] == ["new 3"]
    assert (ticket_of(log).unit, ticket_of(log).policy) == ("new station", "p1")
    log.add(feedback(Action.DISPATCHED, unit="gas"), 5)
    log.add(feedback(Action.DISPATCHED, unit="station"), 6)
    assert (ticket_of(log).unit, ticket_of(log).level) == ("new station", Level.DISTRICT)


def test_a_diverted_report_is_as_urgent_as_before() -> None:
    categories = {**POLICY.categories, "theft": Category(side=Side.POLICE, urgency=Urgency.URGENT)}
    log = Log(policy=replace(POLICY, categories=categories))
    log.add(report(category="theft"), 0)
    assert ticket_of(log).urgency is Urgency.URGENT


# Whose limits

BY_SIDE = replace(
    POLICY,
    conditions={},
    limits=(
        LimitRow(side=Side.POLICE, overall=Span(seconds=7200), stages={Stage.SIGNED: Span(seconds=30)}),
        LimitRow(side=Side.SERVICE, overall=Span(seconds=36000), stages={Stage.SIGNED: Span(seconds=3600)}),
        LimitRow(stages={Stage.HANDLED: Span(seconds=18000)}),
    ),
)


def lengths(ticket: Ticket) -> dict[str, tuple[int, int]]:
    """When its limits began, and how long they are, in seconds."""
    return {one.limit: ((one.started_at - T0) // SECOND, one.length // SECOND) for one in ticket.deadlines}


@pytest.mark.parametrize(
    ("category", "took", "side", "signed", "overall"),
    [
        ("noise", POLICE_TOOK, Side.SERVICE, 3600, 36000),
        ("noise", {}, Side.SERVICE, 3600, 36000),
        ("theft", {}, Side.POLICE, 30, 7200),
        ("theft", POLICE_TOOK, Side.POLICE, 30, 7200),
    ],
)
def test_a_diverted_report_has_the_limits_of_the_side_it_goes_to(
    category: str, took: dict[str, object], side: Side, signed: int, overall: int
) -> None:
    log = Log(policy=BY_SIDE)
    log.add(report("r1", category=category, **took), 0)
    ticket = ticket_of(log, str(took.get("source", "city")))
    assert ticket.side is side
    assert lengths(ticket) == {"overall": (0, overall), "signed": (0, signed)}


def test_what_is_diverted_by_hand_has_the_limits_of_each_side_while_it_is_there() -> None:
    log = handed_over(BY_SIDE)
    log.add(feedback(Action.EXTENSION_REQUESTED, seconds=600), MINUTE)
    log.add(feedback(Action.DIVERTED), 2 * MINUTE)
    assert lengths(ticket_of(log)) == {"overall": (0, 7800), "signed": (120, 30)}
    log.add(feedback(Action.SIGNED), 2 * MINUTE + SECOND)
    log.add(feedback(Action.DIVERSION_RETURNED), 3 * MINUTE)
    assert lengths(ticket_of(log)) == {"overall": (0, 36600), "signed": (180, 3600)}


def test_a_shorter_overall_limit_says_what_has_gone_by_and_a_longer_one_lets_it_come_again() -> None:
    log = handed_over(BY_SIDE)
    log.add(feedback(Action.SIGNED), 0)
    log.add(feedback(Action.DIVERTED), 2 * HOUR)
    log.tick(2 * HOUR + 1)
    steps = [(fact.event.type, fact.envelope.time - T0) for fact in log.decision.facts]
    assert steps == [("lianqin.limit.warned.v1", 2 * HOUR), ("lianqin.limit.passed.v1", 2 * HOUR)]
    log.add(feedback(Action.DIVERSION_RETURNED), 2 * HOUR + 2)
    overall = ticket_of(log).deadlines[0]
    assert (overall.rung, overall.next_at) == (0, T0 + 8 * HOUR)


def overalls(log: Log, at: int) -> list[tuple[str, int]]:
    """What a tick then says of `overall`: which step, and how many seconds after the beginning."""
    log.tick(at)
    return [
        (told(fact).removeprefix("limit.").replace(" overall", ""), (fact.envelope.time - T0) // SECOND)
        for fact in log.decision.facts
        if isinstance(fact.event, Ran) and fact.event.limit == "overall"
    ]


def there_and_back(policy: Policy = BY_SIDE) -> Log:
    """A noise of the service side that the police had for an hour, until 150 % of their two had run."""
    log = handed_over(policy)
    log.add(feedback(Action.SIGNED), 0)
    log.add(feedback(Action.DIVERTED), 2 * HOUR)
    assert overalls(log, 3 * HOUR) == [("warned", 7200), ("passed", 7200), ("carded yellow", 10800)]
    log.add(feedback(Action.DIVERSION_RETURNED), 3 * HOUR)
    assert ticket_of(log).deadlines[0].rung == 0
    return log


def test_what_was_said_before_is_not_said_again_by_a_diversion_there_and_back() -> None:
    log = there_and_back()
    log.add(feedback(Action.DIVERTED), 4 * HOUR)
    assert overalls(log, 4 * HOUR + 1) == [("carded red", 14400)]  # it had gone by when it came, and was never said
    log.add(feedback(Action.DIVERSION_RETURNED), 4 * HOUR + 2)
    log.add(feedback(Action.DIVERTED), 4 * HOUR + 3)
    assert overalls(log, 5 * HOUR) == [("escalated", 18000)]
    log.add(feedback(Action.DIVERSION_RETURNED), 5 * HOUR + 1)
    log.add(feedback(Action.DIVERTED), 5 * HOUR + 2)
    assert ticket_of(log).deadlines[0].rung == -1
    assert overalls(log, 30 * HOUR) == []


def test_what_lies_ahead_on_the_longer_side_is_to_come_and_what_either_said_is_not_said_again() -> None:
    log = there_and_back()
    assert overalls(log, 9 * HOUR) == [("warned", 8 * 3600)]
    log.add(feedback(Action.DIVERTED), 9 * HOUR)
    assert overalls(log, 9 * HOUR + 1) == [("carded red", 9 * 3600), ("escalated", 9 * 3600)]
    log.add(feedback(Action.DIVERSION_RETURNED), 11 * HOUR)
    assert overalls(log, 15 * HOUR) == [("carded yellow", 15 * 3600)]  # passed at ten, while the police had it


def test_a_diversion_says_what_was_said_of_overall_on_either_side() -> None:
    log = handed_over(BY_SIDE)
    there, back = Action.DIVERTED, Action.DIVERSION_RETURNED
    for action, hours in [(there, 2), (back, 3), (there, 3), (back, 4), (there, 5)]:
        log.add(feedback(action), hours * HOUR)
    steps = (Step.WARNED, Step.PASSED, Step.YELLOW, Step.RED)
    gone = [fact.event.said for fact in log.facts if isinstance(fact.event, TicketDiverted)]
    assert gone == [(), steps[:3], steps[:3], steps, steps]
    assert course_of(ticket_of(log)).overall_said == steps


def test_a_diversion_of_an_earlier_build_is_read() -> None:
    log = there_and_back()
    event = next(fact.event for fact in log.facts if isinstance(fact.event, TicketDiverted))
    earlier = encode(event).replace(b',"said":[]', b"")
    assert EVENT.decode(earlier) == event
    assert earlier != encode(event)


def test_a_side_without_an_overall_limit_does_not_forget_what_was_said() -> None:
    log = handed_over(replace(BY_SIDE, limits=(BY_SIDE.limits[0], BY_SIDE.limits[2])))
    log.add(feedback(Action.DIVERTED), 2 * HOUR)
    assert overalls(log, 3 * HOUR) == [("warned", 7200), ("passed", 7200), ("carded yellow", 10800)]
    log.add(feedback(Action.DIVERSION_RETURNED), 3 * HOUR)
    log.add(feedback(Action.DIVERTED), 4 * HOUR)
    assert overalls(log, 4 * HOUR + 1) == [("carded red", 14400)]


@pytest.mark.parametrize("back", [True, False])
def test_another_policy_in_between_does_not_forget_what_was_said_and_counts_it_by_its_own_ladder(back: bool) -> None:
    log, policy = there_and_back(), handed_over(BY_SIDE).memory.rules
    assert policy is not None
    shorter = (replace(BY_SIDE.limits[1], overall=BY_SIDE.limits[0].overall), *BY_SIDE.limits[2:])
    ladder = (Rung(step=Step.YELLOW, percent=60), *POLICY.ladder[:2], *POLICY.ladder[3:])
    limits = BY_SIDE.limits if back else shorter
    another = replace(policy.policy, version="p2", limits=limits, ladder=ladder)
    log.add(PolicyPublished(policy=another), 3 * HOUR)
    if back:
        log.add(feedback(Action.DIVERTED), 3 * HOUR)
    assert overalls(log, 4 * HOUR) == [("carded red", 14400)]


def test_a_reopened_ticket_says_all_of_its_new_time() -> None:
    log = there_and_back()
    log.add(feedback(Action.CLOSED), 4 * HOUR)
    log.add(feedback(Action.REOPENED), 5 * HOUR)
    assert course_of(ticket_of(log)).overall_said == ()
    log.add(feedback(Action.SIGNED), 5 * HOUR)
    log.add(feedback(Action.DIVERTED), 7 * HOUR)
    assert overalls(log, 7 * HOUR + 1) == [("warned", 7 * 3600), ("passed", 7 * 3600)]


def test_an_overall_limit_that_one_side_alone_has_runs_there_from_the_opening() -> None:
    rows = (LimitRow(side=Side.POLICE, overall=Span(seconds=7200)), LimitRow(stages={Stage.SIGNED: Span(seconds=30)}))
    log = handed_over(replace(BY_SIDE, limits=rows))
    assert lengths(ticket_of(log)) == {"signed": (0, 30)}
    log.add(feedback(Action.DIVERTED), MINUTE)
    assert lengths(ticket_of(log)) == {"overall": (0, 7200), "signed": (60, 30)}
    log.add(feedback(Action.DIVERSION_RETURNED), 2 * MINUTE)
    assert lengths(ticket_of(log)) == {"signed": (120, 30)}


def test_a_reopened_ticket_and_another_policy_go_by_the_side_that_has_it() -> None:
    log = Log(policy=BY_SIDE)
    log.add(report(category="noise", **POLICE_TOOK), 0)
    log.add(PolicyPublished(policy=replace(BY_SIDE, version="p2", reopen_score=1)), MINUTE)
    assert lengths(ticket_of(log, "110")) == {"overall": (0, 36000), "signed": (0, 3600)}
    log.add(feedback(Action.HANDLED, source="110"), MINUTE)
    log.add(feedback(Action.VERIFIED, source="110"), MINUTE)
    log.add(feedback(Action.CLOSED, source="110"), MINUTE)
    log.add(feedback(Action.REOPENED, source="110"), 2 * MINUTE)
    assert lengths(ticket_of(log, "110")) == {"overall": (120, 36000), "signed": (120, 3600)}


def test_a_joint_ticket_has_the_limits_of_its_units_side() -> None:
    log = Log(policy=BY_SIDE)
    log.add(report(category="spill", **POLICE_TOOK), 0)
    sides = {ticket.unit: (ticket.side, lengths(ticket)["signed"]) for ticket in log.memory.tickets.values()}
    assert sides == {
        "gas company": (Side.POLICE, (0, 30)),
        "lamp company": (Side.SERVICE, (0, 3600)),
        "police station": (Side.POLICE, (0, 30)),
    }


def test_a_report_that_is_taken_out_has_the_limits_of_the_side_that_has_it() -> None:
    log = Log(policy=BY_SIDE)
    log.add(report("r1", category="noise", object="o", **POLICE_TOOK), 0)
    log.add(report("r2", category="noise", object="o", **POLICE_TOOK), MINUTE)
    log.add(feedback(Action.UNMERGED, "r2", source="110"), 2 * MINUTE)
    taken = log.memory.tickets[log.ticket_of("r2", "110")]
    assert (taken.side, lengths(taken)) == (Side.SERVICE, {"overall": (60, 36000), "signed": (60, 3600)})


def test_a_policy_of_an_earlier_build_judges_as_it_did() -> None:
    rows = (LimitRow(source="110", stages={Stage.SIGNED: Span(seconds=30)}), *BY_SIDE.limits[1:])
    command = PolicyPublished(policy=replace(BY_SIDE, limits=(rows[0], replace(rows[1], side=None), rows[2])))
    earlier = encode(command).replace(b',"side":null,"overall"', b',"overall"')
    assert b'"kind":null,"overall"' in earlier
    assert COMMAND.decode(earlier) == command
    log = Log(policy=None)
    log.add(earlier, 0)
    log.add(report(category="noise", **POLICE_TOOK), 0)
    assert lengths(ticket_of(log, "110")) == {"overall": (0, 36000), "signed": (0, 30)}


# Limits in a year that nobody has announced

ANNOUNCED = Calendar(
    zone="Asia/Shanghai", periods=((540, 1020),), weekdays=(0, 1, 2, 3, 4), off=(), on=(), years=(2023,)
)
WALL = Span(seconds=600)
SIXTY_DAYS = Span(seconds=60 * 8 * 3600, clock=LimitClock.WORKING)
"""From November into the next year, of which the calendar says nothing."""


def dated(police: Span, service: Span) -> Policy:
    """A table in which each side has a limit of its own."""
    rows = (LimitRow(side=Side.POLICE, overall=police), LimitRow(side=Side.SERVICE, overall=service))
    return replace(BY_SIDE, calendar=ANNOUNCED, limits=rows)


PROVISIONAL = "alarm.raised provisional"


@pytest.mark.parametrize(
    ("police", "service", "alarms"),
    [
        (WALL, WALL, []),
        (WALL, SIXTY_DAYS, [PROVISIONAL]),
        (SIXTY_DAYS, WALL, []),
        (SIXTY_DAYS, SIXTY_DAYS, [PROVISIONAL]),
    ],
)
def test_the_alarm_of_a_new_ticket_is_about_the_limits_of_the_side_it_goes_to(
    police: Span, service: Span, alarms: list[str]
) -> None:
    log = Log(policy=dated(police, service))
    told = log.add(report(category="noise", **POLICE_TOOK), 0)
    assert told == [*AT_OPENING[:2], *alarms, *AT_OPENING[2:]]
    assert [alarm.about for alarm in said(log, AlarmRaised)] == ["overall"] * len(alarms)
    told = log.add(report("r2", category="theft", **POLICE_TOOK), 1)  # stays where it came in
    assert told == [OPENED[0], *([PROVISIONAL] if police is SIXTY_DAYS else []), *OPENED[1:]]


def test_both_alarms_of_a_new_ticket_stand_on_either_side_of_its_diversion() -> None:
    log = Log(policy=dated(WALL, SIXTY_DAYS))
    told = log.add(report(category="litter", **POLICE_TOOK), 0)
    assert told == [AT_OPENING[0], "alarm.raised no-owner", AT_OPENING[1], PROVISIONAL, *AT_OPENING[2:]]


@pytest.mark.parametrize(
    ("police", "service", "there", "back"),
    [(WALL, WALL, 0, 0), (WALL, SIXTY_DAYS, 0, 1), (SIXTY_DAYS, WALL, 1, 0), (SIXTY_DAYS, SIXTY_DAYS, 0, 0)],
)
def test_a_diversion_by_hand_is_an_alarm_where_its_limits_are_provisional_and_were_not(
    police: Span, service: Span, there: int, back: int
) -> None:
    log = Log(policy=dated(police, service))
    log.add(report(category="fight"), 0)
    assert log.add(feedback(Action.DIVERTED), SECOND) == [*DIVERTED[:2], *[PROVISIONAL] * there, *DIVERTED[2:]]
    told = log.add(feedback(Action.DIVERSION_RETURNED), MINUTE)
    assert told == [*RETURNED[:2], *[PROVISIONAL] * back, *RETURNED[2:]]


def test_the_alarm_of_a_diversion_by_hand_is_about_a_limit_that_the_ticket_has_then() -> None:
    rows = (LimitRow(side=Side.POLICE, stages={Stage.SIGNED: WALL, Stage.HANDLED: SIXTY_DAYS}), LimitRow(overall=WALL))
    log = Log(policy=replace(BY_SIDE, calendar=ANNOUNCED, limits=rows))
    log.add(report(category="fight"), 0)
    log.add(feedback(Action.ARRIVED), 1)
    assert log.add(feedback(Action.DIVERTED), SECOND) == DIVERTED  # to be signed anew, and handled after that


# Two alarms are never one ticket

REFUSED = ["command.settled diverted refused not-legal-now"]


def merged_into(log: Log, child: str, master: str) -> None:
    """An operator merges one ticket into another."""
    told = log.add(feedback(Action.MERGE_CONFIRMED, ticket=child, other=master), SECOND)
    assert told[-1] == "command.settled merge-confirmed applied"


def hung(category: str, *below: dict[str, object], **took: object) -> tuple[Log, str, list[str]]:
    """A ticket of that category on the service side, and what hangs on it, each on the one above it."""
    log = Log()
    log.add(report("top", category=category, **took), 0)
    for number, one in enumerate(below):
        log.add(report(f"below {number}", **one), number)
    top, *others = log.memory.tickets
    for child, master in reversed(list(zip(others, [top, *others], strict=False))):
        merged_into(log, child, master)
    assert log.memory.tickets[top].side is Side.SERVICE
    return log, top, others


ALARM: dict[str, object] = {"category": "theft", **POLICE_TOOK}
LAMP: dict[str, object] = {"category": "lamp"}


@pytest.mark.parametrize("below", [(ALARM,), (LAMP, ALARM), (LAMP, LAMP, ALARM)])
def test_what_an_alarm_hangs_on_is_not_diverted_to_the_police(below: tuple[dict[str, object], ...]) -> None:
    log, top, others = hung("fight", *below)
    assert log.add(feedback(Action.DIVERTED, ticket=top), MINUTE) == REFUSED
    assert log.memory.tickets[top].side is Side.SERVICE
    log.add(feedback(Action.UNMERGED, ticket=others[-1]), MINUTE)
    assert log.add(feedback(Action.DIVERTED, ticket=top), MINUTE) == DIVERTED


def test_what_an_alarm_hangs_on_is_not_given_back_to_the_police() -> None:
    log, top, (alarm,) = hung("noise", ALARM, **POLICE_TOOK)
    returned = feedback(Action.DIVERSION_RETURNED, ticket=top)
    assert log.add(returned, MINUTE) == ["command.settled diversion-returned refused not-legal-now"]
    log.add(feedback(Action.UNMERGED, ticket=alarm), MINUTE)
    assert log.add(returned, MINUTE) == RETURNED


def test_an_alarm_that_was_closed_with_it_counts_too() -> None:
    log, top, (alarm,) = hung("fight", ALARM)
    log.add(feedback(Action.CLOSED, ticket=top), MINUTE)
    log.add(feedback(Action.REOPENED, ticket=top), MINUTE)
    assert log.memory.tickets[alarm].closed_at is not None
    assert log.add(feedback(Action.DIVERTED, ticket=top), MINUTE) == REFUSED


def test_no_list_comes_before_whose_alarms_they_would_be() -> None:
    log, top, _ = hung("noise", ALARM)
    assert log.add(feedback(Action.DIVERTED, ticket=top), MINUTE) == [
        REFUSED[0].replace("not-legal-now", "no-diversion")
    ]


def test_one_alarm_in_a_tree_is_legal_and_goes_either_way() -> None:
    log, top, _ = hung("noise", LAMP, LAMP, **POLICE_TOOK)
    assert log.add(feedback(Action.DIVERSION_RETURNED, ticket=top), MINUTE) == RETURNED
    assert log.add(feedback(Action.DIVERTED, ticket=top), MINUTE) == DIVERTED
