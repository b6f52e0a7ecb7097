"""A dict as a batch sees it: what is committed, what the batch changed, and a way back to a mark. Pure."""

from collections.abc import Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Overlay(Generic[K, V]):
    """Changes over a committed dict, which stays as it is until `take`. `None` stands for absent."""

    __slots__ = ("_base", "_changes", "_undo")

    def __init__(self, base: dict[K, V]) -> None:
        self._base = base
        self._changes: dict[K, V | None] = {}
        self._undo: list[tuple[K, bool, V | None]] = []

    @property
    def changes(self) -> Mapping[K, V | None]:
        """What the batch changed, in the order it was first changed."""
        return self._changes

    def get(self, key: K) -> V | None:
        """The newest value."""
        if key in self._changes:
            return self._changes[key]
        return self._base.get(key)

    def put(self, key: K, value: V | None) -> None:
        """Set it, or with `None` remove it."""
        self._undo.append((key, key in self._changes, self._changes.get(key)))
        self._changes[key] = value

    def mark(self) -> None:
        """Whatever follows can be rolled back to here."""
        self._undo.clear()

    def rollback(self) -> None:
        """Forget all changes since the mark."""
        while self._undo:
            key, changed, value = self._undo.pop()
            if changed:
                self._changes[key] = value
            else:
                del self._changes[key]

    def take(self) -> None:
        """Change the committed dict."""
        for key, value in self._changes.items():
            if value is None:
                self._base.pop(key, None)
            else:
                self._base[key] = value
