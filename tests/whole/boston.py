"""Small files in the shape of `boston311` that nobody has seen before, and their own counts."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

COLUMNS: Final = (
    "service_request_id,service_name,requested_datetime,closed_datetime,status,lat,long,is_duplicate,duplicate_of"
)
NAMES: Final = ("Illegal Parking", "Abandoned Vehicle", "Unsafe", "Other")
FIRST_DAY: Final = datetime(2011, 1, 3, 8, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class BostonFile:
    """A file and what stands in it: reports that can be read, closings, broken lines."""

    path: Path
    reports: int
    closings: int
    broken: int


@dataclass(slots=True)
class Boston:
    """Makes files, each later than all before it."""

    folder: Path
    day: datetime = FIRST_DAY
    _made: int = 0
    written: list[BostonFile] = field(default_factory=list)

    def file(self, rows: int, *, broken: tuple[bytes, ...] = (), placeless: tuple[bytes, ...] = ()) -> BostonFile:
        """Rows a minute apart, two of three closed two days later; the odd lines, never closed, go in between."""
        lines = [self._row(number) for number in range(rows)]
        lines[rows // 2 : rows // 2] = [*broken, *placeless]
        path = self.folder / f"boston-{self._made}.csv"
        path.write_bytes(b"\n".join([COLUMNS.encode(), *lines, b""]))
        self.day += timedelta(days=30)
        closings = sum(number % 3 != 0 for number in range(rows))
        made = BostonFile(path, rows + len(placeless), closings, len(broken))
        self.written.append(made)
        return made

    def _row(self, number: int) -> bytes:
        self._made += 1
        at = self.day + timedelta(minutes=number)
        closed = (at + timedelta(days=2, minutes=7)).isoformat() if number % 3 else ""
        lat, lon = 42.30 + number % 50 / 1000, -71.10 + number % 40 / 1000
        name = NAMES[number % len(NAMES)]
        return f"T{self._made:06d},{name},{at.isoformat()},{closed},open,{lat:.5f},{lon:.5f},0,".encode()
