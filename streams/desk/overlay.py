"""Dicts as a batch sees them: what is committed, what the batch changed, and a way back to a mark. Pure."""

from collections.abc import Mapping, MutableMapping
from typing import Any, Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


_UNCHANGED: Final[Any] = object()
"""Stands for a key that the batch did not change."""


class Undo:
    """What was changed since the mark, of all overlays that share it: a mark costs the same however many there are."""

    __slots__ = ("done",)

    def __init__(self) -> None:
        # Overlays of many types: each puts in what belongs to its own dict.
        self.done: list[tuple[dict[Any, Any], Any, Any]] = []

    def mark(self) -> None:
        """Whatever follows can be rolled back to here."""
        self.done.clear()

    def rollback(self) -> None:
        """Forget all changes since the mark."""
        while self.done:
            changes, key, value = self.done.pop()
            if value is _UNCHANGED:
                del changes[key]
            else:
                changes[key] = value


class Overlay(Generic[K, V]):
    """Changes over a committed dict, which stays as it is until `take`. `None` stands for absent."""

    __slots__ = ("_base", "_changes", "_done")

    def __init__(self, base: MutableMapping[K, V], undo: Undo) -> None:
        self._base = base
        self._changes: dict[K, V | None] = {}
        self._done = undo.done

    @property
    def empty(self) -> bool:
        """Whether it is sure that nothing is there."""
        return not self._base and not self._changes

    @property
    def changes(self) -> Mapping[K, V | None]:
        """What the batch changed, in the order it was first changed."""
        return self._changes

    def get(self, key: K) -> V | None:
        """The newest value."""
        value = self._changes.get(key, _UNCHANGED)
        return self._base.get(key) if value is _UNCHANGED else value

    def put(self, key: K, value: V | None) -> None:
        """Set it, or with `None` remove it."""
        changes = self._changes
        self._done.append((changes, key, changes.get(key, _UNCHANGED)))
        changes[key] = value

    def put_again(self, key: K, value: V) -> None:
        """Set what was put since the mark already: there is a way back."""
        self._changes[key] = value

    def values(self) -> list[V]:
        """All newest values; a copy, in no promised order."""
        changes = self._changes
        kept = [value for key, value in self._base.items() if key not in changes]
        return kept + [value for value in changes.values() if value is not None]

    def take(self) -> None:
        """Change the committed dict."""
        base = self._base
        for key, value in self._changes.items():
            if value is None:
                base.pop(key, None)
            else:
                base[key] = value


class Committed(Generic[K, V]):
    """A committed dict with the same two methods, for whoever builds it up and needs no way back."""

    __slots__ = ("_base",)

    def __init__(self, base: dict[K, V]) -> None:
        self._base = base

    def get(self, key: K) -> V | None:
        """Its value."""
        return self._base.get(key)

    def put(self, key: K, value: V | None) -> None:
        """Set it, or with `None` remove it."""
        if value is None:
            self._base.pop(key, None)
        else:
            self._base[key] = value
