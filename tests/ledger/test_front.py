"""The front as users meet it: what it answers to an unmodified client, and what it refuses."""

# ruff: noqa: S106 - made-up passwords

import asyncio
import base64
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import aiohttp
import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from streams.ledger import queries
from streams.ledger.access import Client, Embedded, Server, connect, server_of
from streams.ledger.agreement import told_by_ledger
from streams.ledger.errors import LedgerAway, LedgerRefused
from streams.ledger.front import Front, FrontOptions
from streams.ledger.store import insert
from tests.ledger.conftest import laid_out, served
from tests.ledger.histories import small_history

T = TypeVar("T")
Ask = Callable[[str], object]

pytestmark = pytest.mark.connected

CONTENT = "do not read me"


@pytest.fixture(scope="module")
def embedded(engine: Path) -> Embedded:
    """One database for all that write nothing: laying it out takes longer than they do."""
    return Embedded(engine, database="asked")


@pytest.fixture(scope="module")
def client(embedded: Embedded) -> Iterator[Client]:
    """A client on it."""
    with laid_out(embedded) as made:
        yield made


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


async def asked(front: Front, database: str, work: Callable[[Client], T]) -> T:
    def run() -> T:
        with clickhouse_connect.get_client(
            host="127.0.0.1",
            port=front.port,
            username="reader",
            password="secret",
            database=database,
            autogenerate_session_id=False,
        ) as client:
            return work(client)

    return await asyncio.to_thread(run)


async def test_an_unmodified_client_gets_the_figures(engine: Path) -> None:
    own = Embedded(engine, database="figures")
    with laid_out(own) as client:
        insert(client, small_history().block())
        async with served(own) as front:
            found = await asked(front, own.database, queries.figures)
        assert found == queries.figures(client)
        assert found.reports == 6


@pytest.mark.parametrize(
    ("statement", "answer"),
    [
        ("SELECT 1", 1),
        ("select 1 -- what\n;", 1),
        ("/* what */ SELECT 1", 1),
        ("(SELECT 1) UNION DISTINCT (SELECT 1)", 1),
        ("WITH x AS (SELECT 7 AS a) SELECT a FROM x", 7),
        ("SELECT max(number) FROM numbers(4)", 3),
        ("SELECT count() FROM system.one", 1),
        ("SELECT 'INTO OUTFILE; DROP TABLE events SETTINGS file()'", "INTO OUTFILE; DROP TABLE events SETTINGS file()"),
        ("SELECT count() FROM events", 0),
        ("SELECT count() FROM tickets AS t JOIN stages AS s ON t.ticket = s.ticket WHERE t.ticket IN ('a')", 0),
    ],
)
async def test_a_question_is_answered(front: Front, embedded: Embedded, statement: str, answer: object) -> None:
    assert await asked(front, embedded.database, lambda client: client.command(statement)) == answer


