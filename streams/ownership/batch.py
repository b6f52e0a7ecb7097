"""What an owner and its stage's agent hand each other: a batch of records, and the answer to it. No Kafka here."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

Headers = Sequence[tuple[str, bytes]]


class Record(Protocol):
    """One record as it was read; aiokafka's `ConsumerRecord` is one."""

    @property
    def topic(self) -> str:
        """Its topic's full name."""
        ...

    @property
    def partition(self) -> int:
        """Its partition."""
        ...

    @property
    def offset(self) -> int:
        """Its offset; offsets rise, with gaps."""
        ...

    @property
    def timestamp(self) -> int:
        """Milliseconds since the epoch; append time where the topic says so."""
        ...

    @property
    def key(self) -> bytes | None:
        """As it was sent."""
        ...

    @property
    def value(self) -> bytes | None:
        """As it was sent."""
        ...

    @property
    def headers(self) -> Headers:
        """As they were sent, in order."""
        ...


class Memory(Protocol):
    """What a stage remembers of one partition; the owner folds the changelog into it before the first batch."""

    def fold(self, key: bytes, value: bytes | None) -> None:
        """Take one state record in log order; `None` is a tombstone."""
        ...

    def folded(self) -> None:
        """All records are in: build what follows from them."""
        ...


@runtime_checkable
class LargeMemory(Memory, Protocol):
    """One of which `folded` takes long."""

    def folding(self) -> Iterator[None]:
        """What `folded` does, in steps of some milliseconds."""
        ...


M = TypeVar("M", bound=Memory)


class Send(NamedTuple):
    """One record to be sent in the batch's transaction. A tuple: five are made a report, at a third of the price."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


def _nothing() -> None:
    """Remember nothing new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the agent says to a batch. `state` goes to the changelog; `take` runs once the transaction is committed."""

    sends: Sequence[Send] = ()
    state: Mapping[bytes, bytes | None] = field(default_factory=dict)
    take: Callable[[], None] = _nothing
    metadata: str = ""
    done: int | None = None
    """So many records from the first; the owner commits them and asks for the rest again. `None`: all of them."""


@dataclass(slots=True)
class Batch(Generic[M]):
    """One owner's next records, whose answer the owner awaits. Never empty."""

    stage: str
    partition: int
    records: Sequence[Record]
    memory: M
    answer: "asyncio.Future[Answer]"
    metadata: str = ""
    """What the last committed offset carries (stages without a changelog)."""

    def settle(self, decide: "Callable[[Batch[M]], Answer]") -> None:
        """Answer with what `decide` says. What it raises becomes the owner's error, not the agent's."""
        try:
            answer = decide(self)
        except Exception as error:  # noqa: BLE001 - the owner ends the process with it
            if not self.answer.done():
                self.answer.set_exception(error)
        else:
            # An owner that was closed in the meantime does not wait any more.
            if not self.answer.done():
                self.answer.set_result(answer)
