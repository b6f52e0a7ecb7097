"""A pack, with or without a surge laid over it, as the policy that the desk takes. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from itertools import product
from typing import Final

from schemas.codec import encode
from schemas.codes import Clock
from schemas.mapping import SourceMapping
from schemas.pack import CategoryEntry, LimitEntry, Pack, RouteEntry, SurgeFile, UnitEntry
from schemas.policy import (
    Calendar,
    Category,
    Condition,
    Diversion,
    Duplicates,
    LimitRow,
    Policy,
    Route,
    Rung,
    Unit,
)

NO_SURGE: Final = SurgeFile(title="-")


def build(pack: Pack, sources: Mapping[str, SourceMapping], clock: Clock, surge: str | None = None) -> Policy:
    """The rules as one value; its version is a hash of all the rest. Pack and sources hold together."""
    over = pack.surges[surge] if surge is not None else NO_SURGE
    place, day_s = pack.district, pack.calendar.day_s()
    unnamed = Policy(
        version="",
        district=pack.name,
        clock=clock,
        running=place.running,
        surge=surge,
        areas=pack.areas(),
        calendar=_calendar(pack),
        limits=tuple(_limits((*over.limits, *pack.limits.rows), day_s)),
        conditions={code: tuple(_conditions(one, day_s)) for code, one in _categories(pack) if one.conditions},
        ladder=tuple(Rung(step=r.step, percent=r.percent, recipients=r.recipients) for r in pack.limits.ladder),
        categories={code: _category(code, one, pack, over) for code, one in _categories(pack)},
        keywords=dict(pack.categories.keywords),
        duplicates=_duplicates(pack),
        units={key: _unit(one, on=key in over.units_on) for key, one in pack.units.units.items()},
        routes=tuple(_routes((*over.routes, *pack.routes.routes))),
        diversions=_diversions(pack),
        catch_all=place.catch_all.unit,
        copy_unclear=place.copy_unclear,
        copy_danger=place.copy_danger,
        extension_first_s=place.extension.first.seconds(day_s),
        extension_most_s=place.extension.most.seconds(day_s),
        suspension_most_s=place.suspension.most,
        reopen_score=place.reopen.score,
        closing_sources=tuple(sorted(name for name, one in sources.items() if one.closing_authoritative)),
        back_date_s=place.back_date,
        wait_s=place.wait,
        keep_closed_s=place.keep_closed,
    )
    return replace(unnamed, version=sha256(encode(unnamed)).hexdigest()[:16])


def _categories(pack: Pack) -> Iterable[tuple[str, CategoryEntry]]:
    return pack.categories.categories.items()


def _calendar(pack: Pack) -> Calendar:
    """Days that change nothing are left out: a weekend among the holidays."""
    file = pack.calendar
    weekdays = file.weekday_numbers()
    off = {day for year in file.years.values() for day in year.free_days() if day.weekday() in weekdays}
    on = {day for year in file.years.values() for day in year.worked_days() if day.weekday() not in weekdays}
    return Calendar(
        zone=file.zone,
        periods=file.periods,
        weekdays=weekdays,
        off=tuple(day.isoformat() for day in sorted(off)),
        on=tuple(day.isoformat() for day in sorted(on)),
        years=tuple(sorted(file.years)),
    )


def _limits(entries: Iterable[LimitEntry], day_s: int) -> Iterator[LimitRow]:
    for entry in entries:
        overall = entry.overall.span(day_s) if entry.overall is not None else None
        stages = {stage: limit.span(day_s) for stage, limit in entry.stages.items()}
        named = product(_each(entry.category), _each(entry.area), _each(entry.source), _each(entry.kind))
        for category, area, source, kind in named:
            yield LimitRow(
                category=category,
                urgency=entry.urgency,
                area=area,
                source=source,
                kind=kind,
                side=entry.side,
                overall=overall,
                stages=stages,
            )


def _each(several: tuple[str, ...] | None) -> tuple[str | None, ...]:
    return (None,) if several is None else several


def _conditions(entry: CategoryEntry, day_s: int) -> Iterator[Condition]:
    for one in entry.conditions:
        yield Condition(name=one.name, title=one.title, span=one.within.span(day_s))


def _category(code: str, entry: CategoryEntry, pack: Pack, over: SurgeFile) -> Category:
    near = pack.categories.near[entry.near] if entry.near is not None else None
    return Category(
        urgency=over.urgency.get(code, entry.urgency),
        side=entry.the_side(),
        near_m=near.within if near is not None else 0,
        near_s=near.since if near is not None else 0,
    )


def _duplicates(pack: Pack) -> Duplicates:
    rules = pack.district.duplicates
    return Duplicates(
        weight_distance=rules.weights.distance,
        weight_time=rules.weights.time,
        weight_text=rules.weights.text,
        threshold=rules.threshold,
        most=rules.most,
        link_m=rules.link.within,
        link_s=rules.link.since,
        recurrence_s=rules.recurrence or 0,
    )


def _unit(entry: UnitEntry, *, on: bool) -> Unit:
    return Unit(name=entry.name, level=entry.level, side=entry.side, active=entry.active or on)


def _routes(entries: Iterable[RouteEntry]) -> Iterator[Route]:
    for entry in entries:
        named = product(_each(entry.category), _each(entry.area), _each(entry.grid), _each(entry.source))
        for category, area, grid, source in named:
            yield Route(
                category=category,
                area=area,
                grid=grid,
                source=source,
                side=entry.side,
                urgency=entry.urgency,
                hours=entry.hours,
                units=entry.units,
                joint=entry.joint,
                assist=entry.assist,
                copies=entry.copies,
            )


def _diversions(pack: Pack) -> tuple[Diversion, ...]:
    return tuple(
        Diversion(
            name=one.name,
            version=one.version,
            from_side=one.from_side,
            to_side=one.to_side,
            categories=tuple(code for part in one.classes for code in part.categories),
        )
        for one in pack.diversions.lists
    )
