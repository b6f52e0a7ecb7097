"""What the desk says to short logs, as tables: after how long which record, and what follows. Life: `test_life.py`."""

from dataclasses import replace

import pytest

from schemas.codes import Action, Clock, Urgency
from schemas.commands import PolicyPublished, Tick
from schemas.events import LimitPassed, TicketOpened
from schemas.policy import LimitRow, Span, Unit
from streams.desk import indexes
from tests.desk import test_life
from tests.desk.logs import (
    DAY,
    GAS,
    HOUR,
    LAMPS,
    MINUTE,
    POLICY,
    SECOND,
    STATION,
    STREET,
    T0,
    Log,
    feedback,
    folded,
    report,
    told,
)
from tests.desk.telling import Story, check

OPENED = ["ticket.opened", "ticket.dispatched", "report.settled ticketed"]
UNOWNED = ["ticket.opened", "alarm.raised no-owner", "ticket.dispatched", "report.settled ticketed"]

STORIES: dict[str, Story] = {
    "a plain report is three facts": [(0, report(), OPENED)],
    "D0: the same delivery again": [(0, report(), OPENED), (5, report(), ["report.settled repeat"])],
    "D0: the same id with other content, then that again": [
        (0, report(), OPENED),
        (5, report(content="c2"), ["ticket.amended", "report.settled amended"]),
        (6, report(content="c2"), ["report.settled repeat"]),
    ],
    "D0 knows closed tickets too": [
        (0, report(), OPENED),
        (5, feedback(Action.CLOSED), ["ticket.closed", "command.settled closed applied"]),
        (6, report(), ["report.settled repeat"]),
        (7, report(content="c2"), ["ticket.amended", "report.settled amended"]),
    ],
    "D0 is by source and by area": [
        (0, report(), OPENED),
        (1, report(source="110"), OPENED),
        (2, report(area="south"), UNOWNED),
    ],
    "D1: the same reporter asks again": [
        (0, report(reporter="ann"), OPENED),
        (5, report("r2", reporter="ann"), ["ticket.urged", "report.settled urged"]),
        (6, report("r3", reporter="ann", category="gas"), OPENED),
        (7, report("r4", reporter="ann", area="south"), UNOWNED),
        (8, report("r5", reporter="bob"), OPENED),
    ],
    "D1 comes before D2, and not where the objects differ": [
        (0, report(reporter="ann", object="lamp 1"), OPENED),
        (1, report("r2", reporter="ann", object="lamp 1"), ["ticket.urged", "report.settled urged"]),
        (2, report("r3", reporter="ann", object="lamp 2"), OPENED),
        (3, report("r4", reporter="ann"), ["ticket.urged", "report.settled urged"]),
    ],
    "D2: the same object, whoever reports it": [
        (0, report(object="lamp 1"), OPENED),
        (5, report("r2", object="lamp 1", reporter="bob"), ["ticket.merged", "report.settled merged"]),
        (6, report("r3", object="lamp 1", category="gas"), OPENED),
        (7, report("r4", reporter="bob"), ["ticket.urged", "report.settled urged"]),
    ],
    "nothing joins a closed ticket": [
        (0, report(reporter="ann", object="lamp 1"), OPENED),
        (5, feedback(Action.CLOSED), ["ticket.closed", "command.settled closed applied"]),
        (6, report("r2", reporter="ann", object="lamp 1"), OPENED),
    ],
    "limits climb their ladders in order, each step once": [
        (0, report(), OPENED),
        (48 * MINUTE - 1, Tick(), []),
        (48 * MINUTE, Tick(), ["limit.warned signed"]),
        (
            10 * HOUR,
            Tick(),
            [
                "limit.passed signed",
                "limit.carded signed yellow",
                "limit.carded signed red",
                "limit.escalated signed",
                "limit.warned overall",
                "limit.passed overall",
            ],
        ),
        (11 * HOUR, Tick(), []),
        (25 * HOUR, Tick(), ["limit.carded overall yellow", "limit.carded overall red", "limit.escalated overall"]),
        (99 * HOUR, Tick(), []),
    ],
    "a stage's limit ends with the stage, the overall one with the closing": [
        (0, report(), OPENED),
        (50 * MINUTE, Tick(), ["limit.warned signed"]),
        (51 * MINUTE, feedback(Action.SIGNED), ["ticket.signed", "command.settled signed applied"]),
        (2 * HOUR, feedback(Action.CLOSED), ["ticket.closed", "command.settled closed applied"]),
        (20 * HOUR, Tick(), []),
    ],
    "what is unreadable is settled, and the next goes on": [
        (0, b"{", ["command.settled unreadable failed bad-command"]),
        (1, report(), OPENED),
    ],
    "a log keeps its clock": [
        (0, PolicyPublished(policy=replace(POLICY, clock=Clock.LOG)), ["command.settled policy refused wrong-clock"]),
        (1, PolicyPublished(policy=POLICY), ["command.settled policy applied"]),
        (2, PolicyPublished(policy=replace(POLICY, version="p2")), ["command.settled policy applied"]),
    ],
    "closed tickets leave on a tick": [
        (0, report(), OPENED),
        (1, feedback(Action.CLOSED), ["ticket.closed", "command.settled closed applied"]),
        (DAY, Tick(), []),
        (DAY, report(), ["report.settled repeat"]),
        (DAY + 1, report(), ["report.settled repeat"]),
        (DAY + 1, Tick(), []),
        (DAY + 2, report(), OPENED),
    ],
}


