"""How long intake's own work takes per record: parse, map, encode. `python -m tests.bench.intake_core [FILE]`."""

import gzip
import sys
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time

import deploy
from agents.intake import Intake, IntakeDeps
from agents.packs import load_sources
from schemas.intake import IntakeHeaders
from streams.intake.sources import Sources
from streams.ownership.batch import Headers

MOST = 50_000
BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Row:
    """A record of `intake.history`."""

    offset: int
    value: bytes | None
    headers: Headers
    topic: str = "lianqin.intake.history"
    partition: int = 0
    timestamp: int = 1_700_000_000_000
    key: bytes | None = field(default=None)


def rows(file: Path, source: str) -> list[Row]:
    """The file's lines as records, all of one hour so that ticks do not count."""
    lines = gzip.decompress(file.read_bytes()).splitlines()[1 : MOST + 1]
    headers = IntakeHeaders(source=source, time=1_600_000_000_000, feed="0123456789abcdef", row=1).to_kafka()
    return [Row(offset, line, headers) for offset, line in enumerate(lines)]


def microseconds(file: Path, source: str) -> float:
    """Of this process's time per record, the best of three runs: other work on the machine does not count."""
    records = rows(file, source)
    runs = []
    for _ in range(3):
        sources = Sources(load_sources("pukou").values(), key=b"bench", catch_all="elsewhere")
        intake = Intake(IntakeDeps(sources=sources, prefix="lianqin.", partitions=8))
        begun = process_time()
        for start in range(0, len(records), BATCH):
            intake.answer(records[start : start + BATCH], "")
        runs.append((process_time() - begun) / len(records) * 1e6)
    return min(runs)


def main() -> None:
    """Print the figures of both cities."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(deploy.__file__).parent / "samples"
    for source in ("boston311", "sanmateo"):
        file = next(folder.glob(f"{source.removesuffix('311')}*.csv.gz"))
        sys.stdout.write(f"{source}: {microseconds(file, source):.1f} µs a record\n")


if __name__ == "__main__":
    main()
