"""The command line as a whole: each command shows how it is used, and brings nothing that others need."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from agents.cli.main import COMMANDS, program

GROUPS = {"evaluate": ["dedup"], "policy": ["check", "diff", "publish"]}
ALL = [[name, *inner] for name in COMMANDS for inner in ([[one] for one in GROUPS[name]] if name in GROUPS else [[]])]


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_has_an_example(words: list[str]) -> None:
    answer = CliRunner().invoke(program(), [*words, "--help"])
    assert answer.exit_code == 0
    assert "Example:" in answer.output


def test_a_command_is_started_without_the_others() -> None:
    code = "import sys; from agents.cli.main import program; program(['report']); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert "agents.cli.report" in said.split()
    assert not {"agents.app", "faust", "chdb", "matplotlib", "streams.desk.decide"} & set(said.split())
