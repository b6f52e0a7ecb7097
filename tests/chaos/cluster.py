"""A cluster of three brokers on this machine, each a process of its own: replication 3, two of three must have it."""

import base64
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from agents.local import brokerfile
from agents.local.broker import BrokerOptions, LocalBroker
from agents.local.brokerfile import VOTERS, Ports
from agents.local.probe import free_port

SIZE: Final = 3
COPIES: Final = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
    # A follower that was killed is soon no longer waited for.
    "replica.lag.time.max.ms": "5000",
}
QUORUM: Final = "__cluster_metadata-0/quorum-state"


class Cluster:
    """Three brokers that are controllers as well. A context: leaving it ends them."""

    def __init__(self, folder: Path) -> None:
        cluster_id = "L" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
        ports = {node: Ports(free_port(), free_port()) for node in range(1, SIZE + 1)}
        voters = ",".join(f"{node}@127.0.0.1:{one.controller}" for node, one in ports.items())
        self._folder = folder
        self._brokers: dict[int, LocalBroker] = {}
        for node, one in ports.items():
            home = folder / f"broker-{node}"
            home.mkdir(parents=True)
            brokerfile.write_ports(home / "ports.json", one)
            own = {**COPIES, "node.id": str(node), VOTERS: voters}
            options = BrokerOptions(heap_mb=512, ready_within_s=120, settings=own, cluster_id=cluster_id)
            self._brokers[node] = LocalBroker(home, options)
        self.bootstrap = ",".join(f"127.0.0.1:{one.client}" for one in ports.values())

    @property
    def env(self) -> Mapping[str, str]:
        """What a centre is told to use it."""
        return {"LIANQIN_KAFKA__BOOTSTRAP": self.bootstrap, "LIANQIN_KAFKA__REPLICATION": str(SIZE)}

    @property
    def pids(self) -> dict[str, int]:
        """Those that live."""
        return {f"broker-{node}": one.pid for node, one in self._brokers.items() if one.pid is not None}

    def __enter__(self) -> Self:
        try:
            self._start(self._brokers)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def fell(self, kind: str) -> Callable[[], None]:
        """Kill the `controller` that leads, all `brokers`, or a `broker` that is not the controller."""
        leads = self.leader()
        others = [node for node in self._brokers if node != leads]
        struck = {"controller": [leads], "brokers": list(self._brokers), "broker": others[:1]}[kind]
        for node in struck:
            self._brokers[node].kill()
        return lambda: self._start(struck)

    def leader(self) -> int:
        """Which node leads the controllers: what the node with the newest epoch has written down."""
        said = [json.loads(one.read_text()) for one in self._folder.glob(f"*/data/{QUORUM}")]
        return int(max(said, key=lambda one: int(one["leaderEpoch"]))["leaderId"])

    def _start(self, nodes: Iterable[int]) -> None:
        # At once: alone, the first would wait for a quorum.
        with ThreadPoolExecutor(SIZE) as threads:
            list(threads.map(lambda node: self._brokers[node].start(), nodes))

    def _end(self) -> None:
        with ThreadPoolExecutor(SIZE) as threads:
            list(threads.map(lambda broker: broker.kill(), self._brokers.values()))
