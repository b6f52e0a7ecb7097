"""Who handles what (分流交办): the routing table with its catch-all, compiled once a policy. Pure.

A report looks at the rows that fit what it is, and those were found when the first one like it came: what is left to do
is the time of day, a unit's name, and which of several equal units has the least to do.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from schemas.codes import Side, Urgency
from schemas.policy import Policy, Route, Unit
from schemas.state import Ticket

Load = Callable[[str, str], int]
"""How many open, not merged tickets a unit has: of an area, the unit's name."""

HOLDER: Final = "unit"
"""What a ladder calls whoever holds the ticket."""
_AREA: Final = "{area}"
_GRID: Final = "{grid}"
_DAY: Final = 86_400
_LAST: Final = 253_402_300_800 - 2 * _DAY
"""Seconds, two days from where dates end."""
_CYCLE: Final = 146_097 * _DAY
"""After 400 years the calendar is the same."""
_MOST: Final = 4096
"""Places that a row remembers, and whom a ladder names there: what sources send cannot make it grow for ever."""


class Placed(NamedTuple):
    """What a route depends on, beside the time."""

    category: str
    area: str
    grid: str | None
    source: str
    side: Side
    urgency: Urgency


class Routed(NamedTuple):
    """Who gets a ticket, who helps, who is told, and who gets another one of the same matter. Names are filled in."""

    unit: Unit
    assisting: tuple[str, ...]
    copies: tuple[str, ...]
    joint: tuple[Unit, ...]
    owned: bool
    """Not where no route fits: the catch-all has it (兜底)."""


class _Row:
    """One row with its units: those that take something, and what comes of giving it to each of them."""

    __slots__ = ("_by_grid", "_fixed", "_known", "_policy", "_row", "hours", "owned", "units")

    def __init__(self, policy: Policy, row: Route, *, owned: bool = True) -> None:
        self._policy = policy
        self._row = row
        self._known: dict[tuple[str, str | None], tuple[Routed, ...]] = {}
        self.hours = row.hours
        self.owned = owned
        self.units = tuple(policy.units[key] for key in row.units if policy.units[key].active or not owned)
        named = (*row.units, *row.joint, *row.assist, *row.copies)
        names = [policy.units[key].name for key in named]
        self._by_grid = any(_GRID in name for name in names)
        self._fixed = None if self._by_grid or any(_AREA in name for name in names) else self._at("", None)

    def at(self, area: str, grid: str | None) -> tuple[Routed, ...]:
        """For each of its units what comes of it at a place."""
        fixed = self._fixed
        if fixed is not None:
            return fixed
        if not self._by_grid:
            grid = None
        known = self._known.get((area, grid))
        if known is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            known = self._known[area, grid] = self._at(area, grid)
        return known

    def _at(self, area: str, grid: str | None) -> tuple[Routed, ...]:
        def filled(keys: tuple[str, ...]) -> tuple[Unit, ...]:
            return tuple(unit_at(policy, policy.units[key], area, grid) for key in keys)

        policy, row = self._policy, self._row
        helping = filled(tuple(key for key in row.assist if policy.units[key].active))
        joint = filled(tuple(key for key in row.joint if policy.units[key].active))
        assisting = tuple(unit.name for unit in helping)
        copies = tuple(unit.name for unit in filled(row.copies))
        return tuple(
            Routed(unit_at(policy, unit, area, grid), assisting, copies, joint, self.owned) for unit in self.units
        )


