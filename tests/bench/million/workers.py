"""Real workers with the desk stage, as `lianqin up` runs them, and what their group says of them."""

import re
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from confluent_kafka.admin import AdminClient

from agents.local.probe import free_port
from tests.bench.million.fold import PREFIX
from tests.bench.stand import Child, Stand

_PATIENCE_S: Final = 300.0
_OPEN: Final = re.compile(r'^lianqin_partitions_open\{stage="desk"\} ([\d.]+)$', re.MULTILINE)


class Worker:
    """One of them, before it is started."""

    def __init__(self, stand: Stand, name: str) -> None:
        self._port = free_port()
        program = Path(sys.executable).parent / "lianqin"
        argv = [str(program), "worker", "--data-dir", str(stand.folder / "lianqin"), "--stages", "desk", "--name", name]
        env = {"LIANQIN_KAFKA__BOOTSTRAP": stand.bootstrap, "LIANQIN_KAFKA__PREFIX": PREFIX}
        self.child = Child(name, argv, env | {"LIANQIN_METRICS__PORT": str(self._port)})

    def open(self) -> int:
        """How many desk partitions it has open; 0 while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=5) as answer:
                found = _OPEN.search(answer.read().decode())
        except OSError:
            return 0
        return int(float(found[1])) if found else 0


def wait(true: Callable[[], bool], what: str, *, within_s: float = _PATIENCE_S) -> float:
    """Wait until it is true; how long that took, in seconds. TimeoutError says what did not happen."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > within_s:
            msg = f"{what}: not within {within_s:g} s"
            raise TimeoutError(msg)
        time.sleep(0.05)
    return time.monotonic() - began


def seats(bootstrap: str) -> Mapping[int, str]:
    """Which member of the group holds which seat."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    group = PREFIX + "desk.seats"
    told = admin.describe_consumer_groups([group])[group].result(timeout=10)
    return {one.partition: member.client_id for member in told.members for one in member.assignment.topic_partitions}


def moved(before: Mapping[int, str], after: Mapping[int, str]) -> Sequence[int]:
    """The seats that changed hands."""
    return sorted(one for one, member in after.items() if before.get(one) != member)
