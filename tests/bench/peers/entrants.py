"""Who does the small job, and how each is set for throughput and for delay, in one way or several.

docs/peers.md says why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.bench import small
from tests.bench.peers import fetching
from tests.bench.small import Program

Settings = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Setup:
    """How a program is set, and in how many processes it runs."""

    settings: Settings
    processes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """One way to do the small job, beside others."""

    name: str
    """As it stands in peers.json."""
    title: str
    program: Program
    records: int
    """So many are read for throughput, that a run takes some seconds."""
    throughput: Mapping[str, Setup]
    """By name; the best one counts."""
    delay: Mapping[str, Settings]
    """Of one process; the best one counts at each rate."""


def _kafka_streams() -> Sequence[str]:
    flags = ("-Xms512m", "-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
    return ["java", *flags, "-cp", fetching.kafka_streams(), "lianqin.peers.DropRepeats"]


def _quix() -> Sequence[str]:
    return [fetching.quix(), "-m", "tests.bench.peers.quix_job"]


_STREAMS: Final[Settings] = {
    "processing.guarantee": "exactly_once_v2",
    "auto.offset.reset": "earliest",
    "store.cache": False,
}
_STREAMS_FAST: Final[Settings] = _STREAMS | {
    "num.stream.threads": 2,
    "producer.compression.type": "lz4",
    "producer.batch.size": 262_144,
    "max.poll.records": 4_000,
}
_STREAMS_QUICK: Final[Settings] = _STREAMS | {"store": "memory", "num.stream.threads": 1, "producer.linger.ms": 0}
_QUIX: Final[Settings] = {"processing_guarantee": "exactly-once"}
_QUIX_FAST: Final[Settings] = _QUIX | {
    "commit_interval": 1.0,
    "producer_extra_config": {"compression.type": "lz4", "linger.ms": 20, "batch.size": 262_144},
}

LIANQIN: Final = Entrant(
    name="lianqin",
    title="lianqin, exactly once",
    program=small.LIANQIN,
    records=1_000_000,
    throughput={"1 worker": Setup({}), "2 workers": Setup({}, processes=2)},
    delay={"as shipped": {}},
)
KAFKA_STREAMS: Final = Entrant(
    name="kafka_streams",
    title="Kafka Streams, exactly once",
    program=Program(command=_kafka_streams),
    records=1_000_000,
    throughput={
        "RocksDB, 2 threads": Setup(_STREAMS_FAST | {"store": "rocksdb"}),
        "in memory, 1 thread": Setup(_STREAMS_FAST | {"store": "memory", "num.stream.threads": 1}),
        "in memory, 2 threads": Setup(_STREAMS_FAST | {"store": "memory"}),
    },
    delay={
        "commit every ms": _STREAMS_QUICK | {"commit.interval.ms": 1, "poll.ms": 1},
        "commit every 5 ms": _STREAMS_QUICK | {"commit.interval.ms": 5, "poll.ms": 5},
    },
)
QUIX: Final = Entrant(
    name="quix",
    title="Quix Streams, exactly once",
    program=Program(command=_quix),
    records=200_000,
    throughput={"1 process": Setup(_QUIX_FAST), "2 processes": Setup(_QUIX_FAST, processes=2)},
    delay={
        "commit every 3 ms": _QUIX
        | {"commit_interval": 0.003, "consumer_poll_timeout": 0.01, "producer_extra_config": {"linger.ms": 0}}
    },
)
FAUST: Final = Entrant(
    name="faust",
    title="plain Faust, at least once",
    program=small.FAUST,
    records=30_000,
    throughput={"1 worker": Setup(small.FAUST.settings), "2 workers": Setup(small.FAUST.settings, processes=2)},
    delay={"no linger": {"producer_linger_ms": 0}},
)
ALL: Final = (LIANQIN, KAFKA_STREAMS, QUIX, FAUST)
