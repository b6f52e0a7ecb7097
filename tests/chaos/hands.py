"""The hands that strike: signals to workers, kills of brokers, ClickHouse behind its faulty door."""

import signal
import time
from collections.abc import Callable
from typing import Final

from tests.chaos.alone import Alone
from tests.chaos.centre import Up, send_signal
from tests.chaos.clickhouse import ClickHouse
from tests.chaos.cluster import Cluster
from tests.chaos.faults import ALL, SINGLY, Kind

THERE_WITHIN_S: Final = 60.0
LOOK_EVERY_S: Final = 0.1
SIGNALS: Final = {"kill": signal.SIGKILL, "term": signal.SIGTERM, "freeze": signal.SIGSTOP}
FAIL_EVERY: Final = 3
CUT_EVERY: Final = 2
SLOW_S: Final = 1.5


class OnCentre:
    """Strikes a centre; `cluster` and `clickhouse` where it has its own."""

    def __init__(self, up: Up, alone: Alone, cluster: Cluster | None, clickhouse: ClickHouse | None) -> None:
        self._up = up
        self._alone = alone
        self._cluster = cluster
        self._clickhouse = clickhouse

    def strike(self, kind: Kind, victim: str) -> Callable[[], None]:
        """Do it; what is returned lifts it again."""
        if kind in SIGNALS:
            return self._signal(SIGNALS[kind], SINGLY if victim == ALL else (victim,))
        if self._clickhouse is not None and kind in {"away", "slow", "failing", "cut"}:
            return self._spoil(self._clickhouse, kind)
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
