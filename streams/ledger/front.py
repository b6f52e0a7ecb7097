"""A small HTTP front to the chDB in this process that speaks ClickHouse's protocol: an unmodified client works.

It listens on this machine only, asks for a password, and lets through what `guard` does. Each request has a chDB
handle of its own, so that no request sees another's settings. Writing is off unless it is opened for a test.
"""

import asyncio
import base64
import hmac
import os
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import lz4.frame  # type: ignore[import-untyped]  # ships no types; only tests write here
from aiohttp import web

from streams.ledger.access import DATABASE
from streams.ledger.errors import LedgerRefused
from streams.ledger.guard import Refused, check, refuse

_READONLY: Final = 164
_WRONG_USER: Final = 516
_UNKNOWN: Final = 1002
_STATUS: Final = {_READONLY: 403, _WRONG_USER: 401}
_CODE: Final = re.compile(r"Code: (\d+)")
_LARGEST_STATEMENT: Final = 1 << 20
_LARGEST_BLOCK: Final = 1 << 30

_TRANSPORT: Final = frozenset(
    [
        "query",
        "database",
        "default_format",
        "session_id",
        "session_timeout",
        "session_check",
        "query_id",
        "quota_key",
        "compress",
        "decompress",
        "wait_end_of_query",
        "buffer_size",
        "client_protocol_version",
        "role",
        "send_progress_in_http_headers",
        "user",
        "password",
        "http_headers_progress_interval_ms",
        "enable_http_compression",
        "readonly",
        "add_http_cors_header",
    ]
)
_SETTINGS: Final = frozenset(
    [
        "date_time_input_format",
        "date_time_output_format",
        "cast_string_to_dynamic_use_inference",
        "session_timezone",
        "output_format_json_quote_64bit_integers",
        "output_format_json_quote_denormals",
        "max_threads",
        "max_block_size",
        "max_result_rows",
    ]
)
"""What a client may set; all else is refused (a schema's path, for one, is a file that gets written)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontOptions:
    """Who may ask, where, and how much one answer may cost."""

    user: str
    password: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 0
    """0: any free one."""
    database: str = DATABASE
    writable: bool = False
    """Let every statement through: for the test suite alone."""
    max_seconds: int = 60
    max_memory_bytes: int = 2 << 30
    max_answer_bytes: int = 256 << 20
    at_once: int = 4


class Front:
    """Serves one chDB folder, which this process has open."""

    def __init__(self, folder: Path, options: FrontOptions) -> None:
        self._folder = str(folder.resolve())
        self._options = options
        self._threads = ThreadPoolExecutor(options.at_once, thread_name_prefix="front")
        self._runner: web.AppRunner | None = None
        self._held: Any = None
        self.port = options.port

    async def start(self) -> None:
        """Listen; `LedgerRefused` where the port is taken."""
        app = web.Application(client_max_size=_LARGEST_BLOCK if self._options.writable else _LARGEST_STATEMENT)
        app.router.add_get("/ping", _ping)
        app.router.add_route("*", "/", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
        await self._runner.setup()
        # The engine ends with its last handle: without this one it would begin anew with each request.
        self._held = await asyncio.to_thread(_open, self._folder)
        site = web.TCPSite(self._runner, self._options.host, self._options.port)
        try:
            await site.start()
        except OSError as error:
            await self.stop()
            msg = f"port {self._options.port} is taken: stop what listens there, or start again to get another"
            raise LedgerRefused(msg) from error
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Take no more requests, end the queries that run, close."""
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        await asyncio.gather(*(site.stop() for site in list(runner.sites)))
        await asyncio.to_thread(_kill_selects, self._folder)
        await runner.cleanup()
        self._threads.shutdown()
        await asyncio.to_thread(self._held.close)

    async def _answer(self, request: web.Request) -> web.Response:
        if not self._known(request):
            return _failure(_WRONG_USER, "Authentication failed: password is incorrect, or there is no user")
        try:
            work = await self._work(request)
            body, shape = await asyncio.get_running_loop().run_in_executor(self._threads, self._run, work)
        except Refused as error:
            return _failure(_READONLY, f"{error} (READONLY)")
        except RuntimeError as error:  # what chDB raises
            text = str(error)
            code = _CODE.search(text)
            return _failure(int(code.group(1)) if code else _UNKNOWN, text)
        headers = {"X-ClickHouse-Format": shape, "X-ClickHouse-Summary": "{}", "X-ClickHouse-Timezone": "UTC"}
        return web.Response(body=body, headers=headers, content_type="application/octet-stream")

    def _known(self, request: web.Request) -> bool:
        user, password = _credentials(request)
        same_user = hmac.compare_digest(user.encode(), self._options.user.encode())
        return hmac.compare_digest(password.encode(), self._options.password.encode()) and same_user

    async def _work(self, request: web.Request) -> "_Work":
        body, statement = await request.read(), request.query.get("query", "")
        if request.method not in {"GET", "POST"}:
            refuse("only GET and POST are answered here")
        if request.query.get("database", "default") not in {"", "default", self._options.database}:
            refuse("only the ledger's database is served here")
        writes = self._options.writable and _unpacked(body, request.headers).startswith(b"INSERT INTO")
        if writes:
            head, _, data = _unpacked(body, request.headers).partition(b"\n")
            return _Work(head.decode(), dict(request.query), data)
        text = f"{statement}\n{body.decode()}" if statement else body.decode()
        return _Work(text.strip(), dict(request.query), None)

    def _run(self, work: "_Work") -> tuple[bytes, str]:
        handle = _open(self._folder)
        try:
            return self._on(handle, work)
        finally:
            handle.close()

    def _on(self, handle: Any, work: "_Work") -> tuple[bytes, str]:
        handle.query(f"USE {self._options.database}", "Null")
        if self._options.writable:
            return self._write_or_ask(handle, work)
        passed = check(work.statement, _Handle(handle, work.parameters), self._options.database)
        shape = passed.format or _default_format(work.given)
        self._limit(handle, work.given)
        return handle.query(passed.statement, shape, params=work.parameters).bytes() or b"", shape

    def _limit(self, handle: Any, given: Mapping[str, str]) -> None:
        for name, value in _settings(given, lambda name: name in _SETTINGS).items():
            handle.query(f"SET {name} = {_literal(value)}", "Null")
        limits: dict[str, int] = {
            "max_execution_time": self._options.max_seconds,
            "max_memory_usage": self._options.max_memory_bytes,
            "max_result_bytes": self._options.max_answer_bytes,
            "readonly": 1,
        }
        for name, most in limits.items():
            handle.query(f"SET {name} = {most}", "Null")

    def _write_or_ask(self, handle: Any, work: "_Work") -> tuple[bytes, str]:
        settings = _settings(work.given, lambda name: True)
        for name, value in settings.items():
            handle.query(f"SET {name} = {_literal(value)}", "Null")
        shape = _default_format(work.given)
        if work.data is None:
            return handle.query(work.statement, shape, params=work.parameters).bytes() or b"", shape
        file = os.memfd_create("block")
        try:
            with os.fdopen(os.dup(file), "wb") as block:
                block.write(work.data)
            source = f" FROM INFILE '/proc/self/fd/{file}' FORMAT "
            handle.query(work.statement.replace(" FORMAT ", source), "Null")
        finally:
            os.close(file)
        return b"", shape


