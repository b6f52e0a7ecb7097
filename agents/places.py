"""A district's sources and place names, read from its pack and made into what intake works with."""

from collections.abc import Iterable
from pathlib import Path

from agents.packing.gazetteer import read_gazetteer
from agents.packs import SHIPPED, folder_of, load_pack, load_sources
from schemas.mapping import SourceMapping
from streams.intake.gazetteer import Gazetteer
from streams.intake.sources import Sources


def load_intake(
    district: str, key: bytes, root: Path = SHIPPED, mappings: Iterable[SourceMapping] | None = None
) -> Sources:
    """What turns the records of a district's sources, or of these mappings, into commands.

    `key` is the secret of the personal hashes. `PackError` where the pack cannot be used.
    """
    pack = load_pack(district, root)
    places = read_gazetteer(folder_of(district, root), pack.district.areas)
    return Sources(
        load_sources(district, root).values() if mappings is None else mappings,
        key=key,
        catch_all=pack.district.catch_all.area,
        gazetteer=Gazetteer(places, pack.district.areas),
    )
