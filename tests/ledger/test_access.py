"""What a server's refusals mean: some pass by themselves and are waited for, the others end the process."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from streams.ledger.access import Server, connect
from streams.ledger.errors import LedgerAway, LedgerError, LedgerRefused


class Refusing(HTTPServer):
    """Answers everything in one way."""

    status = 200
    code: int | None = None
    body = b""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def way(self) -> Server:
        """To it."""
        return Server(host="127.0.0.1", port=self.server_port, user="u", password="p")  # noqa: S106 - made up


class _Handler(BaseHTTPRequestHandler):
    server: Refusing

    def do_POST(self) -> None:
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


@pytest.fixture
def server() -> Iterator[Refusing]:
    made = Refusing()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


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