@pytest.mark.parametrize("story", (STORIES | test_life.STORIES).values(), ids=STORIES | test_life.STORIES)
def test_a_story_goes_the_same_where_all_that_is_looked_for_hashes_alike(
    monkeypatch: pytest.MonkeyPatch, story: Story
) -> None:
    monkeypatch.setattr(indexes, "hash", lambda _: 7, raising=False)
    check(story)


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_story(story: Story) -> None:
    check(story)


def test_feedback_goes_on_waiting_over_a_restart() -> None:
    log = Log()
    log.add(feedback(Action.CLOSED), 0)
    log.memory = folded(log.state)
    assert log.memory.next_due() == T0 + 2 * HOUR
    assert log.add(report(), 1)[3:] == ["ticket.closed", "command.settled closed applied"]


def test_without_a_policy_nothing_is_lost() -> None:
    log = Log(policy=None)
    assert log.add(report(), 0) == ["command.settled report failed bug"]
    assert log.decision.letters[0].letter.hint == "deciding raised LookupError"
    assert log.add(feedback(Action.SIGNED), 1) == ["command.settled signed failed bug"]
    assert log.add(Tick(), 2) == []
    assert log.memory.time == 0


@pytest.mark.parametrize(
    ("changes", "urgency", "unit"),
    [
        ({}, Urgency.ROUTINE, LAMPS),
        ({"area": "south"}, Urgency.ROUTINE, STREET),
        ({"area": "south", "source": "110"}, Urgency.ROUTINE, STATION),
        ({"category": "gas"}, Urgency.URGENT, GAS),
        ({"category": "gas", "urgency": Urgency.ROUTINE}, Urgency.URGENT, GAS),
        ({"category": "gas", "urgency": Urgency.CRITICAL}, Urgency.CRITICAL, STATION),
        ({"category": "gas", "text": "it is on fire"}, Urgency.CRITICAL, STATION),
        ({"urgency": Urgency.CRITICAL, "text": "a smell"}, Urgency.CRITICAL, LAMPS),
        ({"category": "never heard of"}, Urgency.ROUTINE, STREET),
    ],
)
def test_urgency_and_route(changes: dict[str, str], urgency: Urgency, unit: Unit) -> None:
    log = Log()
    log.add(report("r1", **changes), 0)
    opened = log.decision.facts[0].event
    assert isinstance(opened, TicketOpened)
    assert opened.urgency is urgency
    assert (opened.unit, opened.level) == (unit.name, unit.level)


