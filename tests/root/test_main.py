"""How a command ends: a user's mistake in one clear line and 2, whatever else goes wrong with its traceback and 70."""

import asyncio
import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NoReturn

import pytest
import typer
from pydantic import TypeAdapter, ValidationError

from agents.cli import main
from agents.errors import Away, UserError
from agents.packs import load_sources
from tests.desk.logs import POLICY, Log, report
from tests.replaying.test_command import file_of

ESCAPE: Final = "\x1b"
LONG: Final = "a" * 300

Ran = Callable[..., tuple[int, str]]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Ran:
    """Runs a command; its exit code, and what it said on stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["lianqin", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.main()
        assert isinstance(ended.value.code, int)
        return ended.value.code, capsys.readouterr().err

    return run


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def program(_: Iterable[str]) -> Callable[[], NoReturn]:
        def fail() -> NoReturn:
            raise error

        return fail

    monkeypatch.setattr(main, "program", program)


def invalid() -> ValidationError:
    with pytest.raises(ValidationError) as found:
        TypeAdapter(int).validate_python({})
    return found.value


@pytest.mark.parametrize(
    "error",
    [RuntimeError("lost"), OSError(5, "lost"), asyncio.CancelledError("lost"), invalid()],
    ids=lambda error: type(error).__name__,
)
def test_whatever_nobody_caught_is_told_whole_and_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, ran: Ran, error: BaseException
) -> None:
    failing(monkeypatch, error)
    code, said = ran()
    assert code == 70
    assert said.startswith("Traceback ")
    assert f"\n{type(error).__module__}.{type(error).__name__}".replace("\nbuiltins.", "\n") in said


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UserError("no"), 2, "lianqin: no\n"),
        (Away("gone"), 70, "lianqin: gone\n"),
        (KeyboardInterrupt(), 130, ""),
        (SystemExit(1), 1, ""),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_is_no_bug_has_no_traceback(
    monkeypatch: pytest.MonkeyPatch, ran: Ran, error: BaseException, code: int, said: str
) -> None:
    failing(monkeypatch, error)
    assert ran() == (code, said)


A_WORKER_THAT_FAILS: Final = """
import sys
from pathlib import Path
from agents import app, journal
from agents.cli import main
from agents.leasing import OneWorker, lease
from streams.ownership.settings import OwnerSettings

class Holder:
    async def close(self): pass

async def fail():
    if sys.argv[2] == "crash":
        await made.crash(RuntimeError("lost"))
    raise RuntimeError("lost")

