"""Whose matter it is (警务, 非警务): what the lists hand from one side to the other, read once a policy. Pure."""

from typing import NamedTuple

from schemas.codes import Side, Urgency
from schemas.policy import Category, Policy


class Handed(NamedTuple):
    """What a list says of a category: to which side it goes, and which list says so."""

    side: Side
    list: str
    """Name and version."""


OTHER = {Side.POLICE: Side.SERVICE, Side.SERVICE: Side.POLICE}


class Sides:
    """The lists of one policy (分流清单), and what it says of each category's side."""

    __slots__ = ("_at_once", "_critical", "_lists", "_shared")

    def __init__(self, policy: Policy) -> None:
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
        known = policy.categories.items()
        self._critical = frozenset(name for name, category in known if category.urgency is Urgency.CRITICAL)
        unclear = frozenset(name for name, category in known if category.side is None)
        self._shared = unclear.union(name for side, name in self._at_once if side is Side.POLICE)

    def diverted(self, side: Side, category: str, urgency: Urgency) -> Handed | None:
        """Where a new ticket of that side goes: to the category's own, where a list hands it over.

        What the police took stays with them where it is of danger (危及生命财产), whatever the list says of others like
        it. Where all of a category is critical that says nothing of this one.
        """
        handed = self._at_once.get((side, category))
        return None if side is Side.POLICE and self.is_danger(category, urgency) else handed

    def is_danger(self, category: str, urgency: Urgency) -> bool:
        """Whether lives may hang on this one, and not on all of its category."""
        return urgency is Urgency.CRITICAL and category not in self._critical

    def handed(self, side: Side, category: str) -> Handed | None:
        """Where an operator may hand a ticket of that side: to the other, where a list holds the category."""
        return self._lists.get((side, category))

    def shared(self, category: str) -> bool:
        """Whether the other side is told of what the police took and keep (先警务): it is unclear, or on their list."""
        return category in self._shared
