"""The wire of a producer, over the model: shaped like aiokafka's client, it answers what its handlers request.

What a broker refuses comes back as its error's number, so that what is asked again, and when, is aiokafka's to say.
"""

import asyncio
import struct
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import InvalidProducerEpoch, KafkaError, ProducerFenced
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import (
    AddOffsetsToTxnRequest,
    AddPartitionsToTxnRequest,
    EndTxnRequest,
    InitProducerIdRequest,
    TxnOffsetCommitRequest,
)
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import OffsetAndMetadata

from tests.protocol.broker import BROKER, Epoch
from tests.protocol.log import Data
from tests.protocol.network import HERE

_NODE: Final = 1
_SEQUENCE: Final = struct.Struct(">qhi")
_SEQUENCE_AT: Final = 43
"""Where a batch says whose it is: producer's id and epoch, and the number of its first record."""


class Wire:
    """One producer's connections to the only broker."""

    def __init__(self, **_: object) -> None:
        self._link, self._broker = HERE.get(), BROKER.get()
        self.cluster = self
        self._client_id = ""
        self._answers: Mapping[type, Callable[[Any], Any]] = {
            InitProducerIdRequest: self._init,
            AddPartitionsToTxnRequest: self._add,
            AddOffsetsToTxnRequest: self._add_group,
            ProduceRequest: self._produce,
            TxnOffsetCommitRequest: self._commit_offsets,
            EndTxnRequest: self._end,
        }

    async def bootstrap(self) -> None:
        """There is one broker."""

    async def close(self) -> None:
        """There is nothing to close."""

    async def ready(self, *_: object, **__: object) -> bool:
        """It is connected."""
        return True

    async def coordinator_lookup(self, *_: object) -> int:
        """Who coordinates."""
        return _NODE

    def leader_for_partition(self, _: TopicPartition) -> int:
        """Who leads."""
        return _NODE

    async def force_metadata_update(self) -> None:
        """Nothing changes."""

    async def _wait_on_metadata(self, _: str) -> None:
        """All is known."""

    async def _maybe_wait_metadata(self) -> None:
        """Nothing changes."""

    async def send(self, _node: int, request: Any, **_: object) -> Any:
        """Let a request be answered."""
        return await self._answers[type(request)](request)

    def _ask(self, what: str, act: Callable[..., Any], *about: object) -> "asyncio.Future[Any]":
        """What comes of it at the broker: a number of an error, and what it says."""

        def tried(*about: object) -> tuple[int, Any]:
            try:
                return 0, act(*about)
            except KafkaError as error:
                return _code(error), None

        return self._link.ask(what, tried, *about)

    async def _init(self, request: Any) -> Any:
        timeout_s = request._transaction_timeout_ms / 1000  # noqa: SLF001 - requests have no other fields
        code, epoch = await self._ask("init", self._broker.init, request._transactional_id, timeout_s)  # noqa: SLF001
        producer_id, producer_epoch = epoch or (-1, -1)
        return SimpleNamespace(error_code=code, producer_id=producer_id, producer_epoch=producer_epoch)

    async def _add(self, request: Any) -> Any:
        places = [TopicPartition(topic, one) for topic, ones in request._topics for one in ones]  # noqa: SLF001
        code, _ = await self._ask("add", self._broker.add, *_whose(request), places)
        return SimpleNamespace(errors=[(place.topic, [(place.partition, code)]) for place in places])

    async def _add_group(self, request: Any) -> Any:
        code, _ = await self._ask("group", self._broker.add_group, *_whose(request), request._group_id)  # noqa: SLF001
        return SimpleNamespace(error_code=code)

    async def _commit_offsets(self, request: Any) -> Any:
        offsets = {
            TopicPartition(topic, partition): OffsetAndMetadata(offset, metadata)
            for topic, ones in request._topics  # noqa: SLF001
            for partition, offset, metadata in ones
        }
        about = (*_whose(request), request._group_id, offsets)  # noqa: SLF001
        code, _ = await self._ask("offsets", self._broker.commit_offsets, *about)
        return SimpleNamespace(errors=[(place.topic, [(place.partition, code)]) for place in offsets])

    async def _end(self, request: Any) -> Any:
        commit = bool(request._transaction_result)  # noqa: SLF001
        what = "commit" if commit else "abort"
        code, _ = await self._ask(what, self._broker.end, *_whose(request), commit)
        return SimpleNamespace(error_code=code)

    async def _produce(self, request: Any) -> Any:
        """Each partition's batch fares on its own; they travel together."""
        batches = {
            TopicPartition(topic, partition): _read(buffer)
            for topic, ones in request._topics  # noqa: SLF001
            for partition, buffer in ones
        }
        name = request._transactional_id  # noqa: SLF001
        codes = await self._link.ask("produce", self._produced, name, batches)
        return SimpleNamespace(
            API_VERSION=8,
            topics=[(place.topic, [(place.partition, code, 0, -1, 0, [], None)]) for place, code in codes.items()],
        )

    def _produced(
        self, name: str, batches: Mapping[TopicPartition, tuple[Epoch, int, Sequence[Data]]]
    ) -> Mapping[TopicPartition, int]:
        codes = {}
        for place, (epoch, sequence, records) in batches.items():
            try:
                self._broker.produce(name, epoch, place, sequence, records)
            except KafkaError as error:
                codes[place] = _code(error)
            else:
                codes[place] = 0
        return codes


def _whose(request: Any) -> tuple[str, Epoch]:
    return request._transactional_id, (request._producer_id, request._producer_epoch)  # noqa: SLF001


def _code(error: KafkaError) -> int:
    """As a broker says it to clients as old as aiokafka."""
    return int((InvalidProducerEpoch if isinstance(error, ProducerFenced) else error).errno)


def _read(buffer: Any) -> tuple[Epoch, int, Sequence[Data]]:
    """Whose a batch is, its first number, its records."""
    data = bytes(buffer)
    producer_id, epoch, sequence = _SEQUENCE.unpack_from(data, _SEQUENCE_AT)
    batch = MemoryRecords(data).next_batch()
    return (producer_id, epoch), sequence, [Data(one.key, one.value, tuple(one.headers)) for one in batch]