REFUSED = [
    "DROP TABLE events",
    "TRUNCATE TABLE events",
    "ALTER TABLE events DELETE WHERE 1",
    "INSERT INTO events (id) VALUES ('x')",
    "INSERT INTO FUNCTION file('{out}', 'CSV', 'a Int8') SELECT 1",
    "CREATE TABLE x (a Int8) ENGINE = Memory",
    "CREATE TABLE x (a String) ENGINE = File(LineAsString, '{file}')",
    "SELECT 1; DROP TABLE events",
    "SELECT 1 INTO OUTFILE '{out}'",
    "SELECT 1 INTO OUTFILE '{out}' FORMAT CSV",
    "SELECT 1 /* x */ INTO /**/ OUTFILE '{out}'",
    "EXPLAIN AST SELECT 1 INTO OUTFILE '{out}'",
    "SELECT 1 SETTINGS max_threads = 1",
    "SELECT * FROM (SELECT 1 SETTINGS readonly = 0)",
    "SELECT 1 FORMAT Native SETTINGS output_format_schema = '{out}'",
    "SELECT 1 FORMAT Arrow",
    "SET readonly = 0",
    "USE default",
    "KILL QUERY WHERE 1",
    "SYSTEM SHUTDOWN",
    "BACKUP DATABASE default TO File('{out}')",
    "SHOW TABLES",
    "SELECT file('{file}')",
    "SELECT FILE('{file}')",
    "SELECT `file`('{file}')",
    "SELECT \"file\"('{file}')",
    "SELECT * FROM file('{file}', 'LineAsString')",
    "FROM file('{file}', 'LineAsString') SELECT *",
    "SELECT * FROM `{file}`",
    "SELECT * FROM default.`{file}`",
    'SELECT * FROM "default"."{file}"',
    "SELECT 'x' IN default.`{file}`",
    "SELECT 'x' IN (SELECT * FROM file('{file}', 'LineAsString'))",
    "DESCRIBE TABLE file('{file}')",
    "DESCRIBE TABLE default.`{file}`",
    "SELECT * REPLACE (file('{file}') AS id) FROM events",
    "SELECT * APPLY (file) FROM (SELECT '{file}')",
    "SELECT arrayMap(x -> file(x), ['{file}'])",
    "SELECT * FROM {{t:Identifier}}",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM remote('127.0.0.1', 'system.one')",
    "SELECT * FROM s3('http://127.0.0.1:1/x', 'CSV')",
    "SELECT * FROM mysql('127.0.0.1', 'd', 't', 'u', 'p')",
    "SELECT * FROM executable('x', 'TSV', 'a Int8', 'SELECT 1')",
    "SELECT * FROM python(x)",
    "SELECT * FROM merge('default', '.*')",
    "SELECT * FROM system.processes",
    "SELECT * FROM INFORMATION_SCHEMA.tables",
    "SELECT sleep(1)",
    "SELECT dictGet('d', 'a', 1)",
    "SELECT hasColumnInTable('127.0.0.1', 'default', 't', 'c')",
    "SELECT getServerSetting('port')",
    "SELECT",
    "",
]


@pytest.mark.parametrize("statement", REFUSED)
async def test_everything_else_is_refused(
    front: Front, embedded: Embedded, client: Client, tmp_path: Path, statement: str
) -> None:
    secret, out = tmp_path / "secret.txt", tmp_path / "out.txt"
    secret.write_text(CONTENT)
    text = statement.format(file=secret, out=out)
    async with aiohttp.ClientSession(headers=basic("reader", "secret")) as session:
        url = f"http://127.0.0.1:{front.port}/"
        async with session.post(url, data=text, params={"param_t": f"default.{secret}"}) as answer:
            told = await answer.text()
            assert answer.status in {400, 403}
            assert "X-ClickHouse-Exception-Code" in answer.headers
    assert CONTENT not in told
    assert not out.exists()
    assert client.command("SELECT count() FROM events") == 0


@pytest.mark.parametrize(
    "params",
    [
        {"readonly": "0", "max_memory_usage": "0"},
        {"output_format_schema": "/tmp/x"},  # noqa: S108 - must not be written
        {"max_execution_time": "1000"},
        {"a=1, readonly": "0"},
        {"database": "system"},
    ],
)
async def test_a_setting_that_could_do_harm_is_refused(front: Front, params: dict[str, str]) -> None:
    url, given = f"http://127.0.0.1:{front.port}/", {"query": "SELECT 1", **params}
    async with (
        aiohttp.ClientSession(headers=basic("reader", "secret")) as session,
        session.get(url, params=given) as answer,
    ):
        assert answer.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic broken"},
        basic("reader", "wrong"),
        basic("other", "secret"),
        {"X-ClickHouse-User": "reader", "X-ClickHouse-Key": ""},
    ],
)
async def test_without_the_password_nothing_is_answered(front: Front, headers: dict[str, str]) -> None:
    url = f"http://127.0.0.1:{front.port}/"
    async with aiohttp.ClientSession(headers=headers) as session, session.post(url, data="SELECT 1") as answer:
        assert answer.status == 401


