"""A simulation as files: one a source in its own shape, and the truth beside them."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from agents.simulating.stream import Record
from schemas.mapping import SourceMapping

TRUTH = "truth.csv"


def write(folder: Path, records: Iterable[Record], mappings: Mapping[str, SourceMapping]) -> Counter[str]:
    """Write `<source>.csv` or `.jsonl`, and truth.csv (row, time, source, id, fate, of); how many of each source."""
    folder.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    files: dict[str, IO[bytes]] = {}
    with ExitStack() as stack, (folder / TRUTH).open("w", encoding="utf-8", newline="") as told:
        truth = csv.writer(told, lineterminator="\n")
        truth.writerow(("row", "time", "source", "id", "fate", "of"))
        for row, record in enumerate(records):
            if record.source not in files:
                files[record.source] = stack.enter_context(_begin(folder, mappings[record.source]))
            files[record.source].write(record.line + b"\n")
            of = "" if record.truth.of is None else record.truth.of
            truth.writerow((row, record.time, record.source, record.key, record.truth.fate.value, of))
            counts[record.source] += 1
    return counts


def _begin(folder: Path, mapping: SourceMapping) -> IO[bytes]:
    is_csv = mapping.format == "csv"
    file = (folder / f"{mapping.name}.{'csv' if is_csv else 'jsonl'}").open("wb")
    if is_csv:
        file.write(mapping.delimiter.join(mapping.columns).encode() + b"\n")
    return file
