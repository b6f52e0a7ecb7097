"""What a measurement stands on: a broker in a folder of its own, topics, and child processes with known ids."""

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agents.local import children
from agents.local.broker import LocalBroker
from agents.settings import KafkaSettings
from agents.topics import make_topics
from schemas.topics import Topic
from streams.ownership.cluster import Cluster

_STOP_WITHIN_S: Final = 15.0

Tell = Callable[[int], None]
"""So many are done."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process of the measurement."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


class Stand:
    """Broker and folder of one run."""

    def __init__(self, broker: LocalBroker, folder: Path) -> None:
        self.broker = broker
        self.folder = folder
        self.bootstrap = broker.bootstrap

    def topics(self, topics: Sequence[Topic], *, prefix: str, partitions: int) -> None:
        """Make topics that do not stand yet."""
        asyncio.run(make_topics(Cluster(self.bootstrap), KafkaSettings(prefix=prefix, partitions=partitions), topics))

    @contextmanager
    def running(self, *specs: Child) -> Iterator[dict[str, int]]:
        """Run children; gives their process ids, and the broker's."""
        started: dict[str, subprocess.Popen[bytes]] = {}
        try:
            for spec in specs:
                env = {**os.environ, **spec.env}
                started[spec.name] = children.spawn(spec.argv, log=self.log(spec.name), env=env)
            yield {name: child.pid for name, child in started.items()} | {"broker": self.broker.pid or 0}
        finally:
            for child in started.values():
                if child.poll() is None:
                    child.terminate()
            for child in started.values():
                children.stop(child, within_s=_STOP_WITHIN_S)

    def log(self, name: str) -> Path:
        """What a child said."""
        return self.folder / f"{name}.log"
