"""Which packages are installed, which are pinned, and what does not fit."""

import re
from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
OURSELVES: Final = frozenset({"lianqin", "pip", "setuptools", "wheel"})
"""The product, and what a venv brings along."""


def plain(name: str) -> str:
    """A package's name in the one form that all spell alike."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned() -> dict[str, str]:
    """Versions by plain name, as `constraints.txt` says."""
    lines = (ROOT / "constraints.txt").read_text().split()
    return {plain(name): version for name, _, version in (line.partition("==") for line in lines)}


def installed() -> dict[str, str]:
    """Versions by plain name, as this Python has them."""
    found = {plain(one.metadata["Name"]): one.version for one in distributions()}
    return {name: version for name, version in found.items() if name not in OURSELVES}


def unpinned(have: Mapping[str, str], pins: Mapping[str, str]) -> list[str]:
    """What is installed otherwise than it is pinned."""
    return [
        f"{name} {version}: constraints.txt has {pins.get(name, 'nothing')}"
        for name, version in sorted(have.items())
        if pins.get(name) != version
    ]
