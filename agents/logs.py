"""The way to the logs for a command: a broker that is set, the one of the running `up`, or the folder's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from agents.access import admitted
from agents.errors import UserError
from agents.local.broker import LocalBroker
from agents.reach import Place
from agents.settings import SecuritySettings
from streams.ownership.cluster import Cluster

PLAIN: Final = SecuritySettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """Where the logs are."""

    cluster: Cluster
    prefix: str
    security: SecuritySettings = PLAIN
    """Of the cluster: another process makes its clients by it."""


@contextmanager
def logs_at(place: Place) -> Iterator[Logs]:
    """Where the logs are; the folder's own broker runs for the duration where nothing runs."""
    prefix = place.run.prefix if place.run is not None else place.settings.kafka.prefix
    bootstrap = place.settings.kafka.bootstrap or (place.run.bootstrap if place.run is not None else None)
    if bootstrap is not None:
        security = place.settings.kafka.security
        yield Logs(cluster=admitted(place.settings, bootstrap), prefix=prefix, security=security)
        return
    if not (place.folder.kafka / "data").exists():
        root = place.folder.root
        msg = f"no broker's log on {root}: start `lianqin up --data-dir {root}`, or set LIANQIN_KAFKA__BOOTSTRAP"
        raise UserError(msg)
    with LocalBroker(place.folder.kafka) as broker:
        yield Logs(cluster=Cluster(broker.bootstrap), prefix=prefix)
