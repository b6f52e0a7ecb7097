"""Whether what was sent has reached ClickHouse, or waits at the desk: asked again while ledger or broker is away."""

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Final

from aiokafka.errors import KafkaError

from agents.errors import Away
from agents.held import HeldFeedback
from schemas.commands import Origin
from streams.ledger import queries
from streams.ledger.access import Client
from streams.ledger.errors import LedgerAway

AWAY_S: Final = 60.0
"""How long the ledger's worker may take to be started anew."""


class SettledThere:
    """Knows what is settled by what stands in ClickHouse, and what waits by what the desk holds."""

    def __init__(self, client: Client, held: HeldFeedback) -> None:
        self._client = client
        self._held = held

    async def settled(self, topic: str, partition: int, first: int, last: int) -> int:
        """How many of these records are settled or dead letters there; `Away` where nobody answers for a minute."""
        until = monotonic() + AWAY_S
        while True:
            try:
                return await asyncio.to_thread(queries.settled, self._client, topic, partition, first, last)
            except LedgerAway as error:
                if monotonic() > until:
                    msg = f"{error}; all was sent, and the same command waits on where this one stopped"
                    raise Away(msg) from error
            await asyncio.sleep(1.0)

    async def waiting(self) -> Sequence[Origin]:
        """The feedback that the desk holds until its report comes."""
        try:
            return await self._held.look()
        except (KafkaError, OSError, TimeoutError):
            return ()  # not known is not waiting: the next look will tell
