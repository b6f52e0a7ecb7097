"""The pure cores alone, without a broker: microseconds of CPU a report, as `desk_core` and `intake_core` print them."""

import re
import subprocess
import sys
from typing import Final

_LINE: Final = re.compile(r"^(?P<name>[^:]+):.*?(?P<best>[\d.]+) [uµ]s[^\d]*$", re.MULTILINE)


def microseconds() -> dict[str, dict[str, float]]:
    """By core, then by what is done; the best of some runs, which other programs disturbed least."""
    return {"desk": _best("tests.bench.desk_core"), "intake": _best("tests.bench.intake_core")}


def _best(module: str) -> dict[str, float]:
    said = subprocess.run([sys.executable, "-m", module], capture_output=True, text=True, check=True).stdout
    return {line["name"]: float(line["best"]) for line in _LINE.finditer(said)}
