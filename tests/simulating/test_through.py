"""A simulated day through a running centre: stopped in the middle, gone on with, and held against the truth."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.chaos.centre import PROGRAM, Up

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]


def test_a_day_through_the_centre_is_as_planted_and_the_account_whole(tmp_path: Path) -> None:
    with Up(tmp_path / "data", "--clock", "log", "--workers", "1") as up:
        refused = up.ask("simulate", "--begin", "tomorrow")
        assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
        begun = subprocess.Popen(
            [str(PROGRAM), "simulate", "--data-dir", str(up.folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(2)
        begun.send_signal(signal.SIGKILL)
        begun.wait()
        simulated = up.ask("simulate", "--json")
        assert simulated.returncode == 0, simulated.stdout + simulated.stderr
        found = json.loads(simulated.stdout)
        assert found["ok"] is True
        assert found["planted"] == found["as_planted"]
        assert found["near"]["proposed"] > 0
        again = up.ask("simulate", "--json")
        assert json.loads(again.stdout) == found, "sent once, whoever asks"
        earlier = up.ask("simulate", "--begin", "2024-01-01")
        assert (earlier.returncode, earlier.stderr.count("\n")) == (2, 1)
        audit = up.ask("audit", "--json")
        assert audit.returncode == 0, audit.stdout
