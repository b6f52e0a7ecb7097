"""Real records of every source, as they come in, and what may be made of them."""

import csv
import gzip
import io
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import orjson

import deploy
from agents.local.rehearsal import rehearse
from agents.packs import load_sources
from schemas.intake import IntakeHeaders
from schemas.topics import HISTORY, INTAKE
from tests.fuzz import mutate, nasty
from tests.intake.kit import Row
from tests.mission import sources as shapes

PREFIX: Final = "lianqin."
SOURCES: Final = load_sources("pukou")
BEGIN: Final = 1_760_000_000_000
"""When the made records begin, milliseconds since the epoch."""
_GOLDEN: Final = Path(__file__).parents[1] / "intake/golden"
_LINES: Final = 400


@dataclass(frozen=True, slots=True)
class Seed:
    """A record that some source has really sent, or could have: it is usable."""

    source: str
    value: bytes
    headers: Mapping[str, Any]


def _golden() -> list[Seed]:
    found = []
    for file in sorted(_GOLDEN.glob("*/*.json")):
        document = orjson.loads(file.read_bytes())
        record = document["record"]
        value = record.encode() if isinstance(record, str) else orjson.dumps(record)
        found.append(Seed(file.parent.name, value, document.get("headers", {})))
    return found


def _samples() -> list[Seed]:
    folder = Path(deploy.__file__).parent / "samples"
    found = []
    for source in ("boston311", "sanmateo"):
        with gzip.open(folder / f"{source}.csv.gz") as file:
            found += [Seed(source, line.rstrip(b"\r\n"), {}) for line in file.readlines(60_000)[1:_LINES]]
    return found


def _rehearsed() -> list[Seed]:
    found = []
    for row in rehearse(1, 100):
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(astuple(row))
        found.append(Seed("rehearsal", text.getvalue().encode(), {}))
    return found


SEEDS: Final = _golden() * 10 + _samples() + _rehearsed()
LIVE: Final = [seed for seed in SEEDS if not SOURCES[seed.source].past]


def fresh(random: Random, at: int, tickets: list[str]) -> Seed:
    """A record of a live source that is all right, about a ticket that there is where it is feedback."""
    number = f"F{random.randrange(400):05d}"
    if tickets and random.random() < 0.4:
        rule = SOURCES["handlers"].feedback
        action = random.choice(list(rule.action.known)) if rule is not None else ""
        chosen = {
            "ticket": random.choice(tickets),
            "other": random.choice(tickets),
            "unit": random.choice((None, *nasty.PACK.units.units)),
            "to_unit": random.choice((None, *nasty.PACK.units.units)),
            "seconds": random.choice((None, 0, 60, 86_400, 999_999_999)),
            "score": random.choice((None, 0, 1, 5, 6)),
            "condition": random.choice((None, "fenced", "water-off")),
        }
        return Seed("handlers", shapes.handling(at, action, **chosen), {})
    kind = random.choice(("police110", "gridapp", "citizenapp", "hotline12345"))
    made = {
        "police110": lambda: shapes.alarm(at, number),
        "gridapp": lambda: shapes.patrol(at, number, category_code=mutate.word(random)[:50]),
        "citizenapp": lambda: shapes.citizen(at, number, type=random.choice(nasty.KNOWN)),
        "hotline12345": lambda: shapes.work_order(at, number),
    }
    return Seed(kind, made[kind](), {})


def some(random: Random, at: int, tickets: list[str], *, past: bool) -> Seed:
    """A record of any source; of one that writes to this kind of topic, nearly always."""
    if random.random() < 0.5:
        return fresh(random, at, tickets)
    return random.choice(SEEDS if past or random.random() < 0.05 else LIVE)


def spoiled(random: Random, seed: Seed) -> bytes:
    """The record made bad in one way or another; sometimes left as it is."""
    mapping, roll = SOURCES[seed.source], random.random()
    if roll < 0.08:
        return seed.value
    if roll < 0.40:
        return mutate.broken(random, seed.value, random.choice(SEEDS).value)
    if mapping.format == "csv":
        return mutate.line(random, seed.value, mapping.delimiter)
    return mutate.document(random, seed.value)


def record(random: Random, seed: Seed, value: bytes, offset: int, at: int, *, past: bool, whole: bool = False) -> Row:
    """The value as a record of an intake topic; unless it is to be `whole`, its headers may be wrong."""
    mapping = SOURCES[seed.source]
    part = random.choice(sorted(mapping.parts())) if not whole and random.random() < 0.3 else None
    good = IntakeHeaders(source=seed.source, part=part, time=at if past else None, **seed.headers)
    headers = good.to_kafka()
    topic = HISTORY if past else f"intake.{mapping.topic}"
    if not whole and random.random() < 0.15:
        headers = _other_headers(random, headers)
    if not (past or whole) and random.random() < 0.15:
        topic = random.choice(INTAKE)
    none = not whole and random.random() < 0.005
    return Row(topic=PREFIX + topic, offset=offset, timestamp=at, value=None if none else value, headers=headers)


def _other_headers(random: Random, headers: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Headers with one changed, gone, or there twice."""
    headers, roll = list(headers), random.random()
    names = ["lianqin-source", "lianqin-version", "lianqin-part", "lianqin-time", "lianqin-marker", "lianqin-drill"]
    if roll < 0.2:
        headers.pop(random.randrange(len(headers)))
    elif roll < 0.5:
        value = mutate.word(random).encode() if random.random() < 0.7 else random.choice(nasty.BYTES)
        headers.append((random.choice(names), value))
    elif roll < 0.8:
        headers.append(("lianqin-source", random.choice(list(SOURCES)).encode()))
    else:
        name, value = headers[0]
        headers[0] = (name, mutate.broken(random, value, b"police110"))
    return headers
