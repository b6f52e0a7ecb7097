"""A file through a mapping without a centre: one of the district's, or one that is being written."""

from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes

from agents.feeding.dry_run import DryRun, dry_run
from agents.feeding.errors import FeedRefused
from agents.feeding.feed import source_of
from agents.feeding.reading import read_file
from agents.packing.checks import mapping_problems
from agents.packing.files import lines
from agents.packs import SHIPPED, folder_of, load_mapping, load_pack, load_sources
from agents.places import load_intake
from schemas.mapping import SourceMapping


@dataclass(frozen=True, slots=True)
class Tried:
    """What came out, and what of the mapping the district does not know, as `file:line: field: what`."""

    made: DryRun
    doubts: list[str]


def try_file(district: str, chosen: str | Path, file: Path, show: int) -> Tried:
    """Read a file by a source of the district that is named, or by a mapping file. Sends nothing.

    `PackError` where the mapping is wrong, `FeedRefused` where the file does not fit it.
    """
    if isinstance(chosen, Path):
        mapping = load_mapping(chosen)
        doubts = _doubts(district, chosen, mapping)
    else:
        mapping, doubts = source_of(chosen, load_sources(district)), []
    # The hashes are made with a key that nobody keeps: what is shown tells no number.
    sources = load_intake(district, token_bytes(32), mappings=[mapping])
    return Tried(dry_run(mapping, sources, read_file(file, mapping), show), doubts)


def installed(mapping: Path, district: str) -> str:
    """The name of the source whose mapping this file is; `FeedRefused` where it is none of the district's."""
    own = folder_of(district) / "sources"
    if mapping.resolve().parent in {own.resolve(), (SHIPPED / "sources").resolve()}:
        return mapping.stem
    msg = (
        f"{mapping} is no mapping of this district: workers read those in {own} alone. Try it with --dry-run; then "
        "copy it there, start the workers anew, and feed by its name. Nothing was sent"
    )
    raise FeedRefused(msg)


def _doubts(district: str, file: Path, mapping: SourceMapping) -> list[str]:
    return lines(file, [(one.loc, one.text) for one in mapping_problems(load_pack(district), mapping)])
