"""Commands as they are drawn: few names, so that they meet, and times that fall on the limits.

Who draws is a function that picks one of several: hypothesis, which looks for the smallest story of a failure, or a
seeded generator, which is even-handed and quick.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from schemas.codes import Action, Clock, Flag, Level, LimitClock, RequestKind, Side, Stage, Standing, Step, Urgency
from schemas.commands import Command, Feedback, Origin, PolicyPublished, Report, Tick
from schemas.policy import (
    Calendar,
    Category,
    Condition,
    Diversion,
    Duplicates,
    LimitRow,
    Policy,
    Route,
    Rung,
    Span,
    Unit,
)
from tests.desk.logs import DAY, HOUR, MINUTE, SECOND, T0
from tests.desk.model import WORKED, Case

T = TypeVar("T")


class Pick(Protocol):
    """Picks one of several."""

    def __call__(self, options: Sequence[T], /) -> T:
        """One of them."""
        ...


BEGINNINGS = [T0, T0 + 7 * HOUR + 123, 1_704_036_600_000, 1_696_000_000_001, 1_696_089_000_000]
"""A working day, its middle, the last hour of a year, before an adjusted holiday, where a summer time begins."""

STEPS = [
    0,
    0,
    0,
    1,
    1,
    7,
    7,
    SECOND,
    SECOND,
    48 * SECOND,
    MINUTE,
    MINUTE,
    5 * MINUTE,
    8 * MINUTE + 13,
    48 * MINUTE,
    HOUR,
    2 * HOUR,
]
STEPS += [8 * HOUR, 10 * HOUR, DAY, -HOUR]
"""How much later than the last record; a producer's clock may jump back."""

ORIGINS = [Origin(topic="lianqin.intake.grid", partition=1, offset=2**63 - 1), None]
SOURCES = {"city": Side.SERVICE, "110": Side.POLICE, "grid": Side.SERVICE}
IDS = ["a", "b", "c", "d", "e"]
UNITS = ["lamps", "gas company", "street", "station", "flood", "watch", "North Town watch", "somebody"]
SECONDS = [600, 60, 3600, 7200, None, -1, 0, 7201, 2**62]
"""Most are an extension that may be granted; the last is more than a clock can show."""
CONDITIONS = ["fenced", "repaired", "restored", "painted"]
PLACES = [(32.0, 118.0), (32.0001, 118.0), (32.0003, 118.0002), (32.0020, 118.0), (32.01, 118.01), (91.0, 118.0)]
"""The same spot, 11 m, 38 m, 222 m and more than a kilometre away, and what is no place on earth."""


# Policies


def _wall(seconds: int) -> Span:
    return Span(seconds=seconds)


def _working(seconds: int) -> Span:
    return Span(seconds=seconds, clock=LimitClock.WORKING)


