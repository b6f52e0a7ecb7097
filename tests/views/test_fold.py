"""What facts make of a view, by example."""

import pytest

from schemas.codec import encode
from schemas.codes import Level, RequestKind, Side, Stage, Standing, Step
from schemas.events import (
    EVENT,
    ConditionMet,
    Event,
    LimitCarded,
    LimitEscalated,
    LimitPassed,
    LimitsChanged,
    LimitWarned,
    MatchProposed,
    ReportClosed,
    RequestMade,
    RequestRefused,
    StageRecorded,
    TicketAbsorbed,
    TicketAdopted,
    TicketAmended,
    TicketArrived,
    TicketAssisted,
    TicketClosed,
    TicketDispatched,
    TicketDiverted,
    TicketExtended,
    TicketHandled,
    TicketLinked,
    TicketMerged,
    TicketOpened,
    TicketRated,
    TicketReleased,
    TicketReminded,
    TicketReopened,
    TicketRestored,
    TicketResumed,
    TicketReturned,
    TicketReworked,
    TicketSigned,
    TicketSuspended,
    TicketUrged,
    TicketVoided,
)
from schemas.views import CurrentTicket, Limit, Status, Voice
from tests.facts import BEGIN, DAY, HOUR, Log, applied, deadline, fact
from tests.views.kit import viewed


def after(*events: Event, drill: bool = False) -> CurrentTicket:
    """The view of `k1` after its opening and these events, an hour apart."""
    log = Log(drills={"k1"} if drill else set())
    for number, event in enumerate((fact(TicketOpened, deadlines=(deadline(),)), *events)):
        log.say(event, at=BEGIN + number * HOUR, ticket="k1")
    return viewed(log.records).current()["k1"]


def test_a_ticket_begins_with_what_was_reported() -> None:
    view = after(drill=True)
    assert (view.ticket, view.sequence, view.status, view.stage) == ("k1", 1, Status.OPEN, Stage.OPENED)
    assert (view.unit, view.level, view.side, view.text, view.area) == ("u1", Level.STREET, Side.SERVICE, "坑洼", "a1")
    assert (view.opened_at, view.updated_at, view.due_at, view.step) == (BEGIN, BEGIN, BEGIN + DAY, None)
    assert view.reports == (Voice(source="src", source_id="s1"),)
    assert view.drill


def test_a_second_ticket_of_a_joint_dispatch_holds_no_report() -> None:
    assert viewed_first(fact(TicketOpened, source_id="")).reports == ()


def viewed_first(opened: TicketOpened) -> CurrentTicket:
    log = Log()
    log.say(opened, at=BEGIN, ticket="k1")
    return viewed(log.records).current()["k1"]


def test_a_settlement_is_the_newest_fact_too() -> None:
    view = after(applied("k1"))
    assert (view.sequence, view.updated_at, view.stage_at) == (2, BEGIN + HOUR, BEGIN)


