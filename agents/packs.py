"""Reading a district's pack and the sources' mappings from YAML. What is wrong is named by file, line and field."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

import deploy
from agents.errors import UserError
from schemas.codec import encode
from schemas.codes import Clock
from schemas.mapping import SourceMapping
from schemas.mapping_checks import problems
from schemas.pack import CategoriesFile, DistrictFile, LimitsFile, Pack, RoutesFile, UnitEntry
from schemas.policy import Limits, Policy, Route, Unit

SHIPPED: Final = Path(deploy.__file__).parent
"""The packs and mappings that come with the product."""

M = TypeVar("M", bound=BaseModel)
Loc = Sequence[int | str]


class PackError(UserError):
    """A pack or mapping cannot be used; one line per problem: `file:line: field: what is wrong`."""


def load_pack(district: str, root: Path = SHIPPED) -> Pack:
    """All files of a district."""
    folder = _district(district, root)
    return Pack(
        name=district,
        district=_read(folder / "district.yaml", DistrictFile),
        limits=_read(folder / "limits.yaml", LimitsFile),
        routes=_read(folder / "routes.yaml", RoutesFile),
        categories=_read(folder / "categories.yaml", CategoriesFile),
    )


def load_sources(district: str, root: Path = SHIPPED) -> Mapping[str, SourceMapping]:
    """The mappings by name: the shared ones, and the district's own, which go before those of the same name."""
    folders = (root / "sources", _district(district, root) / "sources")
    files = {file.stem: file for folder in folders for file in sorted(folder.glob("*.yaml"))}
    return {name: _mapping(files[name]) for name in sorted(files)}


def load_policy(district: str, clock: Clock, root: Path = SHIPPED) -> Policy:
    """The rules of a district as the desk takes them; the version is a hash of all the rest."""
    pack = load_pack(district, root)
    mappings = load_sources(district, root).values()
    place, limits = pack.district, pack.limits
    _check_routes(pack, root)
    unnamed = Policy(
        version="",
        district=district,
        clock=clock,
        limits={u: Limits(overall_s=e.overall, stages=dict(e.stages)) for u, e in limits.urgencies.items()},
        warn_percent=limits.warn_percent,
        urgencies={code: entry.urgency for code, entry in pack.categories.categories.items()},
        keywords=dict(pack.categories.keywords),
        routes=tuple(
            Route(category=r.category, area=r.area, source=r.source, urgency=r.urgency, unit=_unit(r.unit))
            for r in pack.routes.routes
        ),
        catch_all=_unit(place.catch_all.unit),
        closing_sources=tuple(m.name for m in mappings if m.closing_authoritative),
        back_date_s=place.back_date,
        wait_s=place.wait,
        keep_closed_s=place.keep_closed,
    )
    return _versioned(unnamed)


def _versioned(policy: Policy) -> Policy:
    return replace(policy, version=sha256(encode(policy)).hexdigest()[:16])


def _unit(entry: UnitEntry) -> Unit:
    return Unit(name=entry.name, level=entry.level)


def _district(district: str, root: Path) -> Path:
    folder = root / "districts" / district
    if not (folder / "district.yaml").is_file():
        known = ", ".join(sorted(file.parent.name for file in (root / "districts").glob("*/district.yaml")))
        msg = f"no district is called {district!r}: take one of {known}, or write {folder / 'district.yaml'}"
        raise PackError(msg)
    return folder


def _mapping(file: Path) -> SourceMapping:
    mapping = _read(file, SourceMapping)
    if mapping.name != file.stem:
        msg = f"{file}:{_line(_node(file), ('name',))}: name: must be the file's own name, {file.stem!r}"
        raise PackError(msg)
    found = list(problems(mapping))
    if found:
        raise PackError(_told(file, found))
    return mapping


def _check_routes(pack: Pack, root: Path) -> None:
    known = pack.categories.categories
    unknown = [
        (("routes", place, "category"), f"{route.category!r} is not in categories.yaml")
        for place, route in enumerate(pack.routes.routes)
        if route.category is not None and route.category not in known
    ]
    if unknown:
        raise PackError(_told(_district(pack.name, root) / "routes.yaml", unknown))


def _read(file: Path, model: type[M]) -> M:
    node = _node(file)
    twice = list(_twice(node, ()))
    if twice:
        raise PackError(_told(file, twice))
    try:
        return model.model_validate(_plain(file))
    except ValidationError as error:
        found = [(e["loc"], e["msg"]) for e in error.errors(include_url=False, include_input=False)]
        raise PackError(_told(file, found)) from None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        msg = f"{file}: cannot be read ({error.strerror})"
        raise PackError(msg) from None
    except UnicodeDecodeError:
        msg = f"{file}: is not UTF-8"
        raise PackError(msg) from None


def _plain(file: Path) -> object:
    return yaml.safe_load(_text(file))


def _node(file: Path) -> yaml.Node | None:
    try:
        return yaml.compose(_text(file), Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        msg = f"{file}:{line}: is not YAML: {error.problem}"
        raise PackError(msg) from None
    except yaml.YAMLError:
        msg = f"{file}: is not YAML"
        raise PackError(msg) from None


def _twice(node: yaml.Node | None, loc: tuple[int | str, ...]) -> Iterable[tuple[Loc, str]]:
    """Keys that stand twice in one mapping: YAML takes the last one without a word."""
    if isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            yield from _twice(item, (*loc, place))
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield (*loc, key.value), "stands twice"
            seen.add(key.value)
            yield from _twice(value, (*loc, key.value))


def _told(file: Path, found: Iterable[tuple[Loc, str]]) -> str:
    node = _node(file)
    lines = []
    for loc, text in found:
        field = ".".join(str(part) for part in loc) or "the file"
        lines.append(f"{file}:{_line(node, loc)}: {field}: {text}")
    return "\n".join(lines)


def _line(node: yaml.Node | None, loc: Loc) -> int:
    """The line of the innermost part of `loc` that stands in the file, from 1."""
    line = 1
    for part in loc:
        found = _child(node, part)
        if found is not None:  # else a name that pydantic put in, or a field that is missing
            key, node = found
            line = key.start_mark.line + 1
    return line


def _child(node: yaml.Node | None, part: int | str) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    if isinstance(node, yaml.MappingNode):
        for key, value in reversed(node.value):
            if key.value == str(part):
                return key, value
    return None
