"""One chDB folder for the whole run (a process may have one only), a new database for each test."""

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
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


@contextmanager
def laid_out(embedded: Embedded) -> Iterator[Client]:
    """Make the database, with the newest layout; a client on it."""
    made = connect(embedded, create=True)
    migrate(made)
    yield made
    made.close()


@asynccontextmanager
async def served(embedded: Embedded, max_seconds: int = 3) -> AsyncIterator[Front]:
    """The front as users meet it, on the database."""
    password = "secret"  # noqa: S105 - made up
    options = FrontOptions(user="reader", password=password, database=embedded.database, max_seconds=max_seconds)
    serving = Front(embedded.folder, options)
    await serving.start()
    yield serving
    await serving.stop()


@pytest.fixture
def client(embedded: Embedded) -> Iterator[Client]:
    """A client on the new database, with the newest layout."""
    with laid_out(embedded) as made:
        yield made


@pytest.fixture
async def front(embedded: Embedded, client: Client) -> AsyncIterator[Front]:
    """The front on the database."""
    async with served(embedded) as serving:
        yield serving
