"""The tree keeps its shape: arrows point down, packages hold docstrings, nothing is called `utils`."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [file for part in ("agents", "streams", "schemas", "deploy", "tests") for file in (ROOT / part).rglob("*.py")]


def test_import_contracts_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_module_is_a_drawer_for_leftovers() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [file for file in SOURCES if drawers & {file.stem, *file.relative_to(ROOT).parts}] == []


@pytest.mark.parametrize(
    "package",
    [file for file in SOURCES if file.name == "__init__.py"],
    ids=lambda file: str(file.parent.relative_to(ROOT)),
)
def test_package_holds_a_docstring_and_nothing_else(package: Path) -> None:
    tree = ast.parse(package.read_text())
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1


def test_every_folder_with_tests_is_a_package() -> None:
    folders = {file.parent for file in (ROOT / "tests").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []
