"""Whose matter it is (警务, 非警务): what the lists hand from one side to the other, read once a policy. Pure."""

from typing import NamedTuple

from schemas.codes import Side
from schemas.policy import Category, Policy


class Handed(NamedTuple):
    """What a list says of a category: to which side it goes, and which list says so."""

    side: Side
    list: str
    """Name and version."""


OTHER = {Side.POLICE: Side.SERVICE, Side.SERVICE: Side.POLICE}


class Sides:
    """The lists of one policy (分流清单), and what it says of each category's side."""

    __slots__ = ("_at_once", "_lists", "_unclear")

    def __init__(self, policy: Policy) -> None:
        self._unclear = frozenset(name for name, category in policy.categories.items() if category.side is None)
        self._lists: dict[tuple[Side, str], Handed] = {}
        for one in policy.diversions:
            for name in one.categories:
                if one.to_side is OTHER[one.from_side]:
                    self._lists.setdefault((one.from_side, name), Handed(one.to_side, f"{one.name} {one.version}"))
        self._at_once = {
            (side, name): handed
            for (side, name), handed in self._lists.items()
            if policy.categories.get(name, Category()).side is handed.side
        }

    def diverted(self, side: Side, category: str) -> Handed | None:
        """Where a new ticket of that side goes: to the category's own, where a list hands it over."""
        return self._at_once.get((side, category))

    def handed(self, side: Side, category: str) -> Handed | None:
        """Where an operator may hand a ticket of that side: to the other, where a list holds the category."""
        return self._lists.get((side, category))

    def unclear(self, category: str) -> bool:
        """Whether nobody can say whose it is: the police first (先警务)."""
        return category in self._unclear
