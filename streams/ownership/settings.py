"""What may be set about an owner. The defaults were measured; the names carry their units."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.ownership.cluster import Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerSettings:
    """Where the log is and how an owner works on it."""

    bootstrap: str
    """`host:port`, several with commas."""
    prefix: str = ""
    """Begins the group's name and the transactional id of every stage."""
    security: Mapping[str, object] = field(default_factory=dict, repr=False)
    """aiokafka's own words for TLS and SASL, handed to every client as they are."""

    instance: str | None = None
    """A name that this worker keeps when it is started again (static membership); without one it is a new member."""

    transaction_timeout_ms: int = 6_000
    """Not above the group's session time-out: a frozen owner holds later readers up for that long."""
    ahead_within_s: float = 0.5
    """A transaction that ends so soon after the last one is taken for one of many: the next is begun ahead of what
    it will carry. 0: never."""
    ahead_for_s: float = 1.0
    """So long does it wait for something to carry. Well below its time-out, which runs from its beginning."""
    request_timeout_ms: int = 10_000
    retry_backoff_ms: int = 25
    """aiokafka has no other pause between two tries to reach a broker that is away, and a worker has dozens of clients:
    at 5 ms they took more than half a core from a broker that comes back on the same machine, at 25 a fifth."""
    fetch_wait_ms: int = 100
    fold_wait_ms: int = 20
    """While opening; one connection serves fetches and questions in turn, so a long fetch delays the question."""

    batch_records: int = 4_000
    fetch_bytes: int = 4 << 20
    refetch_ms: float = 3
    """How long a batch that was fetched ahead waits for what came since, which is a round trip away. 0: not at all."""
    send_bytes: int = 1_000_000
    """Records of one partition that travel together, before compression; below the smallest topic's limit."""
    record_bytes: int = 8_000_000
    """A single record above it is refused here, by name, before the broker refuses it without one."""
    compression: str | None = "zstd"
    """Half the bytes of lz4, and a sixth of its time: aiokafka asks lz4 for its slowest level."""

    hidden_wait_s: float = 20.0
    """How long an open waits for somebody's open transaction on the state topic to end."""
    offset_every_s: float = 24 * 3600.0
    """An owner commits the offsets of all its inputs again after this time, and once when it has opened: Kafka forgets
    those of a group without members, each for itself, and an input may be idle beside a busy one."""
    offset_gap: int = 50
    """An idle owner commits at once past so many offsets that held nothing to read: an aborted transaction left them.
    Whoever reckons lag by offsets, the gate of intake above all, would wait for them for ever."""
    close_within_s: float = 10.0
    fenced_grace_s: float = 10.0
    """How long after a fence the group may still give this worker the seat, before the process ends."""

    @property
    def cluster(self) -> Cluster:
        """Where the log is, for clients that are no owner's."""
        return Cluster(self.bootstrap, self.security)
