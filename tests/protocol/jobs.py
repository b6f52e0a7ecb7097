"""What the simulated owners do: count with a changelog, or relay two inputs without one; and what must come of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

from aiokafka import TopicPartition

from streams.ownership.batch import Answer, Batch, Send
from streams.ownership.changelog import APPLIED
from streams.ownership.place import from_metadata, from_state
from streams.ownership.stage import Input, NoMemory, Stage
from tests.ownership.counting import counter, counting_stage
from tests.protocol.broker import NOTHING, Broker
from tests.protocol.log import Log, Stored

OUT: Final = "out"

Said = tuple[bytes | None, bytes | None]


class Job:
    """A stage over the topics of one simulated cluster. What it checks is said in words; nothing wrong is no words."""

    topics: Sequence[str]
    stage: Stage[Any]
    decide: Callable[[Batch[Any]], Answer]

    def __init__(self, broker: Broker, partitions: int) -> None:
        self.broker = broker
        for topic in self.topics:
            broker.make(topic, partitions)
        # A topic that is made anew is another log; what was to be read is in this one.
        self.logs: Mapping[TopicPartition, Log] = dict(broker.logs)

    def inputs(self, partition: int) -> list[TopicPartition]:
        """What the owner of a partition reads."""
        return [TopicPartition(one.topic, one.partition) for one in self.stage.inputs_of(partition)]

    def expected(self, place: TopicPartition) -> list[Said]:
        """What a plain pass over one input says."""
        raise NotImplementedError

    def said(self, place: TopicPartition) -> list[Said]:
        """What a reader sees of what was said about one input."""
        raise NotImplementedError

    def is_done(self, partition: int) -> bool:
        """Whether as much was said as there was to say."""
        return all(len(self.said(place)) >= len(self.expected(place)) for place in self.inputs(partition))

    def wrong(self, partition: int, *, whole: bool) -> Iterator[str]:
        """What is wrong with the output; not `whole`: of an owner that had to stop on its way."""
        for place in self.inputs(partition):
            expected, said = self.expected(place), self.said(place)
            for number, (wanted, got) in enumerate(zip_longest(expected, said)):
                if wanted != got and (whole or got is not None):
                    yield f"output {number} of {_name(place)} is {got}, not {wanted}"
                    break

    def wrong_memory(self, partition: int) -> Iterator[str]:
        """What is wrong with what the owner left behind for the next one."""
        for place in self.inputs(partition):
            yield from self._wrong_offset(place)

    def _wrong_offset(self, place: TopicPartition) -> Iterator[str]:
        """The group's offset is behind the last record, at most past markers."""
        told = self.broker.offsets.get((self.stage.group, place), NOTHING).offset
        records = self.logs[place].readable()
        behind = records[-1].offset + 1 if records else 0
        if not behind <= told <= self.logs[place].end:
            yield f"the group's offset of {_name(place)} is {told}, the last record is before {behind}"


class Count(Job):
    """Numbers the records of each key; the numbers are its state."""

    topics = ("in", OUT, "state")

    def __init__(self, broker: Broker, partitions: int) -> None:
        super().__init__(broker, partitions)
        self.decide = counter(OUT)
        self.stage = counting_stage("")

    def expected(self, place: TopicPartition) -> list[Said]:
        """The numbers from one on, for each key."""
        seen: dict[bytes, int] = {}
        said: list[Said] = []
        for record in self.logs[place].readable():
            key = record.key or b""
            seen[key] = seen.get(key, 0) + 1
            said.append((key, b"%d %s" % (seen[key], record.value or b"")))
        return said

    def said(self, place: TopicPartition) -> list[Said]:
        """All that is on `out`."""
        return [(one.key, one.value) for one in self.logs[TopicPartition(OUT, place.partition)].readable()]

    def wrong_memory(self, partition: int) -> Iterator[str]:
        """The changelog, folded, is what a plain count says, up to the last record."""
        yield from super().wrong_memory(partition)
        place = self.inputs(partition)[0]
        records = self.logs[place].readable()
        state = {one.key: one.value for one in self.logs[TopicPartition("state", partition)].held()}
        applied = state.pop(APPLIED, None)
        counted: dict[bytes | None, bytes | None] = {}
        for key, value in self.expected(place):
            counted[key] = (value or b"").split()[0]
        if state != counted:
            yield f"the state of partition {partition} is {state}, not {counted}"
        last = records[-1].offset if records else -1
        if (applied is None and last >= 0) or (applied is not None and from_state(applied).offset != last):
            yield f"the state of partition {partition} goes to {applied!r}, not to {last}"


class Relay(Job):
    """Passes two inputs on, one of them first; it keeps a running number in the metadata of its offsets."""

    topics = ("in", "first", OUT)

    def __init__(self, broker: Broker, partitions: int) -> None:
        super().__init__(broker, partitions)
        self.decide = _relay
        self.stage = Stage(
            name="relay",
            group="relay",
            inputs=lambda partition: [Input("in", partition), Input("first", partition, first=True)],
            memory=NoMemory,
        )

    def expected(self, place: TopicPartition) -> list[Said]:
        """Each record as it came."""
        return [(place.topic.encode(), one.value) for one in self.logs[place].readable()]

    def said(self, place: TopicPartition) -> list[Said]:
        """What is on `out` of this input."""
        return [(one.key, one.value) for one in self._out(place.partition) if one.key == place.topic.encode()]

    def _out(self, partition: int) -> list[Stored]:
        return self.logs[TopicPartition(OUT, partition)].readable()

    def wrong_memory(self, partition: int) -> Iterator[str]:
        """The running number counts each record once."""
        yield from super().wrong_memory(partition)
        told = self.broker.offsets.get((self.stage.group, self.inputs(partition)[0]), NOTHING)
        _, text = from_metadata(told.offset, told.metadata)
        if int(text or 0) != len(self._out(partition)):
            yield f"the metadata of partition {partition} counts {text!r} records of {len(self._out(partition))}"


def _relay(batch: Batch[NoMemory]) -> Answer:
    sends = [Send(OUT, batch.partition, one.topic.encode(), one.value) for one in batch.records]
    return Answer(sends=sends, metadata=str(int(batch.metadata or 0) + len(batch.records)))


def _name(place: TopicPartition) -> str:
    return f"{place.topic}-{place.partition}"
