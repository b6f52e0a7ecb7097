"""What a worker that joins, or dies, costs those who wait: the longest wait of a record, under an even load.

From a record's append to that of what comes of it, by the partition it lay on: from a report to its command on `desk`
for the intake stage, from there to its settlement on `tickets` for the desk. Who held which partition is asked of
Faust's group before and after.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from statistics import median
from typing import Any, Final

import orjson
from confluent_kafka import KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient

from agents.local import children
from schemas.topics import CITIZEN, DESK, TICKETS
from tests.bench.logs import Row, read
from tests.bench.path import Setup, prepare, worker
from tests.bench.stand import Child, Stand

PER_SECOND: Final = 160
_SETTLED_S: Final = 5.0
"""How long all must go evenly before anything happens."""
_AFTER_S: Final = 25.0
"""How long is looked at what follows."""
_PATIENCE_S: Final = 60.0
_SETTLED: Final = b"lianqin.report.settled.v1"

Held = Mapping[int, str]
"""By partition, the client that holds its seat."""


Wait = tuple[float, float]
"""Of one record: when it was appended, and when what came of it; seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Longest:
    """Seconds. `usual` is the median of the partitions' longest waits before it happened."""

    usual: float
    stayed: float | None
    """The longest of a partition that did not move; None where all moved."""
    moved: float | None
    moved_n: int
    partitions: int


class Load:
    """An even load of citizens' reports over all intake partitions, from a thread."""

    def __init__(self, stand: Stand, setup: Setup, rows: Sequence[Row]) -> None:
        self._rows, self._over = rows, threading.Event()
        self._topic, self._partitions = setup.prefix + CITIZEN, setup.partitions
        self._producer = Producer({"bootstrap.servers": stand.bootstrap, "linger.ms": 0, "log_level": 0})
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send no more."""
        self._over.set()
        self._thread.join()
        self._producer.flush(30)

    def _run(self) -> None:
        begun = time.monotonic()
        for number, (key, value, headers) in enumerate(self._rows):
            if self._over.wait(max(0.0, begun + number / PER_SECOND - time.monotonic())):
                return
            place = number % self._partitions
            self._producer.produce(self._topic, value, key, headers=list(headers), partition=place)
            self._producer.poll(0)


class Crew:
    """Workers that may join, be killed and be started again."""

    def __init__(self, stand: Stand, setup: Setup, *, static: bool) -> None:
        self._stand, self._setup, self._static = stand, setup, static
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, number: int) -> None:
        """One more; the same number is the same worker again."""
        spec = worker(self._stand, self._setup, number)
        if self._static:
            spec = Child(spec.name, spec.argv, {**spec.env, "LIANQIN_KAFKA__INSTANCE": f"i-{number}"})
        log = self._stand.log(f"{self._setup.prefix}{spec.name}")
        self._running[number] = children.spawn(spec.argv, log=log, env={**os.environ, **spec.env})

    def kill(self, number: int) -> float:
        """With -9; when, in seconds since the epoch."""
        process = self._running.pop(number)
        process.send_signal(signal.SIGKILL)
        at = time.time()
        process.wait()
        return at

    def stop(self) -> None:
        """End all."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            children.stop(process, within_s=15.0)


class Groups:
    """Asks who holds which seats."""

    def __init__(self, stand: Stand, setup: Setup) -> None:
        self._admin = AdminClient({"bootstrap.servers": stand.bootstrap, "log_level": 0})
        self._setup = setup

    def held(self, stage: str) -> Held:
        """By partition, who has it now; empty while the group is rebalancing."""
        name = f"{self._setup.prefix}{stage}.seats"
        try:
            group = self._admin.describe_consumer_groups([name])[name].result(timeout=10)
        except (KafkaException, TimeoutError):
            return {}
        return {
            place.partition: member.member_id
            for member in group.members
            for place in (member.assignment.topic_partitions if member.assignment else ())
        }

    def wait(self, workers: int) -> dict[str, Held]:
        """Who has what, once so many workers have all of both stages and it stays so."""
        until, last = time.monotonic() + _PATIENCE_S, dict[str, Held]()
        while True:
            found = {stage: self.held(stage) for stage in ("intake", "desk")}
            whole = all(len(one) == self._setup.partitions for one in found.values())
            if whole and found == last and all(len(set(one.values())) == workers for one in found.values()):
                return found
            if time.monotonic() > until:
                msg = f"the seats were not given to {workers} workers: {found}"
                raise TimeoutError(msg)
            last = found
            time.sleep(0.5)


