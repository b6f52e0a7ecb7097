"""The parts below the rules: the agenda, the overlay, the fold's refusals."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import encode
from schemas.codes import Action, Flag, RequestKind, Side, Stage
from schemas.commands import Command, Origin, PolicyPublished, Tick
from schemas.events import ReportSettled, TicketArrived
from schemas.state import Course, Request, Ticket, Waiting
from streams.desk import decide as deciding
from streams.desk import memory as memories
from streams.desk.agenda import SLICE_MS, Agenda, Coming
from streams.desk.dedup import attached_as
from streams.desk.draft import Draft
from streams.desk.due import WAIT
from streams.desk.evolve import evolve, evolve_own
from streams.desk.firing import fire_due
from streams.desk.indexes import Indexes, report_key
from streams.desk.memory import DeskMemory
from streams.desk.overlay import Overlay, Undo
from streams.desk.turn import Turn
from tests.desk.logs import HOUR, POLICY, T0, Log, decide_batch, entry, feedback, folded, remembered, report, told

TIMES = st.integers(-2, 5).map(lambda number: number * SLICE_MS // 2)
ENTRIES = st.lists(st.tuples(TIMES, st.sampled_from("abc")), max_size=30)


@given(ENTRIES, ENTRIES, st.lists(st.booleans(), max_size=80), st.booleans())
def test_an_agenda_is_read_in_order_and_changes_when_its_view_is_taken(
    base: list[tuple[int, str]], coming: list[tuple[int, str]], moves: list[bool], few: bool
) -> None:
    newest: dict[str, tuple[int, str]] = {}
    agenda = Agenda[tuple[int, str]](lambda one: one[1] if one[1] in newest else None, newest.get)
    for some in [[one] for one in base] if few else [base * 40]:
        agenda.add(some)
    slow = sorted(base if few else base * 40)
    assert agenda.first() == (slow[0] if slow else None)
    view, before = Coming(agenda), list(slow)
    for push in moves:
        if push and coming:
            view.push(coming[-1])
            slow = sorted([*slow, coming.pop()])
        elif slow:
            assert view.peek() == slow.pop(0)
            view.pop()
    assert view.peek() == (slow[0] if slow else None)
    assert [agenda.after(read) for read in range(len(before) + 1)] == [*before, None]
    view.take()
    assert [agenda.after(read) for read in range(len(slow) + 1)] == [*slow, None]


def test_an_agenda_lets_go_of_what_is_over() -> None:
    agenda = Agenda[tuple[int, str]](lambda _: None, lambda _: None)
    agenda.add([(number, "") for number in range(10_000)])
    for over in (3_000, 3_000, 1_000):
        agenda.drop(over)
    agenda.add([(7_000, "again")])
    assert [agenda.after(read) for read in range(3)] == [(7_000, ""), (7_000, "again"), (7_001, "")]
    agenda.add([(9_999, "late"), *[(8_000, str(number)) for number in range(99)]])
    left = 10_000 - 7_000 + 1 + 100
    assert agenda.after(left) is None
    assert agenda.after(left - 1) == (9_999, "late")
    agenda.drop(left)
    assert agenda.first() is None


@given(st.lists(st.tuples(st.sampled_from("abcd"), TIMES, st.integers(0, 3)), max_size=40))
def test_what_is_kept_by_its_name_comes_at_its_newest_time(changes: list[tuple[str, int, int]]) -> None:
    newest: dict[str, tuple[int, str]] = {}
    agenda = Agenda[tuple[int, str]](lambda one: one[1], newest.get)

    def holds(one: tuple[int, str]) -> bool:
        return newest.get(one[1]) == one

    for name, when, looks in changes:
        newest[name] = (when, name)
        agenda.add([newest[name]])
        for _ in range(looks):  # as the desk does: what no longer holds is passed over, what is over has no next
            while (first := agenda.first()) is not None and not holds(first):
                agenda.drop(1)
            assert first == min(newest.values(), default=None)
            if first is not None:
                agenda.drop(1)
                del newest[first[1]]
    left = []
    while (first := agenda.first()) is not None:
        left += [first] if holds(first) and first not in left else []
        agenda.drop(1)
    assert left == sorted(newest.values())


def test_an_overlay_goes_back_to_its_mark() -> None:
    base = {"a": 1, "b": 2}
    undo = Undo()
    overlay = Overlay(base, undo)
    overlay.put("a", 3)
    undo.mark()
    overlay.put("a", None)
    overlay.put("b", None)
    overlay.put("c", 4)
    overlay.put("c", None)
    undo.rollback()
    assert (overlay.get("a"), overlay.get("b"), overlay.get("c")) == (3, 2, None)
    assert dict(overlay.changes) == {"a": 3}
    overlay.put("b", None)
    assert base == {"a": 1, "b": 2}
    overlay.take()
    assert base == {"a": 3}


def test_a_state_record_of_no_known_kind_is_refused() -> None:
    memory = DeskMemory()
    memory.fold(b"x:1", b"{}")
    with pytest.raises(ValueError, match="no known kind"):
        memory.folded()


def test_a_ticket_that_another_build_wrote_is_refused() -> None:
    memory = DeskMemory()
    memory.fold(b"t:north.1", b"\x93\xa0\xa6matter\x01")
    with pytest.raises(ValueError, match=r"ticket north\.1 cannot be read, another build"):
        memory.folded()


def test_a_tombstone_forgets_what_was_folded() -> None:
    log = Log()
    log.add(report(), 0)
    memory = DeskMemory()
    for key, value in log.state.items():
        memory.fold(key, value)
        memory.fold(key, None)
    memory.folded()
    assert (list(memory.tickets), memory.rules, memory.next_due()) == ([], None, None)


def test_a_ticket_begins_with_its_opening() -> None:
    log = Log()
    log.add(report(), 0)
    with pytest.raises(LookupError, match="not opened"):
        evolve(None, log.facts[-1])


def test_a_ticket_changed_by_its_maker_is_what_it_would_have_been() -> None:
    log = Log()
    log.add(report(category="spill", side=Side.POLICE), 0)
    log.add(report("r2", category="noise", side=Side.POLICE, lat=32.0, lon=118.6), 1)
    for number, action in enumerate((Action.SIGNED, Action.DIVERSION_RETURNED, Action.CLOSED, Action.REOPENED)):
        log.add(feedback(action, "r2"), 2 + number)
    tickets: dict[str, Ticket] = {}
    for fact in log.facts[1:]:  # the first is the policy's
        name = str(fact.envelope.subject)
        before = tickets.get(name)
        after = tickets[name] = evolve(before, fact)
        if before is not None:
            twin = replace(before)
            assert evolve_own(twin, fact) == after
            assert before.sequence == after.sequence - 1  # whoever else holds it sees no change
    assert tickets == log.memory.tickets


def test_what_befell_a_ticket_stays_with_it_when_it_moves() -> None:
    log = Log()
    log.add(report(), 0)
    asked = Request(kind=RequestKind.RETURN, at=1, by=None, seconds=None, note="")
    told = {field.name: f"its {field.name}" for field in fields(Course)} | {
        "request": asked,
        "inferred": (Stage.SIGNED,),
    }
    before = replace(log.memory.tickets[log.ticket_of()], course=Course(**told))  # type: ignore[arg-type]  # whatever they are
    log.add(feedback(Action.ARRIVED), 1)
    (arrived,) = (fact for fact in log.facts if isinstance(fact.event, TicketArrived))
    after = evolve(before, arrived).course
    assert after == Course(**told | {"inferred": (Stage.SIGNED, Stage.SIGNED, Stage.CONTACTED)})  # type: ignore[arg-type]


def test_an_index_that_disagrees_with_its_ticket_is_a_bug() -> None:
    log = Log()
    log.add(report(), 0)
    with pytest.raises(LookupError, match="differ"):
        attached_as(log.memory.tickets[log.ticket_of()], "city", "another")


def test_waits_that_ended_otherwise_are_passed_over() -> None:
    memory = DeskMemory()
    memory.due.add([(0, WAIT, "w:gone", "command")])
    draft = Draft(memory)
    turn = Turn(draft, entry(0, 0, Tick()), 0)
    fire_due(turn)
    assert turn.decision.facts == []
    memory.prune()
    assert memory.due.first() is None


def test_what_a_failed_command_changed_is_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    log.add(feedback(Action.CLOSED, "r2"), 0)
    log.add(report(object="lamp 1", reporter="ann"), 0)
    before = dict(log.state)

    def broken(turn: Turn, command: Command) -> None:
        untold(turn, command)
        raise RuntimeError

    untold = deciding._apply  # noqa: SLF001 - a bug that comes after all that was done well
    monkeypatch.setattr(deciding, "_apply", broken)
    assert log.add(report("r2", object="lamp 1"), 0) == ["command.settled report failed bug"]
    assert log.add(feedback(Action.CLOSED), 0) == ["command.settled closed failed bug"]
    changed = PolicyPublished(policy=replace(POLICY, version="p2"))
    assert log.add(changed, 0) == ["command.settled policy failed bug"]
    assert log.add(Tick(), 0) == []
    assert log.decision.letters[0].letter.origin.topic == "lianqin.desk"
    assert log.state == before
    monkeypatch.undo()
    assert log.add(report("r2", object="lamp 1"), 0)[:2] == ["ticket.merged", "report.settled merged"]
    assert log.tick(HOUR) == ["limit.warned signed", "limit.passed signed"]


def test_feedback_that_fails_does_not_take_its_report_along(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    log.add(feedback(Action.CLOSED), 0)

    def broken(turn: Turn, command: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(deciding, "decide_feedback", broken)
    said = log.add(report(), 0)
    assert said == [
        "ticket.opened",
        "ticket.dispatched",
        "report.settled ticketed",
        "command.settled closed failed bug",
    ]
    assert isinstance(log.decision.facts[2].event, ReportSettled)
    (letter,) = log.decision.letters
    assert letter.raw == encode(feedback(Action.CLOSED))
    assert log.memory.waiting == {}


def test_an_index_that_cannot_follow_fails_its_own_command(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()

    def broken(indexes: Indexes, ticket: Ticket) -> None:
        untold(indexes, ticket)
        if ticket.reports[0].source_id == "r2":
            raise RuntimeError

    untold = Indexes.begin
    monkeypatch.setattr(Indexes, "begin", broken)
    commands = [report(), report("r2"), report("r3")]
    draft, decisions = decide_batch(log.memory, [entry(number, 0, one) for number, one in enumerate(commands, 1)])
    settled = ["report.settled ticketed", "command.settled report failed bug", "report.settled ticketed"]
    assert [told(decision.facts[-1]) for decision in decisions] == settled
    draft.take()
    assert sorted(log.memory.reports) == sorted(report_key("north", "city", name) for name in ("r1", "r3"))
    assert sum(log.memory.load.values()) == len(log.memory.tickets) == 2


def test_an_empty_wait_has_no_entries() -> None:
    memory = DeskMemory()
    memory.fold(b"w:[]", encode(Waiting(held=())))
    memory.folded()
    assert memory.next_due() is None


def test_what_is_named_twice_on_an_agenda_happens_once() -> None:
    log = Log()
    log.add(report(), 0)
    log.add(feedback(Action.CLOSED), 0)
    closed = log.memory.closed.first()
    assert closed is not None
    log.memory.closed.add([closed])
    log.tick(30 * 24 * HOUR)
    assert (list(log.memory.tickets), log.memory.closed.first()) == ([], None)


def test_only_the_feedback_whose_wait_ended_is_refused() -> None:
    log = Log()
    log.add(feedback(Action.SIGNED), 0)
    log.add(feedback(Action.CLOSED), HOUR)
    assert log.tick(2 * HOUR) == ["command.settled signed refused unknown"]
    assert log.add(report(), 2 * HOUR)[3:] == ["ticket.closed", "command.settled closed applied"]


def test_each_of_two_waits_is_found_among_both() -> None:
    log = Log(policy=replace(POLICY, wait_s=7200))
    log.add(feedback(Action.SIGNED), 0)
    log.add(PolicyPublished(policy=replace(POLICY, wait_s=60)), 1)
    log.add(feedback(Action.CLOSED), 2)
    assert log.tick(HOUR) == ["command.settled closed refused unknown"]
    assert log.tick(3 * HOUR) == ["command.settled signed refused unknown"]


UNKNOWN = ["command.settled closed refused unknown"]


def held_in(log: Log) -> int:
    """How much feedback waits for the report."""
    return sum(len(waiting.held) for waiting in log.memory.waiting.values())


def test_feedback_that_is_sent_again_and_again_waits_once() -> None:
    log = Log()
    said = feedback(Action.CLOSED, by="street office", note="已处置完毕，请核查。")
    assert log.add(said, 0) == []
    again = replace(said, time=said.time + 1, origin=Origin(topic="lianqin.intake.feedback", partition=0, offset=9))
    assert log.add(said, 1) == log.add(again, 2) == UNKNOWN  # answered, as every command is
    assert held_in(log) == 1
    assert log.tick(2 * HOUR) == UNKNOWN
    assert log.add(again, 2 * HOUR) == []  # the first waits no more: it is a new one


@pytest.mark.parametrize(
    "other",
    [
        {"action": Action.VERIFIED},
        {"occurred_at": T0 + 1},
        {"by": "street office"},
        {"note": "已处置"},
        {"evidence": ("https://example.invalid/1.jpg",)},
        {"score": 5},
        {"flags": (Flag.TIME_CLAMPED,)},
    ],
)
def test_feedback_that_says_anything_else_waits_too(other: dict[str, object]) -> None:
    log = Log()
    assert log.add(feedback(Action.CLOSED), 0) == log.add(feedback(**({"action": Action.CLOSED} | other)), 1) == []  # type: ignore[arg-type]  # tests name the fields they mean
    assert held_in(log) == 2


def test_only_so_much_feedback_waits_for_one_report() -> None:
    log = Log()
    for number in range(64):
        assert log.add(feedback(Action.CLOSED, note=str(number)), number) == []
    assert log.add(feedback(Action.CLOSED, note="64"), 64) == UNKNOWN
    assert log.add(feedback(Action.CLOSED, "r2"), 65) == []  # each report has its own
    assert held_in(log) == 65
    assert log.tick(2 * HOUR) == UNKNOWN
    assert log.add(feedback(Action.CLOSED, note="64"), 2 * HOUR) == []


def test_the_record_of_what_waits_for_one_report_stays_small() -> None:
    log = Log()
    long = "请核查" * 40_000  # 360,000 bytes
    assert log.add(feedback(Action.CLOSED, note=f"1{long}"), 0) == log.add(feedback(Action.CLOSED, note=f"2{long}"), 1)
    assert held_in(log) == 2
    assert log.add(feedback(Action.CLOSED, note=f"3{long}"), 2) == UNKNOWN
    assert log.add(feedback(Action.CLOSED, note="short"), 3) == []
    assert log.add(feedback(Action.CLOSED, "r2", note=3 * long), 4) == UNKNOWN  # one that is too long alone, too
    assert max(len(value) for value in log.state.values()) <= 1_000_000
    assert remembered(folded(log.state)) == remembered(log.memory)


def test_a_record_may_be_as_long_as_it_may_be() -> None:
    log = Log()
    log.add(feedback(Action.CLOSED), 0)
    (short,) = (len(value) for key, value in log.state.items() if key.startswith(b"w:"))
    assert log.add(feedback(Action.CLOSED, "r2", note="x" * (1_000_000 - short + 1)), 0) == UNKNOWN
    assert log.add(feedback(Action.CLOSED, "r2", note="x" * (1_000_000 - short)), 0) == []


def test_a_large_state_is_folded_in_steps_and_comes_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    for number in range(7):
        log.add(report(f"r{number}"), number)
    monkeypatch.setattr(memories, "STEP", 2)
    stepwise = DeskMemory()
    for key, value in log.state.items():
        stepwise.fold(key, value)
    assert len(list(stepwise.folding())) == 3
    assert remembered(stepwise) == remembered(log.memory)


def test_a_ticket_that_a_limit_changed_and_then_a_command_counts_once() -> None:
    one, other = Log(), Log()
    commands: list[tuple[Command, int]] = [
        (report(), 0),
        (Tick(), 4 * 24 * HOUR),
        (feedback(Action.SIGNED), 4 * 24 * HOUR),
    ]
    for command, after in commands:
        one.add(command, after)
    later = [entry(1 + number, T0 + after, command) for number, (command, after) in enumerate(commands)]
    draft, decisions = decide_batch(other.memory, later[:1])
    draft.take()
    draft, decisions = decide_batch(other.memory, later[1:])
    assert len(decisions[0].facts) > 3  # up to the last step of a limit
    draft.take()
    assert remembered(other.memory) == remembered(one.memory)
    (ticket,) = one.memory.tickets.values()
    assert other.memory.deadlines_pending == sum(deadline.next_at is not None for deadline in ticket.deadlines)
