"""Looks at something again and again from a thread of its own."""

import threading
from types import TracebackType
from typing import Self

_LAST_LOOK_S = 60.0


class Watching:
    """Calls `look` every so many seconds while the context lasts; what looks is a subclass."""

    every_s: float

    def __init__(self) -> None:
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=type(self).__name__, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        self._thread.join(_LAST_LOOK_S)

    def look(self) -> None:
        """Once."""
        raise NotImplementedError

    def _watch(self) -> None:
        while not self._leaving.wait(self.every_s):
            self.look()
