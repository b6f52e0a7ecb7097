"""A stage, as data: what its owners read, where they keep their state, under which names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from streams.ownership.batch import Memory

M = TypeVar("M", bound=Memory)


class NoMemory:
    """The memory of a stage that remembers nothing."""

    def fold(self, key: bytes, value: bytes | None) -> None:
        """There is nothing to fold."""

    def folded(self) -> None:
        """There is nothing to build."""


@dataclass(frozen=True, slots=True)
class Input:
    """One partition that an owner reads. A `first` input is read before the others and never waits at the gate."""

    topic: str
    partition: int
    first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Generic[M]):
    """What the owners of a stage do. Topics are full names."""

    name: str
    """Short, as it stands in metrics and messages."""
    group: str
    """Whose committed offsets these are, so that every tool shows the lag. Not Faust's group."""
    inputs: Callable[[int], Sequence[Input]]
    """What the owner of a partition reads. The first one carries the committed metadata."""
    memory: Callable[[], M]
    state: str | None = None
    """The changelog; the same partition of it. Without one the stage's place is the group's offset alone."""

    def inputs_of(self, partition: int) -> Sequence[Input]:
        """The inputs, checked: a changelog remembers the place in one log only."""
        inputs = self.inputs(partition)
        if not inputs or (self.state is not None and len(inputs) != 1):
            msg = f"stage {self.name}: an owner with a changelog has one input, any other at least one"
            raise ValueError(msg)
        return inputs
