"""What a server's refusals mean: some pass by themselves and are waited for, the others end the process."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from agents.local.folder import LedgerAccess
from agents.reach import front_of
from streams.ledger.access import Server, connect, server_of
from streams.ledger.errors import LedgerAway, LedgerError, LedgerRefused


class Refusing(HTTPServer):
    """Answers everything in one way."""

    status = 200
    code: int | None = None
    body = b""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []

    @property
    def way(self) -> Server:
        """To it."""
        return Server(host="127.0.0.1", port=self.server_port, user="u", password="p")  # noqa: S106 - made up


class _Handler(BaseHTTPRequestHandler):
    server: Refusing

    def do_POST(self) -> None:
        self.server.asked.append(self.path)
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(self.server.status)
        if self.server.code is not None:
            self.send_header("X-ClickHouse-Exception-Code", str(self.server.code))
        self.send_header("content-length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@contextmanager
def serving() -> Iterator[Refusing]:
    """One that answers until this is left."""
    made = Refusing()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


@pytest.fixture
def server() -> Iterator[Refusing]:
    with serving() as made:
        yield made


@pytest.mark.connected
@pytest.mark.parametrize(
    ("status", "code", "body", "told"),
    [
        (502, None, b"<html>502 Bad Gateway</html>", LedgerAway),
        (503, None, b"<html>503</html>", LedgerAway),
        (504, None, b"gateway timeout", LedgerAway),
        (500, None, b"", LedgerAway),
        (500, 745, b"Code: 745. DB::Exception: CPU is overloaded. (SERVER_OVERLOADED)", LedgerAway),
        (500, 439, b"Code: 439. DB::Exception: Cannot schedule a task (CANNOT_SCHEDULE_TASK)", LedgerAway),
        (500, 62, b"Code: 62. DB::Exception: Syntax error (SYNTAX_ERROR)", LedgerRefused),
        (500, None, b"Code: 62. DB::Exception: Syntax error (SYNTAX_ERROR)", LedgerRefused),
        (403, None, b"<html>Forbidden</html>", LedgerRefused),
        (404, None, b"not here", LedgerRefused),
    ],
)
def test_what_passes_by_itself_is_waited_for(
    server: Refusing, status: int, code: int | None, body: bytes, told: type[LedgerError]
) -> None:
    server.status, server.code, server.body = status, code, body
    with pytest.raises(told):
        connect(server.way)


@pytest.fixture
def proxy(server: Refusing, monkeypatch: pytest.MonkeyPatch) -> Refusing:
    """What the environment names as proxy, without exceptions."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
    server.status = 502
    return server


def nobody() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


@pytest.mark.connected
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "[::1]"])
def test_what_is_on_this_machine_is_asked_without_the_environments_proxy(proxy: Refusing, host: str) -> None:
    # The password goes along with each question, in clear.
    with pytest.raises(LedgerAway):
        connect(server_of(f"http://u:p@{host}:{nobody()}/lianqin"))
    assert proxy.asked == []


@pytest.mark.connected
def test_the_front_is_reached_past_the_environments_proxy(proxy: Refusing) -> None:
    with serving() as front:
        front.status, front.code = 500, 62
        access = LedgerAccess(url=f"http://127.0.0.1:{front.server_port}", user="u", password="p")  # noqa: S106 - made up
        with pytest.raises(LedgerRefused):
            connect(front_of(access))
    assert (front.asked != [], proxy.asked) == (True, [])


@pytest.mark.connected
def test_a_server_elsewhere_is_asked_as_the_environment_says(proxy: Refusing) -> None:
    with pytest.raises(LedgerAway):
        connect(server_of("http://u:p@clickhouse.invalid:8123/lianqin"))
    assert [url.partition("/?")[0] for url in proxy.asked[:1]] == ["http://clickhouse.invalid:8123"]
