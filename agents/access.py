"""How a command finds what it works on: the environment first, then what `up` wrote into the data folder."""

from agents.errors import UserError
from agents.local.folder import DataFolder, RunFile
from agents.settings import Settings


def running(settings: Settings) -> RunFile:
    """The run file of the `up` that works on this data folder; an error where none runs."""
    run = DataFolder(settings.data_dir).read_run()
    if run is None:
        msg = f"nothing runs on {settings.data_dir}: start `lianqin up --data-dir {settings.data_dir}` first"
        raise UserError(msg)
    return run


def bootstrap_of(settings: Settings) -> str:
    """The broker's address."""
    return settings.kafka.bootstrap or running(settings).bootstrap
