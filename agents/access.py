"""How a command finds what it works on: the environment first, then what `up` wrote into the data folder."""

import asyncio

from agents.brokers import cluster_at, knock
from agents.errors import UserError
from agents.local.folder import DataFolder, RunFile
from agents.settings import Settings
from streams.ownership.cluster import Cluster


def running(settings: Settings) -> RunFile:
    """The run file of the `up` that works on this data folder; an error where none runs."""
    run = DataFolder(settings.data_dir).read_run()
    if run is None:
        msg = f"nothing runs on {settings.data_dir}: start `lianqin up --data-dir {settings.data_dir}` first"
        raise UserError(msg)
    return run


def cluster_of(settings: Settings) -> Cluster:
    """The brokers, who let us in; see `admitted`."""
    return admitted(settings, settings.kafka.bootstrap or running(settings).bootstrap)


def admitted(settings: Settings, bootstrap: str) -> Cluster:
    """The brokers at this address, as the user that the settings name; they have let us in."""
    cluster = cluster_at(bootstrap, settings.kafka.security)
    asyncio.run(knock(cluster))
    return cluster
