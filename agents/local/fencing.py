"""What comes before a lone broker that ended without a word: its leaderships are taken back, then it is started.

Such a broker first reads its own old metadata, by which it still leads every partition. Of a transaction that was
decided when it ended, it begins to write the markers before it listens to itself; meanwhile its controller takes the
leaderships away, to give them back a moment later. Kafka 4.3.1 holds a partition without a leader for a deleted one,
writes no marker there, and calls the transaction complete: it hides all that comes after it, or is closed as the next
one of its producer is, and what was done anew stands twice. So the controller runs alone first, for as long as it
takes to fence the broker; with nothing to lead, that one then begins at the beginning.

`python -m agents.local.fencing DATA PROPERTIES COMMAND...`: PROPERTIES are the lone controller's, COMMAND the broker's,
which takes this process over.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agents.local import children

SETTINGS: Final = {"process.roles": "controller", "broker.session.timeout.ms": "500"}
"""Of the lone controller, beside its listeners."""
FENCED: Final = "Fencing broker"
_SAYING: Final = "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.controller=info"
_WITHIN_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.05


def ended_without_a_word(data: Path) -> bool:
    """Whether a broker ran on this folder and was not stopped in order."""
    return (data / "__cluster_metadata-0").exists() and not (data / ".kafka_cleanshutdown").exists()


def fence(command: Sequence[str], log: Path) -> None:
    """Run a controller until it has fenced the broker; where it cannot, the broker itself says why."""
    log.unlink(missing_ok=True)
    child = children.spawn([command[0], _SAYING, *command[1:]], log=log)
    until = time.monotonic() + _WITHIN_S
    while child.poll() is None and time.monotonic() < until and not children.last_line(log, where=_is_fenced):
        time.sleep(_LOOK_EVERY_S)
    children.stop(child, within_s=_WITHIN_S)


def _is_fenced(line: str) -> bool:
    return FENCED in line


def main() -> None:
    """Fence the broker if it must be, then become it."""
    data, properties, *command = sys.argv[1:]
    if ended_without_a_word(Path(data)):
        fence([*command[:-1], properties], Path(data).with_name("fencing.log"))
    os.execv(command[0], command)  # noqa: S606 - our own command line


if __name__ == "__main__":
    main()
