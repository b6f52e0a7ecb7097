"""A district's pack and the sources' mappings: read, held against one another, and made into the policy."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

import deploy
from agents.packing.build import build
from agents.packing.checks import pack_problems
from agents.packing.files import Gathering, PackError, lines, read
from agents.packing.gazetteer import read_gazetteer
from agents.packing.problem import Problem
from schemas.codes import Clock
from schemas.mapping import Slug, SourceMapping
from schemas.mapping_checks import problems, problems_together
from schemas.pack import (
    CalendarFile,
    CategoriesFile,
    DistrictFile,
    DiversionsFile,
    GridsFile,
    LimitsFile,
    Pack,
    PointsFile,
    RoutesFile,
    SurgeFile,
    UnitsFile,
)
from schemas.policy import Policy

__all__ = ["SHIPPED", "Examined", "PackError", "examine", "load_mapping", "load_pack", "load_policy", "load_sources"]

SHIPPED: Final = Path(deploy.__file__).parent
"""The packs and mappings that come with the product."""
FILES: Final[Mapping[str, type[BaseModel]]] = {
    "district": DistrictFile,
    "grids": GridsFile,
    "units": UnitsFile,
    "categories": CategoriesFile,
    "routes": RoutesFile,
    "diversions": DiversionsFile,
    "limits": LimitsFile,
    "calendar": CalendarFile,
    "points": PointsFile,
}
"""Each is `<name>.yaml` in the district's folder, and a field of the pack."""

M = TypeVar("M", bound=BaseModel)
_NAME: Final = TypeAdapter(Slug)


@dataclass(frozen=True, slots=True)
class Examined:
    """A pack that holds together with its sources, and what is doubtful about it all the same."""

    pack: Pack
    sources: Mapping[str, SourceMapping]
    warnings: tuple[str, ...]

    def policy(self, clock: Clock, surge: str | None = None) -> Policy:
        """The rules as the desk takes them; `PackError` where the pack has no such surge."""
        if surge is not None and surge not in self.pack.surges:
            known = ", ".join(sorted(self.pack.surges)) or "none"
            msg = f"district {self.pack.name} has no surge {surge!r}: there are {known}; write surges/{surge}.yaml"
            raise PackError(msg)
        return build(self.pack, self.sources, clock, surge)


def load_policy(district: str, clock: Clock, root: Path = SHIPPED, *, surge: str | None = None) -> Policy:
    """The rules of a district as the desk takes them; the version is a hash of all the rest."""
    return examine(district, root).policy(clock, surge)


def examine(district: str, root: Path = SHIPPED) -> Examined:
    """Pack and sources, each right by itself and all of them together; `PackError` with everything that is wrong."""
    folder = folder_of(district, root)
    gathering = Gathering()
    pack = gathering.read(partial(load_pack, district, root))
    sources = gathering.read(partial(load_sources, district, root))
    gathering.done()
    if pack is None or sources is None:  # pragma: no cover - `done` has raised
        raise PackError
    files = _source_files(district, root)
    read_gazetteer(folder, pack.district.areas)
    own = {name for name, file in files.items() if file.is_relative_to(folder)}
    found = list(pack_problems(pack, sources, own))
    where = {f"sources/{name}.yaml": file for name, file in files.items()}
    errors = _told(folder, where, [one for one in found if not one.warning])
    if errors:
        raise PackError("\n".join(errors))
    return Examined(pack, sources, tuple(_told(folder, where, found)))


def load_pack(district: str, root: Path = SHIPPED) -> Pack:
    """All files of a district, each right by itself."""
    folder = folder_of(district, root)
    gathering = Gathering()
    parts = {name: gathering.read(_reading(folder / f"{name}.yaml", model)) for name, model in FILES.items()}
    surges = {file.stem: gathering.read(_reading(file, SurgeFile)) for file in sorted(folder.glob("surges/*.yaml"))}
    gathering.read(partial(_slug, folder.name, f"{folder}: the folder's name"))
    for name in surges:
        gathering.read(partial(_slug, name, f"{folder}/surges/{name}.yaml: the file's name"))
    gathering.done()
    return Pack.model_validate({"name": folder.name, "surges": surges, **parts})


def load_sources(district: str, root: Path = SHIPPED) -> Mapping[str, SourceMapping]:
    """The mappings by name: the shared ones, and the district's own, which go before those of the same name."""
    files = _source_files(district, root)
    gathering = Gathering()
    found = {name: gathering.read(partial(load_mapping, files[name])) for name in sorted(files)}
    gathering.done()
    mappings = {name: mapping for name, mapping in found.items() if mapping is not None}
    told = [line for name, loc, text in problems_together(mappings) for line in lines(files[name], [(loc, text)])]
    if told:
        raise PackError("\n".join(told))
    return mappings


def load_mapping(file: Path) -> SourceMapping:
    """One mapping, right by itself."""
    mapping = read(file, SourceMapping)
    if mapping.name != file.stem:
        raise PackError(*lines(file, [(("name",), f"must be the file's own name, {file.stem!r}")]))
    told = lines(file, problems(mapping))
    if told:
        raise PackError("\n".join(told))
    return mapping


def folder_of(district: str, root: Path = SHIPPED) -> Path:
    """The folder of a district that is named, or given as a folder of its own (with a slash)."""
    folder = Path(district).absolute() if os.sep in district else root / "districts" / district
    if not _is_file(folder / "district.yaml"):
        known = ", ".join(sorted(file.parent.name for file in (root / "districts").glob("*/district.yaml")))
        msg = f"no district is called {district!r}: take one of {known}, or write {folder / 'district.yaml'}"
        raise PackError(msg)
    return folder


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:  # a name that is too long, a folder that this user may not read
        msg = f"{path} cannot be read ({error.strerror}): choose another district"
        raise PackError(msg) from error


def standing_name(district: str) -> str:
    """The district as a process with another working folder finds it too."""
    return str(folder_of(district)) if os.sep in district else district


def _reading(file: Path, model: type[M]) -> Callable[[], M]:
    return partial(read, file, model)


def _source_files(district: str, root: Path) -> dict[str, Path]:
    folders = (root / "sources", folder_of(district, root) / "sources")
    return {file.stem: file for folder in folders for file in sorted(folder.glob("*.yaml"))}


def _slug(name: str, what: str) -> None:
    try:
        _NAME.validate_python(name)
    except ValidationError:
        msg = f"{what} must be of small letters, digits and hyphens"
        raise PackError(msg) from None


def _told(folder: Path, where: Mapping[str, Path], found: list[Problem]) -> list[str]:
    told: list[str] = []
    for one in found:
        told += lines(where.get(one.file, folder / one.file), [(one.loc, one.text)])
    return told
