"""The program `lianqin`: its commands, and what happens to an error that the user can put right."""

import logging
import sys
import traceback
from collections.abc import Iterable
from importlib import import_module
from typing import Final, NoReturn

import typer
from aiokafka.errors import KafkaConnectionError
from pydantic import ValidationError

from agents.brokers import DENIED, denied
from agents.errors import AWAY, REFUSED, Away, UserError
from agents.printable import printable
from streams.ledger.errors import LedgerError

COMMANDS: Final = (
    "up", "worker", "feed", "simulate", "report", "audit", "replay", "snapshot", "explain", "topics", "evaluate",
    "policy",
)  # fmt: skip
"""Each is in the module of `agents.cli` that has its name."""
UNREAD: Final = 141
"""Exit code of who wrote to a pipe that nobody reads any more: 128 and the signal's number, as a shell says it."""


def program(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """The command line with these commands; their modules are imported here, since all of them take a second."""
    app = typer.Typer(
        name="lianqin",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_group)
    for name in names:
        command = getattr(import_module(f"agents.cli.{name}"), name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command()(command)
    return app


def _group() -> None:
    """lianqin (联勤): the real-time backbone of a police and grid command centre."""  # noqa: D403 - its name


def _refuse(text: str, code: int = REFUSED) -> NoReturn:
    _end(f"lianqin: {text}\n", code)


def _end(text: str, code: int) -> NoReturn:
    # What is told of a file, a pack or a broker has words of theirs in it.
    sys.stderr.write(printable(text))
    sys.exit(code)


def _settings_problem(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    name = "LIANQIN_" + "__".join(str(part) for part in first["loc"]).upper()
    return f"setting {name}: {first['msg']}"


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 the answer is no, 2 refused, 70 a bug, a broker away, a full disk.

    And 141 where whoever read what was said has gone, as with any program.
    """
    # What a client writes about each connection it tries is no news beside our own line.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        _run()
    except SystemExit as ended:
        # Typer and rich end with 1 then, which is an answer: no.
        if ended.code == 1 and isinstance(ended.__context__, BrokenPipeError):
            sys.exit(UNREAD)
        raise
    except KeyboardInterrupt:
        sys.exit(130)
    except BaseException:  # noqa: BLE001 - Python would end with 1, which is an answer: no
        _end(traceback.format_exc(), AWAY)


def _run() -> None:
    named = [name for name in sys.argv[1:2] if name in COMMANDS]
    try:
        program(named or COMMANDS)()
    except Away as error:
        _refuse(str(error), AWAY)
    except (UserError, LedgerError) as error:
        _refuse(str(error))
    except KafkaConnectionError as error:
        _refuse(f"no broker answers ({error}): start one with `lianqin up`, or set LIANQIN_KAFKA__BOOTSTRAP")
    except DENIED as error:
        _refuse(denied(error))
    except ValidationError as error:
        if error.title != "Settings":
            raise
        _refuse(_settings_problem(error))


if __name__ == "__main__":
    main()
