"""The district's place names and its sources, read from its pack and made into what intake works with."""

from collections.abc import Iterable
from pathlib import Path

from agents.packing.files import PackError, lines, read
from agents.packs import SHIPPED, folder_of, load_pack, load_sources
from schemas.gazetteer import NO_PLACES, GazetteerFile, problems
from schemas.mapping import SourceMapping
from schemas.pack import Pack
from streams.intake.gazetteer import Gazetteer
from streams.intake.sources import Sources

FILE = "gazetteer.yaml"


def load_gazetteer(district: str, root: Path = SHIPPED) -> Gazetteer:
    """The names of a district's places; without the file those of its areas alone. `PackError` where it is wrong."""
    return gazetteer_of(load_pack(district, root), folder_of(district, root))


def load_intake(district: str, key: bytes, root: Path = SHIPPED) -> Sources:
    """What turns the records of a district's sources into commands; `key` is the secret of the personal hashes."""
    return intake_of(district, key, load_sources(district, root).values(), root)


def intake_of(district: str, key: bytes, mappings: Iterable[SourceMapping], root: Path = SHIPPED) -> Sources:
    """The same, of these mappings."""
    pack = load_pack(district, root)
    gazetteer = gazetteer_of(pack, folder_of(district, root))
    return Sources(mappings, key=key, catch_all=pack.district.catch_all.area, gazetteer=gazetteer)


def gazetteer_of(pack: Pack, folder: Path) -> Gazetteer:
    """The names in a district's folder, held against its pack."""
    file = folder / FILE
    found = read(file, GazetteerFile) if file.is_file() else NO_PLACES
    told = lines(file, problems(found, pack.district.areas)) if file.is_file() else []
    if told:
        raise PackError("\n".join(told))
    return Gazetteer(found, pack.district.areas)
