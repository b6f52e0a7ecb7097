"""Files that people write, made bad: packs, mappings, what is fed. Each is taken, or refused with lines that say why.

A mapping that is taken must then read anything, too.
"""

import gzip
import shutil
from pathlib import Path
from random import Random
from typing import Final

import yaml

from agents.errors import UserError
from agents.feeding.dry_run import dry_run
from agents.feeding.reading import read_file
from agents.packing.files import read
from agents.packs import FILES, SHIPPED, examine, load_mapping
from agents.places import load_intake
from schemas.codec import encode
from schemas.codes import Clock
from schemas.pack import SurgeFile
from tests.fuzz import mutate, nasty
from tests.fuzz.finding import hold
from tests.fuzz.records import SEEDS, SOURCES

DISTRICT: Final = SHIPPED / "districts/pukou"
PACKS: Final = sorted([*DISTRICT.glob("*.yaml"), *DISTRICT.glob("surges/*.yaml")])
MAPPINGS: Final = sorted([*DISTRICT.glob("sources/*.yaml"), *(SHIPPED / "sources").glob("*.yaml")])
_TEXT_SHOWN: Final = 200


def text(random: Random, raw: bytes, other: bytes) -> bytes:
    """A YAML file made bad."""
    if random.random() < 0.3:
        return mutate.broken(random, raw, other)
    lines = raw.splitlines()
    for _ in range(random.choice((1, 1, 2))):
        at = random.randrange(len(lines))
        lines[at] = _line(random, lines[at])
    return b"\n".join(lines) + b"\n"


def _line(random: Random, line: bytes) -> bytes:
    name, colon, _ = line.partition(b":")
    roll = random.random()
    if colon and roll < 0.5:
        return name + b": " + yaml.safe_dump(mutate.word(random)[:2000], width=10_000).encode().partition(b"\n")[0]
    if colon and roll < 0.6:
        return name + b": " + random.choice(nasty.JSON)
    if roll < 0.7:
        return line + b"\n" + line
    if roll < 0.8:
        return b" " * random.randrange(6) + line.strip()
    return b"" if roll < 0.9 else line.replace(b" ", b"\t", 1)


def pack(random: Random) -> tuple[str, bytes]:
    """One of the district's files, by its place in the district's folder."""
    file = random.choice(PACKS)
    return str(file.relative_to(DISTRICT)), text(random, file.read_bytes(), random.choice(PACKS).read_bytes())


def mapping(random: Random) -> tuple[str, bytes]:
    """One of the mappings, by its name."""
    file = random.choice(MAPPINGS)
    return file.name, text(random, file.read_bytes(), random.choice(MAPPINGS).read_bytes())


def fed(random: Random) -> tuple[str, bytes]:
    """A file to be fed: its name, which begins with its source, and its bytes."""
    source = random.choice(list(SOURCES))
    mapped = SOURCES[source]
    values = [seed.value for seed in random.choices([one for one in SEEDS if one.source == source], k=6)]
    if mapped.format == "csv":
        values.insert(0, mapped.delimiter.join(mapped.columns).encode(mapped.encoding))
    raw = b"\n".join(values)
    roll = random.random()
    if roll < 0.7:
        raw = mutate.broken(random, raw, random.choice(values))
    if roll > 0.5:
        return f"{source}.csv", raw
    packed = gzip.compress(raw, 1)
    return f"{source}.csv.gz", mutate.broken(random, packed, raw) if roll < 0.25 else packed


def check_pack(folder: Path, name: str, raw: bytes) -> None:
    """The file alone; and where it is right, the district with it, as `policy check` looks at it."""
    district = folder / "pukou"
    if not district.exists():
        shutil.copytree(DISTRICT, district)
    (district / name).write_bytes(raw)
    model = SurgeFile if name.startswith("surges/") else FILES.get(Path(name).stem)
    try:
        if model is not None:
            read(district / name, model)
        encode(examine(str(district)).policy(Clock.WALL))
    except UserError as error:
        _told(error, Path(name).name)
    finally:
        (district / name).write_bytes((DISTRICT / name).read_bytes())


def check_mapping(folder: Path, name: str, raw: bytes) -> None:
    """The mapping, and where it is taken every source's records by it."""
    file = folder / name
    file.write_bytes(raw)
    try:
        loaded = load_mapping(file)
    except UserError as error:
        _told(error, name)
        return
    source = load_intake("pukou", b"a key", mappings=[loaded]).by_name[loaded.name]
    for seed in SEEDS[::40]:
        source.glimpse(seed.value)


def check_fed(folder: Path, name: str, raw: bytes) -> None:
    """The file as `feed --dry-run` reads it."""
    file = folder / name
    file.write_bytes(raw)
    mapped = SOURCES[name.split(".", maxsplit=1)[0]]
    try:
        lines = read_file(file, mapped)
    except UserError as error:
        _told(error, name)
        return
    made = dry_run(mapped, load_intake("pukou", b"a key", mappings=[mapped]), lines)
    dead = sum(len(found) for found in made.dead.values())
    hold(made.records <= dead + sum(made.commands.values()), "a line of the file became nothing")
    made.document()


def _told(error: UserError, name: str) -> None:
    text = str(error)
    hold(text and "Traceback" not in text, "refused without saying why")
    named = name.split(".", maxsplit=1)[0] in text or "district" in text
    hold(named, f"refused without naming the file: {text[:_TEXT_SHOWN]}")