class Routes:
    """The routing table of one policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._zone = UTC if policy.calendar is None else ZoneInfo(policy.calendar.zone)
        # A row none of whose units takes anything (网格突击组 before its surge) is passed over.
        rows = [(row, _Row(policy, row)) for row in policy.routes]
        self._rows = [(row, compiled) for row, compiled in rows if compiled.units]
        self._catch_all = _Row(policy, Route(units=(policy.catch_all,)), owned=False)
        self._unclear = [policy.units[key] for key in policy.copy_unclear]
        self._danger = [policy.units[key] for key in policy.copy_danger]
        self._known: dict[tuple[str | None, ...], tuple[tuple[_Row, ...], _Row]] = {}
        self._called: dict[tuple[object, ...], tuple[str, ...]] = {}
        # What no row names is one and the same to the table; so what sources send cannot make it grow.
        self._categories = {row.category for row in policy.routes}
        self._areas = {row.area for row in policy.routes}
        self._grids = {row.grid for row in policy.routes}
        self._sources = {row.source for row in policy.routes}

    def route(self, place: Placed, at: int, load: Load) -> Routed:
        """Who handles it: of the first row that fits, at log time `at`, the unit with the least to do in the area."""
        category, area, grid, source, side, urgency = place
        key = (
            category if category in self._categories else None,
            area if area in self._areas else None,
            grid if grid in self._grids else None,
            source if source in self._sources else None,
            side,
            urgency,
        )
        timed, row = self._known.get(key) or self._fitting(key, place)
        if timed:
            minute = self._minute(at)
            row = next((one for one in timed if one.hours is not None and _within(one.hours, minute)), row)
        routed = row.at(area, grid)
        return routed[0] if len(routed) == 1 else min(routed, key=lambda one: load(area, one.unit.name))

    def unit_named(self, name: str, place: Placed) -> Unit | None:
        """The unit of that key, else the first of that name at that place, where the table knows one."""
        policy = self._policy
        unit = policy.units.get(name)
        if unit is not None:
            return unit_at(policy, unit, place.area, place.grid)
        for one in policy.units.values():
            there = unit_at(policy, one, place.area, place.grid)
            if there.name == name:
                return there
        return None

    def told_of_unclear(self, area: str, grid: str | None) -> tuple[str, ...]:
        """Who is told of what the police took first because it was unclear whose it is."""
        return tuple(unit_at(self._policy, unit, area, grid).name for unit in self._unclear)

    def told_of_danger(self, area: str, grid: str | None) -> tuple[str, ...]:
        """Who is told of danger that came in on the service side."""
        return tuple(unit_at(self._policy, unit, area, grid).name for unit in self._danger)

    def called(self, told: tuple[str, ...], ticket: Ticket, judging: Policy) -> tuple[str, ...]:
        """Whom a ladder names: `unit` holds the ticket, a key is that unit at its place, any other word stays.

        The ladder is that of the policy `judging` the ticket; a key that only its table has is whom that one means.
        """
        if judging is not self._policy:
            return tuple(self._name(one, ticket, judging) for one in told)
        key = (told, ticket.unit, ticket.area, ticket.grid)
        names = self._called.get(key)
        if names is None:
            if len(self._called) >= _MOST:
                self._called.clear()
            names = self._called[key] = tuple(self._name(one, ticket, judging) for one in told)
        return names

    def _name(self, told: str, ticket: Ticket, judging: Policy) -> str:
        for policy in (self._policy, judging):
            unit = policy.units.get(told)
            if unit is not None:
                return unit_at(policy, unit, ticket.area, ticket.grid).name
        return ticket.unit if told == HOLDER else told

    def _fitting(self, key: tuple[str | None, ...], place: Placed) -> tuple[tuple[_Row, ...], _Row]:
        """The rows that such a ticket may come to: those of some hours only, and then the first of all hours."""
        timed, always = [], self._catch_all
        for row, compiled in self._rows:
            if not _fits(row, place):
                continue
            if row.hours is None:
                always = compiled
                break
            timed.append(compiled)
        self._known[key] = (tuple(timed), always)
        return self._known[key]

    def _minute(self, at: int) -> int:
        """Minutes from midnight, by the clock on the wall of the calendar's zone."""
        second = at // 1000
        moment = datetime.fromtimestamp(second if second < _LAST else second - _CYCLE, self._zone)
        return moment.hour * 60 + moment.minute


def unit_at(policy: Policy, unit: Unit, area: str, grid: str | None) -> Unit:
    """The unit with its name filled in for a place."""
    if _AREA not in unit.name and _GRID not in unit.name:
        return unit
    title = policy.areas.get(area, area)
    name = unit.name.replace(_AREA, title).replace(_GRID, title if grid is None else grid)
    return Unit(name=name, level=unit.level, side=unit.side, active=unit.active)


def _fits(row: Route, place: Placed) -> bool:
    return (
        row.category in (None, place.category)
        and row.area in (None, place.area)
        and row.grid in (None, place.grid)
        and row.source in (None, place.source)
        and row.side in (None, place.side)
        and row.urgency in (None, place.urgency)
    )


def _within(hours: tuple[int, int], minute: int) -> bool:
    begin, end = hours
    if begin <= end:
        return begin <= minute < end
    return minute >= begin or minute < end