OFFICE = Calendar(
    zone="Asia/Shanghai",
    periods=((540, 720), (810, 1080)),
    off=("2023-09-29", "2023-10-02", "2024-01-01"),
    on=("2023-10-07", "2023-12-31"),
    years=(2023,),
)
LADDER = (
    Rung(step=Step.WARNED, percent=80, recipients=("lead",)),
    Rung(step=Step.PASSED, percent=100, recipients=("unit", "watch", "desk", "operator")),
    Rung(step=Step.YELLOW, percent=150),
    Rung(step=Step.RED, percent=200),
    Rung(step=Step.ESCALATED, percent=250, recipients=("leader",)),
)
PLAIN = Policy(
    version="p1",
    district="pukou",
    clock=Clock.WALL,
    areas={"north": "North Town"},
    calendar=OFFICE,
    limits=(
        LimitRow(category="gas", area="north", overall=_wall(7200), stages={Stage.SIGNED: _wall(300)}),
        LimitRow(source="110", kind="help", stages={Stage.ARRIVED: _wall(600)}),
        LimitRow(side=Side.POLICE, urgency=Urgency.ROUTINE, overall=_wall(5400), stages={Stage.SIGNED: _wall(48)}),
        LimitRow(urgency=Urgency.CRITICAL, overall=_wall(3600), stages={Stage.SIGNED: _wall(60)}),
        LimitRow(urgency=Urgency.URGENT, overall=_working(7200), stages={Stage.HANDLED: _working(3600)}),
        LimitRow(
            overall=_working(14400),
            stages={
                Stage.ACCEPTED: _wall(60),
                Stage.DISPATCHED: _wall(600),
                Stage.SIGNED: _working(1800),
                Stage.HANDLED: _working(10800),
                Stage.VERIFIED: _wall(3600),
                Stage.CLOSED: _wall(60),
            },
        ),
    ),
    conditions={
        "gas": (
            Condition(name="fenced", title="fenced off", span=_wall(1800)),
            Condition(name="repaired", title="repaired", span=_working(5400)),
            Condition(name="restored", title="the road restored", span=_wall(3600)),
        )
    },
    ladder=LADDER,
    categories={
        "lamp": Category(near_m=50, near_s=86400),
        "gas": Category(urgency=Urgency.URGENT, near_m=250, near_s=7200),
        "theft": Category(side=Side.POLICE, near_m=100, near_s=3600),
        "quarrel": Category(side=None, near_m=100, near_s=3600),
    },
    keywords={"fire": Urgency.CRITICAL, "smell": Urgency.URGENT},
    duplicates=Duplicates(threshold=30, most=2, recurrence_s=43200),
    units={
        "lamps": Unit(name="lamp company", level=Level.DISTRICT),
        "gas": Unit(name="gas company", level=Level.DISTRICT),
        "street": Unit(name="{area} street office", level=Level.STREET),
        "station": Unit(name="police station", level=Level.DISTRICT, side=Side.POLICE),
        "watch": Unit(name="{area} watch", level=Level.COMMUNITY),
        "grid": Unit(name="grid {grid}", level=Level.GRID),
        "flood": Unit(name="flood team", level=Level.STREET, active=False),
    },
    routes=(
        Route(category="lamp", area="north", hours=(1320, 360), units=("station",)),
        Route(category="lamp", area="north", units=("lamps", "watch"), assist=("gas",)),
        Route(urgency=Urgency.CRITICAL, side=Side.POLICE, units=("station",)),
        Route(category="gas", source="city", units=("flood",)),
        Route(category="gas", units=("flood", "gas"), joint=("station", "flood", "watch"), copies=("street",)),
        Route(category="lamp", grid="g7", units=("grid",)),
        Route(side=Side.POLICE, units=("station",), copies=("watch",)),
        Route(category="quarrel", hours=(540, 1080), units=("watch", "grid"), assist=("flood", "street")),
        Route(category="theft", source="grid", units=("watch",)),
    ),
    diversions=(
        Diversion(name="12345", version="1", from_side=Side.POLICE, to_side=Side.SERVICE, categories=("lamp", "rest")),
        Diversion(
            name="110",
            version="3",
            from_side=Side.SERVICE,
            to_side=Side.POLICE,
            categories=("theft", "lamp", "gas", "quarrel"),
        ),
    ),
    catch_all="street",
    copy_unclear=("street",),
    copy_danger=("station",),
    extension_first_s=600,
    extension_most_s=7200,
    suspension_most_s=86400,
    reopen_score=2,
    closing_sources=("city",),
    back_date_s=3600,
    wait_s=7200,
    keep_closed_s=86400,
)

KEPT = replace(
    PLAIN,
    version="p2",
    running="keep",
    calendar=replace(OFFICE, periods=((480, 1200),), years=(2022,), weekdays=(0, 1, 2, 3, 4, 5)),
    limits=(
        LimitRow(side=Side.SERVICE, overall=_working(3600), stages={Stage.SIGNED: _working(600)}),
        LimitRow(stages={Stage.SIGNED: _wall(60), Stage.CONTACTED: _wall(60)}),
        LimitRow(stages={Stage.CALLED_BACK: _working(60)}),
    ),
    ladder=(LADDER[1], Rung(step=Step.YELLOW, percent=120), Rung(step=Step.ESCALATED, percent=200)),
    units=PLAIN.units
    | {"flood": Unit(name="flood team", level=Level.STREET), "desk": Unit(name="{area} desk", level=Level.STREET)},
    categories=PLAIN.categories | {"lamp": Category(near_m=250, near_s=3600, urgency=Urgency.URGENT)},
    extension_first_s=0,
    suspension_most_s=3600,
    reopen_score=0,
    wait_s=60,
)
STRICT = replace(
    PLAIN,
    version="p3",
    calendar=replace(OFFICE, zone="Australia/Lord_Howe", years=(2023, 2024)),
    limits=(LimitRow(overall=_working(60), stages=dict.fromkeys(list(Stage)[2:], _wall(48))),),
    conditions={
        "gas": (
            Condition(name="painted", title="painted", span=_wall(600)),
            Condition(name="repaired", title="repaired", span=_wall(1200)),
        ),
        "lamp": (Condition(name="fenced", title="fenced off", span=_working(60)),),
    },
    categories=PLAIN.categories | {"lamp": Category(near_m=50, near_s=86400, urgency=Urgency.CRITICAL)},
    ladder=(Rung(step=Step.WARNED, percent=50), *LADDER[:4]),
    duplicates=Duplicates(threshold=60, most=1, link_s=60, recurrence_s=0),
    closing_sources=(),
    keep_closed_s=3600,
    back_date_s=0,
)
LOOSE = replace(
    PLAIN,
    version="p4",
    running="keep",
    areas={"north": "New North"},
    units=PLAIN.units | {"watch": Unit(name="{area} night watch", level=Level.COMMUNITY)},
    calendar=None,
    limits=(LimitRow(category="lamp", stages={Stage.HANDLED: _working(1800)}), LimitRow(overall=_wall(36000))),
    conditions={},
    ladder=LADDER[:2],
    routes=(),
    diversions=(),
    catch_all="grid",
    closing_sources=("110", "grid"),
    suspension_most_s=0,
    extension_most_s=600,
)
POLICIES = [PLAIN, KEPT, STRICT, LOOSE]