MOVES: list[tuple[tuple[Event, ...], dict[str, object]]] = [
    (
        (fact(TicketDispatched, unit="u2", level=Level.GRID, assisting=("u3",)),),
        {"stage": Stage.DISPATCHED, "unit": "u2", "level": Level.GRID, "assisting": ("u3",), "stage_at": BEGIN + HOUR},
    ),
    ((fact(TicketDispatched), fact(TicketAssisted, unit="u3")), {"assisting": ("u3",), "stage": Stage.DISPATCHED}),
    ((fact(TicketDispatched), fact(TicketReturned)), {"stage": Stage.ACCEPTED, "returns": 1, "unit": "u1"}),
    ((fact(TicketHandled), fact(TicketReworked)), {"stage": Stage.SIGNED, "reworks": 1}),
    (
        (fact(TicketClosed, on_time=False),),
        {"status": Status.CLOSED, "closed_at": BEGIN + HOUR, "on_time": False, "due_at": None, "limits": ()},
    ),
    (
        (fact(TicketClosed), fact(TicketRated, score=5)),
        {"stage": Stage.RATED, "score": 5, "closed_at": BEGIN + HOUR, "status": Status.CLOSED},
    ),
    (
        (fact(ConditionMet), fact(TicketClosed), fact(TicketReopened)),
        {
            "status": Status.OPEN, "stage": Stage.ACCEPTED, "closed_at": None, "reopened_at": BEGIN + 3 * HOUR,
            "reopens": 1, "on_time": None, "conditions": (),
        },
    ),
    (
        # As the desk says it of a ticket whose rules were replaced while it was closed.
        (fact(TicketClosed), fact(LimitsChanged, policy="p2", deadlines=(), said={}), fact(TicketReopened)),
        {"policy": "p2", "status": Status.OPEN, "closed_at": None, "reopens": 1},
    ),
    (
        (fact(LimitEscalated, level=Level.DISTRICT), fact(TicketClosed), fact(TicketReopened)),
        {"status": Status.OPEN, "reopens": 1, "escalated": None, "step": None},
    ),
    (
        (fact(LimitEscalated, level=Level.DISTRICT), fact(TicketClosed)),
        {"status": Status.CLOSED, "escalated": Level.DISTRICT, "step": None},
    ),
    ((fact(StageRecorded, stage=Stage.ARRIVED),), {"stage": Stage.OPENED, "sequence": 2}),
    (
        (fact(TicketVoided),),
        {"status": Status.CLOSED, "standing": Standing.VOIDED, "stage": Stage.OPENED, "closed_at": BEGIN + HOUR},
    ),
    (
        (fact(TicketSuspended, resume_at=BEGIN + DAY),),
        {"status": Status.OPEN, "standing": Standing.SUSPENDED, "resume_at": BEGIN + DAY},
    ),
    (
        (fact(TicketSuspended, resume_at=BEGIN + DAY), fact(TicketResumed)),
        {"standing": Standing.RUNNING, "resume_at": None},
    ),
    ((fact(RequestMade, request=RequestKind.EXTENSION),), {"request": RequestKind.EXTENSION}),
    ((fact(RequestMade), fact(RequestRefused)), {"request": None}),
    ((fact(RequestMade), fact(TicketArrived)), {"request": RequestKind.RETURN}),
    ((fact(RequestMade), fact(TicketHandled)), {"request": None}),
    ((fact(RequestMade), fact(TicketExtended)), {"request": None, "standing": Standing.RUNNING}),
    (
        (fact(TicketDiverted, from_side=Side.SERVICE, to_side=Side.POLICE),),
        {"side": Side.POLICE, "diverted_from": Side.SERVICE},
    ),
    (
        (fact(TicketDiverted, to_side=Side.POLICE), fact(TicketDiverted, to_side=Side.SERVICE, returned=True)),
        {"side": Side.SERVICE, "diverted_from": None},
    ),
    ((fact(ConditionMet, condition="fenced"),), {"conditions": ("fenced",)}),
    ((fact(TicketReminded), fact(TicketUrged, source_id="s2")), {"urges": 2}),
    ((fact(TicketLinked, other="k2"), fact(TicketLinked, other="k2", why="joint")), {"links": ("k2",)}),
    ((fact(LimitsChanged, policy="p2"),), {"policy": "p2"}),
    ((fact(MatchProposed),), {"sequence": 2, "standing": Standing.RUNNING}),
    ((fact(TicketAdopted, child="k2"), fact(TicketAdopted, child="k3")), {"children": ("k2", "k3")}),
    ((fact(TicketAdopted, child="k2"), fact(TicketReleased, child="k2", source_id="")), {"children": ()}),
    ((fact(TicketAbsorbed, into="k9"),), {"standing": Standing.MERGED, "merged_into": "k9", "status": Status.OPEN}),
    (
        (fact(TicketAbsorbed, into="k9"), fact(TicketRestored, master="k9")),
        {"standing": Standing.RUNNING, "merged_into": None},
    ),
    (
        (fact(TicketAbsorbed, into="k9"), fact(TicketClosed, with_master="k9")),
        {"standing": Standing.MERGED, "merged_into": "k9", "status": Status.CLOSED},
    ),
    (
        (fact(TicketAbsorbed, into="k9"), fact(TicketClosed)),
        {"standing": Standing.RUNNING, "merged_into": None, "status": Status.CLOSED},
    ),
    ((fact(TicketAmended, text="更正"),), {"text": "更正"}),
    ((fact(TicketMerged, source_id="s2"), fact(TicketAmended, source_id="s2", text="另报")), {"text": "坑洼"}),
]  # fmt: skip


@pytest.mark.parametrize(("events", "expected"), MOVES, ids=lambda given: "-".join(map(_name, given)))
def test_a_fact_leaves_its_trace(events: tuple[Event, ...], expected: dict[str, object]) -> None:
    view = after(*events)
    assert {name: getattr(view, name) for name in expected} == expected


def _name(one: object) -> str:
    return one if isinstance(one, str) else type(one).__name__


def test_reports_join_are_closed_and_leave() -> None:
    view = after(
        fact(TicketMerged, source_id="s2"),
        fact(TicketUrged, source_id="s3"),
        fact(ReportClosed, source_id="s2"),
        fact(TicketReleased, child="k2", source_id="s3"),
    )
    assert view.reports == (
        Voice(source="src", source_id="s1"),
        Voice(source="src", source_id="s2", closed_at=BEGIN + 3 * HOUR),
    )


