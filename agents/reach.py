"""The way to the ledger for a command: through a DSN, through the running worker's front, or its folder itself."""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Final

from agents.errors import UserError
from agents.local.errors import LocalError
from agents.local.folder import DataFolder, LedgerAccess, RunFile
from agents.settings import LedgerSettings, Settings
from streams.ledger.access import Client, Embedded, Server, Way, connect, server_of
from streams.ledger.errors import LedgerAway, LedgerError
from streams.ledger.migrate import migrate

PATIENCE_S: Final = 15.0
"""How long a worker that is being started again is waited for."""


@contextmanager
def told() -> Iterator[None]:
    """Turn what the folder and the ledger raise into one line for the user."""
    # The client and what it stands on write lines of their own about each lost connection; the user gets ours.
    for name in ("clickhouse_connect", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    except (LedgerError, LocalError) as error:
        raise UserError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Place:
    """What a command works on: the data folder, and the run file of the `up` that works there, if one does."""

    settings: Settings
    folder: DataFolder
    run: RunFile | None

    @property
    def way(self) -> Way:
        """How to reach the ledger: a DSN that is set wins, then a running worker, then the folder."""
        if self.settings.ledger.dsn is not None:
            return server_at(self.settings.ledger)
        if self.run is not None and self.run.ledger is not None:
            return front_of(self.run.ledger)
        return Embedded(self.folder.chdb)


@contextmanager
def place_of(settings: Settings) -> Iterator[Place]:
    """The place; where nothing runs, nothing can be started on the folder until this is left."""
    with told(), ExitStack() as stack:
        folder = DataFolder(settings.data_dir)
        run = folder.read_run()
        if run is None:
            stack.enter_context(folder.lock())
        yield Place(settings, folder, run)


@contextmanager
def ledger_at(place: Place) -> Iterator[Client]:
    """A client for questions, for one thread at a time."""
    way = place.way
    client = _own(place, way) if isinstance(way, Embedded) else _over_http(place, way)
    try:
        yield client
    finally:
        client.close()


def server_at(ledger: LedgerSettings) -> Server:
    """The ClickHouse server of a DSN that is set; `LedgerRefused` where it is none."""
    server = server_of(ledger.dsn.get_secret_value() if ledger.dsn is not None else "")
    return replace(
        server,
        user=ledger.user or server.user,
        password=ledger.password.get_secret_value() if ledger.password is not None else server.password,
        ca_file=str(ledger.ca_file) if ledger.ca_file is not None else None,
    )


def front_of(access: LedgerAccess) -> Server:
    """The front of a running ledger worker."""
    host, _, port = access.url.removeprefix("http://").rpartition(":")
    return Server(host=host, port=int(port), user=access.user, password=access.password)


def _own(place: Place, way: Embedded) -> Client:
    if not any(way.folder.iterdir()):
        root = place.folder.root
        msg = f"nothing was ever written on {root}: start `lianqin up --data-dir {root}` and feed it"
        raise UserError(msg)
    client = connect(way, create=True)
    migrate(client)
    return client


def _over_http(place: Place, way: Server) -> Client:
    if place.settings.ledger.dsn is not None:
        return connect(way)
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return connect(way)
        except LedgerAway as error:
            if time.monotonic() > until:
                log = place.folder.logs / "ledger.log"
                msg = f"the ledger does not answer: try again when `lianqin up` is ready; its log is {log}"
                raise UserError(msg) from error
        time.sleep(0.5)
