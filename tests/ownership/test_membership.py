"""What the group's answer means for this worker."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import (
    BrokerResponseError,
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    NotCoordinatorError,
    UnknownError,
)

from streams.ownership import clients
from streams.ownership.membership import Membership
from streams.ownership.settings import OwnerSettings
from streams.ownership.watchdog import Patience, Watchdog
from tests.ownership.running import Deaths

ME = "desk-1"
Member = tuple[str, str, str, bytes, bytes]


class Admin:
    """Answers as aiokafka's does: an error inside of an answer is not raised."""

    def __init__(self, code: int, members: Sequence[Member]) -> None:
        self._code = code
        self._members = members

    async def start(self) -> None:
        """Nothing to do."""

    async def describe_consumer_groups(self, groups: Sequence[str]) -> list[Any]:
        """One answer."""
        return [SimpleNamespace(groups=[(self._code, groups[0], "", "consumer", "range", list(self._members))])]


def _member(client_id: str, assignment: bytes) -> Member:
    return ("member", client_id, "/host", b"", assignment)


def _given(topic: str, *partitions: int) -> bytes:
    written: bytes = ConsumerProtocolMemberAssignment(0, [(topic, list(partitions))], b"").encode()
    return written


def _membership(monkeypatch: pytest.MonkeyPatch, code: int, *members: Member) -> Membership:
    monkeypatch.setattr(clients, "make_admin", lambda _: Admin(code, members))
    return Membership(OwnerSettings(bootstrap="nowhere"), group="desk.seats", client_id=ME, topic="seats")


@pytest.mark.parametrize(
    ("members", "seats"),
    [
        ([], None),
        ([_member("desk-2", _given("seats", 0, 1))], None),
        ([_member("desk-2", _given("seats", 0)), _member(ME, _given("seats", 1, 3))], frozenset({1, 3})),
        ([_member(ME, _given("another", 0))], frozenset()),
        ([_member(ME, b"")], frozenset()),
    ],
    ids=["nobody", "others", "others and me", "another topic", "rebalancing"],
)
async def test_what_the_group_gives_to_this_worker(
    monkeypatch: pytest.MonkeyPatch, members: list[Member], seats: frozenset[int] | None
) -> None:
    assert await _membership(monkeypatch, 0, *members).seats() == seats


ERRORS = [
    (14, CoordinatorLoadInProgressError),
    (15, CoordinatorNotAvailableError),
    (16, NotCoordinatorError),
    (9_999, UnknownError),
]


@pytest.mark.parametrize(("code", "error"), ERRORS)
async def test_an_error_in_the_answer_is_not_taken_for_a_group_without_members(
    monkeypatch: pytest.MonkeyPatch, code: int, error: type[BrokerResponseError]
) -> None:
    with pytest.raises(error):
        await _membership(monkeypatch, code).seats()


class Sitters:
    """One seat, and nobody at work on it."""

    name = "desk"
    held = frozenset({0})
    owners = ()


@pytest.mark.parametrize(("code", "deaths"), [(14, 0), (0, 1)], ids=["the coordinator loads", "it knows no member"])
async def test_a_coordinator_that_loads_is_no_reason_to_end(
    monkeypatch: pytest.MonkeyPatch, code: int, deaths: int
) -> None:
    told = Deaths()
    settings, group = OwnerSettings(bootstrap="nowhere"), _membership(monkeypatch, code)
    watchdog = Watchdog(Sitters(), settings, group.seats, patience=Patience(group_s=-1.0), die=told)
    await watchdog._away_is_fine(watchdog._check_group())  # noqa: SLF001 - one look, without a broker to connect to
    assert len(told.told) == deaths
