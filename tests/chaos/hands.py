"""The hands that strike: signals to workers, kills of brokers, ClickHouse behind its faulty door, a full disk."""

import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tests.chaos.alone import Alone
from tests.chaos.centre import Up, send_signal
from tests.chaos.clickhouse import ClickHouse
from tests.chaos.cluster import Cluster
from tests.chaos.disk import SmallDisk
from tests.chaos.faults import ALL, SINGLY, Kind

THERE_WITHIN_S: Final = 60.0
LOOK_EVERY_S: Final = 0.1
SIGNALS: Final = {"kill": signal.SIGKILL, "term": signal.SIGTERM, "freeze": signal.SIGSTOP}
FAIL_EVERY: Final = 3
CUT_EVERY: Final = 2
SLOW_S: Final = 1.5


@dataclass(frozen=True, slots=True)
class Stand:
    """What a run is made against; without a `cluster` or `clickhouse` of its own `up` has both."""

    up: Up
    alone: Alone
    cluster: Cluster | None = None
    clickhouse: ClickHouse | None = None
    disk: SmallDisk | None = None

    @property
    def pids(self) -> Mapping[str, int]:
        """All processes by name, as they live now."""
        return {**self.up.children, **self.alone.pids, **(self.cluster.pids if self.cluster else {})}


class OnCentre:
    """Strikes what a run is made against."""

    def __init__(self, stand: Stand) -> None:
        self._up = stand.up
        self._alone = stand.alone
        self._cluster = stand.cluster
        self._clickhouse = stand.clickhouse
        self._disk = stand.disk

    def strike(self, kind: Kind, victim: str) -> Callable[[], None]:
        """Do it; what is returned lifts it again."""
        if kind in SIGNALS:
            return self._signal(SIGNALS[kind], SINGLY if victim == ALL else (victim,))
        if self._clickhouse is not None and kind in {"away", "slow", "failing", "cut"}:
            return self._spoil(self._clickhouse, kind)
        if self._disk is not None and kind == "full":
            return self._disk.fill()
        return self._fell(kind)

    def _signal(self, number: signal.Signals, names: tuple[str, ...]) -> Callable[[], None]:
        pids = [self.pid(name) for name in names]
        for pid in pids:
            send_signal(pid, number)

        def thaw() -> None:
            if number is signal.SIGSTOP:
                for pid in pids:
                    send_signal(pid, signal.SIGCONT)

        return thaw

    def pid(self, name: str) -> int:
        """The victim; one that is between two lives is waited for."""
        until = time.monotonic() + THERE_WITHIN_S
        while (pid := self._alone.pid(name) or self._up.child(name)) is None:
            if time.monotonic() > until:
                msg = f"{name} was not started again within {THERE_WITHIN_S:.0f} s"
                raise TimeoutError(msg)
            time.sleep(LOOK_EVERY_S)
        return pid

    def _spoil(self, clickhouse: ClickHouse, kind: Kind) -> Callable[[], None]:
        door = clickhouse.door
        if kind == "away":
            clickhouse.kill()
            return clickhouse.start
        door.slow_s = SLOW_S if kind == "slow" else 0.0
        door.fail_every = FAIL_EVERY if kind == "failing" else 0
        door.cut_every = CUT_EVERY if kind == "cut" else 0
        return door.behave

    def _fell(self, kind: Kind) -> Callable[[], None]:
        if self._cluster is None:
            # The one broker of `up`, which starts it again.
            return self._signal(signal.SIGKILL, ("broker",))
        return self._cluster.fell(kind)