@dataclass(frozen=True, slots=True)
class _Work:
    """One request, read."""

    statement: str
    given: Mapping[str, str]
    data: bytes | None

    @property
    def parameters(self) -> dict[str, str]:
        """Values for `{name:Type}` in the statement."""
        return {name[6:]: value for name, value in self.given.items() if name.startswith("param_")}


class _Handle:
    """ClickHouse's own parser, through a handle."""

    def __init__(self, handle: Any, parameters: Mapping[str, str]) -> None:
        self._handle = handle
        self._parameters = dict(parameters)

    def rewritten(self, statement: str) -> str:
        """See `guard.Parser`."""
        # As hexadecimal digits, so that nothing in the statement can end the literal that carries it.
        text = statement.encode().hex()
        return self._text(f"SELECT formatQuerySingleLine(unhex('{text}')) FORMAT RawBLOB")

    def tree(self, statement: str) -> list[str]:
        """See `guard.Parser`."""
        return self._text(f"EXPLAIN AST {statement} FORMAT TSVRaw").splitlines()

    @cached_property
    def _table_functions(self) -> frozenset[str]:
        return frozenset(self._text("SELECT lower(name) FROM system.table_functions FORMAT TSVRaw").split())

    @cached_property
    def _databases(self) -> frozenset[str]:
        return frozenset(self._text("SELECT lower(name) FROM system.databases FORMAT TSVRaw").splitlines())

    def table_functions(self) -> frozenset[str]:
        """See `guard.Parser`."""
        return self._table_functions

    def databases(self) -> frozenset[str]:
        """See `guard.Parser`."""
        return self._databases

    def _text(self, statement: str) -> str:
        answer: bytes = self._handle.query(statement, "TSVRaw", params=self._parameters).bytes() or b""
        return answer.decode()


async def _ping(_: web.Request) -> web.Response:
    return web.Response(text="Ok.\n")


def _credentials(request: web.Request) -> tuple[str, str]:
    if given := request.headers.get("Authorization"):
        kind, _, encoded = given.partition(" ")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return "", ""
        return (user, password) if kind.lower() == "basic" else ("", "")
    return request.headers.get("X-ClickHouse-User", ""), request.headers.get("X-ClickHouse-Key", "")


def _settings(given: Mapping[str, str], allowed: Callable[[str], bool]) -> dict[str, str]:
    wanted = {n: value for n, value in given.items() if n not in _TRANSPORT and not n.startswith("param_")}
    for name in wanted:
        if not allowed(name) or not name.isidentifier():
            refuse(f"the setting {name} is not allowed here")
    return wanted


def _literal(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _default_format(given: Mapping[str, str]) -> str:
    return given.get("default_format") or "TabSeparated"


def _unpacked(data: bytes, headers: Mapping[str, str]) -> bytes:
    if headers.get("Content-Encoding") != "lz4":
        return data
    unpacked: bytes = lz4.frame.decompress(data)
    return unpacked


def _failure(code: int, text: str) -> web.Response:
    headers = {"X-ClickHouse-Exception-Code": str(code)}
    body = text if text.startswith("Code:") else f"Code: {code}. DB::Exception: {text}"
    return web.Response(status=_STATUS.get(code, 400), text=body, headers=headers)


def _open(folder: str) -> Any:
    # 240 MB of each process that has it: only who serves it takes it in.
    import chdb  # noqa: PLC0415

    return chdb.connect(folder)  # type: ignore[no-untyped-call]  # chDB is typed in part


def _kill_selects(folder: str) -> None:
    handle = _open(folder)
    handle.query("KILL QUERY WHERE query_kind = 'Select' AND query_id != queryID() SYNC", "Null")
    handle.close()
