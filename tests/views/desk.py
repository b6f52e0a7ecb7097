"""What the desk itself says of a log by chance, as records on `tickets`."""

from schemas.codec import encode
from streams.desk.facts import Fact
from tests.desk.test_machine import Play, by_chance
from tests.facts import Made


def played(seed: int) -> Play:
    """A log that the desk decided; the same for the same seed."""
    return by_chance(seed)


def records_of(facts: list[Fact]) -> list[Made]:
    """The facts as they stand on one partition."""
    return [
        Made(
            topic="t.tickets",
            partition=0,
            offset=offset,
            timestamp=envelope.time,
            value=encode(event),
            headers=envelope.headers(),
            key=envelope.key,
        )
        for offset, (event, envelope) in enumerate(facts)
    ]