leased = lease("desk", OwnerSettings(bootstrap="127.0.0.1:9"), Path(sys.argv[1]), seats=1)
made = OneWorker([(leased, Holder())], before=[fail])
app.worker = lambda _: made
journal.begin()
main.program = lambda _: lambda: app.run(None)
main.main()
"""


@pytest.mark.parametrize("how", ["fail", "crash"])
def test_what_fails_in_a_worker_is_told_whole_too(tmp_path: Path, how: str) -> None:
    command = [sys.executable, "-c", A_WORKER_THAT_FAILS, str(tmp_path), how]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 70
    assert "Traceback " in ended.stderr
    assert "\nRuntimeError: lost\n" in ended.stderr


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, 70), (errno.EDQUOT, 70), (errno.EROFS, 2), (errno.EACCES, 2), (errno.ENOTDIR, 2)],
    ids=str,
)
@pytest.mark.parametrize("what", ["trial", "own folder"])
def test_a_full_disk_is_no_refusal(
    monkeypatch: pytest.MonkeyPatch, ran: Ran, what: str, number: int, code: int
) -> None:
    make = Path.mkdir

    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    def mkdir(path: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        return fail() if path.parent.name == "faust" else make(path, mode, parents, exist_ok)

    monkeypatch.setenv("LIANQIN_KAFKA__BOOTSTRAP", "127.0.0.1:9")
    if what == "trial":
        monkeypatch.setattr(tempfile, "TemporaryFile", fail)
    else:
        monkeypatch.setattr(Path, "mkdir", mkdir)
    # Three refusals are the last word to `up`: who lacks room alone must be started again until there is some.
    ended, said = ran("worker", "--stages", "desk")
    (line,) = said.splitlines()
    assert (ended, os.strerror(number) in line, "make room" in line) == (code, True, code == 70), said


def test_an_answer_that_is_no_stays_1(monkeypatch: pytest.MonkeyPatch, ran: Ran) -> None:
    app = typer.Typer()

    @app.command()
    def differ() -> NoReturn:
        raise typer.Exit(1)

    monkeypatch.setattr(main, "program", lambda _: app)
    assert ran() == (1, "")


@pytest.mark.parametrize("command", ["topics", "topics --json"])
def test_who_is_not_read_any_more_gives_no_answer(command: str) -> None:
    unread, full = os.pipe()
    os.close(unread)
    with os.fdopen(full, "wb") as nobody:
        lianqin = [sys.executable, "-m", "agents.cli.main", *command.split()]
        ended = subprocess.run(lianqin, stdout=nobody, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stderr) == (141, "")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("replay --log some.log --since ² --partition 3", "'²' is no time"),
        ("replay --log some.log --until ١٢ --partition 3", "'١٢' is no time"),
        (f"replay --log some.log --since {'9' * 5000} --partition 3", "is no time"),
        ("simulate --begin 9999-12-31 --days 2 --out made", "--begin 9999-12-31"),
        ("simulate --begin 2098-12-31 --days 2 --out made", "--begin 2098-12-31"),
        ("simulate --begin 1900-01-01 --out made", "--begin 1900-01-01"),
        ("simulate --times 0.01 --out /dev/null/x", "/dev/null/x cannot be written (Not a directory)"),
        ("snapshot . --log some.log", ". cannot be written"),
        (f"policy diff ./{LONG} pukou", "File name too long"),
        (f"feed boston311 x.csv --dry-run --data-dir {LONG}", "File name too long"),
        ("worker --stages desk --name /dev/null/x", "/dev/null/x cannot be written (Not a directory)"),
    ],
    ids=lambda text: text[:60],
)
def test_an_option_that_cannot_be_meant_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, ran: Ran, tmp_path: Path, arguments: str, why: str
) -> None:
    monkeypatch.setenv("LIANQIN_KAFKA__BOOTSTRAP", "127.0.0.1:9")
    log = Log(policy=POLICY)
    log.add(report("r1"), 0)
    file_of(tmp_path, log)
    refused(ran(*arguments.split()), why)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("LIANQIN_KAFKA__BOOTSTRAP", "host:port", "'host:port' is no broker's address"),
        ("LIANQIN_KAFKA__BOOTSTRAP", "one:9092,127.0.0.1:99999", "'127.0.0.1:99999' is no broker's address"),
        ("LIANQIN_KAFKA__BOOTSTRAP", "[::1:9092", "is no broker's address"),
        ("LIANQIN_KAFKA__BOOTSTRAP", "a..b:9092", "is no broker's address"),
        ("LIANQIN_KAFKA__REPLICATION", "40000", "LIANQIN_KAFKA__REPLICATION: Input should be less than"),
        ("LIANQIN_SECRETS_DIR", LONG, "LIANQIN_SECRETS_DIR"),
    ],
    ids=lambda text: text[:30],
)
def test_a_setting_that_cannot_be_meant_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, ran: Ran, name: str, value: str, why: str
) -> None:
    monkeypatch.setenv("LIANQIN_KAFKA__BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setenv(name, value)
    refused(ran("topics", "--create"), why)
    if name == "LIANQIN_KAFKA__BOOTSTRAP":
        refused(ran("worker", "--stages", "desk"), why)


def test_a_secret_that_is_no_text_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, ran: Ran, tmp_path: Path
) -> None:
    (tmp_path / "LIANQIN_PRIVACY_KEY").write_bytes(b"\xff\xfe")
    monkeypatch.setenv("LIANQIN_SECRETS_DIR", str(tmp_path))
    refused(ran("topics"), "UTF-8")


def refused(ran: tuple[int, str], why: str) -> None:
    code, said = ran
    (line,) = said.splitlines()
    assert (code, line[:9]) == (2, "lianqin: "), said
    assert why in line


def test_a_simulation_may_begin_on_the_first_day_and_end_on_the_last(ran: Ran) -> None:
    assert ran("simulate", "--begin", "1971-01-01", "--times", "0.01", "--out", "first")[0] == 0
    assert ran("simulate", "--begin", "2098-12-31", "--times", "0.01", "--out", "last")[0] == 0


def test_a_files_own_words_reach_no_terminal_as_they_are(ran: Ran, tmp_path: Path) -> None:
    columns = ",".join(load_sources("pukou")["boston311"].columns)
    (tmp_path / "x.csv").write_text(f"{columns},{ESCAPE}]0;owned\x07{ESCAPE}[2J坐席\n1\n")
    code, said = ran("feed", "boston311", "x.csv", "--dry-run")
    assert code == 2
    assert r"the further columns \x1b]0;owned\x07\x1b[2J坐席" in said
    assert ESCAPE not in said


def test_every_line_about_a_pack_is_told_without_its_escapes(ran: Ran, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text('name: own\n"\\e[2J": 1\ntitle: ["\\e]0;x"]\n')
    code, said = ran("policy", "check", "--mapping", "own.yaml")
    assert code == 1
    assert r"own.yaml:2: \x1b[2J: " in said
    assert len(said.splitlines()) > 1
    assert ESCAPE not in said


def test_a_traceback_has_no_escapes_either(monkeypatch: pytest.MonkeyPatch, ran: Ran) -> None:
    failing(monkeypatch, RuntimeError(f"a{ESCAPE}[2J"))
    code, said = ran()
    assert (code, said.splitlines()[-1]) == (70, r"RuntimeError: a\x1b[2J")
