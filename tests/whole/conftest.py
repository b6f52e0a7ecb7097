"""One running centre for each module that wants one, on a folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.centre import Up
from tests.whole.boston import Boston
from tests.whole.live import Live


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A centre under the log clock."""
    with Up(tmp_path_factory.mktemp("history") / "data", "--clock", "log", "--workers", "1") as up:
        yield up


@pytest.fixture(scope="module")
def boston(tmp_path_factory: pytest.TempPathFactory) -> Boston:
    """Files to feed it, each later than all before."""
    folder: Path = tmp_path_factory.mktemp("boston")
    return Boston(folder)


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A centre under the wall clock."""
    with Up(tmp_path_factory.mktemp("now") / "data", "--workers", "1") as up:
        yield up


@pytest.fixture
def live(now: Up) -> Iterator[Live]:
    """A live source and subscriber of it."""
    made = Live(now.bootstrap, now.run["prefix"])
    yield made
    made.close()
