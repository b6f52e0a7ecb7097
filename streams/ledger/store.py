"""The ledger's own connection to ClickHouse, for one event loop: blocks in, answers out, off the loop's thread."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self, TypeVar

from streams.ledger.access import Client, Embedded, Way, asking, connect
from streams.ledger.migrate import migrate
from streams.ledger.rows import COLUMNS, Block

T = TypeVar("T")

_NAMES: Final = [column.name for column in COLUMNS]
_TYPES: Final = [column.type for column in COLUMNS]


def insert(client: Client, block: Block) -> None:
    """Write a block: whole or not at all, and once however often it is repeated.

    Returns when ClickHouse has acknowledged it. Blocks; raises `LedgerAway` or `LedgerRefused`.
    """
    with asking():
        context = client.create_insert_context(
            "events",
            column_names=_NAMES,
            column_type_names=_TYPES,
            column_oriented=True,
            # The default, asynchronous insert would acknowledge a block that it has only queued beside others.
            settings={"async_insert": 0, "insert_deduplicate": 1, "insert_deduplication_token": block.token},
        )
        # The client cuts what is larger than 2 MB. ClickHouse may take each piece for a block, and all but the first
        # for a repetition, by the token they share: they would be acknowledged, and nowhere.
        context.req_block_size = block.rows
        try:
            client.insert(data=block.columns, context=context)
        finally:
            # It refers to itself, and to the whole block; a worker leaves alone for good what is under way when it
            # looks for such circles.
            vars(context).clear()


class Store:
    """One connection for blocks and one for questions, each with a thread of its own."""

    def __init__(self, way: Way) -> None:
        self.way = way
        self._writer = _Lane(way)
        self._reader = _Lane(way)

    async def open(self) -> None:
        """Connect, make the database where it is missing, and bring it to the newest layout."""
        await self._writer.open(create=True)
        await self._writer.run(migrate)
        await self._reader.open()

    async def insert(self, block: Block) -> None:
        """Write a block (see `insert`); when this returns it is in ClickHouse."""
        await self._writer.run(lambda client: insert(client, block))

    async def ask(self, question: Callable[[Client], T]) -> T:
        """Put a question from `streams.ledger.queries`."""
        return await self._reader.run(question)

    async def close(self) -> None:
        """End what still runs, then disconnect. No insert or question may be begun after this."""
        if isinstance(self.way, Embedded):
            # To leave while a query runs is a segmentation fault.
            await asyncio.to_thread(kill_queries, self.way)
        await self._reader.close()
        await self._writer.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def kill_queries(way: Embedded) -> None:
    """End all SELECTs that run in this process; inserts are let finish."""
    client = connect(way)
    with asking(way):
        client.command("KILL QUERY WHERE query_kind = 'Select' AND query_id != queryID() SYNC")
    client.close()


class _Lane:
    """A client and the one thread that uses it."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._client: Client | None = None

    async def open(self, *, create: bool = False) -> None:
        self._client = await self._call(lambda: connect(self._way, create=create))

    async def run(self, work: Callable[[Client], T]) -> T:
        client = self._client
        if client is None:
            msg = "the ledger's store is not open"
            raise RuntimeError(msg)
        return await self._call(lambda: work(client))

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await self._call(client.close)
        self._thread.shutdown()

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
