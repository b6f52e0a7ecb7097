"""Write the broker's loaded classes to a file from which later starts take them (half the time, half the CPU).

Run once by the set-up, after the jars are fetched: `python -m agents.local.archive FILE`.
"""

import sys
import tempfile
from pathlib import Path

from agents.local.broker import BrokerOptions, LocalBroker
from agents.local.errors import BrokerError


def write(file: Path) -> None:
    """Let a broker come up and go down in a folder of its own; the JVM writes `file` on its way out."""
    file.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        flag = f"-XX:ArchiveClassesAtExit={file.absolute()}"
        with LocalBroker(Path(folder) / "kafka", BrokerOptions(jvm_flags=(flag,), stop_within_s=60.0)):
            pass
    if not file.exists():
        msg = f"the JVM did not write {file}"
        raise BrokerError(msg)


def main() -> None:
    """Write the archive that is named on the command line."""
    try:
        write(Path(sys.argv[1]))
    except BrokerError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
