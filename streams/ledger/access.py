"""The two ways to ClickHouse, through one client: chDB in this process, or a server by DSN.

chDB: one process per folder, one folder per process, never in a forked child.
"""

import ipaddress
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver import httputil
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError, StreamFailureError

from streams.ledger.errors import LedgerAway, LedgerRefused

DATABASE: Final = "lianqin"
CONNECT_S: Final = 10
ANSWER_S: Final = 240

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_CODE: Final = re.compile(r"Code: (\d+)")
_IN_USE: Final = 36
_WRONG_USER: Final = {192, 193, 194, 516}
_NOT_THERE: Final = {60, 81}
_PASSES: Final = {159, 198, 202, 203, 209, 210, 236, 241, 242, 243, 252, 254, 279, 285, 319, 364, 394, 439, 745, 999}
"""Codes of errors that pass by themselves: timeouts, too many queries, memory, too many parts, lost replicas, no free
thread for a task (439), a server that refuses while its processors are overloaded (745)."""
_STATUS: Final = re.compile(r"HTTP status (\d+)")
_AWAY: Final = {408, 429, 500, 502, 503, 504}
"""HTTP statuses that say, without a code of ClickHouse's, that what stands between does not reach it now."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """ClickHouse inside this process, on a folder that is this process's alone."""

    folder: Path
    database: str = DATABASE

    def __str__(self) -> str:
        return f"the ledger's folder {self.folder}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """ClickHouse over HTTP."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    secure: bool = False
    ca_file: str | None = None
    """PEM of who signed its certificate; else the client's own list holds."""
    database: str = DATABASE

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine, as the front always is."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        return f"ClickHouse at {self.host}:{self.port}"


Way = Embedded | Server


def server_of(dsn: str) -> Server:
    """Read a DSN `http(s)://user:password@host:port/database`; `LedgerRefused` where it is none."""
    shape = "http(s)://user:password@host:port/database"
    try:
        parts = urlsplit(dsn.strip())
        port, database = parts.port, parts.path.strip("/") or DATABASE
    except ValueError as error:
        msg = f"the ledger's DSN cannot be read: write LIANQIN_LEDGER__DSN as {shape}"
        raise LedgerRefused(msg) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or not _NAME.match(database):
        msg = f"the ledger's DSN is not of the form {shape}: correct LIANQIN_LEDGER__DSN"
        raise LedgerRefused(msg)
    secure = parts.scheme == "https"
    return Server(
        host=parts.hostname,
        port=port or (8443 if secure else 8123),
        user=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        secure=secure,
        database=database,
    )


def connect(way: Way, *, create: bool = False) -> Client:
    """A client whose current database is the ledger's; use it from one thread at a time.

    `create` makes the database where it is missing. Blocks; raises `LedgerAway` or `LedgerRefused`.
    """
    with asking(way):
        client = _open(way, None if create else way.database)
        if create:
            client.command(f"CREATE DATABASE IF NOT EXISTS {way.database} ENGINE = Atomic")
            client.close()
            client = _open(way, way.database)
        return client


def _open(way: Way, database: str | None) -> Client:
    if isinstance(way, Embedded):
        return clickhouse_connect.get_client(interface="chdb", path=str(way.folder), database=database)
    # Unless a pool is named, the client asks the environment's proxy for this machine, too: that would have the
    # password in clear, and cannot reach us. TLS goes through a proxy unread, and its pool is the client's to make.
    direct = httputil.default_pool_manager() if way.is_here and not way.secure else None
    # A session would forbid two queries at once on one client.
    return clickhouse_connect.get_client(
        host=way.host,
        port=way.port,
        username=way.user,
        password=way.password,
        secure=way.secure,
        ca_cert=way.ca_file,
        database=database or "default",
        connect_timeout=CONNECT_S,
        send_receive_timeout=ANSWER_S,
        autogenerate_session_id=False,
        pool_mgr=direct,
    )


@contextmanager
def asking(way: Way | None = None) -> Iterator[None]:
    """Turn what the client raises into a `LedgerError` of one line."""
    try:
        yield
    except ClickHouseError as error:
        raise _told(error, way) from error


def _told(error: ClickHouseError, way: Way | None) -> LedgerAway | LedgerRefused:
    text = " ".join(str(error).split())[:160]
    code = error_code(error)
    where = str(way or "ClickHouse")
    if code == _IN_USE and isinstance(way, Embedded):
        return LedgerRefused(f"{where} is in use by another process: stop it, or ask through a running `lianqin up`")
    if code in _WRONG_USER:
        return LedgerRefused(f"{where} refuses the user or password: correct LIANQIN_LEDGER__DSN")
    if code in _NOT_THERE:
        return LedgerRefused(f"{where} holds no ledger yet: start `lianqin up` once, or correct LIANQIN_LEDGER__DSN")
    if code in _PASSES or (code is None and _is_lost(error)):
        return LedgerAway(f"{where} does not answer: start it or correct LIANQIN_LEDGER__DSN ({text})")
    return LedgerRefused(f"{where} refuses: {text}")


def _is_lost(error: ClickHouseError) -> bool:
    """Whether an error that is not ClickHouse's own says that ClickHouse was not reached."""
    status = _STATUS.search(str(error))
    return isinstance(error, OperationalError | StreamFailureError) or (
        status is not None and int(status.group(1)) in _AWAY
    )


def error_code(error: ClickHouseError) -> int | None:
    """ClickHouse's number of an error, where it has one."""
    given = getattr(error, "code", None)
    if isinstance(given, int):
        return given
    found = _CODE.search(str(error))
    return int(found.group(1)) if found else None


__all__ = ["DATABASE", "Client", "Embedded", "Server", "Way", "asking", "connect", "error_code", "server_of"]
