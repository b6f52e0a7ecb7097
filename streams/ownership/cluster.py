"""Where the brokers are, and how a client shows who it is: what every Kafka client of the product is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cluster:
    """One Kafka cluster, as one user of it."""

    bootstrap: str
    """`host:port`, several with commas."""
    security: Mapping[str, object] = field(default_factory=dict, repr=False)
    """aiokafka's own words for TLS and SASL; empty: plain text. They hold a password, so they are in no `repr`."""

    @property
    def options(self) -> dict[str, object]:
        """For an aiokafka client, beside what is its own."""
        return {"bootstrap_servers": self.bootstrap, **self.security}
