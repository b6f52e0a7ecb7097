"""The views stage and the chaos run's own reader, who share no code, tell the same of any log."""

import json

from hypothesis import given, settings

from schemas.events import TicketClosed, TicketDispatched, TicketMerged, TicketOpened
from tests.chaos.views import Expected, Found, differences, missing
from tests.facts import BEGIN, Log, fact
from tests.views.kit import DEPS, Views, viewed
from tests.views.test_batches import logs

NAMES = {"c": "tickets.current", "a": "assignments", "m": "reminders", "d": "candidates", "r": "replies"}


def expected(log: Log) -> Expected:
    reader = Expected()
    for record in log.records:
        reader.take({name: value.decode() for name, value in record.headers}, json.loads(record.value or b""))
    return reader


def found(views: Views) -> Found:
    reader = Found()
    for send in views.sends:
        headers = {name: value.decode() for name, value in send.headers}
        data = None if send.value is None else json.loads(send.value)
        reader.take(NAMES[send.topic], (send.key or b"").decode(), headers, data)
    return reader


@settings(deadline=None)
@given(logs(pauses=(0, 1)))
def test_both_tell_the_same(log: Log) -> None:
    right, views = expected(log), found(viewed(log.records))
    assert list(differences(right, views)) == []
    assert missing(right.newest, right.said, views) == 0


def story() -> Log:
    log = Log()
    for event in (fact(TicketOpened), fact(TicketDispatched), fact(TicketMerged, source_id="s2"), fact(TicketClosed)):
        log.say(event, at=BEGIN, ticket="k1")
    return log


def test_every_way_to_be_wrong_is_found() -> None:
    right = expected(story())
    twice, lost, other, strange, late = (viewed(story().records) for _ in range(5))
    assert list(differences(right, found(twice))) == []
    twice.sends.append(twice.sends[0])
    assert len(list(differences(right, found(twice)))) == 2  # the id, and one answer too much
    lost.sends = [send for send in lost.sends if send.topic != DEPS.assignments]
    assert missing(right.newest, right.said, found(lost)) == 0
    assert list(differences(right, found(lost)))
    other.sends[-1] = other.sends[-1]._replace(value=(other.sends[-1].value or b"").replace(b'"closed"', b'"open"'))
    assert list(differences(right, found(other))) == ["k1 at 4: another view"]
    strange.sends.append(viewed(_of_another().records).sends[0])
    assert len(list(differences(right, found(strange)))) == 1
    late.sends = [send for send in late.sends if send.topic != DEPS.current]
    assert missing(right.newest, right.said, found(late)) == 1


def _of_another() -> Log:
    log = Log(number=7)
    log.say(fact(TicketOpened), at=BEGIN, ticket="k2")
    return log
