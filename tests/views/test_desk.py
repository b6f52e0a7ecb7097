"""A view is what the desk itself remembers of the ticket: whatever it says, the views fold it the same."""

import json
from dataclasses import replace

import pytest

from schemas.codes import Action, Step
from schemas.policy import LimitRow
from schemas.state import Deadline, Ticket, course_of, ties_of
from schemas.views import CurrentTicket
from tests.chaos.views import Expected
from tests.desk.logs import HOUR, Log, feedback
from tests.desk.test_diversion import BY_SIDE, handed_over
from tests.views.desk import played, records_of
from tests.views.kit import viewed
from tests.views.test_independent import found


def of_desk(ticket: Ticket) -> dict[str, object]:
    """What the desk remembers, in the words of the view."""
    course, ties = course_of(ticket), ties_of(ticket)
    same = (
        "matter", "sequence", "stage", "stage_at", "standing", "unit", "level", "side", "urgency", "category", "kind",
        "area", "grid", "lat", "lon", "source", "opened_at", "closed_at", "policy", "flags", "drill",
    )  # fmt: skip
    return {name: getattr(ticket, name) for name in same} | {
        "reports": [(one.source, one.source_id, one.closed_at) for one in ticket.reports],
        "limits": [(one.limit, one.due_at, one.provisional, one.halted) for one in ticket.deadlines],
        "assisting": course.assisting,
        "request": None if course.request is None else course.request.kind,
        "resume_at": course.resume_at,
        "conditions": course.conditions,
        "diverted_from": course.diverted_from,
        "returns": course.returns,
        "reworks": course.reworks,
        "reopens": course.reopens,
        "reopened_at": course.reopened_at,
        "urges": course.urges,
        "escalated": course.escalated,
        "merged_into": ties.merged_into,
        "children": ties.children,
        "links": ties.links,
        "recurrence_of": ties.recurrence_of,
    }


def of_view(view: CurrentTicket, names: set[str]) -> dict[str, object]:
    """The same of the view."""
    return {name: getattr(view, name) for name in names} | {
        "reports": [(one.source, one.source_id, one.closed_at) for one in view.reports],
        "limits": [(one.limit, one.due_at, one.provisional, one.halted) for one in view.limits],
    }


def said_of(log: Log, ticket: Ticket, deadline: Deadline) -> tuple[Step, ...]:
    """The steps below the next one, of the ladder that the ticket climbs: that of the policy by which it is judged."""
    known = [rules for rules in (log.memory.rules, *log.memory.former.values()) if rules is not None]
    (ladder,) = (rules.policy.ladder for rules in known if rules.policy.version == ticket.policy)
    return tuple(rung.step for rung in (ladder if deadline.rung < 0 else ladder[: deadline.rung]))


@pytest.mark.parametrize("seed", range(16))
def test_views_are_what_the_desk_remembers(seed: int) -> None:
    play = played(seed)
    current = viewed(records_of(play.log.facts)).current()
    for name, ticket in play.log.memory.tickets.items():
        remembered = of_desk(ticket)
        assert of_view(current[name], set(remembered)) == remembered
        for limit, deadline in zip(current[name].limits, ticket.deadlines, strict=True):
            assert limit.steps == said_of(play.log, ticket, deadline)


@pytest.mark.parametrize("limits", [BY_SIDE.limits, BY_SIDE.limits[::2]], ids=["both sides", "the police alone"])
def test_a_diversion_there_and_back_is_as_late_as_the_desk_says(limits: tuple[LimitRow, ...]) -> None:
    log = handed_over(replace(BY_SIDE, limits=limits))
    late: list[Step | None] = []
    for action in [Action.DIVERTED, Action.DIVERSION_RETURNED, Action.DIVERTED, Action.DIVERSION_RETURNED]:
        log.add(feedback(action), 3 * HOUR)
        (ticket,) = log.memory.tickets.values()
        (view,) = viewed(records_of(log.facts)).current().values()
        said = [said_of(log, ticket, deadline) for deadline in ticket.deadlines]
        assert [limit.steps for limit in view.limits] == said
        late.append(view.step)
    assert late == [None, None, Step.YELLOW, None]


@pytest.mark.parametrize("seed", range(8, 12))
def test_the_independent_reader_agrees_on_what_the_desk_says(seed: int) -> None:
    records = records_of(played(seed).log.facts)
    reader, views = Expected(), viewed(records)
    for record in records:
        reader.take({name: value.decode() for name, value in record.headers}, json.loads(record.value or b""))
    said = found(views).said
    assert {cause: told for cause, told in reader.said.items() if said.get(cause) != told} == {}
    assert said.keys() == reader.said.keys()
