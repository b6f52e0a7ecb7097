"""Commands as hypothesis draws them: few names, so that they meet, and times that fall on the limits."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

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

BEGINNINGS = st.sampled_from([T0, T0 + 7 * HOUR + 123, 1_704_036_600_000, 1_696_000_000_001, 1_699_158_000_000])
"""A working day, its middle, the last hour of a year, before an adjusted holiday, the end of a summer time."""

STEPS = st.sampled_from(
    [0, 0, 0, 1, 7, SECOND, 48 * SECOND, MINUTE, MINUTE, 5 * MINUTE, 8 * MINUTE + 13, 48 * MINUTE, HOUR, 2 * HOUR]
    + [8 * HOUR, 10 * HOUR, DAY, -HOUR]
)
"""How much later than the last record; a producer's clock may jump back."""

ORIGINS = st.builds(
    Origin, topic=st.just("lianqin.intake.grid"), partition=st.just(1), offset=st.sampled_from([0, 2**63 - 1])
)
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
    Rung(step=Step.PASSED, percent=100, recipients=("lead", "operator")),
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
        Diversion(name="110", version="3", from_side=Side.SERVICE, to_side=Side.POLICE, categories=("theft", "lamp")),
    ),
    catch_all="street",
    copy_unclear=("street",),
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
        LimitRow(overall=_working(3600), stages={Stage.SIGNED: _working(600), Stage.CONTACTED: _wall(60)}),
        LimitRow(stages={Stage.CALLED_BACK: _working(60)}),
    ),
    ladder=(LADDER[1], Rung(step=Step.YELLOW, percent=120), Rung(step=Step.ESCALATED, percent=200)),
    units=PLAIN.units | {"flood": Unit(name="flood team", level=Level.STREET)},
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


@st.composite
def reports(draw: DrawFn, time: int) -> Report:
    """A report of about that time."""
    rare = draw(st.integers(0, 255))
    source = draw(st.sampled_from(list(SOURCES)))
    lat, lon = draw(st.sampled_from([(None, None), *PLACES]))
    odd = SOURCES["110" if source == "city" else "city"]
    return Report(
        source=source,
        source_id=draw(st.sampled_from(IDS)),
        content=draw(st.sampled_from(["c1", "c1", "c2"])),
        time=time,
        occurred_at=draw(st.sampled_from([time, time, time - HOUR, time - DAY, time + HOUR])),
        area=draw(st.sampled_from(["north", "north", "north", "south"])),
        grid=draw(st.sampled_from([None, "g7"])),
        lat=lat,
        lon=lon,
        category=draw(st.sampled_from(["lamp", "lamp", "gas", "theft", "quarrel", "rest"])),
        urgency=draw(st.sampled_from([None, None, *Urgency])),
        text=draw(st.sampled_from(["", "a smell", "fire and smell", "dark street", "dark", "x"])),
        reporter=draw(st.sampled_from([None, None, None, "ann", "bob"])),
        object=draw(st.sampled_from([None, None, None, "lamp 1", "lamp 2"])),
        details={"tone": "sharp"} if rare & 1 else {},
        side=odd if rare & 14 == 14 else SOURCES[source],
        kind="help" if rare & 16 else None,
        related=draw(st.sampled_from([None, *IDS])) if source == "110" else None,
        self_handled=rare & 96 == 96,
        drill=rare & 129 == 129,
        flags=(Flag.NO_PLACE,) if rare & 3 == 3 else (),
        origin=draw(ORIGINS),
    )


# Feedback

