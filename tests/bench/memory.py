"""The memory of processes, from /proc."""

import re
from pathlib import Path
from typing import Final

_PEAK: Final = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def peak_mb(pid: int) -> float:
    """The most resident memory that a process ever had, in megabytes (10^6 bytes); 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return peak_in(status)


def peak_in(status: str) -> float:
    """The same from the text of `/proc/PID/status`; 0 when it says nothing, as that of a process that just ended."""
    found = _PEAK.search(status)
    return int(found[1]) * 1024 / 1e6 if found else 0.0
