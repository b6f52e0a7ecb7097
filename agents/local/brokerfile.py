"""What the local broker is told in its files: its settings and its ports. Pure but for two file calls."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

VOTERS: Final = "controller.quorum.voters"
"""Who chooses otherwise makes the broker one of several."""
SETTINGS: Final[Mapping[str, str]] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    # One broker keeps one copy of everything.
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # Topics are made on purpose; a group that sleeps for a year is not forgotten.
    "auto.create.topics.enable": "false",
    "offsets.retention.minutes": str(400 * 24 * 60),
    # Two cores: few threads, few internal partitions, a cleaner that leaves the heap to others.
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "4",
    "group.coordinator.threads": "2",
    "offsets.topic.num.partitions": "8",
    "transaction.state.log.num.partitions": "8",
    "share.coordinator.state.topic.num.partitions": "1",
    "log.cleaner.dedupe.buffer.size": str(32 * 1024 * 1024),
    # A new member is let in at once, and one that is tested for being frozen is soon found out.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # A frozen owner's transaction holds its readers up no longer than its own time-out (plus 1 s).
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    # After a kill -9 the same node is let in again as soon as its former session has run out.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
}


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the broker listens on 127.0.0.1; kept beside its data so that a restart finds them."""

    client: int
    controller: int


def properties(
    ports: Ports, data: Path, settings: Mapping[str, str] = MappingProxyType({}), listeners: Sequence[str] = ()
) -> str:
    """The text of `server.properties` for a broker that keeps its logs in `data`; `settings` win.

    `listeners`: further ones beside the plain one, as `SASL_SSL://host:port`.
    """
    clients = ",".join([f"PLAINTEXT://127.0.0.1:{ports.client}", *listeners])
    lines = {
        **SETTINGS,
        "listeners": f"{clients},CONTROLLER://127.0.0.1:{ports.controller}",
        "advertised.listeners": clients,
        # Named here and not in the log, so that a restart may listen on other ports.
        VOTERS: f"1@127.0.0.1:{ports.controller}",
        "log.dirs": str(data).replace("\\", "\\\\"),
        **settings,
    }
    return "".join(f"{key}={_in_ascii(value)}\n" for key, value in lines.items())


def _in_ascii(value: str) -> str:
    """Java reads the file as ISO 8859-1, and all else as the numbers of its UTF-16 units."""
    return "".join(one if one.isascii() else _units(one) for one in value)


def _units(character: str) -> str:
    # Half a pair stands in a name that is no UTF-8: for Java to refuse, not for us to fail at.
    digits = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(rf"\u{digits[at : at + 4]}" for at in range(0, len(digits), 4))


def read_ports(file: Path) -> Ports | None:
    """The ports of the last start, or None when there are none to be read."""
    try:
        written = json.loads(file.read_text())
        return Ports(int(written["client"]), int(written["controller"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_ports(file: Path, ports: Ports) -> None:
    """Remember where the broker listens."""
    file.write_text(json.dumps(asdict(ports)) + "\n")


def cluster_id(data: Path) -> str:
    """The id that `data` was formatted with."""
    lines = (data / "meta.properties").read_text().splitlines()
    return next(line.removeprefix("cluster.id=") for line in lines if line.startswith("cluster.id="))
