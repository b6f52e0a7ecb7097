"""The views' agent: batches in, records out; the memory, and who leaves it. No Faust and no Kafka."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from agents.views import ViewsCounts, ViewsDeps, answer_to, build
from schemas.codes import Fate, Outcome, Refusal
from schemas.envelope import derived_id, envelope_of
from schemas.events import (
    AlarmRaised,
    CommandSettled,
    LimitPassed,
    MatchProposed,
    ReportSettled,
    TicketAbsorbed,
    TicketAdopted,
    TicketClosed,
    TicketDispatched,
    TicketHandled,
    TicketOpened,
    TicketReopened,
    TicketUrged,
    TicketVoided,
)
from schemas.views import KEEP_CLOSED_MS, VIEWS_TIME_KEY, Status, view_key
from streams.ownership.batch import Answer, Batch
from streams.views.memory import ViewsMemory
from tests.facts import BEGIN, HOUR, Log, Made, fact
from tests.views.kit import DEPS, Views, batch_of, viewed

NULL: bytes = None  # type: ignore[assignment]  # Kafka's headers may be null, whatever the client's types say


@dataclass
class Watcher:
    """Keeps what it is told."""

    told: list[ViewsCounts] = field(default_factory=list)

    def views_batch(self, counts: ViewsCounts) -> None:
        """Keep it."""
        self.told.append(counts)


def opened(*tickets: str) -> Log:
    log = Log(number=3)
    for ticket in tickets:
        log.say(fact(TicketOpened), at=BEGIN, ticket=ticket)
    return log


def test_the_newest_view_is_sent_once_a_batch_and_stands_in_the_state() -> None:
    log = opened("k1")
    log.say(fact(TicketDispatched), at=BEGIN, ticket="k1")
    answer = answer_to(batch_of(log.records, ViewsMemory()), DEPS)
    assert [send.topic for send in answer.sends] == ["r", "a", "r", "c"]
    current = answer.sends[-1]
    assert answer.state[view_key("k1")] == current.value
    assert set(answer.state) == {view_key("k1"), VIEWS_TIME_KEY}
    assert {send.partition for send in answer.sends} == {0}
    assert {send.key for send in answer.sends} == {b"k1"}


def test_what_is_sent_says_of_which_event_it_was_made() -> None:
    log = opened("k1")
    log.drills.add("k1")
    log.say(fact(TicketDispatched), at=BEGIN + HOUR, ticket="k1")
    cause = envelope_of(log.records[1].headers)
    sends = viewed(log.records).sends
    envelopes = [envelope_of(send.headers) for send in sends]
    assert [envelope.type for envelope in envelopes] == [
        "lianqin.reply.v1", "lianqin.assignment.v1", "lianqin.reply.v1", "lianqin.ticket.v1",
    ]  # fmt: skip
    assert {envelope.cause for envelope in envelopes[1:]} == {cause.id}
    assert [envelope.id for envelope in envelopes[1:]] == [
        derived_id(f"{cause.id}/views/0"), derived_id(f"{cause.id}/views/1"), derived_id(f"{cause.id}/view"),
    ]  # fmt: skip
    assert {envelope.source for envelope in envelopes} == {"/lianqin/test/views"}
    assert (envelopes[-1].sequence, envelopes[-1].time, envelopes[-1].subject) == (2, BEGIN + HOUR, "k1")


def test_the_memory_changes_when_the_answer_is_taken() -> None:
    memory, log = ViewsMemory(), opened("k1")
    answer_to(batch_of(log.records, memory), DEPS).take()
    log.say(fact(TicketClosed), at=BEGIN + HOUR, ticket="k1")
    answer = answer_to(batch_of(log.records[1:], memory), DEPS)
    assert (memory.views["k1"].status, memory.time, list(memory.leaving)) == (Status.OPEN, BEGIN, [])
    answer.take()
    assert (memory.views["k1"].status, memory.time) == (Status.CLOSED, BEGIN + HOUR)
    assert list(memory.leaving) == [(BEGIN + HOUR, "k1")]


@pytest.mark.parametrize("closing", [TicketClosed, TicketVoided])
@pytest.mark.parametrize("split", [True, False])
def test_a_view_leaves_by_the_time_of_events(closing: type[TicketClosed] | type[TicketVoided], split: bool) -> None:
    log = opened("k1", "k2")
    log.say(fact(closing), at=BEGIN, ticket="k1")
    log.say(fact(TicketUrged), at=BEGIN + KEEP_CLOSED_MS - 1, ticket="k2")
    views = viewed(log.records)
    assert set(views.current()) == {"k1", "k2"}
    log.say(fact(TicketUrged), at=BEGIN + KEEP_CLOSED_MS, ticket="k2")
    if split:
        views.again()
        views.batch(log.records[-1:])
    else:
        views = viewed(log.records)
    assert set(views.current()) == {"k2"}
    assert set(views.state) == {view_key("k2"), VIEWS_TIME_KEY}
    assert list(views.memory.leaving) == []


def test_who_was_opened_again_stays() -> None:
    log = opened("k1")
    log.say(fact(TicketClosed), at=BEGIN, ticket="k1")
    log.say(fact(TicketReopened), at=BEGIN + HOUR, ticket="k1")
    log.say(fact(TicketClosed), at=BEGIN + 2 * HOUR, ticket="k1")
    log.say(fact(TicketOpened), at=BEGIN + KEEP_CLOSED_MS + HOUR, ticket="k2")
    assert set(viewed(log.records).current()) == {"k1", "k2"}
    log.say(fact(TicketUrged), at=BEGIN + KEEP_CLOSED_MS + 2 * HOUR, ticket="k2")
    assert set(viewed(log.records).current()) == {"k2"}


def test_what_cannot_be_taken_in_is_counted_and_the_next_goes_on() -> None:
    log = opened("k1")
    log.say(fact(TicketUrged), at=BEGIN, ticket="gone")
    good = log.records[0]
    bad = [
        Made(topic="t", partition=0, offset=offset, timestamp=BEGIN, value=value, headers=headers)
        for offset, (value, headers) in enumerate(
            [(b"{}", good.headers), (good.value, []), (None, good.headers), (good.value, [*good.headers, ("x", NULL)])]
        )
    ]
    watcher = Watcher()
    deps = ViewsDeps(current="c", assignments="a", reminders="m", candidates="d", replies="r", metrics=watcher)
    views = Views()
    views.batch([*bad, *log.records[1:], good], deps)
    assert watcher.told[0].passed_over == {"unreadable": 4, "no-view": 1}
    assert set(views.current()) == {"k1"}


def test_settlements_of_tickets_that_left_are_answered_all_the_same() -> None:
    log = Log()
    log.say(fact(ReportSettled, fate=Fate.REPEAT, ticket="gone"), at=BEGIN, ticket="gone")
    log.say(fact(CommandSettled, outcome=Outcome.REFUSED, reason=Refusal.NOT_LEGAL_NOW), at=BEGIN, ticket="gone")
    views = viewed(log.records)
    assert [send.topic for send in views.sends] == ["r", "r"]


def test_a_childs_reply_is_of_the_childs_matter() -> None:
    log = opened("k1", "k2")
    log.say(fact(TicketAbsorbed, into="k1"), at=BEGIN, ticket="k2")
    log.say(fact(TicketAdopted, child="k2"), at=BEGIN, ticket="k1")
    log.say(fact(TicketHandled), at=BEGIN + HOUR, ticket="k1")
    told = [envelope_of(send.headers) for send in viewed(log.records).sends if send.topic == "r"][-2:]
    assert [(one.subject, one.matter, one.sequence) for one in told] == [("k1", "k1", 3), ("k2", "k2", 2)]


def test_metrics_are_told_once_the_batch_is_taken() -> None:
    watcher = Watcher()
    deps = ViewsDeps(current="c", assignments="a", reminders="m", candidates="d", replies="r", metrics=watcher)
    log = opened("k1")
    for event in (fact(LimitPassed), fact(LimitPassed), fact(AlarmRaised), fact(MatchProposed), fact(TicketUrged)):
        log.say(event, at=BEGIN, ticket="k1")
    answer = answer_to(batch_of(log.records, ViewsMemory()), deps)
    assert watcher.told == []
    answer.take()
    assert watcher.told == [
        ViewsCounts(steps={"passed": 2}, alarms={"no-owner": 1}, findings={"proposed": 1}, passed_over={})
    ]


async def test_a_batch_is_answered_and_a_bug_fails_it() -> None:
    async def batches(*given: Batch[ViewsMemory]) -> AsyncIterator[Batch[ViewsMemory]]:
        for batch in given:
            yield batch

    loop = asyncio.get_running_loop()
    right, wrong = (
        Batch("views", 0, opened("k1").records, memory, loop.create_future())
        for memory in (ViewsMemory(), ViewsMemory())
    )
    wrong.memory = None  # type: ignore[assignment]  # a bug, for once
    await build(DEPS)(batches(wrong, right))
    assert isinstance(await right.answer, Answer)
    with pytest.raises(AttributeError):
        await wrong.answer
