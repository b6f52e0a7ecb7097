"""However a log is cut into batches, and whoever takes over between them: the same is said, the same is known."""

from dataclasses import replace
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codes import Flag, Outcome, Refusal, Step
from schemas.events import (
    CommandSettled,
    Event,
    LimitCarded,
    ReportClosed,
    ReportSettled,
    TicketAdopted,
    TicketAmended,
    TicketAssisted,
    TicketEvent,
    TicketMerged,
    TicketOpened,
    TicketReleased,
    TicketUrged,
)
from schemas.views import CURRENT, VIEWS_TIME_KEY, view_key
from tests.facts import BEGIN, DAY, Log, deadline, fact
from tests.views.kit import DEPS, Views, viewed

TICKETS = ("k1", "k2", "k3")
KINDS = [kind for kind in get_args(TicketEvent) if kind is not TicketOpened]
ONE = st.sampled_from(TICKETS)


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Any fact but an opening; in whatever order they come, the fold must hold."""
    kind = draw(st.sampled_from([*KINDS, ReportSettled, CommandSettled]))
    chosen: dict[str, object] = {}
    if "deadlines" in _of(kind):
        rungs = st.integers(0, 3)
        chosen["deadlines"] = (deadline(rung=draw(rungs)), deadline("signed", hours=1, rung=draw(rungs)))
    for name in {"other", "into", "child", "master"} & _of(kind):
        chosen[name] = draw(st.sampled_from(TICKETS[1:]) if kind is TicketAdopted else ONE)
    if kind is LimitCarded:
        chosen["card"] = draw(st.sampled_from((Step.YELLOW, Step.RED)))
    if kind is CommandSettled and draw(st.booleans()):
        chosen |= {"outcome": Outcome.REFUSED, "reason": draw(st.sampled_from(list(Refusal)))}
    made: Event = fact(kind, **chosen)
    return made


def _of(kind: type[Event]) -> set[str]:
    return set(kind.__dataclass_fields__)


@st.composite
def logs(draw: st.DrawFn, pauses: tuple[int, ...] = (0, 1, DAY, 40 * DAY)) -> Log:
    """A log of three tickets; days pass, so that the closed ones leave."""
    log, at = Log(), BEGIN
    for ticket in TICKETS:
        split = draw(st.booleans())
        log.say(fact(TicketOpened, flags=(Flag.SPLIT,) if split else ()), at=at, ticket=ticket)
    for number, event in enumerate(draw(st.lists(events(), max_size=30))):
        at += draw(st.sampled_from(pauses))
        if isinstance(event, TicketUrged | TicketMerged):
            event = replace(event, source_id=f"j{number}")  # noqa: PLW2901 - no report joins twice
        elif isinstance(event, TicketAssisted):
            event = replace(event, unit=f"a{number}")  # noqa: PLW2901 - nor helps a unit twice
        elif isinstance(event, TicketReleased | ReportClosed | TicketAmended):
            earlier = [f"j{joined}" for joined in range(number)]
            event = replace(event, source_id=draw(st.sampled_from(["s1", "", *earlier])))  # noqa: PLW2901 - of those
        # Only the first takes others in: no ticket is its own master's master.
        log.say(event, at=at, ticket=TICKETS[0] if isinstance(event, TicketAdopted) else draw(ONE))
    return log


@settings(deadline=None)
@given(logs(), st.lists(st.integers(1, 6), min_size=1, max_size=12), st.booleans())
def test_any_cut_and_any_restart_says_the_same(log: Log, cuts: list[int], restarts: bool) -> None:
    whole, cut, first = viewed(log.records), Views(), 0
    for number in range(len(log.records)):
        last = first + cuts[number % len(cuts)]
        if first < len(log.records):
            cut.batch(log.records[first:last])
            if restarts:
                cut.again()
        first = last
    assert [one for one in cut.sends if one.topic != DEPS.current] == [
        one for one in whole.sends if one.topic != DEPS.current
    ]
    assert cut.current() == whole.current()
    assert cut.state == whole.state


@settings(deadline=None)
@given(logs())
def test_the_state_is_what_subscribers_have_and_each_id_stands_once(log: Log) -> None:
    views = viewed(log.records)
    known = {view_key(ticket): view for ticket, view in views.current().items()}
    assert {key: CURRENT.decode(raw) for key, raw in views.state.items() if key != VIEWS_TIME_KEY} == known
    ids = [dict(send.headers)["ce_id"] for send in views.sends if send.value is not None]
    assert len(set(ids)) == len(ids)
