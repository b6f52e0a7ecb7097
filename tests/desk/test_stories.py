"""What the desk says to short logs, as tables: after how long which record, and what follows."""

from dataclasses import replace

import pytest

from schemas.codes import Clock, Flag, Level, Stage, Urgency
from schemas.commands import Command, PolicyPublished, Tick
from schemas.events import LimitPassed, TicketClosed, TicketDispatched, TicketOpened
from schemas.policy import Unit
from streams.desk.memory import DeskMemory
from tests.desk.logs import (
    DAY,
    HOUR,
    LAMPS,
    MINUTE,
    POLICY,
    SECOND,
    STATION,
    STREET,
    T0,
    Log,
    bytes_of,
    decide_batch,
    feedback,
    folded,
    remembered,
    report,
    told,
)

OPENED = ["ticket.opened", "ticket.dispatched", "report.settled ticketed"]
Step = tuple[int, Command | bytes, list[str]]

STORIES: dict[str, list[Step]] = {
    "a plain report is three facts": [(0, report(), OPENED)],
    "D0: the same delivery again": [(0, report(), OPENED), (5, report(), ["report.settled repeat"])],
    "D0: the same id with other content, then that again": [
        (0, report(), OPENED),
        (5, report(content="c2"), ["ticket.amended", "report.settled amended"]),
        (6, report(content="c2"), ["report.settled repeat"]),
    ],
    "D0 knows closed tickets too": [
        (0, report(), OPENED),
        (5, feedback(Stage.CLOSED), ["ticket.closed", "command.settled closed applied"]),
        (6, report(), ["report.settled repeat"]),
        (7, report(content="c2"), ["ticket.amended", "report.settled amended"]),
    ],
    "D0 is by source and by area": [
        (0, report(), OPENED),
        (1, report(source="110"), OPENED),
        (2, report(area="south"), OPENED),
    ],
    "D1: the same reporter asks again": [
        (0, report(reporter="ann"), OPENED),
        (5, report("r2", reporter="ann"), ["ticket.urged", "report.settled urged"]),
        (6, report("r3", reporter="ann", category="gas"), OPENED),
        (7, report("r4", reporter="ann", area="south"), OPENED),
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
        (5, feedback(Stage.CLOSED), ["ticket.closed", "command.settled closed applied"]),
        (6, report("r2", reporter="ann", object="lamp 1"), OPENED),
    ],
    "a joined report is closed by itself": [
        (0, report(object="lamp 1"), OPENED),
        (1, report("r2", object="lamp 1"), ["ticket.merged", "report.settled merged"]),
        (2, feedback(Stage.SIGNED, "r2"), ["command.settled signed refused not-legal-now"]),
        (3, feedback(Stage.CLOSED, "r2"), ["report.closed", "command.settled closed applied"]),
        (4, feedback(Stage.CLOSED, "r2"), ["command.settled closed refused not-legal-now"]),
        (5, feedback(Stage.CLOSED), ["ticket.closed", "command.settled closed applied"]),
    ],
    "the whole loop": [
        (0, report(source="grid"), OPENED),
        (1, feedback(Stage.SIGNED, source="grid"), ["ticket.signed", "command.settled signed applied"]),
        (2, feedback(Stage.HANDLED, source="grid"), ["ticket.handled", "command.settled handled applied"]),
        (3, feedback(Stage.CLOSED, source="grid"), ["command.settled closed refused not-legal-now"]),
        (4, feedback(Stage.VERIFIED, source="grid"), ["ticket.verified", "command.settled verified applied"]),
        (5, feedback(Stage.CLOSED, source="grid"), ["ticket.closed", "command.settled closed applied"]),
        (6, feedback(Stage.CLOSED, source="grid"), ["command.settled closed refused not-legal-now"]),
        (7, feedback(Stage.RATED, source="grid"), ["command.settled rated refused bad-score"]),
        (8, feedback(Stage.RATED, source="grid", score=6), ["command.settled rated refused bad-score"]),
        (9, feedback(Stage.RATED, source="grid", score=5), ["ticket.rated", "command.settled rated applied"]),
        (10, feedback(Stage.RATED, source="grid", score=5), ["command.settled rated refused not-legal-now"]),
    ],
    "feedback on a ticket that is not there": [
        (0, feedback(Stage.SIGNED, ticket="north.none"), ["command.settled signed refused unknown"]),
        (1, feedback(Stage.SIGNED, ""), ["command.settled signed refused unknown"]),
    ],
    "feedback waits for its report": [
        (0, feedback(Stage.HANDLED), []),
        (1, feedback(Stage.CLOSED), []),
        (2, feedback(Stage.CLOSED, area="south"), []),
        (
            3,
            report(),
            [
                *OPENED,
                "ticket.handled",
                "command.settled handled applied",
                "ticket.closed",
                "command.settled closed applied",
            ],
        ),
        (7199_999, Tick(), []),
        (7200_002, Tick(), ["command.settled closed refused unknown"]),
        (7200_003, Tick(), []),
    ],
    "limits warn and pass in order, each once": [
        (0, report(), OPENED),
        (48 * MINUTE - 1, Tick(), []),
        (48 * MINUTE, Tick(), ["limit.warned signed"]),
        (10 * HOUR, Tick(), ["limit.passed signed", "limit.warned overall", "limit.passed overall"]),
        (11 * HOUR, Tick(), []),
    ],
    "a stage's limit ends with the stage, the overall one with the closing": [
        (0, report(), OPENED),
        (50 * MINUTE, Tick(), ["limit.warned signed"]),
        (51 * MINUTE, feedback(Stage.SIGNED), ["ticket.signed", "command.settled signed applied"]),
        (2 * HOUR, feedback(Stage.CLOSED), ["ticket.closed", "command.settled closed applied"]),
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
        (1, feedback(Stage.CLOSED), ["ticket.closed", "command.settled closed applied"]),
        (DAY, Tick(), []),
        (DAY, report(), ["report.settled repeat"]),
        (DAY + 1, report(), ["report.settled repeat"]),
        (DAY + 1, Tick(), []),
        (DAY + 2, report(), OPENED),
    ],
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_story(story: list[Step]) -> None:
    log = Log()
    assert [(after, log.add(command, after)) for after, command, _ in story] == [(s[0], s[2]) for s in story]


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_story_in_one_batch_and_folded(story: list[Step]) -> None:
    log = Log()
    for after, command, _ in story:
        log.add(command, after)
    assert remembered(folded(log.state)) == remembered(log.memory)
    together = DeskMemory()
    draft, decisions = decide_batch(together, log.entries)
    assert bytes_of([fact for decision in decisions for fact in decision.facts]) == bytes_of(log.facts)
    draft.take()
    assert remembered(together) == remembered(log.memory)


def test_feedback_goes_on_waiting_over_a_restart() -> None:
    log = Log()
    log.add(feedback(Stage.CLOSED), 0)
    log.memory = folded(log.state)
    assert log.memory.next_due() == T0 + 2 * HOUR
    assert log.add(report(), 1)[3:] == ["ticket.closed", "command.settled closed applied"]


def test_without_a_policy_nothing_is_lost() -> None:
    log = Log(policy=None)
    assert log.add(report(), 0) == ["command.settled report failed bug"]
    assert log.decision.letters[0].letter.hint == "deciding raised LookupError"
    assert log.add(feedback(Stage.SIGNED), 1) == ["command.settled signed failed bug"]
    assert log.add(Tick(), 2) == []
    assert log.memory.time == 0


@pytest.mark.parametrize(
    ("changes", "urgency", "unit"),
    [
        ({}, Urgency.ROUTINE, LAMPS),
        ({"area": "south"}, Urgency.ROUTINE, STREET),
        ({"area": "south", "source": "110"}, Urgency.ROUTINE, STATION),
        ({"category": "gas"}, Urgency.URGENT, STREET),
        ({"category": "gas", "urgency": Urgency.ROUTINE}, Urgency.URGENT, STREET),
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


def test_dates_are_capped_and_durations_are_log_time() -> None:
    #  report 0 h, said to be of the day before ---- closed 9 h, said to be of tomorrow ---- due 10 h
    log = Log()
    log.add(report(occurred_at=T0 - DAY), 0)
    opened = log.facts[1].event
    log.add(feedback(Stage.CLOSED, occurred_at=T0 + DAY, flags=(Flag.TIME_CLAMPED,)), 9 * HOUR)
    closed = log.decision.facts[-2].event
    assert isinstance(opened, TicketOpened)
    assert opened.occurred_at == T0 - HOUR
    assert isinstance(closed, TicketClosed)
    assert closed.occurred_at == T0 + 9 * HOUR
    assert (closed.took, closed.spent, closed.limit, closed.on_time) == (9 * HOUR, 9 * HOUR, HOUR, True)
    assert closed.inferred == (Stage.SIGNED, Stage.HANDLED, Stage.VERIFIED)
    assert closed.flags == (Flag.TIME_CLAMPED,)
    assert closed.deadlines == ()


@pytest.mark.parametrize(("after", "on_time"), [(10 * HOUR, True), (10 * HOUR + 1, False)])
def test_on_time_ends_with_the_limit(after: int, on_time: bool) -> None:
    log = Log()
    log.add(report(), 0)
    log.add(feedback(Stage.CLOSED), after)
    closed = log.decision.facts[-2].event
    assert isinstance(closed, TicketClosed)
    assert closed.on_time is on_time


def test_a_fired_deadline_is_stamped_with_its_due_time() -> None:
    log = Log()
    log.add(report(), 0)
    log.tick(2 * HOUR)
    passed = log.decision.facts[-1]
    assert isinstance(passed.event, LimitPassed)
    assert (passed.envelope.time, passed.event.allowed) == (T0 + HOUR, HOUR)
    assert log.decision.late == [2 * HOUR - 48 * MINUTE, HOUR]
    assert log.memory.next_due() == T0 + 8 * HOUR
    assert log.memory.time == T0 + 2 * HOUR


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


def test_an_operator_can_dispatch_what_was_not() -> None:
    log = Log()
    log.add(report(), 0)
    ticket = log.memory.tickets[log.ticket_of()]
    for unit, expected in [
        (None, (LAMPS.name, LAMPS.level)),
        ("police station", (STATION.name, STATION.level)),
        ("a new unit", ("a new unit", Level.DISTRICT)),
    ]:
        log.memory.tickets[ticket.id] = replace(ticket, stage=Stage.ACCEPTED)
        log.add(feedback(Stage.DISPATCHED, ticket=ticket.id, unit=unit), SECOND)
        dispatched = log.decision.facts[0].event
        assert isinstance(dispatched, TicketDispatched)
        assert (dispatched.unit, dispatched.level) == expected
        after = log.memory.tickets[ticket.id]
        assert (after.unit, after.level) == expected


def test_an_urgency_without_limits_has_none() -> None:
    log = Log(policy=replace(POLICY, limits={}))
    log.add(report(), 0)
    assert log.tick(DAY) == []
    log.add(feedback(Stage.CLOSED), DAY)
    closed = log.decision.facts[0].event
    assert isinstance(closed, TicketClosed)
    assert (closed.on_time, closed.limit) == (True, None)


def test_settlements_of_a_ticket_take_its_numbers_and_others_none() -> None:
    log = Log()
    log.add(report(), 0)
    log.add(feedback(Stage.SIGNED, ticket="north.none"), 1)
    log.add(feedback(Stage.OPENED), 2)
    numbers = [fact.envelope.sequence for fact in log.facts]
    assert numbers == [None, 1, 2, 3, None, 4]
    unknown = log.facts[4].envelope
    assert (unknown.subject, unknown.key) == (None, unknown.cause.encode())
    assert told(log.facts[5]) == "command.settled opened refused not-legal-now"
