"""The tickets of one partition, kept small: as bytes, and unpacked only while somebody asks for them. Pure.

A ticket of objects takes four times as much, and nearly all of a million lie still. Those that were asked for last
stay unpacked, so that the tickets of the day's traffic cost nothing.
"""

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, Final

from msgspec import DecodeError

from schemas.state import TICKET, Ticket
from streams.desk.overlay import Overlay, Undo

UNPACKED: Final = 32_000
"""So many that were asked for last lie unpacked, and at most as many again that were so before them."""


class Tickets(MutableMapping[str, Ticket]):
    """By id. Who asks twice may get another object of the same value."""

    __slots__ = ("_cooling", "_packed", "_warm")

    def __init__(self) -> None:
        self._packed: dict[str, bytes] = {}
        self._warm: dict[str, Ticket] = {}
        self._cooling: dict[str, Ticket] = {}

    def get(self, name: str, default: Any = None) -> Any:
        """The ticket; `default` where there is none."""
        found = self._warm.get(name)
        if found is None:
            found = self._cooling.get(name)
            if found is None:
                raw = self._packed.get(name)
                if raw is None:
                    return default
                found = TICKET.unpack(name, raw)
            self._keep(name, found)
        return found

    def __getitem__(self, name: str) -> Ticket:
        found: Ticket | None = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def __setitem__(self, name: str, ticket: Ticket) -> None:
        self.put(name, ticket, TICKET.pack(ticket))

    def __delitem__(self, name: str) -> None:
        del self._packed[name]
        for known in (self._warm, self._cooling):
            known.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)

    def __contains__(self, name: object) -> bool:
        return name in self._packed

    def fold(self, name: str, raw: bytes | None) -> None:
        """Take a ticket in as it was written; `None` takes it out."""
        if raw is None:
            self._packed.pop(name, None)
        else:
            self._packed[name] = raw

    def rows(self) -> Iterator[Any]:
        """Each ticket as a row, to be looked at and let go, and not to be changed.

        What is kept of it is shared: its id with the ticket's own key, other words with all tickets that say the same.
        Raises `ValueError` on a record that is no ticket, or one of a build that wrote them otherwise.
        """
        share: Callable[[str, str], str] = {}.setdefault  # type: ignore[assignment]  # mypy: an empty dict of nothing
        for name, raw in self._packed.items():
            row = _row(name, raw)
            row.area, row.category = share(row.area, row.area), share(row.category, row.category)
            row.unit, row.policy = share(row.unit, row.unit), share(row.policy, row.policy)
            for attached in row.reports:
                attached.source = share(attached.source, attached.source)
            yield row

    def packed(self, name: str) -> bytes | None:
        """The ticket as it is written; none where there is none."""
        return self._packed.get(name)

    def head(self, name: str) -> Any:
        """A row with the ticket's head; none where there is none."""
        raw = self._packed.get(name)
        return None if raw is None else _head(name, raw)

    def row(self, name: str) -> Any:
        """The ticket as a row, to be looked at and let go; none where there is none."""
        raw = self._packed.get(name)
        return None if raw is None else _row(name, raw)

    def put(self, name: str, ticket: Ticket, raw: bytes) -> None:
        """The ticket is so from now on; `raw` is how it is written."""
        self._packed[name] = raw
        self._cooling.pop(name, None)
        self._keep(name, ticket)

    def put_packed(self, name: str, raw: bytes) -> None:
        """A ticket that is here is so from now on; it is unpacked when somebody asks for it."""
        self._packed[name] = raw
        for known in (self._warm, self._cooling):
            known.pop(name, None)

    def _keep(self, name: str, ticket: Ticket) -> None:
        if len(self._warm) >= UNPACKED:
            self._cooling, self._warm = self._warm, {}
        self._warm[name] = ticket


def _row(name: str, raw: bytes) -> Any:
    try:
        row: Any = TICKET.row(raw)
    except DecodeError as error:
        msg = f"ticket {name} cannot be read, another build may have written it ({error})"
        raise ValueError(msg) from error
    row.id = name
    return row


def _head(name: str, raw: bytes) -> Any:
    head: Any = TICKET.head(raw)
    head.id = name
    return head


class Drafted(Overlay[str, Ticket]):
    """Tickets as a batch sees them. Those that only limits changed stay packed, and what moved is written over.

    Whoever asks for one gets the ticket, and from then on it is one: what is packed here is never behind a mark.
    """

    __slots__ = ("_committed", "packed", "silent")

    def __init__(self, base: Tickets, undo: Undo) -> None:
        super().__init__(base, undo)
        self._committed = base
        self.packed: dict[str, bytes] = {}
        """By name, as they are now."""
        self.silent: list[str] = []
        """For each limit of these that has nothing left to say, its ticket."""

    def head(self, name: str) -> Any:
        """A row with a ticket's head; none where a command has changed the ticket, or there is none."""
        raw = self.packed.get(name)
        if raw is not None:
            return _head(name, raw)
        return None if name in self._changes else self._committed.head(name)

    def move(self, head: Any, before: bytes, *, silent: bool) -> None:
        """What moves in a ticket is so from now on; `silent`: the limit that fired has nothing left to say."""
        name = head.id
        self.packed[name] = TICKET.moved(self.packed.get(name) or self._committed.packed(name) or b"", before, head)
        if silent:
            self.silent.append(name)

    def get(self, key: str) -> Ticket | None:
        """The newest ticket. It must be asked for before it is put."""
        if self.packed and (raw := self.packed.pop(key, None)) is not None:
            self._changes[key] = TICKET.unpack(key, raw)
        return super().get(key)

    def values(self) -> list[Ticket]:
        """All newest tickets; a copy, in no promised order."""
        for name in list(self.packed):
            self.get(name)
        return super().values()
