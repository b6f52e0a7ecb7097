"""What does not fit together in mappings whose fields are each right. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from schemas.mapping import (
    AddressArea,
    AreaRule,
    CellArea,
    ColumnArea,
    FeedbackRule,
    NearestArea,
    PlaceRule,
    PrefixArea,
    ReporterRule,
    ReportRule,
    SourceMapping,
    TimeRule,
)

Path = tuple[str | int, ...]
Named = Iterator[tuple[Path, str]]
"""Columns that a mapping names, each with the field that does."""
RESERVED: Final = "reporter"
"""The detail that intake itself writes: the masked name."""


def problems(mapping: SourceMapping) -> Iterator[tuple[Path, str]]:
    """The fields that do not fit to the others, and what is wrong with each."""
    yield from _columns(mapping)
    yield from _parts(mapping)
    yield from _passed_on(mapping)
    for part, rule in (("report", mapping.report), ("feedback", mapping.feedback)):
        if rule is not None:
            yield from _areas((part, "area"), rule.area, rule.place)


def problems_together(mappings: Mapping[str, SourceMapping]) -> Iterator[tuple[str, Path, str]]:
    """What does not fit between a district's mappings: the mapping's name, the field, what is wrong."""
    for name, mapping in mappings.items():
        rule = mapping.feedback
        if rule is None or rule.report is None:
            continue
        for word, source in rule.report.known.items():
            path: Path = ("feedback", "report", "known", word)
            other = mappings.get(source)
            if other is None or other.report is None:
                yield name, path, f"{source!r} is no source of reports of this district"
            elif other.closing_authoritative and not mapping.closing_authoritative:
                yield name, path, f"the closing of {source!r} is authoritative: only itself may say it"


def personal(mapping: SourceMapping) -> frozenset[str]:
    """The columns that the mapping names as personal data: private ones, whoever reports, a personal object."""
    found = set(mapping.private)
    if mapping.report is not None:
        found.update(column for _, column in _reporter(mapping.report.reporter))
        if mapping.report.object is not None and mapping.report.object.personal:
            found.add(mapping.report.object.column)
    return frozenset(found)


def _columns(mapping: SourceMapping) -> Iterator[tuple[Path, str]]:
    known = set(mapping.columns)
    if len(known) < len(mapping.columns):
        yield ("columns",), "names a column twice"
    read = list(_read(mapping))
    used = {column for _, column in read}
    for path, column in (*read, *_listed(("ignored",), mapping.ignored), *_listed(("private",), mapping.private)):
        if column not in known:
            yield path, f"{column!r} is not one of the columns"
    for path, column in _listed(("ignored",), mapping.ignored):
        if column in used or column in mapping.private:
            yield path, f"{column!r} is ignored and used"


def _parts(mapping: SourceMapping) -> Iterator[tuple[Path, str]]:
    if mapping.report is None and mapping.feedback is None:
        yield ("report",), "a mapping has a part `report` or `feedback`, or both"
    if (mapping.closings == "row") != (mapping.closed is not None):
        yield ("closings",), "`row` and the part `closed` belong together"
    if mapping.closings is not None and mapping.report is None:
        yield ("closings",), "only what is reported here can be closed here"
    if mapping.format == "json" and (mapping.delimiter != "," or mapping.encoding != "utf-8"):
        yield ("format",), "JSON has no delimiter and is UTF-8"
    feedback = mapping.feedback
    if feedback is not None and feedback.ticket is None and feedback.report is None:
        yield ("feedback",), "names neither the ticket nor the report that it is about"
    if feedback is not None and (feedback.report is None) != (not feedback.area):
        yield ("feedback", "area"), "belongs to `feedback.report`: the area of the report that is named"


def _passed_on(mapping: SourceMapping) -> Iterator[tuple[Path, str]]:
    """Columns that go on as they are, or all but so, and are named as personal elsewhere."""
    secret = personal(mapping)
    for path, column in _open_columns(mapping):
        if column in secret:
            yield path, f"{column!r} is personal data and would be passed on"
    report = mapping.report
    for part, named in (("details", report.details), ("links", report.links)) if report is not None else ():
        if RESERVED in named:
            yield ("report", part, RESERVED), "is the name of the masked name; take another"
    if report is not None:
        for name in report.details.keys() & report.links.keys():
            yield ("report", "links", name), "stands in `details` too"


def _areas(path: Path, rules: tuple[AreaRule, ...], places: tuple[PlaceRule, ...]) -> Iterator[tuple[Path, str]]:
    for number, rule in enumerate(rules):
        if isinstance(rule, CellArea | NearestArea) and not places:
            yield (*path, number), f"an area by {rule.rule} needs {path[0]}.place"


def _read(mapping: SourceMapping) -> Named:
    if mapping.report is not None:
        yield from _report(mapping.report)
    if mapping.closed is not None:
        yield ("closed", "time", "column"), mapping.closed.time.column
    if mapping.feedback is not None:
        yield from _feedback(mapping.feedback)


def _report(rule: ReportRule) -> Named:
    at: Path = ("report",)
    yield (*at, "id"), rule.id
    yield from _time((*at, "time"), rule.time)
    yield from _time((*at, "occurred_at"), rule.occurred_at)
    yield from _place((*at, "place"), rule.place)
    yield from _area((*at, "area"), rule.area)
    yield from _listed((*at, "category", "column"), rule.category.column)
    for name in ("urgency", "kind", "object", "self_handled", "drill"):
        part = getattr(rule, name)
        if part is not None:
            yield (*at, name, "column"), part.column
    yield from _one(at, {"grid": rule.grid, "related": rule.related})
    yield from _reporter(rule.reporter)
    yield from _listed((*at, "text"), rule.text)
    yield from _one((*at, "details"), rule.details)
    yield from _one((*at, "links"), rule.links)


def _feedback(rule: FeedbackRule) -> Named:
    at: Path = ("feedback",)
    yield from _time((*at, "time"), rule.time)
    yield from _place((*at, "place"), rule.place)
    yield from _area((*at, "area"), rule.area)
    for name in ("action", "seconds", "score", "evidence"):
        part = getattr(rule, name)
        if part is not None:
            yield (*at, name, "column"), part.column
    if rule.report is not None:
        yield from _one((*at, "report"), {"source": rule.report.source, "id": rule.report.id})
    yield from _one(at, {name: getattr(rule, name) for name in ("ticket", "by", "unit", "other", "condition")})
    yield from _listed((*at, "note"), rule.note)


def _open_columns(mapping: SourceMapping) -> Named:
    report, feedback = mapping.report, mapping.feedback
    if report is not None:
        yield from _one(("report",), {"id": report.id, "grid": report.grid, "related": report.related})
        yield from _listed(("report", "text"), report.text)
        yield from _one(("report", "details"), report.details)
        yield from _one(("report", "links"), report.links)
        yield from _area(("report", "area"), tuple(rule for rule in report.area if isinstance(rule, ColumnArea)))
        if report.object is not None and not report.object.personal:
            yield ("report", "object", "column"), report.object.column
    if feedback is not None:
        named = ("ticket", "by", "unit", "other", "condition")
        yield from _one(("feedback",), {name: getattr(feedback, name) for name in named})
        yield from _listed(("feedback", "note"), feedback.note)


def _time(path: Path, rule: TimeRule | None) -> Named:
    if rule is not None:
        yield (*path, "column"), rule.column


def _place(path: Path, rules: Iterable[PlaceRule]) -> Named:
    for number, rule in enumerate(rules):
        yield (*path, number, "lat"), rule.lat
        yield (*path, number, "lon"), rule.lon


def _area(path: Path, rules: Iterable[AreaRule]) -> Named:
    for number, rule in enumerate(rules):
        if isinstance(rule, ColumnArea | PrefixArea | AddressArea):
            yield (*path, number, "column"), rule.column


def _reporter(rule: ReporterRule | None) -> Named:
    if rule is not None:
        yield from _one(("report", "reporter"), {"phone": rule.phone, "id": rule.id, "name": rule.name})


def _listed(path: Path, columns: Iterable[str]) -> Named:
    for number, column in enumerate(columns):
        yield (*path, number), column


def _one(path: Path, columns: Mapping[str, str | None]) -> Named:
    for name, column in columns.items():
        if column is not None:
            yield (*path, name), column
