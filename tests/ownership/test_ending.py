"""The end of a process comes, whatever else goes wrong."""

import subprocess
import sys
from pathlib import Path

from streams.ownership.ending import Code

DIE = "from streams.ownership.ending import Code, die; die(Code.FAILED, 'one line\\nof two')"


def test_it_ends_with_one_line_and_its_code() -> None:
    ended = subprocess.run([sys.executable, "-c", DIE], capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stderr) == (Code.FAILED, "one line of two\n")


def test_a_full_disk_under_its_log_does_not_keep_it_alive() -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run([sys.executable, "-c", DIE], stderr=full, timeout=30, check=False)
    assert ended.returncode == Code.FAILED
