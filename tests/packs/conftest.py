"""A copy of the shipped packs, to be spoiled."""

import shutil
from pathlib import Path

import pytest

from agents.packs import SHIPPED


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Sources and districts, as they ship."""
    shutil.copytree(SHIPPED / "sources", tmp_path / "sources")
    shutil.copytree(SHIPPED / "districts", tmp_path / "districts")
    return tmp_path
