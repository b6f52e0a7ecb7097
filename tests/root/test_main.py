"""How a command ends: a user's mistake in one clear line and 2, whatever else goes wrong with its traceback and 70."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NoReturn

import pytest
import typer
from pydantic import TypeAdapter, ValidationError

from agents.cli import main
from agents.errors import Away, UserError

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


def test_an_answer_that_is_no_stays_1(monkeypatch: pytest.MonkeyPatch, ran: Ran) -> None:
    app = typer.Typer()

    @app.command()
    def differ() -> NoReturn:
        raise typer.Exit(1)

    monkeypatch.setattr(main, "program", lambda _: app)
    assert ran() == (1, "")