async def test_grafanas_headers_and_ping_are_understood(front: Front) -> None:
    headers = {"X-ClickHouse-User": "reader", "X-ClickHouse-Key": "secret"}
    async with aiohttp.ClientSession(headers=headers) as session:
        url = f"http://127.0.0.1:{front.port}/"
        async with session.get(url, params={"query": "SELECT 1 AS a", "default_format": "JSON"}) as answer:
            assert (await answer.json(content_type=None))["data"] == [{"a": 1}]
        async with session.get(url + "ping") as answer:
            assert await answer.text() == "Ok.\n"
        async with session.put(url, data="SELECT 1") as answer:
            assert answer.status == 403


async def test_a_question_that_takes_too_long_is_ended(embedded: Embedded, client: Client) -> None:
    endless = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))"
    async with served(embedded, max_seconds=1) as front:
        with pytest.raises(DatabaseError, match="TIMEOUT_EXCEEDED"):
            await asked(front, embedded.database, lambda client: client.command(endless))


async def test_an_answer_that_is_too_large_is_ended(front: Front, embedded: Embedded) -> None:
    with pytest.raises(DatabaseError, match=r"TOO_MANY_ROWS_OR_BYTES|MEMORY_LIMIT_EXCEEDED|TIMEOUT_EXCEEDED"):
        await asked(front, embedded.database, lambda client: client.raw_query("SELECT * FROM numbers(1000000000)"))


async def test_stopping_ends_what_runs(embedded: Embedded, client: Client) -> None:
    options = FrontOptions(user="reader", password="secret", database=embedded.database)
    front = Front(embedded.folder, options)
    await front.start()
    endless = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))"
    asking = asyncio.ensure_future(asked(front, embedded.database, lambda client: client.command(endless)))
    await asyncio.sleep(0.5)
    await asyncio.wait_for(front.stop(), 10)
    with pytest.raises(DatabaseError, match="QUERY_WAS_CANCELLED"):
        await asking


async def test_many_tickets_are_asked_for_by_name(front: Front, embedded: Embedded, client: Client) -> None:
    # More names than fit into an address: the client would send them as a form, which is no question to the front.
    names = [f"320111004.{number:016x}" for number in range(1_000)]
    told = await asked(front, embedded.database, lambda client: told_by_ledger(client, "lianqin.tickets", names))
    assert told == {}


async def test_a_taken_port_is_told(embedded: Embedded, client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        options = FrontOptions(user="u", password="p", port=taken.getsockname()[1], database=embedded.database)
        with pytest.raises(LedgerRefused, match=r"port .* is taken"):
            await Front(embedded.folder, options).start()


async def test_a_wrong_password_is_told_in_one_line(front: Front) -> None:
    wrong = Server(host="127.0.0.1", port=front.port, user="reader", password="wrong")
    with pytest.raises(LedgerRefused, match="user or password"):
        await asyncio.to_thread(connect, wrong)
    assert "wrong" not in repr(wrong)


def test_nobody_there_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(LedgerAway, match="does not answer"):
        connect(Server(host="127.0.0.1", port=port, user="u", password="p"))


@pytest.mark.parametrize("dsn", ["", "nonsense", "ftp://h/d", "http://:1", "http://h:port/d", "http://h/bad-name;"])
def test_a_wrong_dsn_is_refused(dsn: str) -> None:
    with pytest.raises(LedgerRefused, match="DSN"):
        server_of(dsn)


def test_a_dsn_is_read() -> None:
    assert server_of("https://me:p%40ss@ch.example/city") == Server(
        host="ch.example", port=8443, user="me", password="p@ss", secure=True, database="city"
    )
    assert server_of("http://ch:9000").database == "lianqin"


def test_a_database_without_a_ledger_is_told(engine: Path) -> None:
    with pytest.raises(LedgerRefused, match="no ledger yet"):
        connect(Embedded(engine, database="nowhere"))