ASKED = {
    RequestKind.RETURN: [Action.RETURN_APPROVED, Action.RETURN_REFUSED],
    RequestKind.EXTENSION: [Action.EXTENSION_APPROVED, Action.EXTENSION_REFUSED],
    RequestKind.SUSPENSION: [Action.SUSPENSION_APPROVED, Action.SUSPENSION_REFUSED],
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
    Action.SUSPENSION_REQUESTED,
    Action.ASSISTED,
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
        return [Action.RESUMED, Action.RESUMED, Action.MERGE_CONFIRMED, Action.VOIDED, Action.URGED]
    if case.standing is Standing.MERGED:
        return [Action.UNMERGED, Action.URGED, Action.CLOSED, Action.MERGE_CONFIRMED]
    if case.request is not None:
        return [*ASKED[case.request.kind] * 8, *AT_WORK]
    if case.stage in WORKED:
        return AT_WORK
    if case.stage is Stage.ACCEPTED:
        return [Action.DISPATCHED, Action.EXTENSION_REQUESTED, Action.SUSPENSION_REQUESTED, Action.CONTACTED]
    return DONE if case.open else ENDED


@st.composite
def feedbacks(draw: DrawFn, time: int, cases: Sequence[Case]) -> Feedback:
    """Feedback of about that time: mostly what fits a ticket, said by whom it behoves; now and then anything."""
    case = draw(st.sampled_from(cases)) if cases and draw(st.integers(0, 15)) else None
    fits = case is not None and draw(st.integers(0, 7)) > 0
    source, source_id, ticket = draw(_named(case))
    return Feedback(
        source=source,
        source_id=source_id,
        ticket=ticket,
        action=draw(st.sampled_from(likely(case) if case and fits else Action)),
        time=time,
        occurred_at=draw(st.sampled_from([time, time, time - 5 * MINUTE, time - DAY, time + HOUR])),
        area=case.area if case else draw(st.sampled_from(["north", "south"])),
        by=draw(_by(case, fits=fits)),
        unit=draw(_unit(case)),
        other=draw(_other(case, cases, fits=fits)),
        seconds=draw(st.sampled_from(SECONDS[:5] if fits else SECONDS)),
        condition=draw(_condition(case, fits=fits)),
        score=draw(st.sampled_from([1, 2, 3, 5] if fits else [None, 0, 1, 5, 6])),
        evidence=("https://example.invalid/1.jpg",) if fits else (),
        note=draw(st.sampled_from(["", "not mine"])),
        flags=() if fits else (Flag.TIME_CLAMPED,),
        origin=draw(ORIGINS),
    )


def _named(case: Case | None) -> st.SearchStrategy[tuple[str, str, str | None]]:
    """A ticket by its id, or by one of its reports, those that joined too; or what there is not."""
    if case is None:
        return st.sampled_from([("city", "a", None), ("grid", "b", None), ("110", "", None), ("city", "", "north.0")])
    joined = [(one.source, one.source_id, None) for one in case.reports]
    return st.sampled_from([("city", "", case.id), ("grid", "x", case.id), *joined, *joined[1:]])


def _by(case: Case | None, *, fits: bool) -> st.SearchStrategy[str | None]:
    ours = [case.unit, *case.assisting] if case else []
    return st.sampled_from([None, None, *ours[:1], *ours] if fits else [None, *ours, "gas company", "somebody"])


def _unit(case: Case | None) -> st.SearchStrategy[str | None]:
    ours = [case.unit, *case.assisting] if case else []
    return st.sampled_from([None, None, *UNITS, *ours])


def _other(case: Case | None, cases: Sequence[Case], *, fits: bool) -> st.SearchStrategy[str | None]:
    if case is None or not fits:
        return st.sampled_from([None, "north.0", *[one.id for one in cases]])
    near = [one.id for one in cases if one.area == case.area and one.drill == case.drill]
    return st.sampled_from([*near, *case.proposed])


def _condition(case: Case | None, *, fits: bool) -> st.SearchStrategy[str | None]:
    running = case.runs.condition if case else None
    return st.sampled_from([running.name, *CONDITIONS[:3]] if fits and running else [None, *CONDITIONS])


@st.composite
def commands(draw: DrawFn, time: int, cases: Sequence[Case]) -> Command | bytes | int:
    """Any record of the log; a policy as its number, which is shorter to print."""
    which = draw(st.integers(0, 63))
    if which < 18:
        return draw(reports(time))
    if which < 54:
        return draw(feedbacks(time, cases))
    if which < 60:
        return Tick(time=draw(st.sampled_from([None, time])))
    if which < 63:
        return draw(st.sampled_from([*range(len(POLICIES)), *range(len(POLICIES)), -1]))
    return draw(st.sampled_from([b"", b"{", b'{"type":"tick","more":1}', b"\xff"]))
