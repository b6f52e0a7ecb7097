"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic_settings import SettingsError

from agents.errors import UserError
from agents.settings import Settings

DataDir = Annotated[
    Path | None,
    typer.Option(help="Broker's logs, chDB's folder, run files. [default: .lianqin]", envvar="LIANQIN_DATA_DIR"),
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs: one JSON document on standard output.")]


def settings(data_dir: Path | None, **chosen: object) -> Settings:
    """The settings from the environment, with what the command line chose instead."""
    given = {name: value for name, value in chosen.items() if value is not None}
    if data_dir is not None:
        given["data_dir"] = data_dir
    try:
        return Settings(**given)  # type: ignore[arg-type]  # checked by pydantic: the values come from a user
    except SettingsError as error:
        msg = f"the folder of LIANQIN_SECRETS_DIR cannot be used: {error}"
        raise UserError(msg) from error
    except OSError as error:
        msg = f"the folder of LIANQIN_SECRETS_DIR cannot be read: {error.filename} ({error.strerror})"
        raise UserError(msg) from error
    except UnicodeDecodeError as error:
        msg = "a file in the folder of LIANQIN_SECRETS_DIR is not UTF-8: write what is secret as text"
        raise UserError(msg) from error
