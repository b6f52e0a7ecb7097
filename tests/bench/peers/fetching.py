"""Fetching the peers once, into build/peers: Kafka Streams by Maven with our program for it, Quix Streams by pip."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).resolve().parent
_ROOT: Final = _HERE.parents[2]
_BUILT: Final = _ROOT / "build" / "peers"
_JAVA: Final = _HERE / "kafka_streams"
_STREAMS: Final = _BUILT / "kafka-streams"
_REQUIREMENTS: Final = _HERE / "requirements-quix.txt"
_QUIX: Final = _BUILT / "quix"
_MVN: Final = ("mvn", "--batch-mode", "--no-transfer-progress", "-Dstyle.color=never")


class FetchError(Exception):
    """A peer cannot be had; the text says what to do."""


def kafka_streams() -> str:
    """The class path of our program on Kafka Streams."""
    sources = [_JAVA / "pom.xml", *sorted(_JAVA.rglob("*.java"))]
    _once(_STREAMS, sources, _package)
    return f"{_STREAMS / 'classes'}:{_STREAMS / 'libs'}/*"


def quix() -> str:
    """The Python that has Quix Streams."""
    _once(_QUIX, [_REQUIREMENTS], _install)
    return str(_QUIX / "bin" / "python")


def _once(folder: Path, sources: Sequence[Path], make: Callable[[], None]) -> None:
    """Make a folder anew when it was made of other sources: by what they say, as git touches what stays the same."""
    stamp, made_of = folder / ".made-of", sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    if stamp.exists() and stamp.read_text() == made_of:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    make()
    stamp.write_text(made_of)


def _package() -> None:
    if shutil.which("mvn") is None:
        msg = "Maven is missing: run `make setup`"
        raise FetchError(msg)
    _run([*_MVN, "-q", "-f", str(_JAVA / "pom.xml"), "package", f"-Dout={_STREAMS}"], _BUILT / "maven.log")


def _install() -> None:
    log = _BUILT / "pip.log"
    _run([sys.executable, "-m", "venv", str(_QUIX)], log)
    pip = [str(_QUIX / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    _run([*pip, "--requirement", str(_REQUIREMENTS)], log)


def _run(command: Sequence[str], log: Path) -> None:
    with log.open("a") as said:
        code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False).returncode
    if code != 0:
        lines = [line for line in log.read_text().splitlines() if "ERROR" in line] or ["it said nothing"]
        msg = f"{command[0]} failed: {lines[0]} (see {log})"
        raise FetchError(msg)