def published(number: int, clock: Clock) -> PolicyPublished:
    """A policy by its place in the list; by its place from the end it is one of the other clock."""
    other = Clock.LOG if clock is Clock.WALL else Clock.WALL
    return PolicyPublished(policy=replace(POLICIES[number], clock=clock if number >= 0 else other))


# Reports


def report_of(pick: Pick, time: int) -> Report:
    """A report of about that time."""
    source = pick(list(SOURCES))
    lat, lon = pick([(None, None), *PLACES, *PLACES[:3]])
    odd = SOURCES["110" if source == "city" else "city"]
    return Report(
        source=source,
        source_id=pick(IDS),
        content=pick(["c1", "c1", "c2"]),
        time=time,
        occurred_at=pick([time, time, time - HOUR, time - DAY, time + HOUR]),
        area=pick(["north", "north", "north", "south"]),
        grid=pick([None, "g7"]),
        lat=lat,
        lon=lon,
        category=pick(["lamp", "lamp", "gas", "gas", "theft", "quarrel", "rest"]),
        urgency=pick([None, None, *Urgency]),
        text=pick(["", "a smell", "fire and smell", "dark street", "dark", "x"]),
        reporter=pick([None, None, "ann", "bob"]),
        object=pick([None, None, "lamp 1", "lamp 2"]),
        details=pick([{}, {"tone": "sharp"}]),
        side=pick([SOURCES[source]] * 7 + [odd]),
        kind=pick([None, "help"]),
        related=pick([None, *IDS]) if source == "110" else None,
        self_handled=pick([False] * 7 + [True]),
        drill=pick([False] * 7 + [True]),
        flags=pick([(), (Flag.NO_PLACE,)]),
        origin=pick(ORIGINS),
    )


# Feedback

ASKED = {
    RequestKind.RETURN: [Action.RETURN_APPROVED, Action.RETURN_REFUSED],
    RequestKind.EXTENSION: [Action.EXTENSION_APPROVED, Action.EXTENSION_REFUSED],
    RequestKind.SUSPENSION: [Action.SUSPENSION_APPROVED, Action.SUSPENSION_APPROVED, Action.SUSPENSION_REFUSED],
}
AT_WORK = [
    Action.DISPATCHED,
    Action.SIGNED,
    Action.CONTACTED,
    Action.ARRIVED,
    Action.HANDLED,
    Action.HANDLED,
    Action.RETURN_REQUESTED,
    Action.EXTENSION_REQUESTED,
    Action.EXTENSION_REQUESTED,
    Action.SUSPENSION_REQUESTED,
    Action.ASSISTED,
    Action.CONDITION_MET,
    Action.CONDITION_MET,
    Action.DIVERTED,
    Action.DIVERSION_RETURNED,
    Action.MERGE_CONFIRMED,
    Action.MERGE_CONFIRMED,
    Action.MERGE_REFUSED,
    Action.UNMERGED,
    Action.CLOSED,
]
DONE = [Action.VERIFIED, Action.CALLED_BACK, Action.CLOSED, Action.CLOSED, Action.REWORKED, *AT_WORK[1:4]]
ENDED = [Action.RATED, Action.REOPENED, Action.RATED, Action.UNMERGED]


