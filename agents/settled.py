"""Whether what was sent has reached ClickHouse: asked off the event loop, over again while the ledger is away."""

import asyncio
from time import monotonic
from typing import Final

from streams.ledger import queries
from streams.ledger.access import Client
from streams.ledger.errors import LedgerAway

AWAY_S: Final = 60.0
"""How long the ledger's worker may take to be started anew."""


class SettledThere:
    """Knows what is settled by what stands in ClickHouse."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def settled(self, topic: str, partition: int, first: int, last: int) -> int:
        """How many of these records are settled or dead letters there."""
        until = monotonic() + AWAY_S
        while True:
            try:
                return await asyncio.to_thread(queries.settled, self._client, topic, partition, first, last)
            except LedgerAway:
                if monotonic() > until:
                    raise
            await asyncio.sleep(1.0)
