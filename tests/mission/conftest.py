"""One centre under the log clock for all stories that need time to pass; each begins on a later Monday."""

from collections.abc import Iterator

import pytest

from tests.chaos.centre import Up
from tests.mission.room import Room


@pytest.fixture(scope="package")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The centre: broker, workers, ledger."""
    with Up(tmp_path_factory.mktemp("mission") / "data", "--clock", "log", "--workers", "1") as up:
        yield up


@pytest.fixture(scope="package")
def shift(centre: Up) -> Iterator[Room]:
    """The room, kept through all stories: its time only goes on."""
    room = Room(centre)
    yield room
    room.close()


@pytest.fixture
def room(shift: Room) -> Room:
    """The room at nine o'clock of a Monday without a holiday in its week."""
    shift.next_monday()
    return shift