def test_a_fired_deadline_is_stamped_with_its_due_time() -> None:
    #  0 ---- 48 min warned ---- 60 min passed ---- 80 min now ---- 90 min yellow
    log = Log()
    log.add(report(), 0)
    log.tick(80 * MINUTE)
    passed = log.decision.facts[-1]
    assert isinstance(passed.event, LimitPassed)
    assert (passed.envelope.time, passed.event.allowed, passed.event.unit) == (T0 + HOUR, HOUR, LAMPS.name)
    assert (passed.event.recipients, passed.event.next_at) == (("lead", "operator"), T0 + 90 * MINUTE)
    assert log.decision.late == [32 * MINUTE, 20 * MINUTE]
    assert log.memory.next_due() == T0 + 90 * MINUTE
    assert log.memory.time == T0 + 80 * MINUTE


def test_two_tickets_due_at_once_fire_by_their_ids() -> None:
    log = Log()
    log.add(report("r1"), 0)
    log.add(report("r2"), 0)
    log.tick(HOUR)
    subjects = [fact.envelope.subject for fact in log.decision.facts]
    tickets = sorted(log.memory.tickets)
    assert subjects == tickets + tickets


def test_the_clock_of_the_broker_jumping_back_moves_nothing() -> None:
    log = Log()
    log.add(report(), HOUR)
    log.add(report("r2"), 0)
    assert log.decision.facts[0].envelope.time == T0 + HOUR


def test_under_the_log_clock_the_record_tells_the_time() -> None:
    log = Log(policy=replace(POLICY, clock=Clock.LOG))
    assert log.facts[0].envelope.time == 0
    log.add(report(time=5000), DAY)
    assert log.decision.facts[0].envelope.time == 5000
    log.add(report("r2", time=4000), DAY)
    assert log.decision.facts[0].envelope.time == 5000
    assert log.tick(DAY) == []
    assert log.add(Tick(time=5000 + HOUR), DAY) == ["limit.warned signed"] * 2 + ["limit.passed signed"] * 2


def test_settlements_of_a_ticket_take_its_numbers_and_others_none() -> None:
    log = Log()
    log.add(report(), 0)
    log.add(feedback(Action.SIGNED, ticket="north.none"), 1)
    log.add(feedback(Action.RESUMED), 2)
    numbers = [fact.envelope.sequence for fact in log.facts]
    assert numbers == [None, 1, 2, 3, None, 4]
    unknown = log.facts[4].envelope
    assert (unknown.subject, unknown.key) == (None, unknown.cause.encode())
    assert told(log.facts[5]) == "command.settled resumed refused not-legal-now"


def test_a_suspension_for_longer_than_there_are_dates_has_no_end() -> None:
    log = Log(replace(POLICY, suspension_most_s=0))
    log.add(report(), 0)
    log.add(feedback(Action.SUSPENSION_REQUESTED, seconds=2**62), 1)
    assert log.add(feedback(Action.SUSPENSION_APPROVED), 2)[0] == "ticket.suspended"
    (ticket,) = folded(log.state).tickets.values()
    assert ticket.course is not None
    assert ticket.course.resume_at is None


def test_all_steps_that_another_policy_finds_behind_are_said_at_one_moment() -> None:
    log = Log()
    log.add(report(category="noise", grid="g7"), 0)
    short = replace(POLICY, version="p2", limits=(LimitRow(overall=Span(seconds=1)),))
    assert log.add(PolicyPublished(policy=short), 30 * SECOND)[0] == "limits.changed"
    steps = ["limit.warned", "limit.passed", "limit.carded", "limit.carded", "limit.escalated"]
    assert [one.split(" overall")[0] for one in log.tick(30 * SECOND)] == steps
