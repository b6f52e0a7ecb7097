"""Citizens' reports of the source `rehearsal`, generated as `rehearse` does, with planted repeats, urges and merges."""

import csv
import io
from collections.abc import Iterator
from dataclasses import astuple
from typing import Final

from agents.local.rehearsal import rehearse
from schemas.intake import IntakeHeaders
from tests.bench.logs import Row

SOURCE: Final = "rehearsal"


def rows(count: int, seed: int = 1) -> Iterator[Row]:
    """So many records for `intake.citizen`, in time order; the same each time."""
    headers = IntakeHeaders(source=SOURCE).to_kafka()
    for row in rehearse(seed, count):
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(astuple(row))
        yield row.id.encode(), line.getvalue().encode(), headers
