"""On what it was measured: a figure without its machine says nothing."""

import os
import platform
from importlib.metadata import version
from pathlib import Path


def described(kafka_libs: Path) -> dict[str, object]:
    """Cores, processor, versions, and how busy the machine was at the start."""
    jar = next(kafka_libs.glob("kafka_2.13-*.jar"), None)
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1),
        "python": platform.python_version(),
        "kafka": jar.stem.rpartition("-")[2] if jar else "unknown",
        "faust": version("faust-streaming"),
        "aiokafka": version("aiokafka"),
        "load_at_start": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
