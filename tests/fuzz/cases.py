"""What is tried at once, as data: kept in a file where it fails, and tried again from there."""

import base64
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import orjson

from schemas.codes import Clock
from schemas.intake import ARRIVED
from tests.fuzz import contracts, files, mutate, records
from tests.fuzz.chain import Chain
from tests.intake.kit import Row

CHAIN, DESK_LOG, BODY, HEADERS, PACK, MAPPING, FED = "chain", "desk", "body", "headers", "pack", "mapping", "fed"
BATCHES: Final = 12
BATCH_MOST: Final = 60


@dataclass(slots=True)
class Case:
    """Inputs of one kind. `parts`: a batch each of a chain's; else each by itself."""

    kind: str
    about: str = ""
    parts: list[Any] = field(default_factory=list)

    @property
    def inputs(self) -> int:
        """How many."""
        return sum(len(part["rows"]) for part in self.parts) if self.kind in {CHAIN, DESK_LOG} else len(self.parts)

    def dump(self) -> bytes:
        """As it is kept in a file."""
        return orjson.dumps({"kind": self.kind, "about": self.about, "parts": self.parts}, option=orjson.OPT_INDENT_2)


def load(raw: bytes) -> Case:
    """What `dump` wrote."""
    return Case(**orjson.loads(raw))


def text(raw: bytes | None) -> str | None:
    """Bytes as they stand in a case."""
    return None if raw is None else base64.b64encode(raw).decode()


def raw(written: str | None) -> bytes | None:
    """And back."""
    return None if written is None else base64.b64decode(written)


def _to_text(row: Row) -> dict[str, Any]:
    headers = [[name, text(value)] for name, value in row.headers]
    return {"topic": row.topic, "offset": row.offset, "at": row.timestamp, "value": text(row.value), "headers": headers}


def _to_row(written: dict[str, Any]) -> Row:
    return Row(
        topic=written["topic"],
        offset=written["offset"],
        timestamp=written["at"],
        value=raw(written["value"]),
        headers=[(name, raw(value) or b"") for name, value in written["headers"]],
    )


def play_chain(random: Random) -> tuple[Case, Callable[[], Chain]]:
    """A case that grows while it is played: what comes later is about tickets that came of what was before."""
    past = random.random() < 0.25
    case = Case(CHAIN, (Clock.LOG if past else Clock.WALL).value)

    def play() -> Chain:
        chain, offset, at = Chain(Clock(case.about)), 0, records.BEGIN
        for _ in range(BATCHES):
            at += random.choice((0, 1, 1000, 3_600_000, 86_400_000))
            part = _batch(random, chain, offset, at, past=past)
            offset += len(part["rows"])
            case.parts.append(part)
            _take(chain, part)
        return chain

    return case, play


def _batch(random: Random, chain: Chain, offset: int, at: int, *, past: bool) -> dict[str, Any]:
    rows, good = [], []
    for place in range(random.randrange(1, BATCH_MOST)):
        if random.random() < 0.25:
            seed = records.fresh(random, at, chain.tickets[-30:])
            row = records.record(random, seed, seed.value, offset + place, at, past=past, whole=True)
            if not past:
                good.append(place)
        else:
            seed = records.some(random, at, chain.tickets[-30:], past=past)
            row = records.record(random, seed, records.spoiled(random, seed), offset + place, at, past=past)
        rows.append(_to_text(row))
    return {"rows": rows, "good": good}


def _take(chain: Chain, part: dict[str, Any]) -> None:
    chain.take([_to_row(one) for one in part["rows"]], part["good"])


def made(random: Random, kind: str) -> Case:
    """A case of any kind but a chain."""
    many = {BODY: 200, HEADERS: 200, PACK: 1, MAPPING: 2, FED: 2, DESK_LOG: 60}[kind]
    case = Case(kind, random.choice(list(Clock)).value if kind == DESK_LOG else "")
    if kind == DESK_LOG:
        case.parts = [{"rows": [_command(random, offset) for offset in range(many)], "good": []}]
    else:
        case.parts = [_one(random, kind) for _ in range(many)]
    return case


def _command(random: Random, offset: int) -> dict[str, Any]:
    arrived = [(ARRIVED, mutate.word(random).encode())] if random.random() < 0.1 else []
    return _to_text(Row(offset=offset, value=contracts.body(random, "commands")[1], headers=arrived))


def _one(random: Random, kind: str) -> list[Any]:
    if kind == HEADERS:
        return [[[name, text(value)] for name, value in contracts.headers(random)], text(contracts.body(random)[1])]
    make = {BODY: contracts.body, PACK: files.pack, MAPPING: files.mapping, FED: files.fed}[kind]
    name, value = make(random)
    return [name, text(value)]


def check(case: Case) -> Chain | None:
    """Try it; what it raises is a finding, of whatever class."""
    if case.kind in {CHAIN, DESK_LOG}:
        chain = Chain(Clock(case.about))
        for part in case.parts:
            if case.kind == CHAIN:
                _take(chain, part)
            else:
                chain.on_desk([_to_row(one) for one in part["rows"]], at=records.BEGIN)
        return chain
    with tempfile.TemporaryDirectory(prefix="lianqin-fuzz-") as folder:
        for name, value in case.parts:
            _check_one(case.kind, Path(folder), name, raw(value) or b"")
    return None


def _check_one(kind: str, folder: Path, name: Any, value: bytes) -> None:
    match kind:
        case "body":
            contracts.check_body(name, value)
        case "headers":
            contracts.check_headers([(one, raw(said) or b"") for one, said in name], value)
        case "pack":
            files.check_pack(folder, name, value)
        case "mapping":
            files.check_mapping(folder, name, value)
        case _:
            files.check_fed(folder, name, value)


def smaller(case: Case, fails: Callable[[Case], bool], most: int = 300) -> Case:
    """The case with as little in it as still fails: halves, then quarters, down to single inputs."""
    if case.kind in {CHAIN, DESK_LOG}:
        flat = [(number, place) for number, part in enumerate(case.parts) for place in range(len(part["rows"]))]
        kept = _halved(flat, lambda keep: fails(_only(case, set(keep))), most)
        return _only(case, set(kept))
    kept_parts = _halved(case.parts, lambda keep: fails(Case(case.kind, case.about, keep)), most)
    return Case(case.kind, case.about, kept_parts)


def _only(case: Case, keep: set[tuple[int, int]]) -> Case:
    parts = []
    for number, part in enumerate(case.parts):
        places = [place for place in range(len(part["rows"])) if (number, place) in keep]
        good = [new for new, place in enumerate(places) if place in part["good"]]
        if places:
            parts.append({"rows": [part["rows"][place] for place in places], "good": good})
    return Case(case.kind, case.about, parts)


def _halved(whole: list[Any], fails: Callable[[list[Any]], bool], most: int) -> list[Any]:
    size = max(1, len(whole) // 2)
    while most > 0:
        at = 0
        while at < len(whole) and most > 0 and len(whole) > 1:
            most -= 1
            rest = whole[:at] + whole[at + size :]
            if rest and fails(rest):
                whole = rest
            else:
                at += size
        if size == 1:
            break
        size = max(1, size // 2)
    return whole