def test_limits_climb_the_ladder_and_the_worst_is_told() -> None:
    running = (deadline(), deadline("signed", hours=1))
    view = after(
        fact(TicketDispatched, deadlines=running),
        fact(LimitWarned, limit="signed", rung=1),
        fact(LimitPassed, limit="signed", rung=2),
        fact(LimitWarned, rung=1),
    )
    assert view.step is Step.PASSED
    assert view.limits == (
        Limit(limit="overall", due_at=BEGIN + DAY, steps=(Step.WARNED,)),
        Limit(limit="signed", due_at=BEGIN + HOUR, steps=(Step.WARNED, Step.PASSED)),
    )
    later = after(
        fact(LimitWarned, rung=1),
        fact(LimitPassed, rung=2),
        fact(LimitCarded, card=Step.RED, rung=3),
        fact(LimitEscalated, level=Level.DISTRICT, rung=4),
    )
    assert (later.step, later.escalated) == (Step.ESCALATED, Level.DISTRICT)


def test_what_lies_ahead_again_is_not_late() -> None:
    # Passed; then two hours more: the warning lies behind, the passing ahead again.
    view = after(
        fact(LimitWarned, rung=1),
        fact(LimitPassed, rung=2),
        fact(TicketExtended, deadlines=(deadline(hours=26, rung=1),)),
    )
    assert (view.step, view.due_at, view.limits[0].steps) == (Step.WARNED, BEGIN + 26 * HOUR, (Step.WARNED,))


CLIMBED = (fact(LimitWarned, rung=1), fact(LimitPassed, rung=2))
PASSED_ALONE = (Step.PASSED,)
ALL_BUT_RED = (Step.WARNED, Step.PASSED, Step.YELLOW)


@pytest.mark.parametrize(
    ("rung", "said", "step", "steps"),
    [
        (1, {"overall": PASSED_ALONE}, Step.PASSED, PASSED_ALONE),  # the new ladder has no warning
        (3, {"overall": ALL_BUT_RED}, Step.YELLOW, ALL_BUT_RED),  # it has a yellow card, at less than what had run
        (0, {"overall": ()}, None, ()),  # its first step lies ahead
        (1, {}, None, ()),
        (1, None, Step.WARNED, (Step.WARNED,)),  # an earlier build's: cut where the next step stands
        (-1, None, Step.PASSED, (Step.WARNED, Step.PASSED)),
    ],
)
def test_of_another_ladder_those_steps_are_climbed_that_count_as_said(
    rung: int, said: dict[str, tuple[Step, ...]] | None, step: Step | None, steps: tuple[Step, ...]
) -> None:
    changed = fact(LimitsChanged, policy="p2", deadlines=(deadline(rung=rung),), said=said)
    view = after(*CLIMBED, changed)
    assert (view.step, view.limits[0].steps, view.policy) == (step, steps, "p2")


def test_what_was_said_of_the_other_ladder_is_gone_on_with() -> None:
    view = after(
        *CLIMBED,
        fact(LimitsChanged, deadlines=(deadline(rung=1),), said={"overall": PASSED_ALONE}),
        fact(LimitCarded, card=Step.RED, rung=2),
    )
    assert view.limits[0].steps == (Step.PASSED, Step.RED)


def test_a_change_of_limits_in_the_log_of_an_earlier_build_is_read() -> None:
    changed = fact(LimitsChanged, policy="p2", deadlines=(deadline(rung=1),))
    assert EVENT.decode(encode(changed).replace(b',"said":null', b"")) == changed


def test_a_limit_with_nothing_left_to_say_has_said_it() -> None:
    done = (deadline(rung=-1),)
    view = after(fact(LimitWarned, rung=1), fact(LimitPassed, rung=-1), fact(TicketSigned, deadlines=done))
    assert (view.step, view.limits[0].steps) == (Step.PASSED, (Step.WARNED, Step.PASSED))


def test_a_limit_that_stands_still_makes_nothing_late() -> None:
    halted = (deadline(), deadline("handled", hours=2, rung=2, halted=True))
    view = after(
        fact(TicketArrived, deadlines=(deadline(), deadline("handled", hours=2))),
        fact(LimitWarned, limit="handled", rung=1),
        fact(LimitPassed, limit="handled", rung=2),
        fact(TicketHandled, deadlines=halted),
    )
    assert view.step is None
    assert view.limits[1].steps == (Step.WARNED, Step.PASSED)
