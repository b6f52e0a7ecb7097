"""The views stage as a process on a real broker, killed while facts flow: each view and each record follows once."""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from agents.local import children
from agents.local.broker import LocalBroker
from agents.local.probe import free_port
from agents.settings import KafkaSettings
from agents.topics import make_topics
from schemas.events import (
    Event,
    LimitPassed,
    MatchProposed,
    ReportSettled,
    TicketAbsorbed,
    TicketAdopted,
    TicketClosed,
    TicketDispatched,
    TicketHandled,
    TicketOpened,
    TicketSigned,
)
from streams.ownership.cluster import Cluster
from tests.chaos.centre import PROGRAM
from tests.chaos.kafka import Reader, headers_of, place_of
from tests.chaos.views import TOPICS, Expected, Found, differences, missing
from tests.facts import BEGIN, Log, Made, fact

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]

PARTITIONS = 2
TICKETS = 300
WITHIN_S = 60.0
NEXT: tuple[Event, ...] = (fact(TicketSigned), fact(TicketHandled), fact(TicketClosed), fact(LimitPassed))


def flow(seed: int, partition: int) -> list[Made]:
    """Facts of many tickets, some of them merged; who is to be told what is different for each."""
    draw, log, at = random.Random(seed), Log(number=partition), BEGIN
    for number in range(TICKETS):
        name, at = f"p{partition}-k{number}", at + 1000
        before = f"p{partition}-k{draw.randrange(number)}" if number else None
        log.say(fact(TicketOpened, source_id=f"s{number}"), at=at, ticket=name)
        log.say(fact(TicketDispatched, unit=draw.choice(("u1", "u2")), assisting=("a1",)), at=at, ticket=name)
        log.say(fact(ReportSettled, ticket=name, source_id=f"s{number}"), at=at, ticket=name)
        if before is not None and draw.random() < 0.3:
            log.say(fact(MatchProposed, other=before), at=at, ticket=name)
            log.say(fact(TicketAbsorbed, into=before), at=at, ticket=name)
            log.say(fact(TicketAdopted, child=name), at=at, ticket=before)
        if before is not None:
            log.say(draw.choice(NEXT), at=at, ticket=before)
    return log.records


class Stage:
    """Topics of its own, and workers on them."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.kafka = KafkaSettings(prefix=f"v{random.randrange(1 << 32):08x}.", partitions=PARTITIONS)
        self.bootstrap = bootstrap
        self._folder = folder
        self._workers = 0

    @contextmanager
    def worker(self) -> Iterator["subprocess.Popen[bytes]"]:
        """A process that runs the views stage and nothing else."""
        self._workers += 1
        name = f"views-{self._workers}"
        env = {
            **os.environ,
            "LIANQIN_KAFKA__BOOTSTRAP": self.bootstrap,
            "LIANQIN_KAFKA__PREFIX": self.kafka.prefix,
            "LIANQIN_KAFKA__PARTITIONS": str(PARTITIONS),
            "LIANQIN_METRICS__PORT": str(free_port()),
        }
        command = [str(PROGRAM), "worker", "--stages", "views", "--name", name, "--data-dir", str(self._folder)]
        started = children.spawn(command, log=self._folder / f"{name}.log", env=env)
        try:
            yield started
        finally:
            children.stop(started, within_s=20)

    async def send(self, records: list[Made]) -> None:
        """Append facts in one transaction, as the desk does."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, transactional_id=f"{self.kafka.prefix}desk")
        async with producer, producer.transaction():
            for made in records:
                await producer.send(
                    f"{self.kafka.prefix}tickets",
                    key=made.key,
                    value=made.value,
                    partition=made.partition,
                    headers=list(made.headers),
                )


class Told:
    """What can be read of the views' topics, and what must be."""

    def __init__(self, stage: Stage) -> None:
        self._prefix = stage.kafka.prefix
        self._reader = Reader(stage.bootstrap, [self._prefix + topic for topic in TOPICS])
        self.expected, self.found = Expected(), Found()

    def expect(self, records: list[Made]) -> None:
        """These facts were sent."""
        for made in records:
            self.expected.take({name: value.decode() for name, value in made.headers}, json.loads(made.value or b""))

    def left(self) -> int:
        """How many facts have not come to the views yet."""
        for message in self._reader.new():
            raw, topic = message.value(), place_of(message)[0].removeprefix(self._prefix)
            data = None if raw is None else json.loads(raw)
            self.found.take(topic, (message.key() or b"").decode(), headers_of(message), data)
        return missing(self.expected.newest, self.expected.said, self.found)

    def until(self, left: int) -> None:
        """Wait until no more than so many facts are left."""
        until = time.monotonic() + WITHIN_S
        while (now := self.left()) > left:
            assert time.monotonic() < until, f"{now} facts have not come to the views"
            time.sleep(0.05)

    def close(self) -> None:
        """Let go of the connection."""
        self._reader.close()


async def test_killed_and_fenced_it_says_everything_once(broker: LocalBroker, tmp_path: Path) -> None:
    stage = Stage(broker.bootstrap, tmp_path)
    await make_topics(Cluster(stage.bootstrap), stage.kafka)
    facts = [flow(seed, partition) for seed, partition in ((7, 0), (8, 1))]
    told = Told(stage)
    for part in range(3):
        # Two workers: one is killed with facts in hand, and the other takes its seats over.
        with stage.worker() as struck, stage.worker():
            for log in facts:
                some = log[part * len(log) // 3 : (part + 1) * len(log) // 3]
                told.expect(some)
                await stage.send(some)
            told.until(len(told.expected.said) // 2)
            struck.send_signal(signal.SIGKILL)
            told.until(0)
    assert list(differences(told.expected, told.found)) == []
    assert len(told.found.current) == PARTITIONS * TICKETS
    assert told.found.records > 4 * PARTITIONS * TICKETS
    told.close()