def measured(stand: Stand, rows: Sequence[Row], partitions: int, name: str, *, static: bool = False) -> dict[str, Any]:
    """A third worker joins two; then it is killed with -9 and started again at once. The longest waits by stage."""
    setup = replace(Setup(prefix=f"{name}.", partitions=partitions), workers=2)
    prepare(stand, setup)
    crew, groups = Crew(stand, setup, static=static), Groups(stand, setup)
    try:
        for number in (1, 2):
            crew.start(number)
        before = groups.wait(2)
        load = Load(stand, setup, rows)
        time.sleep(_SETTLED_S)
        joins = time.time()
        crew.start(3)
        after = groups.wait(3)
        time.sleep(_AFTER_S)
        killed = crew.kill(3)
        crew.start(3)
        time.sleep(_AFTER_S)
        load.stop()
        time.sleep(_SETTLED_S)
        out = waits(stand, setup)
    finally:
        crew.stop()
    moved = {stage: _moved(before[stage], after[stage]) for stage in out}
    third = {stage: _of_the_newest(before[stage], after[stage]) for stage in out}
    return {
        "static": static,
        "partitions": partitions,
        "join": {stage: vars_of(longest(out[stage], joins, killed, moved[stage])) for stage in out},
        "kill": {stage: vars_of(longest(out[stage], killed, killed + _AFTER_S, third[stage])) for stage in out},
        "first_after_kill_s": {stage: first_after(out[stage], killed, third[stage]) for stage in out},
    }


def vars_of(found: Longest) -> dict[str, float | int | None]:
    """As it stands in the document."""
    return {name: getattr(found, name) for name in ("usual", "stayed", "moved", "moved_n", "partitions")}


def _moved(before: Held, after: Held) -> set[int]:
    return {place for place, holder in after.items() if before[place] != holder}


def _of_the_newest(before: Held, after: Held) -> set[int]:
    old = set(before.values())
    return {place for place, holder in after.items() if holder not in old}


def waits(stand: Stand, setup: Setup) -> dict[str, dict[int, list[Wait]]]:
    """By stage and partition, in the order in which something came of them."""
    reports = {_place(message): _at(message) for message in read(stand.bootstrap, setup.prefix + CITIZEN)}
    commands: dict[tuple[int, int], float] = {}
    intake: dict[int, list[Wait]] = {}
    desk: dict[int, list[Wait]] = {}
    for message in read(stand.bootstrap, setup.prefix + DESK):
        origin = orjson.loads(message.value() or b"{}").get("origin")
        if origin is not None:
            place = origin["partition"], origin["offset"]
            commands[place] = _at(message)
            intake.setdefault(place[0], []).append((reports[place], _at(message)))
    for message in read(stand.bootstrap, setup.prefix + TICKETS):
        if dict(message.headers() or ())["ce_type"] == _SETTLED:
            origin = orjson.loads(message.value() or b"")["origin"]
            began = commands[origin["partition"], origin["offset"]]
            desk.setdefault(message.partition() or 0, []).append((began, _at(message)))
    return {"intake": _sorted(intake), "desk": _sorted(desk)}


def _place(message: Message) -> tuple[int, int]:
    return message.partition() or 0, message.offset() or 0


def _at(message: Message) -> float:
    return message.timestamp()[1] / 1000


def _sorted(found: Mapping[int, Iterable[Wait]]) -> dict[int, list[Wait]]:
    return {place: sorted(ones, key=itemgetter(1)) for place, ones in found.items()}


def longest(found: Mapping[int, Sequence[Wait]], begin: float, end: float, moved: set[int]) -> Longest:
    """The longest waits that end in a stretch of time, on partitions that stayed and on those that moved.

    A partition that nothing ever came out of (a district has fewer areas than that) is not looked at.
    """
    most = {place: _most(ones, begin, end) for place, ones in found.items()}
    usual = [_most(ones, 0.0, begin) for ones in found.values()]
    stay = [wait for place, wait in most.items() if place not in moved]
    went = [wait for place, wait in most.items() if place in moved]
    return Longest(
        usual=round(median(usual), 2) if usual else 0.0,
        stayed=round(max(stay), 2) if stay else None,
        moved=round(max(went), 2) if went else None,
        moved_n=len(went),
        partitions=len(found),
    )


def _most(ones: Sequence[Wait], begin: float, end: float) -> float:
    return max((came - appended for appended, came in ones if begin <= came <= end), default=0.0)


def first_after(found: Mapping[int, Sequence[Wait]], at: float, places: set[int]) -> dict[str, float | None]:
    """How long after a moment the first and the last of these partitions spoke again, seconds."""
    delays = [
        min((came - at for _, came in found[place] if came > at), default=None) for place in places & found.keys()
    ]
    heard = sorted(delay for delay in delays if delay is not None)
    return {"first": round(heard[0], 2) if heard else None, "last": round(heard[-1], 2) if heard else None}
