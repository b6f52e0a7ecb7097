"""What happened, line by line, in few words."""

import asyncio
from functools import singledispatch
from typing import Any

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

from tests.protocol.log import Data, Fetched, Stored


class Trace:
    """Kept only where somebody wants to read it."""

    def __init__(self, *, kept: bool) -> None:
        self.lines: list[str] | None = [] if kept else None

    def __call__(self, who: str, what: str, *about: object) -> None:
        """Add one line: virtual seconds, who, what."""
        if self.lines is not None:
            now_s = asyncio.get_running_loop().time() % 1000
            self.lines.append(f"{now_s:9.4f}  {who:<8}  {what} {' '.join(map(_shown, about))}".rstrip())


@singledispatch
def _shown(about: object) -> str:
    return "ok" if about is None else str(about)


@_shown.register
def _(about: frozenset) -> str:  # type: ignore[type-arg] # the register takes no other
    return _shown(sorted(about))


@_shown.register
def _(about: BaseException) -> str:
    return type(about).__name__


@_shown.register(list)
@_shown.register(tuple)
def _(about: list[Any] | tuple[Any, ...]) -> str:
    return f"[{' '.join(map(_shown, about))}]"


@_shown.register(dict)
def _(about: dict[Any, Any]) -> str:
    return " ".join(f"{_shown(key)}: {_shown(value)}" for key, value in about.items())


@_shown.register
def _(about: TopicPartition) -> str:
    return f"{about.topic}-{about.partition}"


@_shown.register
def _(about: OffsetAndMetadata) -> str:
    return f"{about.offset} {about.metadata}".rstrip()


@_shown.register
def _(about: Data) -> str:
    return f"{(about.key or b'-').decode()}={(about.value or b'-').decode()}"


@_shown.register
def _(about: Stored) -> str:
    return str(about.offset)


@_shown.register
def _(about: Fetched) -> str:
    return f"{_shown(about.records)} up to {about.next}"
