"""The table of the life of a ticket, over its full product: as data, and through the desk."""

from dataclasses import replace
from itertools import product

import pytest

from schemas.codes import Action, Refusal, Stage, Standing
from schemas.events import CommandSettled
from schemas.state import TICKET, Course, Ticket, Ties, ticket_key
from streams.desk.lifecycle import MOVES, ORDER, TABLE, Rule, following, implied
from tests.desk.logs import T0, Log, feedback, folded, report

NEVER = "-----------"

# Written as docs/desk.md has it, a letter a stage: opened, accepted, dispatched, signed, contacted, arrived, handled,
# verified, called-back, closed, rated. y: legal; r: recorded where it was inferred; c: from a closing source; o: asked
# of the root; -: not legal now. An action that is not named is not legal.
RUNNING = {
    "accepted": "y----------",
    "dispatched": "yyyyyy-----",
    "signed": "yyy-rrrrrrr",
    "contacted": "yyyy-rrrrrr",
    "arrived": "yyyyy-rrrrr",
    "handled": "yyyyyy-rrrr",
    "verified": "yyyyyyy-rrr",
    "called-back": "yyyyyyyy-rr",
    "closed": "cccccccyy--",
    "rated": "---------y-",
    "reworked": "------yyy--",
    "reopened": "---------yy",
    "voided": "yyyyyyyyy--",
    "return-requested": "--yyyy-----",
    "return-approved": "yyyyyyyyyyy",
    "return-refused": "yyyyyyyyyyy",
    "extension-requested": "-yyyyy-----",
    "extension-approved": "yyyyyyyyyyy",
    "extension-refused": "yyyyyyyyyyy",
    "suspension-requested": "-yyyyy-----",
    "suspension-approved": "yyyyyyyyyyy",
    "suspension-refused": "yyyyyyyyyyy",
    "assisted": "--yyyy-----",
    "diverted": "--yyyy-----",
    "diversion-returned": "--yyyy-----",
    "condition-met": "yyyyyyyyy--",
    "urged": "yyyyyyyyy--",
    "merge-confirmed": "yyyyyyyyy--",
    "merge-refused": "yyyyyyyyyyy",
}
SUSPENDED = {
    "voided": "yyyyyyyyy--",
    "resumed": "yyyyyyyyyyy",
    "urged": "yyyyyyyyy--",
    "merge-confirmed": "yyyyyyyyy--",
    "merge-refused": "yyyyyyyyyyy",
}
MERGED = {
    "closed": "ccccccccc--",
    "urged": "ooooooooooo",
    "merge-confirmed": "ooooooooooo",
    "merge-refused": "yyyyyyyyyyy",
    "unmerged": "yyyyyyyyyyy",
}
EXPECTED = {
    Standing.RUNNING: RUNNING,
    Standing.SUSPENDED: SUSPENDED,
    Standing.MERGED: MERGED,
    Standing.VOIDED: {},
}
RULES = {"y": Rule.YES, "r": Rule.RECORD, "c": Rule.CLOSER, "o": Rule.ROOT, "-": Rule.NO}


def letter(stage: Stage, standing: Standing, action: Action) -> str:
    return EXPECTED[standing].get(action.value, NEVER)[list(Stage).index(stage)]


def test_the_table_is_the_whole_product_and_nothing_else() -> None:
    assert set(TABLE) == set(product(Stage, Standing, Action))


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("standing", Standing)
def test_the_table_says_what_the_page_says(standing: Standing, action: Action) -> None:
    for stage in Stage:
        assert TABLE[stage, standing, action] is RULES[letter(stage, standing, action)], stage


def test_what_is_implied_lies_between() -> None:
    assert implied(Stage.DISPATCHED, Stage.CLOSED) == (
        Stage.SIGNED,
        Stage.CONTACTED,
        Stage.ARRIVED,
        Stage.HANDLED,
        Stage.VERIFIED,
        Stage.CALLED_BACK,
    )
    assert implied(Stage.OPENED, Stage.ACCEPTED) == ()
    assert implied(Stage.HANDLED, Stage.SIGNED) == ()
    assert [following(stage) for stage in ORDER] == [*ORDER[1:], None]


def put(log: Log, ticket: Ticket) -> None:
    """A ticket as a story could have left it, however long that story."""
    log.state[ticket_key(ticket.id)] = TICKET.pack(ticket)
    log.memory = folded(log.state)


def standing_at(stage: Stage, standing: Standing, inferred: tuple[Stage, ...]) -> tuple[Log, Ticket]:
    """A log with a ticket at this stage and standing, and where it is merged a master that is worked on."""
    log = Log()
    log.add(report(), 0)
    log.add(report("r2", source="grid"), 0)
    ticket, master = (log.memory.tickets[log.ticket_of(*names)] for names in (("r1", "city"), ("r2", "grid")))
    closed = standing is Standing.VOIDED or stage in (Stage.CLOSED, Stage.RATED)
    merged = standing is Standing.MERGED
    suspended = standing is Standing.SUSPENDED
    if merged:
        put(log, replace(master, ties=Ties(children=(ticket.id,))))
    put(
        log,
        replace(
            ticket,
            stage=stage,
            standing=standing,
            closed_at=T0 if closed else None,
            deadlines=() if closed else ticket.deadlines,
            course=Course(inferred=inferred, suspended_at=T0 if suspended else None),
            ties=Ties(merged_into=master.id) if merged else None,
        ),
    )
    return log, log.memory.tickets[ticket.id]


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("standing", Standing)
@pytest.mark.parametrize("source", ["city", "grid"])
def test_the_desk_keeps_the_table(standing: Standing, action: Action, source: str) -> None:
    for stage in Stage:
        log, ticket = standing_at(stage, standing, ())
        log.add(feedback(action, ticket=ticket.id, source=source, score=5), 1000)
        settled, after = log.facts[-1].event, log.memory.tickets[ticket.id]
        rule = letter(stage, standing, action)
        legal = rule in "yo" or (rule == "c" and source == "city")
        assert isinstance(settled, CommandSettled)
        assert (settled.reason is not Refusal.NOT_LEGAL_NOW) is legal, stage
        assert settled.command == action.value
        if not legal:
            assert replace(after, sequence=ticket.sequence) == ticket
        elif action in MOVES:
            assert (settled.reason, after.stage, after.stage_at) == (None, MOVES[action], log.memory.time)
            assert getattr(log.facts[-2].event, "inferred", None) == implied(stage, MOVES[action])


@pytest.mark.parametrize("action", MOVES)
def test_a_stage_that_passed_unreported_is_recorded_once(action: Action) -> None:
    for stage in Stage:
        if letter(stage, Standing.RUNNING, action) != "r":
            continue
        log, ticket = standing_at(stage, Standing.RUNNING, (Stage.SIGNED, MOVES[action], Stage.VERIFIED))
        said = log.add(feedback(action, ticket=ticket.id), 1000)
        assert said == [f"stage.recorded {action.value}", f"command.settled {action.value} applied"]
        after = log.memory.tickets[ticket.id]
        assert (after.stage, after.stage_at, after.deadlines) == (stage, ticket.stage_at, ticket.deadlines)
        again = log.add(feedback(action, ticket=ticket.id), 1000)
        assert again == [f"command.settled {action.value} refused not-legal-now"]
