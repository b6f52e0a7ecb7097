"""Commands as hypothesis draws them: few names, so that they meet, and times that fall on the limits."""

from dataclasses import replace

from hypothesis import strategies as st

from schemas.codes import Clock, Flag, Stage, Urgency
from schemas.commands import Command, Feedback, Origin, PolicyPublished, Report, Tick
from schemas.policy import Limits, Policy
from tests.desk.logs import DAY, HOUR, MINUTE, POLICY, SECOND

AREAS = st.sampled_from(["north", "south"])
SOURCES = st.sampled_from(["city", "110", "grid"])
IDS = st.sampled_from(["a", "b", "c", "d"])
STEPS = st.sampled_from(
    [0, 0, 1, SECOND, 48 * SECOND, MINUTE, 8 * MINUTE, 48 * MINUTE, HOUR, 2 * HOUR, 8 * HOUR, 10 * HOUR, DAY, -HOUR]
)
"""How much later than the last record; a producer's clock may jump back."""

ORIGINS = st.builds(
    Origin, topic=st.just("lianqin.intake.grid"), partition=st.integers(0, 7), offset=st.integers(0, 2**63 - 1)
)

MILD = replace(POLICY, version="p2", limits={Urgency.ROUTINE: Limits(overall_s=3600)}, wait_s=60, warn_percent=100)
STRICT = replace(
    POLICY,
    version="p3",
    limits=dict.fromkeys(Urgency, Limits(overall_s=60, stages=dict.fromkeys(Stage, 48))),
    closing_sources=(),
    keep_closed_s=3600,
)


def policies(clock: Clock) -> st.SearchStrategy[Policy]:
    """Policies of one clock, and now and then one of the other."""
    return st.builds(
        lambda policy, odd: replace(policy, clock=_other(clock) if odd == 0 else clock),
        st.sampled_from([POLICY, MILD, STRICT]),
        st.integers(0, 9),
    )


def _other(clock: Clock) -> Clock:
    return Clock.LOG if clock is Clock.WALL else Clock.WALL


def reports(time: int) -> st.SearchStrategy[Report]:
    """Reports of about that time."""
    return st.builds(
        Report,
        source=SOURCES,
        source_id=IDS,
        content=st.sampled_from(["c1", "c2"]),
        time=st.just(time),
        occurred_at=st.sampled_from([time, time - HOUR, time - DAY, time + HOUR]),
        area=AREAS,
        category=st.sampled_from(["lamp", "gas"]),
        urgency=st.sampled_from([None, None, *Urgency]),
        text=st.sampled_from(["", "a smell", "fire and smell"]),
        reporter=st.sampled_from([None, "ann", "bob"]),
        object=st.sampled_from([None, "lamp 1", "lamp 2"]),
        flags=st.sampled_from([(), (Flag.NO_PLACE,)]),
        origin=ORIGINS,
    )


def feedbacks(time: int, tickets: list[str]) -> st.SearchStrategy[Feedback]:
    """Feedback of about that time, by the source's own id or by ticket."""
    return st.builds(
        Feedback,
        source=SOURCES,
        source_id=st.one_of(IDS, st.sampled_from(["", "late"])),
        ticket=st.sampled_from([None, None, "north.nothing", *tickets]),
        stage=st.sampled_from(Stage),
        time=st.just(time),
        occurred_at=st.just(time),
        area=AREAS,
        score=st.sampled_from([None, 0, 1, 5, 6]),
        origin=ORIGINS,
    )


def commands(time: int, clock: Clock, tickets: list[str]) -> st.SearchStrategy[Command | bytes]:
    """Any record of the log."""
    return st.one_of(
        reports(time),
        reports(time),
        feedbacks(time, tickets),
        feedbacks(time, tickets),
        st.builds(Tick, time=st.sampled_from([None, time])),
        st.builds(PolicyPublished, policy=policies(clock)),
        st.sampled_from([b"", b"{", b'{"type":"tick","more":1}', b"\xff"]),
    )
