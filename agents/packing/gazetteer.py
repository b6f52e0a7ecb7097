"""A district's gazetteer: its file, held against the district's areas."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

from agents.packing.files import PackError, lines, read
from schemas.gazetteer import NO_PLACES, GazetteerFile, problems

FILE: Final = "gazetteer.yaml"


def read_gazetteer(folder: Path, areas: Collection[str]) -> GazetteerFile:
    """The names of a district's places; a district may do without. `PackError` where they are wrong."""
    file = folder / FILE
    if not file.is_file():
        return NO_PLACES
    found = read(file, GazetteerFile)
    told = lines(file, problems(found, areas))
    if told:
        raise PackError("\n".join(told))
    return found
