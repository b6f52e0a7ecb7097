"""One chDB folder for the whole run (a process may have one only), a new database for each test."""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from streams.ledger.access import Client, Embedded, connect
from streams.ledger.front import Front, FrontOptions
from streams.ledger.migrate import migrate


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder, held open: an engine that ends with each test would begin anew with the next."""
    folder = tmp_path_factory.mktemp("chdb")
    held = connect(Embedded(folder), create=True)
    yield folder
    held.close()


@pytest.fixture
def embedded(engine: Path) -> Embedded:
    """A new database, not made yet."""
    return Embedded(engine, database=f"t_{uuid.uuid4().hex}")


@pytest.fixture
def client(embedded: Embedded) -> Iterator[Client]:
    """A client on the new database, with the newest layout."""
    made = connect(embedded, create=True)
    migrate(made)
    yield made
    made.close()


@pytest.fixture
async def front(embedded: Embedded, client: Client) -> AsyncIterator[Front]:
    """The front as users meet it, on the new database."""
    options = FrontOptions(user="reader", password="secret", database=embedded.database, max_seconds=3)  # noqa: S106
    serving = Front(embedded.folder, options)
    await serving.start()
    yield serving
    await serving.stop()
