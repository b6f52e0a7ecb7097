"""A ClickHouse of our own to be struck: the product's HTTP front over chDB, a process, behind a door that misbehaves.

`python -m tests.chaos.clickhouse FOLDER PORT` serves; the door stands in the process of the chaos run.
"""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from aiohttp import ClientError, ClientSession, web

from agents.local.probe import free_port
from streams.ledger.access import Embedded, connect
from streams.ledger.front import Front, FrontOptions
from tests.chaos.centre import Ledger

USER: Final = "chaos"
PASSWORD: Final = "chaos"  # noqa: S105 - for this machine, for these minutes
UP_WITHIN_S: Final = 60.0
LARGEST: Final = 1 << 30
MEMORY: Final = "Code: 241. DB::Exception: Memory limit exceeded, says the door. (MEMORY_LIMIT_EXCEEDED)"


class Door:
    """Passes requests on, and answers as it is told to; its fields may be set from any thread."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.slow_s = 0.0
        """Before each request is passed on."""
        self.fail_every = 0
        """Every n-th insert is refused and not done."""
        self.cut_every = 0
        """Every n-th insert is done, and the connection cut before the answer."""
        self.refused = 0
        self.cut = 0
        self._inserts = 0
        self._session: ClientSession | None = None

    def behave(self) -> None:
        """Be a good door again."""
        self.slow_s, self.fail_every, self.cut_every = 0.0, 0, 0

    async def serve(self, port: int, ready: threading.Event, leave: asyncio.Event) -> None:
        """Stand at this port until told to leave."""
        app = web.Application(client_max_size=LARGEST)
        app.router.add_route("*", "/{path:.*}", self._pass)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        async with ClientSession(auto_decompress=False) as self._session:
            ready.set()
            await leave.wait()
        await runner.cleanup()

    async def _pass(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.slow_s)
        is_insert = "insert_deduplication_token" in request.query
        self._inserts += is_insert
        if is_insert and self.fail_every and self._inserts % self.fail_every == 0:
            self.refused += 1
            return web.Response(status=500, text=MEMORY, headers={"X-ClickHouse-Exception-Code": "241"})
        answer = await self._behind(request)
        if is_insert and self.cut_every and self._inserts % self.cut_every == 0:
            self.cut += 1
            return _cut_off(request)
        return answer

    async def _behind(self, request: web.Request) -> web.Response:
        assert self._session is not None, "asked before it stood"
        url = f"http://127.0.0.1:{self._port}{request.path_qs}"
        body, headers = await request.read(), _passed(request.headers)
        try:
            async with self._session.request(request.method, url, data=body, headers=headers) as answer:
                return web.Response(status=answer.status, body=await answer.read(), headers=_passed(answer.headers))
        except ClientError:
            # Nobody there: as if there were no door either.
            return _cut_off(request)


def _passed(headers: Mapping[str, str]) -> dict[str, str]:
    of_this_hop = {"host", "connection", "content-length", "transfer-encoding"}
    return {name: value for name, value in headers.items() if name.lower() not in of_this_hop}


def _cut_off(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


class ClickHouse:
    """The server and its door. A context: leaving it ends both."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._behind = free_port()
        self._port = free_port(but=self._behind)
        self._process: subprocess.Popen[bytes] | None = None
        self._loop = asyncio.new_event_loop()
        self._leave = asyncio.Event()
        self._thread = threading.Thread(target=self._stand, name="door", daemon=True)
        self._ready = threading.Event()
        self.door = Door(self._behind)

    @property
    def env(self) -> Mapping[str, str]:
        """What a centre is told to use it, through the door."""
        return {"LIANQIN_LEDGER__DSN": f"http://{USER}:{PASSWORD}@127.0.0.1:{self._port}/lianqin"}

    @property
    def access(self) -> Ledger:
        """Past the door: for who checks and for who meddles."""
        return Ledger("127.0.0.1", self._behind, USER, PASSWORD)

    def __enter__(self) -> Self:
        self.start()
        self._thread.start()
        self._ready.wait(UP_WITHIN_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join()
        self.kill()

    def start(self) -> None:
        """Return when it answers."""
        command = [sys.executable, "-m", "tests.chaos.clickhouse", str(self._folder), str(self._behind)]
        with self._folder.with_name("clickhouse.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until = time.monotonic() + UP_WITHIN_S
        while not _answers(self._behind):
            if self._process.poll() is not None or time.monotonic() > until:
                msg = f"ClickHouse did not start: {self._folder.with_name('clickhouse.log').read_text()[-500:]}"
                raise TimeoutError(msg)
            time.sleep(0.1)

    def kill(self) -> None:
        """With -9, whatever it was doing."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _stand(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self.door.serve(self._port, self._ready, self._leave))
        self._loop.close()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1.0).close()
    except OSError:
        return False
    return True


async def _serve(folder: Path, port: int) -> None:
    held = connect(Embedded(folder), create=True)
    front = Front(folder, FrontOptions(user=USER, password=PASSWORD, port=port, writable=True))
    await front.start()
    try:
        await asyncio.Event().wait()
    finally:
        await front.stop()
        held.close()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
