"""What differs between two sets of rules is told by field, in tables by row."""

from dataclasses import replace

import pytest

from agents.packing.diff import Difference, differences, told
from agents.packs import load_policy
from schemas.codes import Clock, LimitClock, Side, Urgency
from schemas.policy import Policy, Route, Span


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy("pukou", Clock.WALL)


def test_nothing_differs_from_itself(policy: Policy) -> None:
    assert differences(policy, replace(policy, version="another name for the same")) == []


def test_a_field_is_told_with_both_values(policy: Policy) -> None:
    assert differences(policy, replace(policy, reopen_score=1, surge="flood")) == [
        Difference("surge", None, "flood"),
        Difference("reopen_score", 2, 1),
    ]


def test_what_is_inside_a_field_is_told_by_its_name(policy: Policy) -> None:
    fire = replace(policy.categories["fire"], urgency=Urgency.ROUTINE)
    gone = {key: unit for key, unit in policy.units.items() if key != "telecom-office"}
    other = replace(policy, categories={**policy.categories, "fire": fire}, units=gone)
    found = differences(policy, other)
    assert found[0] == Difference("categories.fire.urgency", "critical", "routine")
    assert (found[1].field, found[1].after) == ("units.telecom-office", None)
    assert len(found) == 2


def test_a_row_put_into_a_table_is_one_difference(policy: Policy) -> None:
    row = Route(category="fire", hours=(1320, 360), units=("duty-desk",))
    changed = replace(policy, routes=(*policy.routes[:3], row, *policy.routes[3:-1]))
    added, removed = differences(policy, changed)
    assert (added.field, added.before) == ("routes.4", None)
    assert told(added.after) == "{category: fire, hours: [1320, 360], units: [duty-desk]}"
    assert (removed.field, removed.after) == (f"routes.{len(policy.routes)}", None)


def test_a_category_taken_from_a_list_is_told_alone(policy: Policy) -> None:
    there, back = policy.diversions
    shorter = replace(there, version="2", categories=there.categories[1:])
    assert differences(policy, replace(policy, diversions=(shorter, back))) == [
        Difference("diversions.police-to-service.version", "example-1", "2"),
        Difference("diversions.police-to-service.categories.1", there.categories[0], None),
    ]


def test_the_side_of_a_row_of_limits_is_told(policy: Policy) -> None:
    at = next(number for number, row in enumerate(policy.limits) if row.side is Side.POLICE)
    row = policy.limits[at]
    taken = replace(row, side=Side.SERVICE, source="hotline12345")
    before, after = differences(policy, replace(policy, limits=(*policy.limits[:at], taken, *policy.limits[at + 1 :])))
    assert told(before.before) == f"{{area: '{row.area}', side: police, stages: {{arrived: 5 min}}}}"
    assert told(after.after) == (
        f"{{area: '{row.area}', source: hotline12345, side: service, stages: {{arrived: 5 min}}}}"
    )


def test_a_working_day_of_another_length_shows(policy: Policy) -> None:
    row, *rest = policy.limits
    longer = replace(row, overall=Span(seconds=1, clock=LimitClock.WORKING, written="1 wd"))
    added = differences(policy, replace(policy, limits=(longer, *rest)))[-1]
    assert "overall: 1 wd (1 s)" in told(added.after)
