"""The whole centre (合成服务中心) on one machine: broker, topics, policy, workers, ledger; begun, stopped in order."""

import asyncio
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from agents.brokers import cluster_at, knock
from agents.errors import UserError
from agents.local.broker import ENVIRONMENT, LocalBroker
from agents.local.folder import DataFolder, LedgerAccess, RunFile
from agents.local.probe import free_ports
from agents.local.processes import ChildSpec, Supervisor
from agents.packs import Examined, examine, standing_name
from agents.policy import hold_to_clock, publish, renewed, standing, titled
from agents.reach import server_at, told
from agents.readiness import page_at, wait_open
from agents.settings import Settings
from agents.topics import make_topics
from schemas.topics import DESK
from streams.ledger.access import connect
from streams.ownership.cluster import Cluster

READY_WITHIN_S: Final = 90.0


def addresses(names: Sequence[str], host: str) -> tuple[dict[str, str], str]:
    """URLs on free ports: of each worker's metrics page, where workers listen on `host`, and of the ledger's front."""
    *ports, front = free_ports(len(names) + 1)
    pages = {name: page_at(host, port) for name, port in zip(names, ports, strict=True)}
    return pages, f"http://127.0.0.1:{front}"


class Centre:
    """What `up` runs. An async context: leaving it stops all that it started, last first."""

    def __init__(self, settings: Settings, folder: DataFolder, *, workers: int) -> None:
        self.settings = settings
        self.folder = folder
        self.cluster = Cluster(settings.kafka.bootstrap or "")
        """Where the brokers are; whole once it has started."""
        self.policy = ""
        """Which rules hold, in words; known once it has started."""
        self._names = [f"worker-{number}" for number in range(1, workers + 1)]
        self._broker: LocalBroker | None = None
        self._supervisor: Supervisor | None = None
        self._metrics: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        self._supervisor = Supervisor(self.folder.logs)
        try:
            await self._start(self._supervisor)
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def ready(self) -> None:
        """Return when every partition of every stage is open; raise what stops that for good."""
        opened = asyncio.ensure_future(
            wait_open(self._metrics.values(), self.settings.kafka.partitions, within_s=READY_WITHIN_S)
        )
        watched = asyncio.ensure_future(self.watch())
        try:
            done, _ = await asyncio.wait((opened, watched), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            opened.cancel()
            watched.cancel()
            await asyncio.gather(opened, watched, return_exceptions=True)

    async def watch(self) -> None:
        """Never return; raise when a child refuses to run."""
        if self._supervisor is not None:
            await self._supervisor.watch()

    async def _start(self, supervisor: Supervisor) -> None:
        examined = examine(self.settings.district)
        await asyncio.to_thread(self._knock_at_ledger)
        await self._start_broker(supervisor)
        await make_topics(self.cluster, self.settings.kafka)
        await self._publish(examined)
        self._metrics, front = addresses([*self._names, "ledger"], self.settings.metrics.host)
        self.folder.write_run(self._run_file(front))
        supervisor.start(self._worker("ledger", "ledger"))
        for name in self._names:
            supervisor.start(self._worker(name, "intake,desk,views"))

    async def _publish(self, examined: Examined) -> None:
        """Put the pack on the log, where it is not there yet as it is now. A surge that is on stays on."""
        desk, clock = self.settings.kafka.prefix + DESK, self.settings.clock
        await hold_to_clock(self.cluster, desk, clock)
        stands = await standing(self.cluster, desk)
        policy = renewed(stands, examined, clock)
        self.policy = titled(policy)
        if stands is None or stands.version != policy.version:
            await publish(self.cluster, desk, self.settings.kafka.partitions, policy)
        if policy.surge is not None and policy.surge not in examined.pack.surges:
            self.policy += (
                f", which the pack has no surges/{policy.surge}.yaml for any more: the rules stay as they were"
            )

    def _knock_at_ledger(self) -> None:
        """Find out now, not in a worker's log, that the ClickHouse that was named is not to be had."""
        if self.settings.ledger.dsn is not None:
            with told():
                connect(server_at(self.settings.ledger), create=True).close()

    async def _start_broker(self, supervisor: Supervisor) -> None:
        security = self.settings.kafka.security
        if self.settings.kafka.bootstrap is not None:
            self.cluster = cluster_at(self.settings.kafka.bootstrap, security)
            await knock(self.cluster)
            return
        if security.protocol != "PLAINTEXT":
            msg = (
                f"LIANQIN_KAFKA__SECURITY__PROTOCOL is {security.protocol}, but the local broker speaks plain text, on "
                "127.0.0.1 alone: name your own with LIANQIN_KAFKA__BOOTSTRAP, or unset it"
            )
            raise UserError(msg)
        self._broker = LocalBroker(self.folder.kafka)
        command = await asyncio.to_thread(self._broker.prepare)
        supervisor.start(ChildSpec(name="broker", argv=command, env=ENVIRONMENT))
        await asyncio.to_thread(self._broker.wait_ready, alive=lambda: supervisor.restarts("broker") == 0)
        self.cluster = Cluster(self._broker.bootstrap)

    def _run_file(self, front: str) -> RunFile:
        return RunFile(
            bootstrap=self.cluster.bootstrap,
            prefix=self.settings.kafka.prefix,
            district=standing_name(self.settings.district),
            clock=self.settings.clock.value,
            up_pid=os.getpid(),
            metrics=dict(self._metrics),
            ledger=LedgerAccess(url=front, user="lianqin", password=secrets.token_urlsafe(24)),
        )

    def _worker(self, name: str, stages: str) -> ChildSpec:
        program = Path(sys.executable).parent / "lianqin"
        port = self._metrics[name].rpartition(":")[2].partition("/")[0]
        argv = [str(program), "worker", "--data-dir", str(self.folder.root), "--stages", stages, "--name", name]
        return ChildSpec(name=name, argv=argv, env={"LIANQIN_METRICS__PORT": port})

    async def _stop(self) -> None:
        if self._supervisor is not None:
            await self._supervisor.stop_all()
        self.folder.remove_run()
