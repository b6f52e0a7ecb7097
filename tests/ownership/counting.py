"""A small stage for the tests: it numbers the records of each key, so that a lost or doubled one shows."""

from collections.abc import AsyncIterable, Awaitable, Callable

from streams.ownership.batch import Answer, Batch, Send
from streams.ownership.stage import Input, Stage


class Counts:
    """How often each key was seen."""

    def __init__(self) -> None:
        self.of: dict[bytes, int] = {}
        self.whole = False

    def fold(self, key: bytes, value: bytes | None) -> None:
        """Take one state record."""
        if value is None:
            self.of.pop(key, None)
        else:
            self.of[key] = int(value)

    def folded(self) -> None:
        """Remember that the fold came to its end."""
        self.whole = True


def counting_stage(prefix: str) -> Stage[Counts]:
    """Reads `in`, keeps `state`."""
    return Stage(
        name="count",
        group=f"{prefix}count",
        inputs=lambda partition: [Input(f"{prefix}in", partition)],
        memory=Counts,
        state=f"{prefix}state",
    )


def counter(out: str) -> Callable[[Batch[Counts]], Answer]:
    """Says `<number> <value>` on `out` for each record."""

    def count(batch: Batch[Counts]) -> Answer:
        changed: dict[bytes, int] = {}
        sends = []
        for record in batch.records:
            key = record.key or b""
            changed[key] = number = changed.get(key, batch.memory.of.get(key, 0)) + 1
            sends.append(Send(out, batch.partition, key, b"%d %s" % (number, record.value or b""), record.headers))
        state = {key: b"%d" % number for key, number in changed.items()}
        return Answer(sends=sends, state=state, take=lambda: batch.memory.of.update(changed))

    return count


def asking(decide: Callable[[Batch[Counts]], Answer]) -> Callable[[Batch[Counts]], Awaitable[None]]:
    """An agent without Faust, for tests of owners alone."""

    async def ask(batch: Batch[Counts]) -> None:
        batch.settle(decide)

    return ask


def agent(decide: Callable[[Batch[Counts]], Answer]) -> Callable[[AsyncIterable[Batch[Counts]]], Awaitable[None]]:
    """The same as a coroutine over batches, for Faust."""

    async def count(batches: AsyncIterable[Batch[Counts]]) -> None:
        """Number the records of each key."""
        async for batch in batches:
            batch.settle(decide)

    return count