def likely(case: Case) -> list[Action]:
    """What one would do with a ticket as it stands."""
    if case.standing is Standing.SUSPENDED:
        return [Action.RESUMED] * 4 + [Action.MERGE_CONFIRMED, Action.VOIDED, Action.URGED]
    if case.standing is Standing.MERGED:
        return [Action.UNMERGED, Action.URGED, Action.CLOSED, Action.MERGE_CONFIRMED]
    if case.request is not None:
        return [*ASKED[case.request.kind] * 8, *AT_WORK]
    if case.stage is Stage.ACCEPTED:
        return [Action.DISPATCHED, Action.EXTENSION_REQUESTED, Action.SUSPENSION_REQUESTED, Action.CONTACTED]
    done = DONE if case.open else ENDED
    return AT_WORK + between_sides(case) if case.stage in WORKED else done


def between_sides(case: Case) -> list[Action]:
    """What was once diverted goes there and back; so would what others hang on."""
    moved = case.diverted_from is not None or case.runs.told != ()
    return [Action.DIVERTED, Action.DIVERSION_RETURNED] * (4 * moved + 10 * (case.children != []))


def feedback_of(pick: Pick, time: int, cases: Sequence[Case]) -> Feedback:
    """Feedback of about that time: mostly what fits a ticket, said by whom it behoves; now and then anything."""
    unsettled = [
        case for case in cases if case.request is not None or case.standing is not Standing.RUNNING or case.children
    ]
    case = pick([*cases, *unsettled, None])
    fits = case is not None and pick([True] * 5 + [False])
    source, source_id, ticket = _named(pick, case)
    likely_now = likely(case) if case and fits else list(Action)
    if case and ticket is None and (source, source_id) in [(one.source, one.source_id) for one in case.reports[1:]]:
        likely_now = [Action.CLOSED, Action.UNMERGED, *likely_now]
    return Feedback(
        source=source,
        source_id=source_id,
        ticket=ticket,
        action=pick(likely_now),
        time=time,
        occurred_at=pick([time, time, time - 5 * MINUTE, time - DAY, time + HOUR]),
        area=case.area if case else pick(["north", "south"]),
        by=_by(pick, case, fits=fits),
        unit=pick([None, None, *UNITS, *_units_of(case)]),
        other=_other(pick, case, cases, fits=fits),
        seconds=pick([*SECONDS[:5] * 2, SECONDS[-1]] if fits else SECONDS),
        condition=_condition(pick, case, fits=fits),
        score=pick([1, 2, 3, 5, 6] if fits else [None, 0, 1, 5, 6]),
        evidence=("https://example.invalid/1.jpg",) if fits else (),
        note=pick(["", "not mine"]),
        flags=() if fits else (Flag.TIME_CLAMPED,),
        origin=pick(ORIGINS),
    )


def _named(pick: Pick, case: Case | None) -> tuple[str, str, str | None]:
    """A ticket by its id, or by one of its reports, those that joined too; or what there is not."""
    if case is None:
        return pick([("city", "a", None), ("grid", "b", None), ("110", "", None), ("city", "", "north.0")])
    joined = [(one.source, one.source_id, None) for one in case.reports]
    return pick([("city", "", case.id), ("grid", "x", case.id), *joined, *joined[1:]])


def _units_of(case: Case | None) -> list[str]:
    return [case.unit, *case.assisting] if case else []


def _by(pick: Pick, case: Case | None, *, fits: bool) -> str | None:
    ours = _units_of(case)
    return pick([None, None, *ours[:1], *ours] if fits else [None, *ours, "gas company", "somebody"])


def _other(pick: Pick, case: Case | None, cases: Sequence[Case], *, fits: bool) -> str | None:
    if case is None or not fits:
        return pick([None, "north.0", *[one.id for one in cases]])
    near = [one.id for one in cases if one.area == case.area and one.drill == case.drill]
    return pick([*near, *case.proposed, *case.proposed])


def _condition(pick: Pick, case: Case | None, *, fits: bool) -> str | None:
    running = case.runs.condition if case else None
    return pick([running.name, *CONDITIONS[:3]] if fits and running else [None, *CONDITIONS])


# Any record


def command_of(pick: Pick, time: int, cases: Sequence[Case]) -> Command | bytes | int:
    """Any record of the log; a policy as its number, which is shorter to print."""
    kind = pick(["report"] * 9 + ["feedback"] * 20 + ["tick"] * 2 + ["policy", "garbage"])
    if kind == "report":
        return report_of(pick, time)
    if kind == "feedback":
        return feedback_of(pick, time, cases)
    if kind == "tick":
        return Tick(time=pick([None, time]))
    if kind == "policy":
        number: int = pick([*range(len(POLICIES)), *range(len(POLICIES)), -1])
        return number
    garbage = [b"", b"{", b'{"type":"tick","more":1}', b"\xff"]
    return pick(garbage)
