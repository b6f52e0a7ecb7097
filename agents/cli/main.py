"""The program `lianqin`: its commands, and what happens to an error that the user can put right."""

import logging
import sys
from typing import NoReturn

import typer
from aiokafka.errors import KafkaConnectionError
from pydantic import ValidationError

from agents.brokers import DENIED, denied
from agents.cli.audit import audit
from agents.cli.evaluate import evaluate
from agents.cli.explain import explain
from agents.cli.feed import feed
from agents.cli.policy import policy
from agents.cli.replay import replay
from agents.cli.report import report
from agents.cli.simulate import simulate
from agents.cli.snapshot import snapshot
from agents.cli.topics import topics
from agents.cli.up import up
from agents.cli.worker import worker
from agents.errors import AWAY, REFUSED, Away, UserError
from streams.ledger.errors import LedgerError

app = typer.Typer(
    name="lianqin",
    help="lianqin (联勤): the real-time backbone of a police and grid command centre.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (up, worker, feed, simulate, report, audit, replay, snapshot, explain, topics):
    app.command()(command)
app.add_typer(evaluate)
app.add_typer(policy, name="policy")


def _refuse(text: str, code: int = REFUSED) -> NoReturn:
    sys.stderr.write(f"lianqin: {text}\n")
    sys.exit(code)


def _settings_problem(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    name = "LIANQIN_" + "__".join(str(part) for part in first["loc"]).upper()
    return f"setting {name}: {first['msg']}"


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 the answer is no, 2 refused, 70 a bug or a broker away."""
    # What a client writes about each connection it tries is no news beside our own line.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        app()
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
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
